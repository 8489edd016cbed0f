"""Pictures painted without a network, and the same made again from their records."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from impasto.errors import ImpastoError, PictureError, RecipeError, RecordError
from impasto.files.pictures.finding import find_by_name
from impasto.files.pictures.images import Picture, PictureLike, read_picture, to_pillow
from impasto.files.records.read import Input, check_name, read_values
from impasto.files.records.write import SCHEMA, changed_versions, pixels_sha256, versions
from impasto.jobs.still import Result, StrPath
from impasto.ops.inits import resize
from impasto.painters import filters
from impasto.painters.regions import split_and_match
from impasto.painters.strokes import MANNERS, Painting, paint
from impasto.recipe.paint import SMALLEST, PaintRecipe
from impasto.recipe.still import Recipe
from impasto.recipe.typed import MismatchError, build, convert
from impasto.shortage import memory_told

TASK = "paint"
FOUND_AT = 1024  # longest side that strokes are found at; they are drawn at any
FILTERS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "oil": filters.oil,
    "ink": filters.ink,
    "cartoon": filters.cartoon,
}


@dataclass(frozen=True)
class Painted:
    """A painted picture.

    Attributes:
        result: the picture and its record.
        painting: its strokes; None of a filter.

    """

    result: Result
    painting: Painting | None = field(default=None, repr=False)


@memory_told()
def paint_photograph(
    recipe: PaintRecipe,
    photograph: PictureLike,
    palette: PictureLike | None = None,
    *,
    max_pixels: int = Recipe.max_pixels,
) -> Painted:
    """Paint a photograph.

    Args:
        recipe: how.
        photograph: what.
        palette: a painting whose colours the strokes take, or that regions are taken from.
        max_pixels: largest picture that is read.

    Raises:
        ImpastoError: with one sentence that says what to do.

    """
    if palette is not None and recipe.method == "filter":
        raise RecipeError("A filter takes no colours of a painting: leave it out.")
    if palette is None and recipe.method == "regions":
        raise RecipeError(
            "A painting is needed to take regions from: name it after the photograph."
        )
    read = read_picture(photograph, max_pixels=max_pixels)
    colors = None if palette is None else read_picture(palette, max_pixels=max_pixels)
    height, width = recipe.size_for(*read.size)
    if min(height, width) < SMALLEST // 2:
        raise PictureError(
            f"The result would have {width} x {height} pixels: ask for a larger --size."
        )
    start = time.monotonic()
    with torch.no_grad():
        painting, tensor = _made(recipe, read, colors, height, width)
    seconds = time.monotonic() - start
    alpha = None if read.alpha is None else resize(read.alpha, height, width)
    image = to_pillow(tensor, alpha)
    record = {
        "schema": SCHEMA,
        "task": TASK,
        "recipe": recipe.as_dict(),
        "inputs": {
            "content": [_described(read)],
            "styles": [] if colors is None else [_described(colors)],
        },
        "result": {
            "size": [height, width],
            "sha256": pixels_sha256(image),
            "seconds": round(seconds, 3),
            "strokes": None if painting is None else len(painting.strokes),
        },
        "versions": versions(),
    }
    sources = [each for each in (photograph, palette) if isinstance(each, str | os.PathLike)]
    inputs = tuple(Path(each).absolute() for each in sources)
    return Painted(Result(image, tensor, record, alpha, notes=read.notes, inputs=inputs), painting)


def _made(
    recipe: PaintRecipe, read: Picture, colors: Picture | None, height: int, width: int
) -> tuple[Painting | None, Tensor]:
    if recipe.method == "filter":
        return None, FILTERS[recipe.manner](resize(read.tensor, height, width))
    if recipe.method == "regions":
        assert colors is not None  # made sure of before
        return None, _of_regions(resize(read.tensor, height, width), colors.tensor)
    scale = min(1.0, FOUND_AT / max(height, width))
    small = resize(read.tensor, round(height * scale), round(width * scale))
    palette = None if colors is None else colors.tensor
    *_, painting = paint(small, MANNERS[recipe.manner], palette=palette, seed=recipe.seed)
    return painting, painting.drawn(width, height)


def _of_regions(photograph: Tensor, painting: Tensor) -> Tensor:
    """By patches of the painting, at the photograph's size; they are larger in larger pictures."""
    longest = max(photograph.shape[-2:])
    scale = longest / max(painting.shape[-2:])
    sides = [max(1, round(scale * side)) for side in painting.shape[-2:]]
    unit = 2 ** round(math.log2(max(longest / filters.USUAL, 0.5)))
    return split_and_match(
        photograph,
        resize(painting, *sides),
        largest=round(64 * unit),
        smallest=round(8 * unit),
    )


def _described(picture: Picture) -> dict[str, Any]:
    return {"name": picture.name, "sha256": picture.sha256, "size": list(picture.size)}


@dataclass(frozen=True)
class _Found:
    """What a record says, checked."""

    recipe: PaintRecipe
    pictures: tuple[Input, ...]
    sha256: str
    versions: Mapping[str, str]


class PaintedRerun:
    """A painted picture about to be made again.

    Args:
        path: the picture, or its ``.json``.
        content: the photograph, where it lies neither beside the record nor here.
        style: the painting whose colours it has, likewise.
        max_pixels: largest picture that is read, whatever the record allows.

    Attributes:
        inputs: the files that are read.

    Raises:
        ImpastoError: a file is not to be found, or cannot be read.

    """

    def __init__(
        self,
        path: Path,
        *,
        content: StrPath | None = None,
        style: StrPath | None = None,
        max_pixels: int = Recipe.max_pixels,
    ) -> None:
        self._record = _read(path)
        self._max_pixels = max_pixels
        inputs = []
        for given, flag, each in zip(
            (content, style), ("--content", "--style"), self._record.pictures, strict=False
        ):
            found = given or find_by_name(each.name, each.sha256, (path.parent, Path()))
            if found is None:
                raise RecordError(
                    f"{each.name!r} lies neither beside the record nor here: name it with {flag}."
                )
            inputs.append(Path(found))
        self.inputs = tuple(inputs)

    def finish(self) -> tuple[Result, bool, tuple[str, ...]]:
        """The picture, whether its pixels are the record's, and what is not as it was."""
        record = self._record
        made = paint_photograph(record.recipe, *self.inputs, max_pixels=self._max_pixels)
        read = [each for role in made.result.record["inputs"].values() for each in role]
        changes = [
            f"The picture {was.name!r} is not the one of the record."
            for was, now in zip(record.pictures, read, strict=True)
            if now["sha256"] != was.sha256
        ]
        changes += changed_versions(record.versions, versions())
        same = made.result.record["result"]["sha256"] == record.sha256
        return made.result, same, tuple(changes)


def _read(path: Path) -> _Found:
    values = read_values(path)
    try:
        (content,) = convert(values["inputs"]["content"], tuple[Input, ...])
        styles = convert(values["inputs"]["styles"], tuple[Input, ...])
        for each in (content, *styles):
            check_name(each.name)
        return _Found(
            build(PaintRecipe, values["recipe"]),
            (content, *styles[:1]),
            convert(values["result"]["sha256"], str),
            convert(values["versions"], dict[str, str]),
        )
    except (MismatchError, ImpastoError, LookupError, TypeError, ValueError) as error:
        raise RecordError(f"The record of {path.name!r} is not one that impasto wrote.") from error
