"""Tiles of a picture that is painted part by part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import EllipsisType

from impasto.instant.hypercolumns import CELL

TILE, HALO = 1024, 128  # pixels; multiples of 16; the halo is more than a match depends on

Part = tuple[EllipsisType, slice, slice]


@dataclass(frozen=True)
class Tile:
    """A part of a picture.

    Attributes:
        core: what is made of it, in pixels of the picture.
        outer: that with its halo.
        inner: the core in pixels of ``outer``.
        cells: the core in positions of ``outer``.
        positions: the core in positions of the picture.
        outer_positions: the core with its halo in positions of the picture.

    """

    core: Part
    outer: Part
    inner: Part
    cells: Part
    positions: Part
    outer_positions: Part


def tiles_of(height: int, width: int, side: int = TILE) -> list[Tile]:
    """Tiles of a picture whose sides are multiples of 16; one for a picture hardly larger."""
    if height * width <= 2 * side**2:
        side = max(height, width)
    lines = [
        [(start, min(start + side, total)) for start in range(0, total, side)]
        for total in (height, width)
    ]
    return [_tile((*rows, height), (*columns, width)) for rows in lines[0] for columns in lines[1]]


def _tile(rows: tuple[int, int, int], columns: tuple[int, int, int]) -> Tile:
    lines = (rows, columns)
    lows = [max(0, start - HALO) for start, _, _ in lines]
    highs = [min(total, stop + HALO) for _, stop, total in lines]
    starts = [start - low for (start, _, _), low in zip(lines, lows, strict=True)]
    stops = [stop - low for (_, stop, _), low in zip(lines, lows, strict=True)]

    def part(low: Sequence[int], high: Sequence[int], unit: int = 1) -> Part:
        down, across = (slice(a // unit, b // unit) for a, b in zip(low, high, strict=True))
        return ..., down, across

    low, high = [rows[0], columns[0]], [rows[1], columns[1]]
    return Tile(
        part(low, high),
        *(part(lows, highs), part(starts, stops), part(starts, stops, CELL)),
        *(part(low, high, CELL), part(lows, highs, CELL)),
    )
