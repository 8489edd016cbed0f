"""A grid of options as an experiment without a claim: a sheet, style over content."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

from torch import Tensor

from impasto.errors import RecipeError
from impasto.experiments.inputs import INPUTS, filled, longest
from impasto.experiments.lab import RATIO, Lab
from impasto.experiments.model import Cell, Diagram, Experiment, Finding
from impasto.files.pictures.images import read_picture
from impasto.plots.lines import Plot, Series
from impasto.recipe.still import Recipe

MOST_CELLS = 500  # without --yes
MOST_LINES = 6

Options = Mapping[str, Any]
Axis = tuple[str, Sequence[str]]  # an option's name, and its values as text
Value = tuple[str, Options]  # a text, and its options, or the name of a picture by its role
PICTURES = ("content", "style")  # what is varied by naming files


def parse_axes(words: Sequence[str]) -> list[Axis]:
    """Axes from ``NAME=VALUE,VALUE``.

    Raises:
        RecipeError: a name is given twice, or there is no value.

    """
    if not words:
        raise RecipeError(
            "Give the options to vary: --vary alpha/beta=1e-1,1e-2 --vary init=noise,content."
        )
    axes = [_axis(word) for word in words]
    names = [name for name, _ in axes]
    for name in names:
        if names.count(name) > 1:
            raise RecipeError(f"--vary {name} is given twice: put all its values into one.")
    return axes


def sweep(
    axes: Sequence[Axis],
    options: Options,
    *,
    typed: Callable[[str, str], Options],
    allow_many: bool,
) -> Experiment:
    """Make an experiment of the grid; every cell has ``options`` and one value of each axis.

    Args:
        axes: from :func:`parse_axes`. ``alpha/beta`` is eq. (7)'s ratio as stated, with beta = 1;
            ``+`` joins the parts of one value, as in ``conv1_1+conv2_1``; the values of ``content``
            and ``style`` are files.
        options: of the recipe, for every cell.
        typed: converts an option's name and text to options of the recipe.
        allow_many: allow more than 500 cells.

    Raises:
        RecipeError: a value is out of range, no cell makes a step, or there are over 500 cells
            without ``allow_many``.
        PictureError: a file cannot be read.

    """
    count = math.prod(len(values) for _, values in axes)
    if count > MOST_CELLS and not allow_many:
        raise RecipeError(
            f"The grid has {count:,} cells, more than {MOST_CELLS}: vary less, or add --yes."
        )
    pictures = dict[str, tuple[str, Tensor]]()
    values = [
        _pictures(name, words, pictures)
        if name in PICTURES
        else [(word, _options(name, word, typed)) for word in words]
        for name, words in axes
    ]
    cells = [_cell(chosen, options) for chosen in product(*values)]
    if not any(_makes_a_step(cell) for cell in cells):
        raise RecipeError("No picture of this grid makes a step: give --steps at least 1.")
    names = " x ".join(name for name, _ in axes)
    return Experiment(
        name="sweep",
        section="A grid of options",
        claim=f"Varied: {names}.",
        cells=partial(_with_pictures, cells, pictures),
        measure=partial(_measure, axes),
        columns=len(axes[-1][1]) if len(axes) > 1 else min(4, count),
        caption=f"Varied: {names}.",
    )


def _axis(word: str) -> Axis:
    name, _, values = word.partition("=")
    name = name.strip().removeprefix("--")
    unique = dict.fromkeys(value.strip() for value in values.split(",") if value.strip())
    if not name or not unique:
        raise RecipeError(f"--vary {word!r} has no values: write NAME=VALUE,VALUE.")
    return name, list(unique)


def _options(name: str, word: str, typed: Callable[[str, str], Options]) -> Options:
    if name == RATIO:
        return {**typed("alpha", word), "beta": 1.0}
    return typed(name, word.replace("+", ","))


def _pictures(
    role: str, files: Sequence[str], pictures: dict[str, tuple[str, Tensor]]
) -> list[Value]:
    """A value for each file, read at once; its name in the lab is its stem, or its whole name."""
    values = list[Value]()
    for file in files:
        path = Path(file)
        name = path.stem if path.stem not in {*pictures, *INPUTS} else f"{role}-{path.name}"
        pictures[name] = role, read_picture(path).tensor
        values.append((name, {role: name}))
    return values


def _with_pictures(
    cells: Sequence[Cell], pictures: Mapping[str, tuple[str, Tensor]], lab: Lab
) -> Sequence[Cell]:
    """The cells, once the lab has their pictures: paintings cropped to the photograph's shape."""
    for name, (role, image) in pictures.items():
        if name not in lab.pictures:
            lab.pictures.add(
                name,
                longest(image, lab.preset.size)
                if role == "content"
                else filled(image, lab.pictures["photograph"]),
            )
    return cells


def _cell(values: Sequence[Value], options: Options) -> Cell:
    chosen = dict(options)
    for _, given in values:
        chosen |= given
    roles = {role: chosen.pop(role) for role in PICTURES if role in chosen}
    Recipe(**chosen)  # reports a value out of range before any work
    return Cell(", ".join(word for word, _ in values), chosen, **roles)


def _makes_a_step(cell: Cell) -> bool:
    steps = cell.options.get("steps")
    return steps is None or any(steps)


def _measure(axes: Sequence[Axis], lab: Lab) -> Finding:
    """Style over content along the first axis: one line for each combination of the others."""
    made = list(lab.made.values())
    lines = len(made) // len(axes[0][1])
    series = [
        Series(
            ", ".join(made[line].cell.label.split(", ")[1:]),
            [(m.content, m.style) for m in made[line::lines]],
            [m.cell.label.split(", ")[0] for m in made[line::lines]] if line == 0 else (),
        )
        for line in range(min(lines, MOST_LINES))
    ]
    plot = Plot("distance to the content", "distance to the style", series)
    caption = f"Style against content, along {axes[0][0]}."
    if lines > MOST_LINES:
        caption += f" The first {MOST_LINES} of {lines} lines."
    return Finding(figures=[Diagram(plot.svg(), caption)])
