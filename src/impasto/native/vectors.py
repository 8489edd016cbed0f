"""What L-BFGS does with vectors as long as the picture; the pairs are rows of bfloat16."""

from __future__ import annotations

import ctypes

import torch
from torch import Tensor

from impasto.native.library import kernels


class _Pairs(ctypes.Structure):
    _fields_ = [
        ("rows", ctypes.c_void_p),
        ("image", ctypes.c_void_p),
        ("gradient", ctypes.c_void_p),
        ("length", ctypes.c_int64),
        ("count", ctypes.c_int32),
        ("threads", ctypes.c_int32),
    ]


def products(rows: Tensor, image: Tensor, gradient: Tensor, row: Tensor | None) -> Tensor:
    """Inner products of all rows with the gradient's free part and, if given, with one of them.

    Args:
        rows: ``(K, n)``.
        image: a picture of n values.
        gradient: at that picture.
        row: one of the rows.

    Returns:
        ``(1, K)`` or ``(2, K)``, float64.

    """
    call = _call(image, gradient, rows)
    sums = torch.zeros(call.threads, 2, len(rows), dtype=torch.float64)
    at = None if row is None else row.data_ptr()
    kernels().impasto_products(ctypes.byref(call), _pointer(at), _pointer(sums.data_ptr()))
    return sums[0, : 1 if row is None else 2]


def search_direction(
    rows: Tensor, shares: Tensor, scale: float, image: Tensor, gradient: Tensor, out: Tensor
) -> float:
    """-(scale g + the rows times their shares) where values are free, into ``out``; g . that."""
    call, single = _call(image, gradient, rows), shares.float()
    where = _pointer(single.data_ptr()), _pointer(out.data_ptr())
    return float(kernels().impasto_turn(ctypes.byref(call), ctypes.c_float(scale), *where))


def moved(
    image: Tensor, direction: Tensor, length: float, gradient: Tensor
) -> tuple[Tensor, float]:
    """The picture a step further, clipped to [0, 1]; and g . what has moved."""
    call, out = _call(image, gradient), torch.empty_like(image)
    where = _pointer(direction.data_ptr()), ctypes.c_float(length), _pointer(out.data_ptr())
    return out, float(kernels().impasto_move(ctypes.byref(call), *where))


def remembered(
    images: tuple[Tensor, Tensor], gradients: tuple[Tensor, Tensor], pair: Tensor
) -> tuple[float, float]:
    """The differences s of two pictures and y of their gradients into a pair; s . y and y . y."""
    call = _call(images[1], gradients[1])
    assert _is_plain(images[0]) and _is_plain(gradients[0])
    sums = torch.zeros(2, dtype=torch.float64)
    places = [images[0], gradients[0], *pair, sums]
    pointers = [_pointer(each.data_ptr()) for each in places]
    kernels().impasto_remember(ctypes.byref(call), *pointers)
    s_y, y_y = sums.tolist()
    return s_y, y_y


def _call(image: Tensor, gradient: Tensor, rows: Tensor | None = None) -> _Pairs:
    assert _is_plain(image) and _is_plain(gradient)
    threads = torch.get_num_threads()
    pairs = (None, 0) if rows is None else (rows.data_ptr(), len(rows))
    return _Pairs(pairs[0], image.data_ptr(), gradient.data_ptr(), image.numel(), pairs[1], threads)


def _is_plain(vector: Tensor) -> bool:
    return vector.is_contiguous() and vector.dtype == torch.float32


def _pointer(address: int | None) -> ctypes.c_void_p:
    return ctypes.c_void_p(address)
