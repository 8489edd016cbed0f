"""Luma and two chroma axes, and the way back into the cube of colours.

Chroma is blue and red minus luma, scaled as in ITU-R BT.601 so that each lies in [-0.5, 0.5].
"""

from __future__ import annotations

import torch
from torch import Tensor

from impasto.ops.color import rgb_to_luma

_BLUE, _RED = 0.564, 0.713
_R, _G, _B = 0.299, 0.587, 0.114


def to_opponent(image: Tensor) -> Tensor:
    """RGB ``(*, 3, H, W)`` in [0, 1] as luma in [0, 1] and two chroma planes in [-0.5, 0.5]."""
    luma = rgb_to_luma(image)
    blue, red = image.narrow(-3, 2, 1) - luma, image.narrow(-3, 0, 1) - luma
    return torch.cat([luma, _BLUE * blue, _RED * red], -3)


def to_rgb(opponent: Tensor) -> Tensor:
    """The inverse of :func:`to_opponent`, as linear: also of a change of colours.

    Args:
        opponent: luma and chroma, ``(*, 3, H, W)``.

    Returns:
        RGB, of the same shape; not clipped.

    """
    luma, first, second = opponent.unbind(-3)
    blue, red = first / _BLUE, second / _RED
    green = luma - (_R * red + _B * blue) / _G
    return torch.stack([luma + red, green, luma + blue], -3)


def in_gamut(image: Tensor) -> Tensor:
    """Colours outside [0, 1] brought back towards the grey of their luma; others as they are.

    Clipping channels would change hue and luma; what is inside is returned bit for bit.

    Args:
        image: RGB ``(*, 3, H, W)``.

    Returns:
        of the same shape, in [0, 1].

    """
    luma = rgb_to_luma(image).clamp(0, 1)
    chroma = image - luma
    room = torch.where(chroma > 0, 1 - luma, luma) / chroma.abs().clamp_min(1e-6)
    shrunk = (luma + room.amin(-3, keepdim=True).clamp(0, 1) * chroma).clamp(0, 1)
    is_inside = ((image >= 0) & (image <= 1)).all(-3, keepdim=True)
    return torch.where(is_inside, image, shrunk)
