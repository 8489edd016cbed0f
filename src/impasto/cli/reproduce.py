"""``impasto reproduce``: make a result again, and say whether it is the same."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from impasto.cli.destination import destination
from impasto.cli.film_progress import film_display
from impasto.cli.memory import keep_freed_memory
from impasto.cli.progress import progress_display
from impasto.files.atomic import claimed
from impasto.files.formats import is_moving
from impasto.files.outputs import Outputs
from impasto.files.records.films import FilmRecord, read_any_record
from impasto.files.records.read import task_of
from impasto.files.records.write import record_path
from impasto.jobs import painted, trained
from impasto.jobs.painted import PaintedRerun
from impasto.jobs.reproduce import Reproduction, Rerun
from impasto.jobs.running import carry_out
from impasto.jobs.trained import TrainedRerun

if TYPE_CHECKING:
    from impasto.jobs.reproduce_film import FilmReproduction

VERDICTS = {
    True: "The pixels are identical.",
    False: "The pixels are not identical.",
    None: "Whether the pixels are identical is not known: the record is from before pixel hashes.",
}


def reproduce_command(
    path: Path, output: str | None, *, overwrite: bool, quiet: bool, **given: Any
) -> int:
    """Make it again; 0 if it is the same or cannot be compared, 1 if it is not.

    Raises:
        ImpastoError: with one sentence that says what to do.

    """
    task = task_of(path)
    if task == trained.TASK:
        return _trained(path, output, overwrite=overwrite, quiet=quiet, **given)
    if task == painted.TASK:
        return _painted(path, output, overwrite=overwrite, quiet=quiet, **given)
    if isinstance(read_any_record(path), FilmRecord):
        return _film(path, output, overwrite=overwrite, quiet=quiet, **given)
    read = (path, record_path(path), path.with_suffix(".png"))
    with destination(output, default_output(path)) as target:
        Outputs(read, overwrite=overwrite).check_picture(target)
        rerun = Rerun(path, **given)
        outputs = Outputs((*read, *rerun.job.inputs), overwrite=overwrite)
        outputs.check_picture(target, depth=rerun.job.recipe.depth)
        return _make(rerun, target, overwrite=overwrite, quiet=quiet)


def _make(rerun: Rerun, path: Path, *, overwrite: bool, quiet: bool) -> int:
    _say(rerun.changes, quiet=quiet)
    keep_freed_memory(rerun.job.plan)
    with progress_display(rerun.job.plan, quiet=quiet) as show:
        carry_out(rerun.job, show, until=rerun.is_done)
    return _deliver(rerun.finish(), path, overwrite=overwrite, quiet=quiet)


def _trained(
    path: Path,
    output: str | None,
    *,
    overwrite: bool,
    quiet: bool,
    content: Path | None,
    weights: Path | None,
    max_pixels: int,
    **_: object,
) -> int:
    """By the network that has made it, which takes a moment."""
    rerun = TrainedRerun(path, content=content, weights=weights, max_pixels=max_pixels)
    return _at_once(rerun, path, output, overwrite=overwrite, quiet=quiet)


def _painted(
    path: Path,
    output: str | None,
    *,
    overwrite: bool,
    quiet: bool,
    content: Path | None,
    style: Sequence[Path],
    max_pixels: int,
    **_: object,
) -> int:
    """By the same strokes or filter."""
    rerun = PaintedRerun(path, content=content, style=style, max_pixels=max_pixels)
    if rerun.is_film:
        return _painted_film(rerun, path, output, overwrite=overwrite, quiet=quiet)
    return _at_once(rerun, path, output, overwrite=overwrite, quiet=quiet)


def _painted_film(
    rerun: PaintedRerun, path: Path, output: str | None, *, overwrite: bool, quiet: bool
) -> int:
    from impasto.jobs.painted_film import film_again

    original = path if is_moving(path) else path.with_suffix(".mp4")
    read = (path, record_path(path), original, *rerun.inputs)
    with destination(output, default_output(path).with_suffix(original.suffix)) as target:
        Outputs(read, overwrite=overwrite).check(target, record_path(target))
        with claimed(target), film_display(quiet=quiet) as show:
            made, identical, changes = film_again(rerun, target, show=show)
    _say([*changes, *made.notes], quiet=quiet)
    if not quiet:
        print(target)
        print("The frames are identical." if identical else "The frames are not identical.")
    return 0 if identical else 1


def _at_once(
    rerun: TrainedRerun | PaintedRerun,
    path: Path,
    output: str | None,
    *,
    overwrite: bool,
    quiet: bool,
) -> int:
    read = (path, record_path(path), path.with_suffix(".png"), *rerun.inputs)
    with destination(output, default_output(path)) as target:
        Outputs(read, overwrite=overwrite).check_picture(target)
        result, identical, changes = rerun.finish()
        _say(changes, quiet=quiet)
        return _deliver(
            Reproduction(result, identical, changes), target, overwrite=overwrite, quiet=quiet
        )


def _film(path: Path, output: str | None, *, quiet: bool, **given: Any) -> int:
    from impasto.jobs.reproduce_film import FilmRerun

    rerun = FilmRerun(path, None if output is None else Path(output), **given)
    with claimed(rerun.path):
        _say([*rerun.changes, *rerun.job.notes], quiet=quiet)
        keep_freed_memory(rerun.job.plan)
        with film_display(quiet=quiet) as show:
            carry_out(rerun.job, show)
        _say(rerun.job.troubles, quiet=quiet)
        again = rerun.finish()
    if not quiet:
        print(rerun.path)
        print(film_verdict(again, len(rerun.record.frames)))
    return 1 if again.identical is False else 0


def film_verdict(again: FilmReproduction, count: int) -> str:
    """Whether a film is the same, in one sentence."""
    if again.different is None:
        return "Whether the frames are identical is not known: the record is from before hashes."
    if not again.different:
        return "The frames are identical."
    return f"{len(again.different)} of {count} frames are not identical."


def _say(sentences: Sequence[str], *, quiet: bool) -> None:
    for sentence in () if quiet else sentences:
        print(sentence, file=sys.stderr)


def default_output(path: Path) -> Path:
    """``NAME.again.png``, beside the record."""
    return path.with_name(f"{path.stem}.again.png")


def _deliver(again: Reproduction, path: Path, *, overwrite: bool, quiet: bool) -> int:
    again.result.save(path, overwrite=overwrite)
    if not quiet:
        print(path)
        print(VERDICTS[again.identical])
    return 1 if again.identical is False else 0
