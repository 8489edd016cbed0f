"""The bundled network: VGG-19's topology up to ``conv5_1`` at a sixteenth of its arithmetic.

Its linear heads map each layer to the features of the normalised VGG-19 (Gatys et al. 2016), so
that losses taken through them are that network's. How it was trained: ``training/``.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from impasto.nets.network import ConvNetwork, InputConvention
from impasto.nets.pooling import Pooling
from impasto.nets.topology import COMPACT_WIDTHS, layer_table

COMPACT_CONVENTION = InputConvention("RGB", 1.0, (0.45, 0.45, 0.45), (0.226, 0.226, 0.226))


def compact(
    tensors: Mapping[str, Tensor],
    *,
    convention: InputConvention = COMPACT_CONVENTION,
    pooling: Pooling = "max",
) -> ConvNetwork:
    """The compact network from its tensors; max pooling is the one that it was trained with.

    Raises:
        WeightsError: a tensor is missing or has another shape.

    """
    table = layer_table(COMPACT_WIDTHS, last="conv5_1")
    return ConvNetwork(table, tensors, convention=convention, pooling=pooling)
