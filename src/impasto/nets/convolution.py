"""The network's operations, forward and backward, as few passes over memory as they need.

On a processor, oneDNN computes a convolution and its ReLU in one call, and the backward pass
(another convolution, with the kernel turned and its channels exchanged) in another. Elsewhere, and
for types that oneDNN does not know, torch's own operations serve.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

_TYPES = (torch.float32, torch.bfloat16)


class Convolution:
    """A 3 x 3 convolution of fixed weights, prepared for one type, layout and device.

    Args:
        weight: OIHW.
        bias: ``(O,)``.

    """

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        self.weight, self.bias = weight, bias
        turned = weight.flip(2, 3).transpose(0, 1)
        self.turned = turned.contiguous(memory_format=layout_of(weight))

    def __call__(self, x: Tensor, *, padding: int, relu: bool) -> Tensor:
        """Convolve ``(B, I, H, W)`` with ``padding`` rows of zeros around it; then the ReLU."""
        if _is_fused(x):
            return _Fused.apply(x, self, padding, relu)  # type: ignore[no-any-return, no-untyped-call]
        y = F.conv2d(x, self.weight, self.bias, padding=padding)
        return y.relu_() if relu else y


def average_pool(x: Tensor) -> Tensor:
    """Means of 2 x 2 positions of ``(B, C, H, W)``; an odd last row or column is dropped."""
    return _AveragePool.apply(x)  # type: ignore[no-any-return, no-untyped-call]


def centred(image: Tensor, mean: Tensor, *, like: Tensor) -> Tensor:
    """A float picture less a mean, in the type and layout of a weight."""
    return _Centred.apply(image, mean, like)  # type: ignore[no-any-return, no-untyped-call]


def layout_of(weight: Tensor) -> torch.memory_format:
    """Of a weight; convolutions take theirs from it, and a matching input spares a copy."""
    last = weight.is_contiguous(memory_format=torch.channels_last)
    return torch.channels_last if last else torch.contiguous_format


def _is_fused(x: Tensor) -> bool:
    known = x.dtype in _TYPES and x.device.type == "cpu"
    return known and hasattr(torch.ops.mkldnn, "_convolution_pointwise")


def _convolve(x: Tensor, weight: Tensor, bias: Tensor | None, padding: int, then: str) -> Tensor:
    pads, ones = [padding, padding], [1, 1]
    found: Tensor = torch.ops.mkldnn._convolution_pointwise(
        x, weight, bias, pads, ones, ones, 1, then, [], ""
    )
    return found


class _Fused(torch.autograd.Function):
    """Convolution and ReLU by oneDNN; keeps for the backward pass its output, and nothing else."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, layer: Convolution, padding: int, relu: bool) -> Tensor:
        y = _convolve(x, layer.weight, layer.bias, padding, "relu" if relu else "none")
        ctx.layer, ctx.padding = layer, padding
        ctx.save_for_backward(*([y] if relu else []))
        return y

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None, None, None]:
        for y in ctx.saved_tensors:
            upstream = torch.ops.aten.threshold_backward(upstream, y, 0)
        gradient = _convolve(upstream, ctx.layer.turned, None, 2 - ctx.padding, "none")
        return gradient, None, None, None


class _AveragePool(torch.autograd.Function):
    """Its backward pass is an enlargement, which torch does five times faster."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.odd = x.shape[-2] % 2, x.shape[-1] % 2
        return F.avg_pool2d(x, 2)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> Tensor:
        spread = F.interpolate(upstream / 4, scale_factor=2, mode="nearest")
        down, across = ctx.odd
        return F.pad(spread, (0, across, 0, down)) if down or across else spread


class _Centred(torch.autograd.Function):
    """Type and layout change in one pass, each way."""

    @staticmethod
    def forward(ctx: Any, image: Tensor, mean: Tensor, like: Tensor) -> Tensor:
        ctx.dtype = image.dtype
        return (image - mean).to(like.dtype, memory_format=layout_of(like))

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None, None]:
        return upstream.to(ctx.dtype, memory_format=torch.contiguous_format), None, None
