"""``impasto stylize`` with many photographs: one after the other; failures stop no others."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path

from impasto.cli.contact import contact_sheet
from impasto.cli.keeping import Keeper
from impasto.cli.making import say
from impasto.cli.memory import keep_freed_memory
from impasto.cli.progress import BatchShow, batch_display
from impasto.cli.results import tell_results
from impasto.cli.stopping import ends_at_once, status_of
from impasto.cli.tasks import Place, Task, place_of, plan_tasks
from impasto.cli.wishes import Many, Wishes
from impasto.errors import ImpastoError, OutputError, RecipeError, RecordError, ShortageError
from impasto.files.atomic import claimed, make_folder
from impasto.files.formats import written_as
from impasto.files.outputs import Outputs, check_folder, named_in
from impasto.files.pictures.finding import Found, file_sha256, find_pictures, is_many
from impasto.files.pictures.images import check_suffix, read_picture
from impasto.files.records.checkpoints import checkpoint_path
from impasto.files.records.finished import Wanted, is_finished, may_replace
from impasto.files.records.write import record_path
from impasto.jobs.running import carry_out
from impasto.jobs.still import Job
from impasto.jobs.stylizer import Stylizer
from impasto.recipe.still import Recipe
from impasto.shortage import ADVICE, is_shortage

FAILED = 1


@dataclass
class _Tally:
    """What became of the tasks."""

    made: list[Path] = field(default_factory=list)
    skipped: list[Path] = field(default_factory=list)
    failed: list[tuple[Task, str]] = field(default_factory=list)
    notes: list[tuple[Task, str]] = field(default_factory=list)


def is_batch(photographs: Sequence[Path]) -> bool:
    """True for several photographs, a folder or a pattern."""
    return len(photographs) > 1 or is_many(photographs[0])


def batch_command(
    photographs: Sequence[Path],
    styles: Sequence[Path],
    recipe: Recipe,
    output: str | None,
    wishes: Wishes,
) -> int:
    """Make every picture that is not finished yet; 1 if some could not be made.

    Args:
        photographs: files, folders and patterns.
        styles: the paintings; folders and patterns where they are taken one by one.
        recipe: of all of them.
        output: a folder; for one photograph also a file, whose name all results begin with.
        wishes: the rest.

    Raises:
        ImpastoError: with one sentence that says what to do, before any work.

    """
    if not styles:
        raise RecipeError("A painting is needed too: impasto stylize photos/ painting.jpg -o out/.")
    if wishes.preview is not None or recipe.crop_preview:
        raise RecipeError("--preview and --crop-preview are for a single picture: leave them out.")
    if is_batch(photographs):
        place = Place(_check_folder(output, photographs), wishes.suffix)
    else:
        place = place_of(output, wishes)
    found = find_pictures(photographs)
    paintings = _paintings(styles, wishes.many)
    known = {path.resolve() for path in paintings.pictures}
    contents = [path for path in found.pictures if path.resolve() not in known]
    check_suffix(place.folder / f"picture{place.suffix}", depth=recipe.depth)
    tasks = plan_tasks(contents, paintings.pictures, recipe, place, wishes.many)
    if is_batch(photographs):
        Outputs(contents).check_folder(place.folder, overwrite=True)
    notes = (*found.notes, *paintings.notes)
    return _carry_out(tasks, recipe, wishes, notes)


def textures_command(
    styles: Sequence[Path],
    recipe: Recipe,
    sides: tuple[int, int],
    output: str | None,
    wishes: Wishes,
) -> int:
    """Make every texture that is not finished yet: of each painting, by each seed.

    Raises:
        ImpastoError: with one sentence that says what to do, before any work.

    """
    place = place_of(output, wishes)
    paintings = _paintings(styles, wishes.many)
    check_suffix(place.folder / f"picture{place.suffix}", depth=recipe.depth)
    tasks = plan_tasks([None], paintings.pictures, recipe, place, wishes.many)
    if any(map(is_many, styles)):
        Outputs(paintings.pictures).check_folder(place.folder, overwrite=True)
    return _carry_out(tasks, recipe, wishes, paintings.notes, sides)


def _carry_out(
    tasks: Sequence[Task],
    recipe: Recipe,
    wishes: Wishes,
    notes: Sequence[str],
    sides: tuple[int, int] | None = None,
) -> int:
    """Make what is not finished yet, tell of it, and draw a contact sheet; the exit status.

    Args:
        tasks: at least one.
        recipe: of all, but for their seeds.
        wishes: how.
        notes: what is said before the work.
        sides: width and height of textures.

    Raises:
        ImpastoError: with one sentence that says what to do, before any work.

    """
    styles = list(dict.fromkeys(path for task in tasks for path in task.styles))
    photographs = [task.photograph for task in tasks if task.photograph]
    outputs = Outputs((*photographs, *styles, *named_in(vars(recipe))), overwrite=wishes.overwrite)
    _check_tasks(tasks, outputs)
    _check_inputs(tasks[0].styles, styles, recipe)
    batch = _Batch(recipe, outputs, wishes, sides)
    make_folder(tasks[0].destination.parent)
    say(notes, quiet=wishes.quiet)
    tally, status = batch.run(tasks)
    status = _report(tasks, tally, status, wishes)
    if wishes.many.is_asked_for and status <= FAILED:
        contact_sheet(tasks, outputs, quiet=wishes.quiet)
    return status


class _Batch:
    """One network, many pictures."""

    def __init__(
        self,
        recipe: Recipe,
        outputs: Outputs,
        wishes: Wishes,
        sides: tuple[int, int] | None,
    ) -> None:
        self._outputs, self._wishes, self._sides = outputs, wishes, sides
        self._stylizer = Stylizer.of(recipe)
        self._hash = cache(file_sha256)
        self._named = {role: [*map(Path, paths)] for role, paths in recipe.pictures.items()}

    def run(self, tasks: Sequence[Task]) -> tuple[_Tally, int]:
        """Work through the tasks; what became of them, and the exit status."""
        tally = _Tally()
        try:
            with batch_display(len(tasks), quiet=self._wishes.quiet) as show:
                for index, task in enumerate(tasks):
                    self._try(index, task, show, tally)
        except KeyboardInterrupt as stop:
            return tally, status_of(stop)
        return tally, FAILED if tally.failed else 0

    def _try(self, index: int, task: Task, show: BatchShow, tally: _Tally) -> None:
        try:
            wanted = self._wanted(task)
            beside = (record_path(task.destination), checkpoint_path(task.destination))
            with claimed(task.destination, *beside):
                if not self._wishes.overwrite and is_finished(task.destination, wanted):
                    tally.skipped.append(task.destination)
                    return
                self._make(index, task, wanted, show, tally)
            tally.made.append(task.destination)
        except (ImpastoError, OSError, RuntimeError, MemoryError) as error:
            tally.failed.append((task, _sentence(error)))

    def _wanted(self, task: Task) -> Wanted:
        photographs = [task.photograph] if task.photograph else []
        inputs = {"content": photographs, "styles": task.styles, **self._named}
        return Wanted(
            task.recipe,
            {role: [self._hash(path) for path in paths] for role, paths in inputs.items()},
            self._stylizer.description,
            "stylize" if task.photograph else "texture",
        )

    def _make(self, index: int, task: Task, wanted: Wanted, show: BatchShow, tally: _Tally) -> None:
        overwrite = self._wishes.overwrite or may_replace(task.destination, wanted)
        self._outputs.check_picture(task.destination, depth=task.recipe.depth, overwrite=overwrite)
        keeper = Keeper(task.destination, self._wishes.keeping.seconds)
        job = self._job(task, keeper)
        tally.notes += [(task, note) for note in job.notes]
        keep_freed_memory(job.plan)
        try:
            tell = partial(show, index, task.words, job.plan)
            carry_out(job, tell, lambda _: keeper(job))
        except KeyboardInterrupt as stop:
            if job.is_whole and not ends_at_once(stop):
                keeper.keep(job)
                job.result().save(task.destination, overwrite=overwrite)
            raise
        except ShortageError:
            keeper.keep(job)
            raise
        job.result().save(task.destination, overwrite=overwrite)
        keeper.discard()

    def _job(self, task: Task, keeper: Keeper) -> Job:
        """Resumed from the checkpoint of a batch that was stopped or killed, where it fits."""
        overwrite = self._wishes.overwrite
        kept = keeper.resumable(resume=True, overwrite=overwrite, quiet=True)
        try:
            return self._start(task, kept)
        except RecordError as error:
            if not overwrite:
                raise OutputError(
                    f"{str(keeper.path)!r} holds another run, or a damaged one: choose another "
                    "--output, or add --overwrite to start again."
                ) from error
            return self._start(task, None)

    def _start(self, task: Task, kept: Path | None) -> Job:
        styles = list(task.styles)
        if self._sides is not None:
            return self._stylizer.start_texture(task.recipe, styles, self._sides, resume=kept)
        assert task.photograph is not None
        return self._stylizer.start(task.recipe, task.photograph, styles, resume=kept)


def _check_folder(output: str | None, photographs: Sequence[Path]) -> Path:
    if output is None:
        raise RecipeError(
            f"{str(photographs[0])!r} and what follows are many photographs, not a file: name a "
            "folder for the results with --output."
            if len(photographs) > 1
            else f"{str(photographs[0])!r} is not a file but many: name a folder for the results "
            "with --output."
        )
    path = Path(output)
    if written_as(path, "still") and not path.is_dir():
        raise OutputError(f"{output!r} is one picture: for many give --output a folder.")
    return path


def _paintings(styles: Sequence[Path], many: Many) -> Found:
    """The paintings; a folder or a pattern stands for those in it, where each is for itself."""
    if many.each:
        return find_pictures(styles)
    if folder := next(filter(is_many, styles), None):
        raise RecipeError(
            f"{str(folder)!r} holds many paintings: add --each to take them one at a time."
        )
    return Found(list(styles))


def _check_tasks(tasks: Sequence[Task], outputs: Outputs) -> None:
    """No result may be a file that is read; what else is there is looked at when its turn comes."""
    folder = tasks[0].destination.parent
    if not folder.is_dir():
        check_folder(folder)
        return
    for task in tasks:
        outputs.check_picture(task.destination, overwrite=True)
        outputs.check_not_read(checkpoint_path(task.destination))


def _check_inputs(together: Sequence[Path], styles: Sequence[Path], recipe: Recipe) -> None:
    """What every picture needs is tried once, before any work."""
    recipe.blend_for(len(together))
    for path in (*styles, *(Path(each) for paths in recipe.pictures.values() for each in paths)):
        read_picture(path, max_pixels=recipe.max_pixels)


def _report(tasks: Sequence[Task], tally: _Tally, status: int, wishes: Wishes) -> int:
    tell_results(tally.made, quiet=wishes.quiet, as_json=wishes.as_json)
    if wishes.as_json:
        tell_results(tally.skipped, quiet=False, as_json=True)
    for task, sentence in ([] if wishes.quiet else tally.notes) + tally.failed:
        print(f"impasto: {task.photograph or task.styles[0]}: {sentence}", file=sys.stderr)
    if status > FAILED:
        done = len(tally.made) + len(tally.skipped)
        print(
            f"impasto: stopped with {done} of {len(tasks)} pictures finished; run the same command "
            "to go on.",
            file=sys.stderr,
        )
    elif not wishes.quiet:
        print(
            f"{len(tally.made)} made, {len(tally.skipped)} finished before, "
            f"{len(tally.failed)} failed.",
            file=sys.stderr,
        )
    return status


def _sentence(error: BaseException) -> str:
    if is_shortage(error) and not isinstance(error, ImpastoError):
        return f"Memory ran out: {ADVICE}."
    text = str(error).strip().splitlines()
    return text[0] if text else type(error).__name__
