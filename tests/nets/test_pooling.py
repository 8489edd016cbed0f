"""Pooling and its way back, against torch's own."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from impasto.nets.pooling import pool, unpool

LAYOUTS = {"NCHW": torch.contiguous_format, "NHWC": torch.channels_last}
PLAIN = {"max": F.max_pool2d, "avg": F.avg_pool2d}


def _noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("kind", PLAIN)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
@pytest.mark.parametrize(
    "shape", [(1, 3, 8, 6), (1, 5, 9, 7), (1, 1, 5, 4), (1, 4, 3, 2), (2, 3, 7, 6), (1, 2, 2, 3)]
)
def test_both_ways_are_torch_s(shape, dtype, layout, kind):
    """Of equal values in a window, frequent in bfloat16, the same one counts as the largest."""
    x = _noise(*shape).mul(4).round().to(dtype, memory_format=LAYOUTS[layout]).requires_grad_()
    expected = PLAIN[kind](x, 2)
    found, places = pool(x.detach(), kind)
    assert torch.equal(found, expected)
    upstream = _noise(*expected.shape, seed=1).to(dtype, memory_format=LAYOUTS[layout])
    (gradient,) = torch.autograd.grad(expected, x, upstream)
    back = unpool(upstream, places, x.shape)
    assert back.dtype == dtype
    if kind == "max":
        assert torch.equal(back, gradient)
    torch.testing.assert_close(back, gradient)


def test_the_layout_is_kept():
    x = _noise(1, 4, 8, 6).contiguous(memory_format=torch.channels_last)
    y, places = pool(x, "max")
    back = unpool(y, places, x.shape)
    assert y.is_contiguous(memory_format=torch.channels_last)
    assert back.is_contiguous(memory_format=torch.channels_last)
