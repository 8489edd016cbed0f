"""Masks and maps of a film: one for each frame, or for the first ones, carried along the flow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from impasto.engine.regions import Regions, nearest, one_hot
from impasto.engine.shots import Held
from impasto.errors import RecipeError
from impasto.files.films.frame_store import KeptFrames
from impasto.files.films.reader import Clip, open_clip, read_frames
from impasto.files.pictures.faces import mask_of_faces
from impasto.files.pictures.finding import is_many, is_picture
from impasto.files.pictures.fitting import check_proportion
from impasto.files.pictures.images import Picture, read_picture
from impasto.files.pictures.maps import RegionMaps, colors_of, labels_of, regions_of
from impasto.jobs.motion import TiedFrame
from impasto.ops.inits import resize
from impasto.ops.masks import filled
from impasto.ops.warp import warp
from impasto.recipe.film import FilmRecipe
from impasto.recipe.still import FACES, Recipe

LOOK_AGAIN = 8  # frames until faces are looked for again
LABELS = 255  # what a label is divided by in a kept picture


class MapSource:
    """A picture, or a film or folder with one for each frame.

    Args:
        path: of it.
        film: which frames of the film are made; of a film of maps the same ones are taken.
        max_pixels: the largest picture that is read.

    Attributes:
        first: the first one.

    Raises:
        ImpastoError: it cannot be read.

    """

    def __init__(self, path: Path, film: FilmRecipe, max_pixels: int) -> None:
        self._clip: Clip | None = None
        if is_many(path) or (path.is_file() and not is_picture(path)):
            self._clip = open_clip(path, film.part, max_pixels=max_pixels)
            first = next(read_frames(self._clip)).picture
            self.first = Picture(first, self._clip.name, self._clip.sha256)
            return
        self.first = read_picture(path, max_pixels=max_pixels)
        if not film.ties_frames:
            raise RecipeError(
                f"With --temporal off nothing carries {path.name!r} along the film: give a folder "
                "or a film with one for each frame."
            )

    def __iter__(self) -> Iterator[Tensor]:
        """One after the other, ``(1, 3, H, W)`` in [0, 1]."""
        if self._clip is None:
            yield self.first.tensor
        else:
            yield from (each.picture for each in read_frames(self._clip))


class FilmMaps:
    """The masks and maps that a recipe names, frame by frame.

    Args:
        recipe: names them.
        film: which frames, and whether they are tied.
        clip: the source.
        styles: the paintings.

    Attributes:
        by_role: what was read, for the record.
        notes: what each region takes after.

    Raises:
        ImpastoError: one cannot be read, or does not fit.

    """

    def __init__(
        self, recipe: Recipe, film: FilmRecipe, clip: Clip, styles: Sequence[Picture]
    ) -> None:
        self.by_role: dict[str, list[Picture]] = {}
        self.notes: tuple[str, ...] = ()
        self._protect: MapSource | None = None
        self._maps: MapSource | None = None
        self._regions: Regions | None = None
        frame = Picture(torch.empty(1, 3, 1, 1).expand(1, 3, *clip.size), clip.name, clip.sha256)
        self._amount = recipe.protect_amount
        self._has_faces = recipe.protect == FACES
        if recipe.protect is not None and not self._has_faces:
            self._protect = MapSource(Path(recipe.protect), film, recipe.max_pixels)
            check_proportion("a mask", self._protect.first, frame, "the film")
            self.by_role["protect"] = [self._protect.first]
        if recipe.regions is not None:
            self._maps = MapSource(Path(recipe.regions), film, recipe.max_pixels)
            read = partial(read_picture, max_pixels=recipe.max_pixels)
            maps = RegionMaps(self._maps.first, tuple(map(read, recipe.style_regions or ())))
            self._regions, self.notes = regions_of(maps, frame, styles, recipe.blend)
            self.by_role |= maps.by_role

    def frames(self, kept: KeptFrames, size: tuple[int, int]) -> Callable[[TiedFrame], Held]:
        """What holds for each frame of a pass, asked for one after the other.

        Args:
            kept: where they are kept for later passes, and for a run that takes up here.
            size: height and width of the film.

        """
        mask: _Followed | None = None
        if self._has_faces:
            mask = _FollowedFaces(kept, size)
        elif self._protect is not None:
            mask = _Followed(self._protect, kept, size)
        labels, regions = None, self._regions
        if self._maps is not None:
            labels = _FollowedLabels(self._maps, kept, size)

        def of(each: TiedFrame) -> Held:
            own = None
            if labels is not None and regions is not None:
                own = replace(regions, labels=labels.of(each))
            return Held(None if mask is None else self._amount * mask.of(each), own)

        return of


class _Followed:
    """A mask of every frame: the one that is given, or the last one, moved along the flow."""

    kind = "protect"

    def __init__(self, source: Iterable[Tensor], kept: KeptFrames, size: tuple[int, int]) -> None:
        self._given, self._kept, self._size = iter(source), kept, size
        self._first: Tensor | None = None

    def of(self, each: TiedFrame) -> Tensor:
        """The one of a frame; after a cut, of which nothing is known, the first one's."""
        given, index = self._next(each), each.frame.index
        self._first = given if self._first is None else self._first
        if not self._kept.has(self.kind, index):
            if given is None and each.begins_shot:
                given = self._first
            own = self._moved(each) if given is None else self._read(given)
            self._kept.write(self.kind, index, self._as_picture(own), {})
        return self._kept_at(index)

    def _next(self, each: TiedFrame) -> Tensor | None:
        """The one that is given for a frame, as it was given; None where none is."""
        del each
        return next(self._given, None)

    def _read(self, picture: Tensor) -> Tensor:
        return resize(picture.mean(1, keepdim=True), *self._size)

    def _moved(self, each: TiedFrame) -> Tensor:
        return self._carried(each, self._kept_at(each.frame.index - each.ties[0].back))

    def _carried(self, each: TiedFrame, before: Tensor) -> Tensor:
        """Moved along the flow; what the frame before hid takes after what looks like it nearby."""
        tie = each.ties[0]
        moved = warp(before, tie.flow).clamp(0, 1)
        return filled(moved, (tie.weights > 0).to(moved.dtype), each.frame.picture)

    def _kept_at(self, index: int) -> Tensor:
        return self._kept.read(self.kind, index)[0][:, :1]

    def _as_picture(self, own: Tensor) -> Tensor:
        return own.expand(-1, 3, -1, -1)


