"""Maps: pictures whose colours say which region each pixel belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from impasto.engine.regions import NOWHERE, Regions
from impasto.errors import PictureError, RecipeError
from impasto.files.pictures.fitting import check_proportion
from impasto.files.pictures.images import Picture
from impasto.recipe.checks import count

SMALLEST = 0.002  # share of a map; fewer pixels are no region to paint
MOSTLY = 0.7  # share of pixels that are exactly like their neighbours in a map without noise
NOISE = 0.06  # difference of neighbours that compression may make
NEAR = 0.16  # distance of colours, as the largest difference of a channel, that are taken for one
MOST = 32  # regions
LEVELS = 65_535  # that values are told apart by: labels of 16 bits may be 0, 1, 2

Colors = npt.NDArray[np.float64]


@dataclass(frozen=True)
class RegionMaps:
    """The maps of a picture and of its paintings.

    Attributes:
        picture: of the photograph's proportion.
        styles: one for each painting, of its proportion; none where whole paintings are taken.

    """

    picture: Picture
    styles: tuple[Picture, ...] = ()

    @property
    def by_role(self) -> dict[str, list[Picture]]:
        """The pictures by their roles in a record."""
        own = {"regions": [self.picture], "style_regions": list(self.styles)}
        return {role: pictures for role, pictures in own.items() if pictures}


def regions_of(
    maps: RegionMaps, photograph: Picture, styles: Sequence[Picture], blend: Sequence[float] | None
) -> tuple[Regions, tuple[str, ...]]:
    """The regions that maps show, and a sentence on what each takes after.

    Without maps of the paintings the regions take after one painting each, from the darkest colour
    of the map to the lightest. With them a region takes after the parts that have its colour.

    Args:
        maps: the maps.
        photograph: what the picture is made of; a canvas of its size for a texture.
        styles: the paintings.
        blend: the share of each painting, where the paintings have maps; equal ones when None.

    Raises:
        PictureError: a map has another proportion, or a region that is too small.
        RecipeError: the numbers of regions, maps and paintings do not fit.

    """
    check_proportion("a map", maps.picture, photograph, "the picture")
    colors = colors_of(maps.picture)
    labels = labels_of(maps.picture.tensor, colors)
    given = _Given(maps, colors, labels)
    if maps.styles:
        shares, parts = _by_parts(given, styles, blend)
    else:
        shares, parts = _one_each(given, styles, blend)
    return Regions(labels, shares, parts), _told(given, shares, styles)


@dataclass(frozen=True)
class _Given:
    maps: RegionMaps
    colors: Colors
    labels: Tensor

    @property
    def names(self) -> list[str]:
        return [_name(color) for color in self.colors]


def _one_each(
    given: _Given, styles: Sequence[Picture], blend: Sequence[float] | None
) -> tuple[tuple[tuple[float, ...], ...], tuple[Tensor | None, ...]]:
    if blend is not None:
        raise RecipeError(
            "--blend shares the paintings everywhere, --regions gives each a place of its own: "
            "leave out one of them."
        )
    regions = len(given.colors)
    if regions != len(styles):
        raise RecipeError(
            f"{given.maps.picture.name!r} has {count(regions, 'region')} "
            f"({', '.join(given.names)}) for {count(len(styles), 'painting')}: name a painting for "
            "each, in this order, or the parts of a painting with --style-regions."
        )
    shares = tuple(tuple(float(i == j) for j in range(regions)) for i in range(regions))
    return shares, (None,) * regions


def _by_parts(
    given: _Given, styles: Sequence[Picture], blend: Sequence[float] | None
) -> tuple[tuple[tuple[float, ...], ...], tuple[Tensor | None, ...]]:
    maps = given.maps.styles
    if len(maps) != len(styles):
        raise RecipeError(
            f"--style-regions has {count(len(maps), 'map')} for {count(len(styles), 'painting')}: "
            "give one for each."
        )
    parts, has = [], np.zeros((len(given.colors), len(styles)))
    for index, (each, painting) in enumerate(zip(maps, styles, strict=True)):
        check_proportion("a map", each, painting, "the painting")
        part = _matched(each, given.colors)
        parts.append(part)
        here = torch.bincount(part.flatten().int(), minlength=NOWHERE + 1)[: len(given.colors)]
        has[:, index] = here.numpy() >= SMALLEST * part.numel()
    shares = has * (np.ones(len(styles)) if blend is None else np.asarray(blend))
    for name, own in zip(given.names, shares, strict=True):
        if own.sum() == 0:
            where = " or ".join(repr(each.name) for each in maps)
            raise RecipeError(
                f"No part of {where} has the colour {name} of {given.maps.picture.name!r}: paint "
                "one, or leave the colour out."
            )
    shares = shares / shares.sum(1, keepdims=True)
    return tuple(tuple(map(float, own)) for own in shares), tuple(parts)


def _told(
    given: _Given, shares: Sequence[Sequence[float]], styles: Sequence[Picture]
) -> tuple[str, ...]:
    """What each region takes after, one sentence for all."""
    areas = torch.bincount(given.labels.flatten().int(), minlength=len(shares)).double()
    areas = 100 * areas / given.labels.numel()
    sentences = []
    for name, area, own in zip(given.names, areas.tolist(), shares, strict=True):
        sources = [style.name for style, share in zip(styles, own, strict=True) if share]
        part = "the same colour of " if given.maps.styles else ""
        sentences.append(f"{name} ({area:.0f}%) after {part}{' and '.join(sources)}")
    return (f"regions of {given.maps.picture.name}: {'; '.join(sentences)}.",)


def colors_of(picture: Picture) -> Colors:
    """A map's colours in [0, 1], ``(R, 3)``, from dark to light.

    A colour counts where the pixels around have it too: soft borders and their corners do not.

    Raises:
        PictureError: there are too many, or a region is too small.

    """
    flat = _is_flat(picture.tensor, 0.0)
    if flat.double().mean() >= MOSTLY:
        chosen = _large_ones(picture, flat)
    else:
        flat = _is_flat(picture.tensor, NOISE)
        chosen = _merged(*_distinct(picture.tensor, flat)[::2], picture.size)
    if flat.double().mean() < 0.5 or not 1 <= len(chosen) <= MOST:
        raise PictureError(
            f"{picture.name!r} has too many colours for a map: paint each region in one flat "
            f"colour, {MOST} at most."
        )
    luma = chosen @ np.array([0.299, 0.587, 0.114])
    ordered: Colors = chosen[np.lexsort((*chosen.T, luma))]
    return ordered


def labels_of(picture: Tensor, colors: Colors) -> Tensor:
    """Which colour each pixel of a map ``(1, 3, H, W)`` is nearest to, ``(1, 1, H, W)`` uint8."""
    values, inverse, _ = _distinct(picture)
    labels = _nearest(values, colors)[inverse].reshape(picture.shape[-2:])
    return torch.from_numpy(labels.astype(np.uint8))[None, None]


def _matched(picture: Picture, colors: Colors) -> Tensor:
    """The label of each pixel of a painting's map by the colours of the picture's."""
    values, inverse, _ = _distinct(picture.tensor)
    labels = _nearest(values, colors)
    apart = np.abs(values - colors[labels]).max(1)
    # Labels may differ by less than colours that are taken for one.
    gaps = [np.abs(a - b).max() for i, a in enumerate(colors) for b in colors[:i]]
    labels = np.where(apart > min([NEAR, *(gap / 2 for gap in gaps)]), NOWHERE, labels)
    own = labels[inverse].reshape(picture.size).astype(np.uint8)
    return torch.from_numpy(own)[None, None]


def _is_flat(picture: Tensor, tolerance: float) -> Tensor:
    """Whether each pixel ``(H, W)`` differs from its four neighbours by no more than that."""
    flat = torch.ones(picture.shape[-2:], dtype=torch.bool)
    for dim in (-2, -1):
        same = picture.diff(dim=dim).abs().amax((0, 1)) <= tolerance
        length = flat.shape[dim]
        flat.narrow(dim, 0, length - 1).logical_and_(same)
        flat.narrow(dim, 1, length - 1).logical_and_(same)
    return flat


def _large_ones(picture: Picture, flat: Tensor) -> Colors:
    """The colours of a map's flat pixels, made sure that each has enough of them."""
    values, _, counts = _distinct(picture.tensor, flat)
    shares = counts / picture.tensor[0, 0].numel()
    large = values[shares >= SMALLEST]
    for color, share in zip(values, shares, strict=True):
        if share < SMALLEST and not (np.abs(large - color).max(1, initial=0) < NEAR).any():
            raise PictureError(
                f"The region {_name(color)} of {picture.name!r} is {100 * share:.2g}% of it, too "
                "small to paint: make it larger, or leave it out."
            )
    return large


