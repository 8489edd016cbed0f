"""2 x 2 pooling, forward and backward. An odd last row or column is dropped, as torch does."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.nets.convolution import layout_of

Pooling = Literal["max", "avg"]


def pool(x: Tensor, kind: Pooling) -> tuple[Tensor, Tensor | None]:
    """Maxima or means of 2 x 2 positions of ``(B, C, H, W)``; and where the maxima lay."""
    if kind == "avg":
        return F.avg_pool2d(x, 2), None
    if not _has_free_bands(x):
        y, places = torch.ops.aten.max_pool2d_with_indices(x, [2, 2])
        return y, places
    y, places = torch.ops.aten.max_pool2d_with_indices(_bands(x), [2, 2])
    return _joined(y), places


def unpool(gradient: Tensor, places: Tensor | None, shape: torch.Size) -> Tensor:
    """The derivative with respect to x from that with respect to its pooling.

    Args:
        gradient: of the shape of what :func:`pool` has given.
        places: as :func:`pool` has given them.
        shape: of x.

    """
    if places is None:
        # An enlargement, which torch does five times faster than its own backward pass.
        spread = F.interpolate(gradient / 4, scale_factor=2, mode="nearest")
    elif len(places) == len(gradient):
        return _scattered(gradient, places, shape)
    else:
        count, channels, _, width = places.shape[:2] + shape[2:]
        bands = torch.Size((count, channels, 2, width))
        spread = _joined(_scattered(_bands(gradient, 1), places, bands))
    down, across = (shape[dim] - spread.shape[dim] for dim in (-2, -1))
    return F.pad(spread, (0, across, 0, down)) if down or across else spread


def _scattered(gradient: Tensor, places: Tensor, shape: torch.Size) -> Tensor:
    x = torch.empty(  # its shape and layout matter, its values do not
        shape,
        dtype=gradient.dtype,
        device=gradient.device,
        memory_format=layout_of(gradient),
    )
    spread: Tensor = torch.ops.aten.max_pool2d_with_indices_backward(
        gradient, x, [2, 2], [2, 2], [0, 0], [1, 1], False, places
    )
    return spread


def _has_free_bands(x: Tensor) -> bool:
    """Whether pairs of rows are pictures of their own without a copy.

    In the backward pass threads share out the pictures of a batch, not a picture's rows.
    """
    is_last = x.is_contiguous(memory_format=torch.channels_last)
    return x.device.type == "cpu" and is_last and len(x) == 1 and x.shape[-2] > 3


def _bands(x: Tensor, rows: int = 2) -> Tensor:
    """The bands of ``rows`` rows of ``(1, C, H, W)``, ``(H / rows, C, rows, W)``."""
    _, channels, height, width = x.shape
    lines = x.permute(0, 2, 3, 1)[:, : height // rows * rows]
    return lines.reshape(height // rows, rows, width, channels).permute(0, 3, 1, 2)


def _joined(bands: Tensor) -> Tensor:
    count, channels, rows, width = bands.shape
    lines = bands.permute(0, 2, 3, 1)
    return lines.reshape(1, count * rows, width, channels).permute(0, 3, 1, 2)
