"""A contact sheet: all results of one command in one labelled picture, to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from PIL import Image
from torch import Tensor

from impasto.cli.making import say
from impasto.cli.naming import stem_of
from impasto.cli.tasks import Task
from impasto.errors import ImpastoError
from impasto.files.outputs import Outputs
from impasto.files.pictures.encoding import carries
from impasto.files.pictures.images import read_picture, write_image
from impasto.shortage import memory_told

COLUMNS, WIDTH = 4, 320  # pictures of a row, and pixels of each
_MOST = 400  # pictures on one sheet
_SHEET = {"impasto-sheet": "yes"}


def contact_sheet(tasks: Sequence[Task], outputs: Outputs, *, quiet: bool) -> None:
    """Draw the finished ones of several results, and say where the sheet lies.

    It is named after the photograph, or ``sheet.png`` for several. An earlier sheet is replaced;
    where none can be written, that is said, and costs nothing else.
    """
    made = [task for task in tasks if task.destination.is_file()][:_MOST]
    if len(made) < 2:
        return
    photographs = list(dict.fromkeys(task.photograph for task in made))
    only = photographs[0] if len(photographs) == 1 else None
    name = f"{stem_of(only)}.sheet.png" if only else "sheet.png"
    path = made[0].destination.with_name(name)
    try:
        if path.exists() and not carries(path, _SHEET):
            outputs.check(path)
        outputs.check_not_read(path)
        with memory_told():
            write_image(_drawn(made), path, text=_SHEET)
        say((f"all of them on one sheet: {path}",), quiet=quiet)
    except ImpastoError as error:
        say((f"no contact sheet: {error}",), quiet=False)


def _drawn(tasks: Sequence[Task]) -> Image.Image:
    """A row for each photograph, or several rows where there is but one."""
    from impasto.experiments.model import Sheet
    from impasto.experiments.sheets import draw_sheet, grid

    seeds = len({task.recipe.seed for task in tasks}) > 1
    several = len({task.photograph for task in tasks}) > 1
    rows = list[Sequence[tuple[str, Tensor]]]()
    for _, group in groupby(tasks, key=lambda task: task.photograph):
        pictures = [
            (_label(task, seeds=seeds, photograph=several), _small(task.destination))
            for task in group
        ]
        rows += grid(pictures, COLUMNS)
    return draw_sheet(Sheet(rows, "", width=WIDTH))


def _small(path: Path) -> Tensor:
    """A picture, reduced at once, so that a sheet of large ones fits into memory."""
    with Image.open(path) as image:
        image.thumbnail((2 * WIDTH, 2 * WIDTH))
        return read_picture(image.copy()).tensor


def _label(task: Task, *, seeds: bool, photograph: bool) -> str:
    parts = [task.photograph.stem] if photograph and task.photograph else []
    parts.append(" + ".join(path.stem for path in task.styles))
    if seeds:
        parts.append(f"seed {task.recipe.seed}")
    return ", ".join(parts)
