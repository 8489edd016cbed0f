"""Pictures painted without a network, and the same made again from their records."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from impasto.errors import ImpastoError, PictureError, RecipeError, RecordError
from impasto.files.pictures.faces import faces_in
from impasto.files.pictures.finding import find_by_name
from impasto.files.pictures.images import Picture, PictureLike, read_picture, to_pillow
from impasto.files.records.read import Input, check_name, read_values
from impasto.files.records.write import SCHEMA, changed_versions, pixels_sha256, versions
from impasto.jobs.still import Result, StrPath
from impasto.ops.inits import resize
from impasto.painters import filters
from impasto.painters.analogy import analogy
from impasto.painters.mosaic import LOOKED_AT as MOSAICS_AT
from impasto.painters.mosaic import stippled, tiled
from impasto.painters.portrait import guide_for, manner_for
from impasto.painters.regions import split_and_match
from impasto.painters.strokes import MANNERS, Guide, Manner, Painting, paint
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
    "pencil": filters.pencil,
}
MOSAICS = {"stipples": stippled, "tiles": tiled}
LAID = ("strokes", "portrait")  # methods whose pictures are of strokes
NEEDED = {
    "regions": "A painting is needed to take regions from",
    "analogy": "A painting is needed as the example",
}
PROPORTION = 0.02  # by which those of the two pictures of a pair may differ


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
    original: PictureLike | None = None,
    *,
    max_pixels: int = Recipe.max_pixels,
) -> Painted:
    """Paint a photograph.

    Args:
        recipe: how.
        photograph: what.
        palette: a painting whose colours the strokes take, that regions are taken from, or that is
            the example of an analogy.
        original: of an analogy, what the example was made of.
        max_pixels: largest picture that is read.

    Raises:
        ImpastoError: with one sentence that says what to do.

    """
    check_paintings(recipe, palette, original)
    read = read_picture(photograph, max_pixels=max_pixels)
    colors, before = (
        None if each is None else read_picture(each, max_pixels=max_pixels)
        for each in (palette, original)
    )
    if colors is not None and before is not None:
        _check_pair(colors, before)
    height, width = recipe.size_for(*read.size)
    if min(height, width) < SMALLEST // 2:
        raise PictureError(
            f"The result would have {width} x {height} pixels: ask for a larger --size."
        )
    start = time.monotonic()
    with torch.no_grad():
        painting, tensor = _made(recipe, read, colors, before, height, width)
    seconds = time.monotonic() - start
    alpha = None if read.alpha is None else resize(read.alpha, height, width)
    image = to_pillow(tensor, alpha)
    record = {
        "schema": SCHEMA,
        "task": TASK,
        "recipe": recipe.as_dict(),
        "inputs": {
            "content": [described(read)],
            "styles": [] if colors is None else [described(colors)],
            "original": [] if before is None else [described(before)],
        },
        "result": {
            "size": [height, width],
            "sha256": pixels_sha256(image),
            "seconds": round(seconds, 3),
            "strokes": None if painting is None else len(painting.strokes),
        },
        "versions": versions(),
    }
    sources = [
        each for each in (photograph, palette, original) if isinstance(each, str | os.PathLike)
    ]
    inputs = tuple(Path(each).absolute() for each in sources)
    result = Result(image, tensor, record, alpha, recipe.depth, notes=read.notes, inputs=inputs)
    return Painted(result, painting)


def check_paintings(recipe: PaintRecipe, palette: object, original: object) -> None:
    """Make sure that a method has the painting and the original that it needs, and no other.

    Raises:
        RecipeError: it has not.

    """
    if palette is not None and recipe.method == "filter":
        raise RecipeError("A filter takes no colours of a painting: leave it out.")
    if palette is None and recipe.method in NEEDED:
        raise RecipeError(f"{NEEDED[recipe.method]}: name it after the photograph.")
    if original is not None and recipe.method != "analogy":
        raise RecipeError("--original is of an analogy's example: leave it out.")


def _check_pair(example: Picture, original: Picture) -> None:
    (height, width), (h, w) = example.size, original.size
    if abs(math.log(height * w / (width * h))) > PROPORTION:
        raise PictureError(
            f"The example has {width} x {height} pixels and its original {w} x {h}: they must be "
            "of the same proportions, one made of the other."
        )


def _made(
    recipe: PaintRecipe,
    read: Picture,
    colors: Picture | None,
    original: Picture | None,
    height: int,
    width: int,
) -> tuple[Painting | None, Tensor]:
    if recipe.method not in LAID:
        photograph = resize(read.tensor, height, width)
        if recipe.method == "filter":
            return None, FILTERS[recipe.manner](photograph)
        assert colors is not None  # made sure of before
        painting = _as_large(colors.tensor, photograph)
        if recipe.method == "regions":
            return None, split_and_matched(photograph, painting)
        before = None
        if original is not None:
            before = resize(original.tensor, *painting.shape[-2:])
        return None, analogy(photograph, painting, before)
    palette = None if colors is None else colors.tensor
    if recipe.manner in MOSAICS:
        small = _at_most(MOSAICS_AT, read.tensor, height, width)
        mosaic = MOSAICS[recipe.manner](small, palette, recipe.seed)
        return mosaic, mosaic.drawn(width, height)
    small = _at_most(FOUND_AT, read.tensor, height, width)
    manner, guide = MANNERS.get(recipe.manner), None
    if manner is None:
        manner, guide = _of_faces(small, read.name)
    *_, painted = paint(small, manner, palette=palette, seed=recipe.seed, guide=guide)
    return painted, painted.drawn(width, height)


def _of_faces(photograph: Tensor, name: str) -> tuple[Manner, Guide]:
    faces = faces_in(photograph)
    if not faces:
        raise PictureError(
            f"No face was found in {name}: a portrait needs one that is upright, looks at the "
            "camera and is not small; the method strokes needs none."
        )
    manner = manner_for(faces[0].side, max(photograph.shape[-2:]))
    return manner, guide_for(photograph, faces)


def _at_most(longest: int, photograph: Tensor, height: int, width: int) -> Tensor:
    """A photograph at the result's size, or smaller."""
    scale = min(1.0, longest / max(height, width))
    return resize(photograph, max(1, round(height * scale)), max(1, round(width * scale)))


