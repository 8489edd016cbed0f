"""What one command for many results makes, of what, and into which files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from impasto.cli.naming import PIPE, default_output, default_texture, name_by, stem_of
from impasto.cli.wishes import Many, Wishes
from impasto.errors import OutputError, RecipeError
from impasto.files.formats import written_as
from impasto.files.outputs import folded, same_file
from impasto.recipe.still import Recipe


@dataclass(frozen=True)
class Task:
    """One result of many.

    Attributes:
        photograph: None for a texture.
        styles: the paintings.
        recipe: with the seed.
        destination: its file.
        words: what it is called on the terminal.

    """

    photograph: Path | None
    styles: tuple[Path, ...]
    recipe: Recipe
    destination: Path
    words: str


@dataclass(frozen=True)
class Place:
    """Where results go.

    Attributes:
        folder: for all of them.
        suffix: with its dot.
        stem: what every name begins with, where ``--output`` was a file's name.

    """

    folder: Path
    suffix: str
    stem: str = ""


def place_of(output: str | None, wishes: Wishes) -> Place:
    """Where the results of one photograph go: a folder, or names that begin like a file's.

    Args:
        output: as it was given; None for the current folder.
        wishes: the format.

    """
    path = Path(output or ".")
    if output and written_as(path, "still") and not path.is_dir():
        return Place(path.parent, path.suffix, path.stem)
    return Place(path, wishes.suffix)


def plan_tasks(
    photographs: Sequence[Path | None],
    styles: Sequence[Path],
    recipe: Recipe,
    place: Place,
    many: Many,
) -> list[Task]:
    """Every result and its file: photographs in turn, for each the paintings, for each the seeds.

    Raises:
        RecipeError: the names cannot be made.
        OutputError: two results would be one file.

    """
    groups = [(style,) for style in styles] if many.each else [tuple(styles)]
    if many.each and recipe.blend:
        raise RecipeError("--each takes one painting at a time: leave out --blend.")
    if len(many.seeds) > 1 and not recipe.uses_chance:
        raise RecipeError(
            "Nothing here depends on the seed, so all results would be alike: add --init noise, or "
            "leave out --method."
        )
    if PIPE in photographs or PIPE in styles:
        raise RecipeError("Of many results none is read from standard input: name the files.")
    whole = _whole_names(photographs)
    paintings = _whole_names([path for group in groups for path in group])
    tasks, taken = list[Task](), dict[str, Task]()
    for photograph in photographs:
        for group in groups:
            for seed in many.seeds or (recipe.seed,):
                own = recipe.but({"seed": seed}) if many.seeds else recipe
                named = [whole.get(photograph, photograph), *(paintings[each] for each in group)]
                name = _name(named, own.seed, place, many, len(tasks) + 1)
                path = place.folder / f"{name}{place.suffix}"
                words = path.name if photograph is None or many.is_asked_for else photograph.name
                task = Task(photograph, group, own, path, words)
                other = taken.setdefault(folded(task.destination.name), task)
                if other is not task and same_file(task.destination, other.destination):
                    raise OutputError(_twice(other, task))
                tasks.append(task)
    return tasks


def _whole_names(paths: Sequence[Path | None]) -> dict[Path | None, Path | None]:
    """Each by its stem, or by its whole name where stems agree."""
    stems = Counter(path.stem for path in set(paths) if path)
    return {
        path: path if path is None or stems[path.stem] == 1 else path.with_name(f"{path.name}.png")
        for path in paths
    }


def _name(named: Sequence[Path | None], seed: int, place: Place, many: Many, number: int) -> str:
    photograph, styles = named[0], [each for each in named[1:] if each]
    photo = stem_of(photograph) if photograph else ""
    painting = "+".join(map(stem_of, styles))
    if many.name is not None:
        return name_by(many.name, photo=photo, painting=painting, seed=seed, number=number)
    if place.stem:
        ends = [painting] if many.each else []
        ends += [str(seed)] if many.seeds else []
        return "-".join((place.stem, *ends))
    shown = seed if many.seeds or seed else None
    if photograph is None:
        return default_texture(styles, shown).stem
    return default_output(photograph, styles, shown).stem


def _twice(one: Task, other: Task) -> str:
    if one.photograph != other.photograph:
        return (
            f"{str(one.photograph)!r} and {str(other.photograph)!r} would become one file: rename "
            "one of them."
        )
    return (
        f"Two results would have the name {str(other.destination)!r}: let --name tell them apart, "
        "such as '{photo}-{painting}-{seed}', or rename a painting."
    )
