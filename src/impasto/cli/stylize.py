"""``impasto stylize``: read, draw the progress, write; keep what there is on Ctrl-C."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from impasto.api import Job, Result, check_destination, stylize_job
from impasto.cli.progress import progress_display
from impasto.errors import OutputError, RecipeError
from impasto.files.atomic import check_output
from impasto.files.images import left_out, to_pillow, write_image

INTERRUPTED = 130
LONGEST_NAME = 200  # bytes; disks take 255, and previews and records add to it


def stylize_command(
    content: Path,
    styles: Sequence[Path],
    *,
    output: Path | None,
    overwrite: bool,
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
    check_destination(path, overwrite=overwrite, depth=options.get("depth", 8))
    if preview:
        check_output(_preview_path(path), overwrite=overwrite)
    job = stylize_job(content, list(styles), **options)
    say((*job.notes, *left_out(path, alpha=job.transparent)), quiet=quiet)
    try:
        status = work(job, path, preview=preview, quiet=quiet)
        finish(job, path, overwrite=overwrite, quiet=quiet, status=status)
    finally:
        if preview:
            _preview_path(path).unlink(missing_ok=True)
    return status


def default_output(content: Path, styles: Sequence[Path]) -> Path:
    """``photo+painting.png``, in the current folder; cut where it would be too long for a disk."""
    joined = "+".join(path.stem for path in (content, *styles))
    return Path(joined.encode()[:LONGEST_NAME].decode(errors="ignore") + ".png")


def work(job: Job, path: Path, *, preview: int | None, quiet: bool) -> int:
    """Draw a job's progress until it is done or stopped; the exit status."""
    try:
        with progress_display(job.plan, quiet=quiet) as show:
            for state in job:
                show(state)
                if preview and state.step and state.step % preview == 0:
                    write_image(to_pillow(state.snapshot()), _preview_path(path))
    except KeyboardInterrupt:
        if job.last is None:
            raise
        return INTERRUPTED
    return 0


def finish(job: Job, path: Path, *, overwrite: bool, quiet: bool, status: int) -> None:
    """Write the picture as it is, and say where it lies."""
    result = job.result()
    result.save(path, overwrite=overwrite)
    if status == INTERRUPTED:
        steps = result.record["result"]["steps"]
        print(
            f"impasto: stopped after {steps} of {job.plan.steps} steps; "
            f"the picture so far ({result.image.width}x{result.image.height}) is in {path}.",
            file=sys.stderr,
        )
    elif not quiet:
        print(path)
        if job.recipe.crop_preview:
            say((_price(job, result),), quiet=quiet)


def _price(job: Job, result: Result) -> str:
    """What the whole picture would take, after a part of it."""
    last, seconds = job.plan.stages[-1], result.record["result"]["seconds"]
    return (
        f"these are {result.image.width}x{result.image.height} of {last.width}x{last.height} "
        f"pixels; all of them take about {_duration(seconds / job.plan.share)} on this machine: "
        "leave out --crop-preview to make them."
    )


def _duration(seconds: float) -> str:
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= 1.5 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(1, seconds):.0f} s"


def say(sentences: Sequence[str], *, quiet: bool) -> None:
    """Print notes to standard error."""
    for sentence in () if quiet else sentences:
        print(f"impasto: {sentence}", file=sys.stderr)


def _preview_path(path: Path) -> Path:
    return path.with_name(f"{path.stem}.preview.png")
