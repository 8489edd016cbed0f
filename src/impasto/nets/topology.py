"""VGG-19's layer table, once: every network, summary and plan of impasto reads it from here."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from impasto.errors import RecipeError
from impasto.recipe.checks import canonical_layer

BLOCKS = (
    2,
    2,
    4,
    4,
    4,
)  # convolutions in each block; every block but the cut end closes with a pool
CELL = 2 ** (len(BLOCKS) - 1)  # pixels of the picture for one position of the last block
VGG19_WIDTHS = (64, 128, 256, 512, 512)
COMPACT_WIDTHS = (16, 32, 64, 128, 192)


@dataclass(frozen=True)
class Layer:
    """A 3 x 3 convolution with its ReLU (``convB_I``) or a 2 x 2 pooling (``poolB``)."""

    name: str
    kind: str  # "conv" or "pool"
    in_channels: int
    out_channels: int
    block: int  # from 1; features of block b have 2^(b-1) times fewer rows and columns


def layer_table(widths: tuple[int, ...] = VGG19_WIDTHS, last: str = "pool5") -> tuple[Layer, ...]:
    """The layers from the picture up to ``last``, in order."""
    return tuple(_up_to(last, _layers(widths)))


def conv_names(last: str = "conv5_4") -> tuple[str, ...]:
    """Names of the convolutions, ``conv1_1`` up to ``last``."""
    return tuple(layer.name for layer in layer_table(last=last) if layer.kind == "conv")


def check_layers(requested: Collection[str], available: Collection[str]) -> list[str]:
    """Canonical names of the requested layers.

    Raises:
        RecipeError: a layer is not among the available ones.

    """
    names = [canonical_layer(name) for name in requested]
    for name in names:
        if name not in available:
            listed = list(available)
            raise RecipeError(
                f"This network has no layer {name!r}: it has {listed[0]} to {listed[-1]}."
            )
    return names


def receptive_field(layers: tuple[Layer, ...]) -> tuple[int, int]:
    """Side of the square of pixels that one position sees, and the step between positions."""
    field, jump = 1, 1
    for layer in layers:
        field += (2 if layer.kind == "conv" else 1) * jump
        jump *= 1 if layer.kind == "conv" else 2
    return field, jump


def _layers(widths: tuple[int, ...]) -> Iterator[Layer]:
    channels = 3
    for block, (convs, width) in enumerate(zip(BLOCKS, widths, strict=True), start=1):
        for index in range(1, convs + 1):
            yield Layer(f"conv{block}_{index}", "conv", channels, width, block)
            channels = width
        yield Layer(f"pool{block}", "pool", width, width, block)


def _up_to(last: str, layers: Iterator[Layer]) -> Iterator[Layer]:
    for layer in layers:
        yield layer
        if layer.name == last:
            return
    raise ValueError(f"no layer named {last}")
