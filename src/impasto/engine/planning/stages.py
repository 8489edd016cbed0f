"""The sizes of a coarse-to-fine run: one :class:`Stage` for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from impasto.nets.topology import CELL

Size = tuple[int, int]  # height, width
Window = tuple[int, int, int, int]  # top, left, height, width


@dataclass(frozen=True)
class Stage:
    """One size of the coarse-to-fine run.

    Attributes:
        height: rows of the picture.
        width: columns of the picture.
        styles: height and width of each painting, one after the other at every style scale.
        steps: optimiser steps.
        precision: of the network's arithmetic; the picture, the optimiser and all sums over
            positions are float32 either way.
        window: the part of the picture that is made, for a preview; None for all of it.
        tile: largest side of the tiles that it is computed in; None for the whole at once.
        mapped: whether what the optimiser remembers lies in a file.
        whole_cells: whether it is made at the next multiples of CELL, and then resized: for a tile,
            so that no pooling drops a row and the seam lies like any row.
        margin: pixels, at least, that are made beyond each edge and cut off again, for whole cells;
            0 for none.

    """

    height: int
    width: int
    styles: tuple[Size, ...]
    steps: int
    precision: Literal["fp32", "bf16"]
    window: Window | None = None
    tile: int | None = None
    mapped: bool = False
    whole_cells: bool = False
    margin: int = 0

    @property
    def size(self) -> Size:
        """Height and width of what is made, its margin included."""
        height, width = self.window[2:] if self.window else (self.height, self.width)
        if not (self.whole_cells or self.margin):
            return height, width
        return _whole_cells((height + 2 * self.margin, width + 2 * self.margin))

    @property
    def pixels(self) -> int:
        """Of what is made."""
        return self.size[0] * self.size[1]

    @property
    def work(self) -> float:
        """Cost of the stage in arbitrary units."""
        return (self.steps + 1.0) * self.pixels


def _whole_cells(size: Size) -> Size:
    """Sides as the next multiples of CELL."""
    height, width = (-(-side // CELL) * CELL for side in size)
    return height, width
