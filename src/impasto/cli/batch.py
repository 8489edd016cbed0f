"""``impasto stylize`` with many photographs: one after the other; failures stop no others."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from impasto.cli.keeping import Keeper, Keeping
from impasto.cli.making import say
from impasto.cli.memory import keep_freed_memory
from impasto.cli.progress import BatchShow, batch_display
from impasto.cli.stopping import ends_at_once, status_of
from impasto.cli.stylize import default_output
from impasto.errors import ImpastoError, OutputError, RecipeError, RecordError, ShortageError
from impasto.files.atomic import claimed, make_folder
from impasto.files.formats import written_as
from impasto.files.outputs import Outputs, folded, named_in, same_file
from impasto.files.pictures.finding import file_sha256, find_pictures, is_many
from impasto.files.pictures.images import check_suffix, read_picture
from impasto.files.records.checkpoints import checkpoint_path
from impasto.files.records.finished import Wanted, is_finished, may_replace
from impasto.files.records.write import record_path
from impasto.jobs.running import carry_out
from impasto.jobs.still import Job
from impasto.jobs.stylizer import Stylizer
from impasto.recipe.still import INITS, Recipe
from impasto.shortage import ADVICE, is_shortage

FAILED = 1


@dataclass(frozen=True)
class _Task:
    photograph: Path
    destination: Path


@dataclass
class _Tally:
    """What became of the photographs."""

    made: list[Path] = field(default_factory=list)
    skipped: int = 0
    failed: list[tuple[Path, str]] = field(default_factory=list)
    notes: list[tuple[Path, str]] = field(default_factory=list)


def is_batch(photographs: Sequence[Path]) -> bool:
    """True for several photographs, a folder or a pattern."""
    return len(photographs) > 1 or is_many(photographs[0])


def batch_command(
    photographs: Sequence[Path],
    styles: Sequence[Path],
    *,
    output: Path | None,
    overwrite: bool,
    keeping: Keeping,
    kind: str,
    preview: int | None,
    quiet: bool,
    recipe: Recipe,
) -> int:
    """Make every picture that is not finished yet; 1 if some could not be made.

    Raises:
        ImpastoError: with one sentence that says what to do, before any work.

    """
    if not styles:
        raise RecipeError("A painting is needed too: impasto stylize photos/ painting.jpg -o out/.")
    if preview is not None or recipe.crop_preview:
        raise RecipeError(
            "--preview and --crop-preview are for a single photograph: leave them out."
        )
    folder = _check_folder(output, photographs)
    paintings = {path.resolve() for path in styles}
    pictures = find_pictures(photographs)
    contents = [path for path in pictures.pictures if path.resolve() not in paintings]
    suffix = f".{kind.lower().lstrip('.')}"
    check_suffix(folder / f"picture{suffix}", depth=recipe.depth)
    outputs = Outputs((*contents, *styles, *named_in(vars(recipe))), overwrite=overwrite)
    tasks = _tasks(contents, styles, folder, suffix)
    _check_tasks(tasks, contents, folder, outputs)
    _check_inputs(styles, recipe)
    batch = _Batch(recipe, styles, outputs, overwrite=overwrite, keeping=keeping)
    make_folder(folder)
    say(pictures.notes, quiet=quiet)
    return _report(tasks, *batch.run(tasks, quiet=quiet), quiet=quiet)


class _Batch:
    """One network, one recipe, many photographs."""

    def __init__(
        self,
        recipe: Recipe,
        styles: Sequence[Path],
        outputs: Outputs,
        *,
        overwrite: bool,
        keeping: Keeping,
    ) -> None:
        self._outputs = outputs
        self._keeping = keeping
        self._stylizer = Stylizer.of(recipe)
        self._styles = list(styles)
        self._overwrite = overwrite
        self._recipe = recipe
        init = recipe.init
        self._inputs = {
            "styles": [file_sha256(path) for path in styles],
            "init": [] if init in INITS else [file_sha256(Path(init))],
        }

    def run(self, tasks: Sequence[_Task], *, quiet: bool) -> tuple[_Tally, int]:
        """Work through the tasks; what became of them, and the exit status."""
        tally = _Tally()
        try:
            with batch_display(len(tasks), quiet=quiet) as show:
                for index, task in enumerate(tasks):
                    self._try(index, task, show, tally)
        except KeyboardInterrupt as stop:
            return tally, status_of(stop)
        return tally, FAILED if tally.failed else 0

    def _try(self, index: int, task: _Task, show: BatchShow, tally: _Tally) -> None:
        try:
            wanted = self._wanted(task.photograph)
            beside = (record_path(task.destination), checkpoint_path(task.destination))
            with claimed(task.destination, *beside):
                if not self._overwrite and is_finished(task.destination, wanted):
                    tally.skipped += 1
                    return
                self._make(index, task, wanted, show, tally)
            tally.made.append(task.destination)
        except (ImpastoError, OSError, RuntimeError, MemoryError) as error:
            tally.failed.append((task.photograph, _sentence(error)))

    def _wanted(self, photograph: Path) -> Wanted:
        return Wanted(
            self._recipe,
            {"content": [file_sha256(photograph)], **self._inputs},
            self._stylizer.description,
        )

    def _make(
        self, index: int, task: _Task, wanted: Wanted, show: BatchShow, tally: _Tally
    ) -> None:
        overwrite = self._overwrite or may_replace(task.destination, wanted)
        self._outputs.check_picture(task.destination, depth=self._recipe.depth, overwrite=overwrite)
        keeper = Keeper(task.destination, self._keeping.seconds)
        job = self._job(task, keeper)
        tally.notes += [(task.photograph, note) for note in job.notes]
        keep_freed_memory(job.plan)
        try:
            tell = partial(show, index, task.photograph.name, job.plan)
            carry_out(job, tell, lambda _: keeper(job))
        except KeyboardInterrupt as stop:
            if job.is_whole and not ends_at_once(stop):
                keeper.keep(job)
                job.result().save(task.destination, overwrite=overwrite)
            raise
        except ShortageError:
            keeper.keep_after_shortage(job)
            raise
        job.result().save(task.destination, overwrite=overwrite)
        keeper.discard()

    def _job(self, task: _Task, keeper: Keeper) -> Job:
        """Resumed from the checkpoint of a batch that was stopped or killed, where it fits."""
        kept = keeper.resumable(resume=True, overwrite=self._overwrite, quiet=True)
        try:
            return self._stylizer.start(self._recipe, task.photograph, self._styles, resume=kept)
        except RecordError as error:
            if not self._overwrite:
                raise OutputError(
                    f"{str(keeper.path)!r} holds another run, or a damaged one: choose another "
                    "--output, or add --overwrite to start again."
                ) from error
            return self._stylizer.start(self._recipe, task.photograph, self._styles)


def _check_folder(output: Path | None, photographs: Sequence[Path]) -> Path:
    if output is None:
        raise RecipeError(
            f"{str(photographs[0])!r} and what follows are many photographs, not a file: name a "
            "folder for the results with --output."
            if len(photographs) > 1
            else f"{str(photographs[0])!r} is not a file but many: name a folder for the results "
            "with --output."
        )
    if written_as(output, "still") and not output.is_dir():
        raise OutputError(f"{str(output)!r} is one picture: for many give --output a folder.")
    return output


def _tasks(
    photographs: Sequence[Path], styles: Sequence[Path], folder: Path, suffix: str
) -> list[_Task]:
    """A name for each result: the photograph's stem, or its whole name where stems agree."""
    stems = Counter(path.stem for path in photographs)
    tasks, taken = [], dict[str, tuple[Path, Path]]()
    for path in photographs:
        named = path if stems[path.stem] == 1 else path.with_name(f"{path.name}.png")
        destination = folder / default_output(named, styles).with_suffix(suffix)
        other = taken.setdefault(folded(destination.name), (path, destination))
        if same_file(destination, other[1]) and other[0] is not path:
            raise OutputError(
                f"{str(other[0])!r} and {str(path)!r} would become one file: rename one of them."
            )
        tasks.append(_Task(path, destination))
    return tasks


