"""``impasto stylize`` with a network that ``impasto train`` has made: one photograph or many."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from impasto.cli.destination import destination
from impasto.cli.making import say
from impasto.cli.naming import PIPE, default_output, stem_of
from impasto.cli.pipes import from_pipe, to_pipe
from impasto.cli.progress import progress_bar
from impasto.cli.results import tell_results
from impasto.cli.tasks import Place, Task, plan_tasks
from impasto.cli.wishes import Wishes
from impasto.errors import ImpastoError, OutputError, RecipeError
from impasto.files.atomic import claimed, make_folder
from impasto.files.formats import written_as
from impasto.files.outputs import Outputs
from impasto.files.pictures.finding import find_pictures, is_many
from impasto.files.pictures.images import check_suffix, left_out, read_picture
from impasto.files.records.write import record_path
from impasto.files.weights.trained import SUFFIX
from impasto.recipe.still import Recipe

if TYPE_CHECKING:
    from impasto.jobs.trained import TrainedStylizer

FAILED = 1


def has_network(styles: Sequence[Path]) -> bool:
    """Whether a trained network is named in the place of a painting."""
    return any(path.suffix.lower() == SUFFIX for path in styles)


def trained_command(
    photographs: Sequence[Path],
    styles: Sequence[Path],
    recipe: Recipe,
    output: str | None,
    wishes: Wishes,
) -> int:
    """Paint one photograph or many; the exit status.

    Raises:
        ImpastoError: with one sentence that says what to do.

    """
    if len(styles) != 1 or wishes.many.is_asked_for:
        raise RecipeError(
            "A trained network paints by itself, always alike: name one network, no paintings "
            "beside it, and neither --each nor --seeds."
        )
    if wishes.preview is not None:
        raise RecipeError("A trained network paints in a moment: leave out --preview.")
    from impasto.jobs.trained import TrainedStylizer

    stylizer = TrainedStylizer(styles[0])
    stylizer.check(recipe)
    if len(photographs) > 1 or is_many(photographs[0]):
        return _many(photographs, stylizer, recipe, output, wishes)
    (photograph,) = photographs
    (source,) = from_pipe(photographs)
    tells = wishes.tells(output)
    named = default_output(photograph, styles)
    usual = wishes.usual_name(named, stem_of(photograph), styles, recipe.seed, output)
    with to_pipe(usual) if output == str(PIPE) else destination(output, usual) as path:
        outputs = Outputs((photograph, *styles), overwrite=wishes.overwrite)
        outputs.check_picture(path, depth=recipe.depth)
        with (
            claimed(path, record_path(path)),
            _display(photograph.name, quiet=wishes.quiet) as show,
        ):
            result = stylizer.paint(recipe, source, show)
            result.save(path, overwrite=wishes.overwrite)
        say(
            (*result.notes, *left_out(path, alpha=result.alpha is not None)),
            quiet=wishes.quiet,
        )
        if tells != "nothing":
            tell_results([path], quiet=wishes.quiet, as_json=wishes.as_json)
    return 0


def _many(
    photographs: Sequence[Path],
    stylizer: TrainedStylizer,
    recipe: Recipe,
    output: str | None,
    wishes: Wishes,
) -> int:
    """One after the other; finished ones are left as they are, and failures stop no others."""
    if output is None or (written_as(Path(output), "still") and not Path(output).is_dir()):
        raise OutputError("These are many photographs: name a folder for the results with -o.")
    place = Place(Path(output), wishes.suffix)
    check_suffix(place.folder / f"picture{place.suffix}", depth=recipe.depth)
    pictures = find_pictures(photographs)
    tasks = plan_tasks(pictures.pictures, [stylizer.path], recipe, place, wishes.many)
    Outputs(pictures.pictures).check_folder(place.folder, overwrite=True)
    make_folder(place.folder)
    say(pictures.notes, quiet=wishes.quiet)
    outputs = Outputs((*pictures.pictures, stylizer.path), overwrite=wishes.overwrite)
    made, before, failed = 0, 0, 0
    with _display("", quiet=wishes.quiet) as show:
        for number, task in enumerate(tasks):
            try:
                if _one(stylizer, task, outputs, wishes):
                    made += 1
                else:
                    before += 1
            except ImpastoError as error:
                failed += 1
                print(f"impasto: {task.photograph}: {error}", file=sys.stderr)
            show((number + 1) / len(tasks))
    if not wishes.quiet:
        print(f"{made} made, {before} finished before, {failed} failed.", file=sys.stderr)
    return FAILED if failed else 0


def _one(stylizer: TrainedStylizer, task: Task, outputs: Outputs, wishes: Wishes) -> bool:
    """Paint one of many; False where it was finished before."""
    from impasto.jobs.trained import is_finished

    assert task.photograph is not None
    photograph, path, recipe = task.photograph, task.destination, task.recipe
    made_of = stylizer.made_of(recipe, read_picture(photograph, max_pixels=recipe.max_pixels))
    with claimed(path, record_path(path)):
        is_made = wishes.overwrite or not is_finished(path, made_of)
        if is_made:
            outputs.check_picture(path, depth=recipe.depth)
            stylizer.paint(recipe, photograph).save(path, overwrite=wishes.overwrite)
    if is_made or wishes.as_json:
        tell_results([path], quiet=wishes.quiet, as_json=wishes.as_json)
    return is_made


@contextmanager
def _display(name: str, *, quiet: bool) -> Iterator[Callable[[float], None]]:
    """A bar on a terminal; nothing elsewhere: it is done in a moment."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda _: None
        return
    with progress_bar(console) as bar:
        task = bar.add_task(name, total=1.0, rate="")
        yield lambda done: bar.update(task, completed=done)
