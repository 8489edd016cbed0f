"""A 3 x 3 convolution, forward and backward, prepared once for one type, layout and device.

On a processor, oneDNN computes a convolution and its ReLU in one call, from weights in a layout of
its own. Its backward pass is another convolution, with the kernel flipped and its channels
exchanged. Elsewhere, and for types that oneDNN does not know, torch's own operations serve.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.native import Packed

_TYPES = (torch.float32, torch.bfloat16)


class Convolution:
    """A convolution of fixed weights.

    Args:
        weight: OIHW.
        bias: ``(O,)``.

    """

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        self._is_fused = is_fused(weight)
        self._weight, self._bias = weight, bias

    @cached_property
    def tiles(self) -> Packed:
        """The weights for our own kernels."""
        return Packed(self._weight)

    @cached_property
    def tiles_back(self) -> Packed:
        """Those of the backward pass."""
        return Packed(self._turned)

    @cached_property
    def tiles_back_from_mean(self) -> Packed:
        """Those of the backward pass where a mean over four positions follows, with its fourth."""
        return Packed(self._turned / 4)

    @cached_property
    def bias(self) -> Tensor:
        """``(O,)`` in float32."""
        return self._bias.float().contiguous()

    def __call__(self, x: Tensor, *, padding: int, relu: bool) -> Tensor:
        """Convolve ``(B, I, H, W)`` with ``padding`` rows of zeros around it; then the ReLU."""
        return self._convolve(x, self._onednn, self._bias, padding, relu)

    def backward(self, gradient: Tensor, *, padding: int, offset: Tensor | None = None) -> Tensor:
        """The derivative with respect to x from the one before the ReLU, plus ``offset`` (I,)."""
        return self._convolve(gradient, self._onednn_back, offset, 2 - padding, False)

    @property
    def _turned(self) -> Tensor:
        turned = self._weight.flip(2, 3).transpose(0, 1)
        return turned.contiguous(memory_format=layout_of(self._weight))

    @cached_property
    def _onednn(self) -> Tensor:
        return self._packed(self._weight)

    @cached_property
    def _onednn_back(self) -> Tensor:
        return self._packed(self._turned)

    def _packed(self, weight: Tensor) -> Tensor:
        """In oneDNN's own layout: it would else be brought there at every call.

        Only where channels come last: with such weights they always do in what oneDNN returns.
        """
        if not self._is_fused or layout_of(weight) != torch.channels_last:
            return weight
        ones = [1, 1]
        result: Tensor = torch._C._nn.mkldnn_reorder_conv2d_weight(
            weight.to_mkldnn(), ones, ones, ones, 1
        )
        return result

    def _convolve(
        self, x: Tensor, weight: Tensor, bias: Tensor | None, padding: int, relu: bool
    ) -> Tensor:
        if not self._is_fused:
            y = F.conv2d(x, weight, bias, padding=padding)
            return y.relu_() if relu else y
        pads, ones, then = [padding, padding], [1, 1], "relu" if relu else "none"
        result: Tensor = torch.ops.mkldnn._convolution_pointwise(
            x, weight, bias, pads, ones, ones, 1, then, [], ""
        )
        return result


class Prepared(dict[str, tuple[object, Convolution]]):
    """Convolutions by layer, each with what it was made from; a copy starts empty.

    Weights in oneDNN's layout can be neither copied nor moved, only made again.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        return Prepared, ()


def is_fused(x: Tensor) -> bool:
    """Whether oneDNN's calls serve tensors like this one."""
    known = x.dtype in _TYPES and x.device.type == "cpu"
    if not known or not hasattr(torch.ops.mkldnn, "_convolution_pointwise"):
        return False
    # Its calls refuse bfloat16 on a processor without AVX-512; torch's own operations do not.
    supported: bool = x.dtype != torch.bfloat16 or torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return supported


def layout_of(weight: Tensor) -> torch.memory_format:
    """Of a weight; convolutions take theirs from it, and a matching input spares a copy."""
    last = weight.is_contiguous(memory_format=torch.channels_last)
    return torch.channels_last if last else torch.contiguous_format