def _as_large(painting: Tensor, photograph: Tensor) -> Tensor:
    """A painting whose longest side is the photograph's."""
    scale = max(photograph.shape[-2:]) / max(painting.shape[-2:])
    return resize(painting, *(max(1, round(scale * side)) for side in painting.shape[-2:]))


def split_and_matched(photograph: Tensor, painting: Tensor) -> Tensor:
    """By patches of the painting, at the photograph's size; they are larger in larger pictures."""
    unit = 2 ** round(math.log2(max(max(photograph.shape[-2:]) / filters.USUAL, 0.5)))
    largest, smallest = round(64 * unit), round(8 * unit)
    return split_and_match(photograph, painting, largest=largest, smallest=smallest)


def described(picture: Picture) -> dict[str, Any]:
    """What a record says of a picture."""
    return {"name": picture.name, "sha256": picture.sha256, "size": list(picture.size)}


@dataclass(frozen=True)
class _Found:
    """What a record says, checked."""

    recipe: PaintRecipe
    pictures: tuple[Input, ...]
    sha256: str
    versions: Mapping[str, str]
    is_film: bool


class PaintedRerun:
    """A painted picture about to be made again.

    Args:
        path: the picture, or its ``.json``.
        content: the photograph, where it lies neither beside the record nor here.
        style: the painting, likewise; of an analogy, then what it was made of.
        max_pixels: largest picture that is read, whatever the record allows.

    Attributes:
        recipe: of the record.
        inputs: the files that are read.
        is_film: whether it is a film, which :func:`impasto.jobs.painted_film.film_again` makes.

    Raises:
        ImpastoError: a file is not to be found, or cannot be read.

    """

    def __init__(
        self,
        path: Path,
        *,
        content: StrPath | None = None,
        style: Sequence[StrPath] = (),
        max_pixels: int = Recipe.max_pixels,
    ) -> None:
        self._record = _read(path)
        self.recipe, self.is_film = self._record.recipe, self._record.is_film
        self._max_pixels = max_pixels
        inputs: list[Path] = []
        for given, each in zip_longest((content, *style), self._record.pictures):
            if each is None:
                break  # more are given than there are
            found = given or find_by_name(each.name, each.sha256, (path.parent, Path()))
            if found is None:
                flag = "--style" if inputs else "--content"
                raise RecordError(
                    f"{each.name!r} lies neither beside the record nor here: name it with {flag}."
                )
            inputs.append(Path(found))
        self.inputs = tuple(inputs)

    def finish(self) -> tuple[Result, bool, tuple[str, ...]]:
        """The picture, whether its pixels are the record's, and what is not as it was."""
        if self.is_film:
            raise RecordError("The record is of a film: make it again by impasto reproduce.")
        made = paint_photograph(self.recipe, *self.inputs, max_pixels=self._max_pixels)
        return (made.result, *self.compared(made.result.record))

    def compared(self, record: Mapping[str, Any]) -> tuple[bool, tuple[str, ...]]:
        """Whether a new record's pixels are those of the old one, and what is not as it was."""
        own = self._record
        read = [each for role in record["inputs"].values() for each in role]
        changes = [
            f"The picture {was.name!r} is not the one of the record."
            for was, now in zip(own.pictures, read, strict=True)
            if now["sha256"] != was.sha256
        ]
        changes += changed_versions(own.versions, versions())
        return record["result"]["sha256"] == own.sha256, tuple(changes)


def _read(path: Path) -> _Found:
    values = read_values(path)
    try:
        (content,) = convert(values["inputs"]["content"], tuple[Input, ...])
        styles = convert(values["inputs"]["styles"], tuple[Input, ...])[:1]
        originals = convert(values["inputs"].get("original", []), tuple[Input, ...])[:1]
        pictures = (content, *styles, *(originals if styles else ()))
        for each in pictures:
            check_name(each.name)
        return _Found(
            build(PaintRecipe, values["recipe"]),
            pictures,
            convert(values["result"]["sha256"], str),
            convert(values["versions"], dict[str, str]),
            "frames" in values["result"],
        )
    except (MismatchError, ImpastoError, LookupError, TypeError, ValueError) as error:
        raise RecordError(f"The record of {path.name!r} is not one that impasto wrote.") from error
