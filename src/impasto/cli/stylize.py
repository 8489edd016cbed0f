"""``impasto stylize`` with one photograph."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from impasto.api import stylize_job
from impasto.cli.keeping import Keeping
from impasto.cli.making import Output, make, say
from impasto.cli.progress import lasting
from impasto.errors import OutputError, RecipeError
from impasto.files.images import check_suffix
from impasto.job import Job

LONGEST_NAME = 200  # bytes; disks take 255, and previews and records add to it


def stylize_command(
    content: Path,
    styles: Sequence[Path],
    *,
    output: Path | None,
    overwrite: bool,
    keeping: Keeping,
    preview: int | None,
    quiet: bool,
    options: dict[str, Any],
) -> int:
    """Make the picture and write it; the exit status.

    Raises:
        ImpastoError: with one sentence that says what to do.

    """
    if not styles:
        raise RecipeError("A painting is needed too: impasto stylize photo.jpg painting.jpg.")
    if preview is not None and preview < 1:
        raise RecipeError("--preview must be at least 1.")
    if output is not None and len(styles) > 1 and (output.is_dir() or not output.suffix):
        raise OutputError(
            f"{str(output)!r} names no known format of a picture: if many photographs are meant, "
            "name the painting with --style, or put the pattern in quotes."
        )
    path = output or default_output(content, styles)
    if options.get("crop_preview"):
        path = path.with_name(f"{path.stem}.crop{path.suffix}")
    check_suffix(path, depth=options.get("depth", 8))

    def start(resume: Path | None) -> Job:
        return stylize_job(content, list(styles), resume=resume, **options)

    job, status = make(start, Output(path, overwrite, keeping, preview, quiet))
    if options.get("crop_preview") and status == 0:
        say((_price(job),), quiet=quiet)
    return status


def default_output(content: Path, styles: Sequence[Path]) -> Path:
    """``photo+painting.png``, in the current folder; cut where it would be too long for a disk."""
    joined = "+".join(path.stem for path in (content, *styles))
    if len(os.fsencode(joined)) > LONGEST_NAME:
        joined = os.fsencode(joined)[:LONGEST_NAME].decode(errors="ignore")
    return Path(joined + ".png")


def _price(job: Job) -> str:
    """What the whole picture would take, after a part of it."""
    last = job.plan.stages[-1]
    _, _, height, width = last.window or (0, 0, last.height, last.width)
    return (
        f"these are {width}x{height} of {last.width}x{last.height} "
        f"pixels; all of them take about {lasting(job.seconds / job.plan.share)} on this "
        "machine: leave out --crop-preview to make them."
    )
