"""``impasto stylize`` with one photograph."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from impasto.cli.destination import destination, names_folder
from impasto.cli.making import Output, make, say
from impasto.cli.naming import PIPE, default_output, stem_of
from impasto.cli.pipes import from_pipe, to_pipe
from impasto.cli.progress import lasting
from impasto.cli.wishes import Wishes
from impasto.errors import OutputError, RecipeError
from impasto.files.outputs import is_folder, named_in
from impasto.jobs.still import Job
from impasto.jobs.stylizer import Stylizer
from impasto.recipe.still import Recipe


def stylize_command(
    content: Path,
    styles: Sequence[Path],
    recipe: Recipe,
    output: str | None,
    wishes: Wishes,
    *,
    is_plain: bool = True,
) -> int:
    """Make the picture and write it; the exit status.

    Args:
        content: the photograph.
        styles: the paintings.
        recipe: of the picture.
        output: where to; a folder takes it under its usual name.
        wishes: how.
        is_plain: the paintings were named without ``--style``: several names and a folder may then
            be a pattern that the shell has expanded.

    Raises:
        ImpastoError: with one sentence that says what to do.

    """
    if not styles:
        raise RecipeError("A painting is needed too: impasto stylize photo.jpg painting.jpg.")
    if wishes.preview is not None and wishes.preview < 1:
        raise RecipeError("--preview must be at least 1.")
    if output is not None and is_plain and len(styles) > 1 and _may_be_a_folder(output):
        raise OutputError(
            f"{output!r} names no known format of a picture: if many photographs are meant, "
            "name the painting with --style, or put the pattern in quotes."
        )

    photograph, *paintings = from_pipe((content, *styles))

    def start(resume: Path | None) -> Job:
        return Stylizer.of(recipe).start(recipe, photograph, paintings, resume=resume)

    inputs = (content, *styles, *named_in(vars(recipe)))
    usual = default_output(content, styles, recipe.seed or None)
    usual = wishes.usual_name(usual, stem_of(content), styles, recipe.seed, output)
    with to_pipe(usual) if output == str(PIPE) else destination(output, usual) as named:
        is_part = recipe.crop_preview
        path = named.with_name(f"{named.stem}.crop{named.suffix}") if is_part else named
        target = Output(
            *(path, recipe.depth, wishes.overwrite, wishes.keeping, inputs, wishes.preview),
            quiet=wishes.quiet,
            tells=wishes.tells(output),
        )
        job, status = make(start, target)
    if is_part and status == 0:
        say((_price(job),), quiet=wishes.quiet)
    return status


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