class _FollowedFaces(_Followed):
    """The faces of a frame: looked for where a shot begins and now and then, else moved."""

    def __init__(self, kept: KeptFrames, size: tuple[int, int]) -> None:
        super().__init__((), kept, size)

    def _next(self, each: TiedFrame) -> Tensor | None:
        begins = each.begins_shot or not each.ties
        if self._kept.has(self.kind, each.frame.index):
            return None
        if not begins and each.frame.index % LOOK_AGAIN:
            return None
        found = mask_of_faces(Picture(each.frame.picture, "frame", "")).tensor
        return found if begins or found.any() else None


class _FollowedLabels(_Followed):
    """The same of regions: labels, ``(1, 1, H, W)`` uint8, by the first map's colours."""

    kind = "regions"

    def __init__(self, source: MapSource, kept: KeptFrames, size: tuple[int, int]) -> None:
        super().__init__(source, kept, size)
        self._colors = colors_of(source.first)

    def _read(self, picture: Tensor) -> Tensor:
        return nearest(labels_of(picture, self._colors), *self._size)

    def _moved(self, each: TiedFrame) -> Tensor:
        labels = self._kept_at(each.frame.index - each.ties[0].back)
        moved = self._carried(each, one_hot(labels, len(self._colors)))
        return moved.argmax(1, keepdim=True).to(torch.uint8)

    def _kept_at(self, index: int) -> Tensor:
        return (super()._kept_at(index) * LABELS).round().to(torch.uint8)

    def _as_picture(self, own: Tensor) -> Tensor:
        return super()._as_picture(own.float() / LABELS)
