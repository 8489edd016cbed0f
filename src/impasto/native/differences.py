"""Squared differences of neighbours."""

from __future__ import annotations

import ctypes

import torch
from torch import Tensor

from impasto.native.library import library


def can_vary(image: Tensor) -> bool:
    """Whether :func:`variation` serves this picture: float32, contiguous, in ordinary memory."""
    is_plain = image.dtype == torch.float32 and image.device.type == "cpu"
    return is_plain and image.is_contiguous() and library() is not None


def variation(image: Tensor, across: float, down: float) -> tuple[float, Tensor]:
    """Weighted sum of squared differences of neighbours, and its derivative.

    Args:
        image: ``(*, H, W)``, one that :func:`can_vary` takes.
        across: weight of those across.
        down: weight of those down.

    """
    found = library()
    assert found is not None
    gradient = torch.empty_like(image)
    height, width = image.shape[-2:]
    found.impasto_variation.restype = ctypes.c_double
    value = found.impasto_variation(
        ctypes.c_void_p(image.data_ptr()),
        image.shape[:-2].numel(),
        height,
        width,
        (ctypes.c_float * 2)(across, down),
        ctypes.c_void_p(gradient.data_ptr()),
        torch.get_num_threads(),
    )
    return float(value), gradient
