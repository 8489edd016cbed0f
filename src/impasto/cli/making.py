"""One picture from the command line: claimed, resumed or begun, shown, kept and written."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from impasto.cli.keeping import Keeper, Keeping
from impasto.cli.memory import keep_freed_memory
from impasto.cli.progress import lasting, progress_display
from impasto.cli.results import tell_results
from impasto.cli.stopping import ends_at_once, status_of
from impasto.cli.wishes import Telling
from impasto.engine.state import State
from impasto.errors import OutputError, ShortageError
from impasto.files.atomic import claimed
from impasto.files.outputs import Outputs
from impasto.files.pictures.encoding import carries
from impasto.files.pictures.images import left_out, to_pillow, write_image
from impasto.files.records.finished import is_finished, may_replace
from impasto.files.records.write import record_path
from impasto.jobs.running import carry_out
from impasto.jobs.still import Job
from impasto.shortage import memory_told

_PREVIEW = {"impasto-preview": "yes"}


@dataclass(frozen=True)
class Output:
    """Where a picture goes, and what is said and kept on the way.

    Attributes:
        path: of the picture.
        depth: its bits a channel.
        overwrite: what is there may be replaced.
        keeping: checkpoints.
        inputs: what is read.
        preview: steps between two previews, if any.
        quiet: say nothing but errors.
        tells: what is printed of the result on standard output.

    """

    path: Path
    depth: int
    overwrite: bool
    keeping: Keeping
    inputs: Sequence[object]
    preview: int | None = None
    quiet: bool = False
    tells: Telling = "name"


def make(start: Callable[[Path | None], Job], output: Output) -> tuple[Job, int]:
    """Make a picture and write it; the job, and the exit status.

    Args:
        start: begins the job, or goes on from a checkpoint.
        output: where to.

    Raises:
        ImpastoError: with one sentence that says what to do.

    """
    path, resume = output.path, output.keeping.resume
    keeper = Keeper(path, output.keeping.seconds)
    outputs = _checked(output, keeper)
    with claimed(path, record_path(path), keeper.path):
        kept = keeper.resumable(resume=resume, overwrite=output.overwrite, quiet=output.quiet)
        job = start(kept)
        say((*job.notes, *left_out(path, alpha=job.transparent)), quiet=output.quiet)
        if resume and is_finished(path, job.wanted):
            say((f"{path} was finished before.",), quiet=output.quiet)
            if output.tells == "json":
                tell_results([path], quiet=True, as_json=True)
            status = 0
        else:
            overwrite = output.overwrite or (resume and may_replace(path, job.wanted))
            outputs.check(path, record_path(path), overwrite=overwrite)
            keep_freed_memory(job.plan)
            if not output.quiet:
                say((_expected(job),), quiet=False)
            status = _work(job, keeper, output)
            _deliver(job, keeper, path, overwrite=overwrite)
            _report(job, keeper, output, status)
        if status == 0:
            keeper.discard()
    return job, status


def _checked(output: Output, keeper: Keeper) -> Outputs:
    """What may be written, made sure before any work; more is known of it once the job is there."""
    outputs = Outputs(output.inputs, overwrite=output.overwrite)
    path, preview = output.path, _preview_path(output.path)
    outputs.check_not_read(keeper.path)
    beside = [preview] if output.preview else []
    outputs.check_picture(path, *beside, depth=output.depth, overwrite=True)
    outputs.check(path, record_path(path), overwrite=output.overwrite or output.keeping.resume)
    if output.preview and not is_preview(preview):
        outputs.check(preview)
    return outputs


def say(sentences: Sequence[str], *, quiet: bool) -> None:
    """Sentences on standard error, a line each."""
    for sentence in () if quiet else sentences:
        print(f"impasto: {sentence}", file=sys.stderr)


def _expected(job: Job) -> str:
    """What the run will take, and what the plan does about it."""
    expected = job.forecast()
    last = job.plan.stages[-1]
    parts = [f"about {lasting(expected.total)}"]
    if expected.memory is not None:
        parts.append(f"{expected.memory / 1e9:.1f} GB of memory")
    if last.tile is not None:
        parts.append(f"tiles of {last.tile} pixels")
    if last.mapped:
        parts.append("the optimiser's memory in a file")
    return f"{last.width}x{last.height}: {', '.join(parts)}."


def _work(job: Job, keeper: Keeper, output: Output) -> int:
    """Draw a job's progress until it is done or stopped; the exit status."""
    preview = _Preview(_preview_path(output.path), output.preview)
    try:
        with progress_display(job.plan, quiet=output.quiet) as show:
            carry_out(job, show, preview, lambda _: keeper(job))
    except KeyboardInterrupt as stop:
        if not job.is_whole or ends_at_once(stop):
            raise
        return 0 if _is_done(job) else status_of(stop)
    except ShortageError as error:
        if keeper.keep(job):
            raise ShortageError(
                f"{str(error).rstrip('.')}; --resume goes on from {keeper.path}."
            ) from error
        raise
    finally:
        preview.remove()
    return 0


def _is_done(job: Job) -> bool:
    return job.last is not None and job.last.step == job.plan.steps


class _Preview:
    """The picture so far, every so many steps. A full disk costs a preview, not the run."""

    def __init__(self, path: Path, every: int | None) -> None:
        self._path, self._every, self._is_ours = path, every, False

    def __call__(self, state: State) -> None:
        if not self._every or not state.step or state.step % self._every:
            return
        try:
            with memory_told():
                write_image(to_pillow(state.snapshot()), self._path, text=_PREVIEW)
            self._is_ours = True
        except (OutputError, ShortageError) as error:
            say((f"no preview, but the run goes on: {error}",), quiet=False)
            self._every = None

    def remove(self) -> None:
        if self._is_ours:
            self._path.unlink(missing_ok=True)


def _deliver(job: Job, keeper: Keeper, path: Path, *, overwrite: bool) -> None:
    """Write the picture as it is; where that fails, or the run was stopped, keep a checkpoint."""
    if not _is_done(job):
        keeper.keep(job)
    try:
        job.result().save(path, overwrite=overwrite)
    except (OutputError, ShortageError) as error:
        if keeper.keep(job):
            raise type(error)(
                f"{str(error).rstrip('.')}; nothing is lost: --resume goes on from {keeper.path}."
            ) from error
        raise


def _report(job: Job, keeper: Keeper, output: Output, status: int) -> None:
    """Say where the picture lies, and what there is to know of it."""
    assert job.last is not None
    if job.troubles:
        say(
            (f"the optimiser stumbled in {job.troubles} steps; the record says how it went on.",),
            quiet=output.quiet,
        )
    if status:
        height, width = job.last.image.shape[-2:]
        again = "; add --resume to go on" if keeper.has_one else ""
        sentence = (
            f"stopped after {job.last.step} of {job.plan.steps} steps; "
            f"the picture so far ({width}x{height}) is in {output.path}{again}."
        )
        say((sentence,), quiet=False)
    if output.tells == "json":
        tell_results([output.path], quiet=True, as_json=True)
    elif not status and output.tells == "name":
        tell_results([output.path], quiet=output.quiet, as_json=False)


def _preview_path(path: Path) -> Path:
    return path.with_name(f"{path.stem}.preview.png")


def is_preview(path: Path) -> bool:
    """Whether a file is a preview that a killed run has left: it may be replaced."""
    return carries(path, _PREVIEW)
