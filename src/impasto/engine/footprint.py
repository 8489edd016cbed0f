"""What a run takes of a machine's memory, from its sizes alone.

A network's activations are counted from its table of layers; what surrounds them (pooling's
indices, copies in float32, gradients on their way) and the program itself are measured constants:
``benchmarks/memory.py`` holds the sum against the true peak.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from impasto.engine.tiles import halos, tiles
from impasto.nets.topology import Layer

Size = tuple[int, int]  # height, width

PROGRAM = 260e6  # bytes of torch and the program itself, before any picture
PICTURE = 3 * 4  # bytes of a pixel in float32
AROUND = 16.5  # bytes a pixel for each channel of the first layer, besides the activations
FORWARD = 0.35  # of a gradient's memory, for a picture that is only measured


@dataclass(frozen=True)
class Footprint:
    """A network's memory.

    Attributes:
        table: its layers.
        layers: those whose features are asked for.
        itemsize: bytes of one value.

    """

    table: tuple[Layer, ...]
    layers: Collection[str]
    itemsize: int

    def gradient(self, size: Size, tile: int | None) -> float:
        """Bytes of one gradient of a picture, besides the picture's own."""
        return self._per_pixel * self._at_once(size, tile)

    def statistics(self, size: Size, tile: int | None) -> float:
        """Bytes of measuring a painting, besides the painting's own."""
        return FORWARD * self._per_pixel * self._at_once(size, tile)

    def content(self, layers: Collection[str]) -> float:
        """Bytes a pixel of the features of some layers."""
        found = [each for each in self.table if each.name in layers]
        return sum(each.out_channels * self.itemsize / 4.0 ** (each.block - 1) for each in found)

    @property
    def _per_pixel(self) -> float:
        last = max(i for i, layer in enumerate(self.table) if layer.name in self.layers)
        values = 0.0
        for layer in self.table[: last + 1]:
            block = layer.block + (layer.kind == "pool")
            values += layer.out_channels / 4.0 ** (block - 1)
        return values * self.itemsize + AROUND * self.table[0].out_channels

    def _at_once(self, size: Size, tile: int | None) -> int:
        """Pixels that are in the network at the same time."""
        if tile is None:
            return size[0] * size[1]
        reach = halos(self.table, self.layers)
        return max(each.areas()[0] for each in tiles(*size, tile, reach))


def tiling_cost(table: Sequence[Layer], layers: Collection[str], size: Size, tile: int) -> float:
    """Time of a gradient in tiles over that of the whole picture's: two passes, and the halos."""
    found = tiles(*size, tile, halos(table, layers))
    areas = [sum(each.areas()) / len(each.halos) for each in found]
    return 1.5 * sum(areas) / (size[0] * size[1])
