"""Sums over a map's positions."""

from __future__ import annotations

import ctypes

import torch
from torch import Tensor

from impasto.native.library import kernels, library


class _Sums(ctypes.Structure):
    _fields_ = [
        ("features", ctypes.c_void_p),
        ("total", ctypes.c_void_p),
        ("second_moments", ctypes.c_void_p),
        ("height", ctypes.c_int32),
        ("width", ctypes.c_int32),
        ("pitch", ctypes.c_int32),
        ("channels", ctypes.c_int32),
        ("threads", ctypes.c_int32),
    ]


def can_sum(features: Tensor) -> bool:
    """Whether :func:`sums` serves this map: one of bfloat16 whose channels lie side by side."""
    if features.dtype != torch.bfloat16 or features.device.type != "cpu" or library() is None:
        return False
    count, channels, height, _ = features.shape
    down, across = features.stride()[2:]
    is_last = features.stride(1) == 1 and across == channels
    is_whole = count == 1 and features.numel() > 0 and (height == 1 or down % channels == 0)
    return channels % 16 == 0 and is_last and is_whole


def sums(features: Tensor) -> tuple[Tensor, Tensor]:
    """Sum f ``(N,)`` and sum f f^T ``(N, N)`` in float32, of a map that :func:`can_sum` takes.

    Added up in float32 over 4096 positions and in float64 over those; the same number of threads
    gives the same bits.

    Args:
        features: f, ``(1, N, H, W)``, maybe a part of a larger map.

    """
    _, channels, height, width = features.shape
    threads = torch.get_num_threads()
    total = torch.zeros(threads, channels, dtype=torch.float64)
    second_moments = torch.zeros(threads, channels, channels, dtype=torch.float64)
    pitch = features.stride(2) // channels if height > 1 else width
    call = _Sums(
        features.data_ptr(),
        total.data_ptr(),
        second_moments.data_ptr(),
        height,
        width,
        pitch,
        channels,
        threads,
    )
    kernels().impasto_sums(ctypes.byref(call))
    return total[0].float(), second_moments[0].float()
