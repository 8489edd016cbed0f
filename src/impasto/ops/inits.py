"""Starting pictures that need no file, and resizing."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def white_noise(height: int, width: int, *, seed: int) -> Tensor:
    """White Gaussian noise (section 3.1) around mid-grey: mean 1/2, deviation 1/4, clipped.

    Returns:
        ``(1, 3, height, width)`` float32 in [0, 1]; the same on every machine for one seed.

    """
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(1, 3, height, width, generator=generator)
    return (0.5 + 0.25 * noise).clamp(0, 1)


def stripes(height: int, width: int, *, count: int = 16) -> Tensor:
    """The pathological start of section 3.3: regular black stripes on a white background.

    Args:
        height: pixels.
        width: pixels.
        count: vertical stripes across the picture, each as wide as the gap beside it.

    Returns:
        ``(1, 3, height, width)`` float32, of zeros and ones.

    """
    phase = torch.arange(width) * (2 * count) // width
    row = (phase % 2).float()
    return row.expand(1, 3, height, width).contiguous()


def resize(image: Tensor, height: int, width: int, *, wrap: bool = False) -> Tensor:
    """Resize ``(1, C, H, W)`` in [0, 1] with an antialiased bicubic filter; stays in [0, 1].

    With ``wrap`` the picture is a tile, as in :func:`interpolate`.
    """
    if image.shape[-2:] == (height, width):
        return image
    return interpolate(image, height, width, wrap=wrap).clamp_(0, 1)


def interpolate(values: Tensor, height: int, width: int, *, wrap: bool = False) -> Tensor:
    """Resize ``(1, C, H, W)`` of any range with an antialiased bicubic filter; may overshoot.

    With ``wrap`` the picture is a tile: the filter reads across an edge into the opposite one.
    """
    if wrap:
        return _interpolate_tile(values, height, width)
    return F.interpolate(
        values, (height, width), mode="bicubic", antialias=True, align_corners=False
    )


def _interpolate_tile(values: Tensor, height: int, width: int) -> Tensor:
    """With enough of the tile's copies around it, which are cut off again."""
    down, new_down = _margins(values.shape[-2], height)
    across, new_across = _margins(values.shape[-1], width)
    framed = F.pad(values, (across, across, down, down), mode="circular")
    resized = interpolate(framed, height + 2 * new_down, width + 2 * new_across)
    return resized[..., new_down : new_down + height, new_across : new_across + width].contiguous()


def _margins(old: int, new: int) -> tuple[int, int]:
    """Pixels around a tile before and after resizing, in the tile's own proportion.

    Enough for the bicubic filter, or one whole copy of the tile.
    """
    period = old // math.gcd(old, new)
    reach = math.ceil(2 * max(1, old / new)) + 1
    before = min(old, period * math.ceil(reach / period))
    return before, before * new // old