def _merged(values: Colors, counts: Colors, size: tuple[int, int]) -> Colors:
    """The colours of a map with noise: the most frequent ones, none near another."""
    chosen: list[Colors] = []
    for index in np.argsort(-counts)[:4096]:
        if all(np.abs(values[index] - each).max() > NEAR for each in chosen):
            chosen.append(values[index])
        if len(chosen) > 4 * MOST:
            break
    if not chosen:
        return np.empty((0, 3))
    every = np.array(chosen)
    areas = np.bincount(_nearest(values, every), weights=counts, minlength=len(every))
    result: Colors = every[areas >= SMALLEST * size[0] * size[1]]
    return result


def _distinct(
    picture: Tensor, where: Tensor | None = None
) -> tuple[Colors, npt.NDArray[np.intp], Colors]:
    """A picture's colours in [0, 1] ``(K, 3)``, which of them each pixel has, and how many do."""
    levels = (picture[0].double() * LEVELS).round().long()
    codes = (levels[0] << 32) | (levels[1] << 16) | levels[2]
    chosen = codes.flatten() if where is None else codes[where]
    unique, inverse, counts = np.unique(chosen.numpy(), return_inverse=True, return_counts=True)
    values = np.stack([unique >> 32, (unique >> 16) & LEVELS, unique & LEVELS], 1) / LEVELS
    return values, inverse.reshape(-1), counts.astype(np.float64)


def _nearest(values: Colors, colors: Colors) -> npt.NDArray[np.intp]:
    blocks = np.array_split(values, max(1, len(values) // 100_000))
    return np.concatenate(
        [np.abs(block[:, None] - colors[None]).max(2).argmin(1) for block in blocks]
    )


def _name(color: Colors) -> str:
    return "#" + "".join(f"{round(255 * each):02x}" for each in color)
