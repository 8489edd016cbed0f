"""Padding and its transpose."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from impasto.nets.padding import padded, unpadded


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("padding", ["zeros", "circular", "replicate"])
@pytest.mark.parametrize("size", [(4, 5), (1, 3), (2, 1)])
def test_both_ways_are_torch_s(size, padding, layout):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(1, 2, *size, generator=generator, dtype=torch.float64)
    x = x.contiguous(memory_format=layout).requires_grad_()
    expected = x if padding == "zeros" else F.pad(x, (1, 1, 1, 1), mode=padding)
    found = padded(x, padding)
    assert torch.equal(found, expected)
    assert found.is_contiguous(memory_format=layout)
    upstream = torch.randn(expected.shape, generator=generator, dtype=torch.float64)
    upstream = upstream.contiguous(memory_format=layout)
    (wanted,) = torch.autograd.grad(expected, x, upstream)
    back = unpadded(upstream.clone(), padding)
    torch.testing.assert_close(back, wanted)
    assert back.is_contiguous(memory_format=layout)
