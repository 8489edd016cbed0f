"""``impasto stylize``: read, draw the progress, write; keep what there is on Ctrl-C."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from impasto.api import Job, check_destination, stylize_job
from impasto.cli.progress import progress_display
from impasto.errors import OutputError, RecipeError
from impasto.files.atomic import check_output
from impasto.files.images import to_pillow, write_image

INTERRUPTED = 130


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
    check_destination(path, overwrite=overwrite)
    if preview:
        check_output(_preview_path(path), overwrite=overwrite)
    job = stylize_job(content, list(styles), **options)
    try:
        status = work(job, path, preview=preview, quiet=quiet)
        finish(job, path, overwrite=overwrite, quiet=quiet, status=status)
    finally:
        if preview:
            _preview_path(path).unlink(missing_ok=True)
    return status


def default_output(content: Path, styles: Sequence[Path]) -> Path:
    """``photo+painting.png``, in the current folder."""
    return Path("+".join(path.stem for path in (content, *styles)) + ".png")


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


def _preview_path(path: Path) -> Path:
    return path.with_name(f"{path.stem}.preview.png")