def _check_tasks(
    tasks: Sequence[_Task], photographs: Sequence[Path], folder: Path, outputs: Outputs
) -> None:
    """No result may lie among the photographs, or be a file that is read; what else is there is
    looked at when its turn comes.
    """
    Outputs(photographs).check_folder(folder, overwrite=True)
    if folder.is_dir():
        for task in tasks:
            outputs.check_picture(task.destination, overwrite=True)
            outputs.check_not_read(checkpoint_path(task.destination))


def _check_inputs(styles: Sequence[Path], recipe: Recipe) -> None:
    """What every picture needs is tried once, before any work."""
    recipe.blend_for(len(styles))
    inits = [] if recipe.init in INITS else [Path(recipe.init)]
    for path in (*styles, *inits):
        read_picture(path, max_pixels=recipe.max_pixels)


def _report(tasks: Sequence[_Task], tally: _Tally, status: int, *, quiet: bool) -> int:
    if not quiet:
        for path in tally.made:
            print(path)
    for photograph, sentence in ([] if quiet else tally.notes) + tally.failed:
        print(f"impasto: {photograph}: {sentence}", file=sys.stderr)
    if status > FAILED:
        done = len(tally.made) + tally.skipped
        print(
            f"impasto: stopped with {done} of {len(tasks)} pictures finished; run the same command "
            "to go on.",
            file=sys.stderr,
        )
    elif not quiet:
        print(
            f"{len(tally.made)} made, {tally.skipped} finished before, {len(tally.failed)} failed.",
            file=sys.stderr,
        )
    return status


def _sentence(error: BaseException) -> str:
    if is_shortage(error) and not isinstance(error, ImpastoError):
        return f"Memory ran out: {ADVICE}."
    text = str(error).strip().splitlines()
    return text[0] if text else type(error).__name__
