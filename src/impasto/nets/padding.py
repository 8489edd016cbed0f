"""Padding: put around a picture, and its gradient folded back in the backward pass."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.nets.convolution import layout_of

Padding = Literal["zeros", "circular", "replicate"]
"""``zeros`` leaves it to the convolution, which needs no copy for it."""


def padded(x: Tensor, padding: Padding) -> Tensor:
    """One row and column more on every side; keeps the layout, as circular F.pad does not."""
    if padding == "zeros":
        return x
    if padding == "replicate":
        return F.pad(x, (1, 1, 1, 1), mode="replicate")
    x = torch.cat([x[..., -1:], x, x[..., :1]], dim=-1)
    return torch.cat([x[..., -1:, :], x, x[..., :1, :]], dim=-2)


def unpadded(gradient: Tensor, padding: Padding) -> Tensor:
    """The transpose of :func:`padded`; overwrites what it is given."""
    if padding == "zeros":
        return gradient
    layout = layout_of(gradient)
    for dim in (-2, -1):
        size = gradient.shape[dim]
        near, far = (gradient.select(dim, at) for at in (0, size - 1))
        first, last = (far, near) if padding == "circular" else (near, far)
        gradient = gradient.narrow(dim, 1, size - 2)
        gradient.select(dim, 0).add_(first)
        gradient.select(dim, size - 3).add_(last)
    return gradient.contiguous(memory_format=layout)
