"""``impasto stylize`` with one photograph."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from impasto.cli.destination import destination, names_folder
from impasto.cli.keeping import Keeping
from impasto.cli.making import Output, make, say
from impasto.cli.progress import lasting
from impasto.errors import OutputError, RecipeError
from impasto.files.outputs import is_folder, named_in
from impasto.jobs.still import Job
from impasto.jobs.stylizer import Stylizer
from impasto.recipe.still import Recipe

LONGEST_NAME = 200  # bytes; disks take 255, and previews and records add to it


def stylize_command(
    content: Path,
    styles: Sequence[Path],
    *,
    output: str | None,
    overwrite: bool,
    keeping: Keeping,
    preview: int | None,
    quiet: bool,
    recipe: Recipe,
    is_plain: bool = True,
) -> int:
    """Make the picture and write it; the exit status.

    Args:
        content: the photograph.
        styles: the paintings.
        output: where to; a folder takes it under its usual name.
        overwrite: what is there may be replaced.
        keeping: checkpoints.
        preview: steps between two previews, if any.
        quiet: say nothing but errors.
        recipe: of the picture.
        is_plain: the paintings were named without ``--style``: several names and a folder may then
            be a pattern that the shell has expanded.

    Raises:
        ImpastoError: with one sentence that says what to do.

    """
    if not styles:
        raise RecipeError("A painting is needed too: impasto stylize photo.jpg painting.jpg.")
    if preview is not None and preview < 1:
        raise RecipeError("--preview must be at least 1.")
    if output is not None and is_plain and len(styles) > 1 and _may_be_a_folder(output):
        raise OutputError(
            f"{output!r} names no known format of a picture: if many photographs are meant, "
            "name the painting with --style, or put the pattern in quotes."
        )

    def start(resume: Path | None) -> Job:
        return Stylizer.of(recipe).start(recipe, content, list(styles), resume=resume)

    inputs = (content, *styles, *named_in(vars(recipe)))
    with destination(output, default_output(content, styles)) as named:
        is_part = recipe.crop_preview
        path = named.with_name(f"{named.stem}.crop{named.suffix}") if is_part else named
        target = Output(path, recipe.depth, overwrite, keeping, inputs, preview, quiet)
        job, status = make(start, target)
    if is_part and status == 0:
        say((_price(job),), quiet=quiet)
    return status


def default_output(content: Path, styles: Sequence[Path]) -> Path:
    """``photo+painting.png``, in the current folder; cut where it would be too long for a disk."""
    joined = "+".join(path.stem for path in (content, *styles))
    if len(os.fsencode(joined)) > LONGEST_NAME:
        joined = os.fsencode(joined)[:LONGEST_NAME].decode(errors="ignore")
    return Path(joined + ".png")


def _may_be_a_folder(output: str) -> bool:
    return names_folder(output) or is_folder(output) or not Path(output).suffix


def _price(job: Job) -> str:
    """What the whole picture would take, after a part of it."""
    last = job.plan.stages[-1]
    _, _, height, width = last.window or (0, 0, last.height, last.width)
    return (
        f"these are {width}x{height} of {last.width}x{last.height} "
        f"pixels; all of them take about {lasting(job.seconds / job.plan.share)} on this "
        "machine: leave out --crop-preview to make them."
    )
