"""What a run takes of a machine's memory, from its sizes alone.

Pictures are counted, and a network's activations from its table of layers. What surrounds these
(poolings' indices, copies in float32, gradients on their way) and the program itself are constants
that were measured: ``benchmarks/memory.py`` holds the sum against the true peak.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from impasto import native
from impasto.engine.objective.terms import needed, standard
from impasto.engine.objective.tiles import halos, tiles
from impasto.engine.planning.stages import Size, Stage
from impasto.nets.fused import suits
from impasto.nets.topology import Layer
from impasto.recipe.still import Recipe

PROGRAM = 185e6  # bytes of torch and of the program itself, before any picture
PICTURE = 3 * 4  # bytes of a pixel in float32
ACTIVATIONS = 2.05  # times their own bytes: with gradients, and what the allocator keeps back
ACTIVATIONS_BY_KERNELS = 1.2  # likewise
FORWARD = 0.35  # share of a gradient's memory that a picture takes which is only measured
PASSES = 1.5  # forward, forward and backward, over forward and backward
AT_ONCE = {"lbfgs": 5, "adam": 6, "sgd": 7}  # pictures that an optimiser needs beside its pairs
SCATTERED = 5.0  # pictures: room between maps of other sizes that no whole picture fits into
AT_ONCE_MAPPED = {"lbfgs": 4, "adam": 4, "sgd": 7}


@dataclass(frozen=True)
class Footprint:
    """The memory of a recipe's runs with one network.

    Attributes:
        recipe: its layers and its optimiser count.
        table: the network's layers.
        device: where it is computed.

    """

    recipe: Recipe
    table: Sequence[Layer]
    device: str = "cpu"

    def stage(self, stage: Stage, content: Size) -> float:
        """Bytes that a stage takes, besides what there is already.

        Args:
            stage: its tiles and what is mapped count.
            content: size of the photograph as it is.

        """
        paintings = sum(height * width for height, width in stage.styles)
        is_resized = stage.size != content
        kept = PICTURE * (stage.pixels * (self._pictures(stage) + is_resized) + paintings)
        measured = max(self._at_once(size, stage.tile) for size in stage.styles)
        made = self._at_once(stage.size, stage.tile)
        network = self._per_pixel(stage) * max(made, FORWARD * measured)
        # A checkpoint copies the pairs when neither the network nor a next picture is there.
        checkpoint = PICTURE * stage.pixels * (self._pairs(stage) - 2)
        return kept + max(network, checkpoint) + self._content(stage) + self._weights(stage)

    def _pictures(self, stage: Stage) -> float:
        """Pictures of the stage's size that are in memory at the same time."""
        name = self.recipe.optimizer
        if stage.mapped:
            return AT_ONCE_MAPPED[name]
        return AT_ONCE[name] + self._pairs(stage) + bool(self.recipe.average) + SCATTERED

    def _pairs(self, stage: Stage) -> float:
        """L-BFGS's pairs in memory, in pictures."""
        if stage.mapped or self.recipe.optimizer != "lbfgs":
            return 0
        of_a_pair = 1 if has_half_pairs(stage, self.device) else 2
        return of_a_pair * min(self.recipe.history, stage.steps)

    def _per_pixel(self, stage: Stage) -> float:
        """Bytes of the network for each pixel that is in it."""
        if _has_kernels(stage, self.device) and suits(self.table):
            return self._per_pixel_by_kernels()
        values = 0.0
        for layer in self._used():
            block = layer.block + (layer.kind == "pool")
            values += layer.out_channels / 4.0 ** (block - 1)
        return ACTIVATIONS * values * _itemsize(stage)

    def _per_pixel_by_kernels(self) -> float:
        """Maps, two gradients of the largest at a time, and for a pooling where its maxima lay."""
        kept, used = 0.0, self._used()
        for layer, after in zip(used, [*used[1:], None], strict=True):
            is_pooled = after is not None and after.kind == "pool"
            is_whole = not is_pooled or layer.name in self._layers()
            if layer.kind == "conv":
                size = 2.0 if is_whole else 3 / 4
                kept += size * layer.out_channels / 4.0 ** (layer.block - 1)
        return ACTIVATIONS_BY_KERNELS * (kept + 4 * self.table[0].out_channels)

    def _at_once(self, size: Size, tile: int | None) -> int:
        """Pixels of a picture that are in the network at the same time."""
        if tile is None:
            return size[0] * size[1]
        return max(each.areas()[0] for each in tiles(*size, tile, self._halos()))

    def _content(self, stage: Stage) -> float:
        maps = needed(standard(self.recipe)).maps
        layers = [each for each in self.table if each.name in maps]
        values = sum(each.out_channels / 4.0 ** (each.block - 1) for each in layers)
        return min(values * _itemsize(stage), PICTURE) * stage.pixels

    def _weights(self, stage: Stage) -> float:
        convs = [each for each in self.table if each.kind == "conv"]
        return _itemsize(stage) * sum(9 * each.in_channels * each.out_channels for each in convs)

    def _used(self) -> Sequence[Layer]:
        wanted = self._layers()
        last = max(i for i, layer in enumerate(self.table) if layer.name in wanted)
        return self.table[: last + 1]

    def _halos(self) -> tuple[int, ...]:
        return halos(self.table, self._layers())

    def _layers(self) -> tuple[str, ...]:
        return needed(standard(self.recipe)).layers


def has_half_pairs(stage: Stage, device: str) -> bool:
    """Whether L-BFGS's pairs are bfloat16: with such a network and our own kernels, in memory."""
    return _has_kernels(stage, device) and not stage.mapped


def _has_kernels(stage: Stage, device: str) -> bool:
    return stage.precision == "bf16" and device == "cpu" and native.are_available()


def _itemsize(stage: Stage) -> int:
    return 2 if stage.precision == "bf16" else 4


def tiling_cost(table: Sequence[Layer], layers: Sequence[str], size: Size, side: int) -> float:
    """Time of a gradient in tiles over that of the whole at once: two passes, and the halos."""
    parts = tiles(*size, side, halos(table, layers))
    covered = sum(sum(each.areas()) / len(each.halos) for each in parts)
    return PASSES * covered / (size[0] * size[1])
