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
from impasto.cli.progress import progress_bar
from impasto.cli.stylize import default_output
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
    *,
    output: str | None,
    overwrite: bool,
    kind: str,
    preview: int | None,
    quiet: bool,
    recipe: Recipe,
) -> int:
    """Paint one photograph or many; the exit status.

    Raises:
        ImpastoError: with one sentence that says what to do.

    """
    if len(styles) != 1:
        raise RecipeError(
            "A trained network paints by itself: name one network, and no paintings beside it."
        )
    if preview is not None:
        raise RecipeError("A trained network paints in a moment: leave out --preview.")
    from impasto.jobs.trained import TrainedStylizer

    stylizer = TrainedStylizer(styles[0])
    stylizer.check(recipe)
    if len(photographs) > 1 or is_many(photographs[0]):
        return _many(
            photographs, stylizer, output, kind, overwrite=overwrite, quiet=quiet, recipe=recipe
        )
    photograph = photographs[0]
    with destination(output, default_output(photograph, styles)) as path:
        outputs = Outputs((photograph, *styles), overwrite=overwrite)
        outputs.check_picture(path, depth=recipe.depth)
        with claimed(path, record_path(path)), _display(photograph.name, quiet=quiet) as show:
            result = stylizer.paint(recipe, photograph, show)
            result.save(path, overwrite=overwrite)
        say(
            (*result.notes, *left_out(path, alpha=result.alpha is not None)),
            quiet=quiet,
        )
    if not quiet:
        print(path)
    return 0


def _many(
    photographs: Sequence[Path],
    stylizer: TrainedStylizer,
    output: str | None,
    kind: str,
    *,
    overwrite: bool,
    quiet: bool,
    recipe: Recipe,
) -> int:
    """One after the other; finished ones are left as they are, and failures stop no others."""
    if output is None or (written_as(Path(output), "still") and not Path(output).is_dir()):
        raise OutputError("These are many photographs: name a folder for the results with -o.")
    folder, suffix = Path(output), f".{kind.lower().lstrip('.')}"
    check_suffix(folder / f"picture{suffix}", depth=recipe.depth)
    pictures = find_pictures(photographs)
    tasks = {
        path: folder / default_output(path, [stylizer.path]).with_suffix(suffix)
        for path in pictures.pictures
    }
    if len(set(tasks.values())) < len(tasks):
        raise OutputError("Two photographs have one name and would become one file: rename one.")
    Outputs(pictures.pictures).check_folder(folder, overwrite=True)
    make_folder(folder)
    say(pictures.notes, quiet=quiet)
    outputs = Outputs((*pictures.pictures, stylizer.path), overwrite=overwrite)
    made, before, failed = 0, 0, 0
    with _display("", quiet=quiet) as show:
        for number, (photograph, path) in enumerate(tasks.items()):
            try:
                if _one(stylizer, photograph, path, outputs, overwrite=overwrite, recipe=recipe):
                    made += 1
                else:
                    before += 1
            except ImpastoError as error:
                failed += 1
                print(f"impasto: {photograph}: {error}", file=sys.stderr)
            show((number + 1) / len(tasks))
    if not quiet:
        print(f"{made} made, {before} finished before, {failed} failed.", file=sys.stderr)
    return FAILED if failed else 0


def _one(
    stylizer: TrainedStylizer,
    photograph: Path,
    path: Path,
    outputs: Outputs,
    *,
    overwrite: bool,
    recipe: Recipe,
) -> bool:
    """Paint one of many; False where it was finished before."""
    from impasto.jobs.trained import is_finished

    made_of = stylizer.made_of(recipe, read_picture(photograph, max_pixels=recipe.max_pixels))
    with claimed(path, record_path(path)):
        if not overwrite and is_finished(path, made_of):
            return False
        outputs.check_picture(path, depth=recipe.depth)
        stylizer.paint(recipe, photograph).save(path, overwrite=overwrite)
    print(path)
    return True


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
