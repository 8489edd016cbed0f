"""Linear light and the values of an sRGB file (IEC 61966-2-1)."""

from __future__ import annotations

import torch
from torch import Tensor


def to_light(image: Tensor) -> Tensor:
    """Values in [0, 1] as the light that they stand for, in [0, 1]."""
    return torch.where(image <= 0.04045, image / 12.92, ((image + 0.055) / 1.055) ** 2.4)


def to_values(light: Tensor) -> Tensor:
    """The inverse of :func:`to_light`."""
    curved = 1.055 * light.clamp_min(1e-8) ** (1 / 2.4) - 0.055
    return torch.where(light <= 0.0031308, light * 12.92, curved)
