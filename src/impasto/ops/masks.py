"""Masks: where, and how far, something holds."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

EDGE = 1 / 100  # of the shorter side: half the width over which a hard edge becomes a soft one


def softened(mask: Tensor) -> Tensor:
    """A mask whose hard edges rise over two hundredths of the shorter side.

    A box twice, one after the other; beyond the picture's edge the mask goes on as it is there.

    Args:
        mask: ``(1, 1, H, W)`` in [0, 1].

    """
    radius = max(1, round(min(mask.shape[-2:]) * EDGE / 2))
    for _ in range(2):
        padded = F.pad(mask, (radius,) * 4, mode="replicate")
        mask = F.avg_pool2d(padded, 2 * radius + 1, stride=1)
    return mask
