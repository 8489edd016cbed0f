"""Squared differences of neighbours."""

from __future__ import annotations

import ctypes

import torch
from torch import Tensor

from impasto.native.library import kernels, library


def can_vary(image: Tensor) -> bool:
    """Whether :func:`add_variation` serves this picture: float32, contiguous, not a GPU's."""
    is_plain = image.dtype == torch.float32 and image.device.type == "cpu"
    return is_plain and image.is_contiguous() and library() is not None


def add_variation(
    image: Tensor,
    weights: tuple[float, float],
    gradient: Tensor | None = None,
    slope: float = 0.0,
) -> float:
    """Weighted sum of squared differences of neighbours.

    Args:
        image: ``(*, H, W)``, one that :func:`can_vary` takes.
        weights: of differences across, and down.
        gradient: the derivative times ``slope`` is added to it; contiguous float32.
        slope: see there.

    """
    assert gradient is None or can_vary(gradient)
    height, width = image.shape[-2:]
    value = kernels().impasto_variation(
        ctypes.c_void_p(image.data_ptr()),
        image.shape[:-2].numel(),
        height,
        width,
        (ctypes.c_float * 2)(*weights),
        ctypes.c_float(slope),
        ctypes.c_void_p(None if gradient is None else gradient.data_ptr()),
        torch.get_num_threads(),
    )
    return float(value)
