"""Where a picture is cut into tiles, and how far each must see beyond its own edge.

A tile has a core, which is its own, and a halo, which it shares. It is computed with a halo of half
the receptive field, cut at every pooling to what the layers after it need. Where a tile ends inside
the picture the network's padding spoils only what is cut; where it ends with the picture, the
padding is the picture's own. So the features of a core are those of the whole picture.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from impasto.nets.topology import CELL, Layer


@dataclass(frozen=True)
class Span:
    """One side of a tile's core, in pixels of the picture.

    Attributes:
        start: a multiple of CELL.
        stop: likewise, or the picture's end.
        length: of the picture.
        wraps: whether the picture goes on at its other edge.

    """

    start: int
    stop: int
    length: int
    wraps: bool = False

    def reach(self, halo: int) -> range:
        """The pixels up to ``halo`` away from the core; beyond an edge only where that wraps."""
        if self.wraps:
            return range(self.start - halo, self.stop + halo)
        return range(max(0, self.start - halo), min(self.length, self.stop + halo))

    def part(self, inner: int, halo: int, cell: int) -> slice:
        """Of a map with a position for every ``cell`` pixels of ``reach(halo)``, ``reach(wanted)``.

        At the picture's end, where a pooling may have dropped a position: all that is left.
        """
        whole, kept = self.reach(halo), self.reach(inner)
        is_end = kept.stop == self.length and not self.wraps
        stop = None if is_end else (kept.stop - whole.start) // cell
        return slice((kept.start - whole.start) // cell, stop)


@dataclass(frozen=True)
class Tile:
    """Part of a picture.

    Attributes:
        rows: of its core.
        columns: of its core.
        halos: pixels needed around the core at the input of each block, from :func:`halos`.

    """

    rows: Span
    columns: Span
    halos: tuple[int, ...]

    def cut(self, image: Tensor) -> Tensor:
        """The tile with its halo, from the whole picture ``(1, C, H, W)``."""
        return cut(image, self.rows.reach(self.halos[0]), self.columns.reach(self.halos[0]))

    def add(self, values: Tensor, whole: Tensor) -> None:
        """Add what belongs to the pixels of :meth:`cut` to the whole picture's."""
        add(values, whole, self.rows.reach(self.halos[0]), self.columns.reach(self.halos[0]))

    def areas(self) -> list[int]:
        """Pixels that it covers with the halo of each block."""
        sides = [(self.rows.reach(halo), self.columns.reach(halo)) for halo in self.halos]
        return [len(rows) * len(columns) for rows, columns in sides]

    def trim(self, pooling: Layer) -> tuple[slice, slice]:
        """What the next block needs of a pooling's output (:class:`impasto.nets.passes.Part`)."""
        halo, inner = self.halos[pooling.block - 1 : pooling.block + 1]
        return self._part(inner, halo, 2**pooling.block)

    def core(self, layer: Layer) -> tuple[slice, slice]:
        """The positions of a layer's map that are this tile's own."""
        return self._part(0, self.halos[layer.block - 1], 2 ** (layer.block - 1))

    def place(self, layer: Layer) -> tuple[slice, slice]:
        """Where these positions lie in the map of the whole picture."""
        cell = 2 ** (layer.block - 1)
        rows, columns = (
            slice(span.start // cell, None if span.stop == span.length else span.stop // cell)
            for span in (self.rows, self.columns)
        )
        return rows, columns

    def _part(self, inner: int, halo: int, cell: int) -> tuple[slice, slice]:
        return self.rows.part(inner, halo, cell), self.columns.part(inner, halo, cell)


def tiles(
    height: int, width: int, side: int, halo: tuple[int, ...], *, wraps: bool = False
) -> list[Tile]:
    """The tiles of a picture, row by row, all of about the same size.

    Args:
        height: of the picture.
        width: of the picture.
        side: largest side of a core.
        halo: from :func:`halos`.
        wraps: whether the picture itself is a tile that goes on at its other edge.

    """
    return [
        Tile(rows, columns, halo)
        for rows in _spans(height, side, wraps)
        for columns in _spans(width, side, wraps)
    ]


def halos(table: Sequence[Layer], layers: Collection[str]) -> tuple[int, ...]:
    """How far features of these layers see beyond their own cells, at the input of each block.

    In pixels of the picture, and in whole cells of the pooling that follows. The first is half of
    what their receptive field has more than one cell.
    """
    last = max(index for index, layer in enumerate(table) if layer.name in layers)
    deepest, reach = table[last].block, 0
    reaches = []
    for block in range(deepest, 0, -1):
        convs = sum(each.kind == "conv" and each.block == block for each in table[: last + 1])
        cell = 2 ** min(block, deepest - 1)
        reach = -(-(reach + convs * 2 ** (block - 1)) // cell) * cell
        reaches.append(reach)
    return tuple(reversed(reaches))


def cut(image: Tensor, rows: range, columns: range) -> Tensor:
    """Pixels of ``(1, C, H, W)``; those beyond an edge are taken from the opposite one."""
    height, width = image.shape[-2:]
    bands = [image[..., here, :] for here, _ in _pieces(rows, height)]
    band = bands[0] if len(bands) == 1 else torch.cat(bands, dim=-2)
    parts = [band[..., here] for here, _ in _pieces(columns, width)]
    return parts[0] if len(parts) == 1 else torch.cat(parts, dim=-1)


def add(values: Tensor, whole: Tensor, rows: range, columns: range) -> None:
    """The transpose of :func:`cut`: add each value to the pixel that it belongs to."""
    height, width = whole.shape[-2:]
    for down, from_row in _pieces(rows, height):
        for across, from_column in _pieces(columns, width):
            whole[..., down, across] += values[..., from_row, from_column]


def _pieces(inner: range, length: int) -> Iterator[tuple[slice, slice]]:
    """(part of the picture, part of the range) for each stretch without an edge in it."""
    at = inner.start
    while at < inner.stop:
        stop = min(inner.stop, at - at % length + length)
        yield (
            slice(at % length, at % length + stop - at),
            slice(at - inner.start, stop - inner.start),
        )
        at = stop


def _spans(length: int, side: int, wraps: bool) -> list[Span]:
    count = -(-length // side)
    even = -(-length // (count * CELL)) * CELL
    return [
        Span(start, min(start + even, length), length, wraps) for start in range(0, length, even)
    ]
