"""The floor: the time of a topology's convolutions alone.

Forward and backward to the input (for the first one: to the picture), no weight gradients, no
bias, no ReLU, no pooling; each layer in its fastest layout and precision.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache, partial

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.nets.convolution import Convolution
from impasto.nets.summary import summarise
from impasto.nets.topology import layer_table

Shape = tuple[int, int, int]  # in channels, out channels, side of the map
Medians = dict[tuple[Shape, torch.dtype, str, str], float]
"""Seconds by shape, type, layout and method."""
LAST = "conv5_1"
LAYOUTS = {"NCHW": torch.contiguous_format, "NHWC": torch.channels_last}
WAYS = ("autograd", "turned", "packed")
"""The backward pass: torch's; a convolution with the rotated kernel; that in oneDNN's layout."""


def convolutions(widths: tuple[int, ...], size: int) -> Counter[Shape]:
    """The convolutions of a topology on a square picture; equal ones are counted."""
    return Counter(
        (layer.in_channels, layer.out_channels, size >> (layer.block - 1))
        for layer in layer_table(widths, last=LAST)
        if layer.kind == "conv"
    )


def operations(widths: tuple[int, ...], size: int) -> float:
    """Floating-point operations of those convolutions, forward and backward to the input."""
    rows = summarise(widths, last=LAST, height=size, width=size, classifier=False)
    return 2 * 2 * sum(row.multiply_adds for row in rows)


def bare_convolution(
    shape: Shape, dtype: torch.dtype, layout: str, way: str = "autograd"
) -> Callable[[], object]:
    """One forward and backward pass of one convolution, on views of shared memory."""
    inputs, outputs, _ = shape
    weight = torch.randn(outputs, inputs, 3, 3, dtype=dtype).to(memory_format=LAYOUTS[layout])
    if way == "autograd":
        return partial(_pass, shape, weight, layout)
    if way == "packed":
        convolution = Convolution(weight, weight.new_zeros(outputs))
        return partial(_packed_pass, shape, convolution, dtype, layout)
    turned = weight.flip(2, 3).transpose(0, 1).contiguous(memory_format=LAYOUTS[layout])
    return partial(_turned_pass, shape, weight, turned, layout)


def floor_seconds(widths: tuple[int, ...], size: int, medians: Medians) -> dict[str, float]:
    """Sum over layers of the shortest time, over all precisions and for float32 alone."""
    kinds = {"float32": [torch.float32], "best": [torch.float32, torch.bfloat16]}
    return {
        name: sum(
            count * _best(medians, shape, dtypes)
            for shape, count in convolutions(widths, size).items()
        )
        for name, dtypes in kinds.items()
    }


def _best(
    medians: Medians,
    shape: Shape,
    dtypes: Sequence[torch.dtype],
) -> float:
    return min(t for (s, dtype, *_), t in medians.items() if s == shape and dtype in dtypes)


def _pass(shape: Shape, weight: Tensor, layout: str) -> Tensor:
    x, upstream = _maps(shape, weight.dtype, layout)
    y = F.conv2d(x.requires_grad_(), weight, padding=1)
    return torch.autograd.grad(y, x, upstream)[0]


@torch.no_grad()
def _turned_pass(shape: Shape, weight: Tensor, turned: Tensor, layout: str) -> Tensor:
    x, upstream = _maps(shape, weight.dtype, layout)
    F.conv2d(x, weight, padding=1)
    return F.conv2d(upstream, turned, padding=1)


@torch.no_grad()
def _packed_pass(shape: Shape, convolution: Convolution, dtype: torch.dtype, layout: str) -> Tensor:
    x, upstream = _maps(shape, dtype, layout)
    convolution(x, padding=1, relu=False)
    return convolution.backward(upstream, padding=1)


def _maps(shape: Shape, dtype: torch.dtype, layout: str) -> tuple[Tensor, Tensor]:
    """Input, and derivative with respect to the output."""
    inputs, outputs, side = shape
    return (
        _view(_pool(dtype, inputs * side * side, 0), inputs, side, layout),
        _view(_pool(dtype, outputs * side * side, 1), outputs, side, layout),
    )


def _view(pool: Tensor, channels: int, side: int, layout: str) -> Tensor:
    if layout == "NHWC":
        return pool.view(1, side, side, channels).permute(0, 3, 1, 2)
    return pool.view(1, channels, side, side)


def _pool(dtype: torch.dtype, length: int, index: int) -> Tensor:
    whole = _memory(dtype, index, 1 << (length - 1).bit_length())
    return whole[:length].detach()


@cache
def _memory(dtype: torch.dtype, index: int, length: int) -> Tensor:
    return torch.randn(length, generator=torch.Generator().manual_seed(index)).to(dtype)
