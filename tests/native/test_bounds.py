"""Nothing is read or written beside what was given: pages that nobody may touch lie around it."""

from __future__ import annotations

import ctypes
import mmap
import sys

import pytest
import torch

from impasto import native
from impasto.native import (
    Box,
    Joined,
    Packed,
    Picture,
    Pooled,
    convolve,
    convolve_and_pool,
    convolve_to_picture,
    join,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's mprotect")

PAGE = mmap.PAGESIZE
SIDES = [(1, 1), (5, 17), (3, 31), (2, 64), (3, 66), (2, 67), (3, 131)]


@pytest.fixture(params=["behind", "before"])
def guarded(request):
    """Copies of tensors, right before a page that nobody may touch, or right after one."""
    kept = []

    def copy(tensor: torch.Tensor) -> torch.Tensor:
        is_map = tensor.dim() == 4 and tensor.dtype != torch.float32
        dense = (tensor.permute(0, 2, 3, 1) if is_map else tensor).contiguous()
        size = dense.numel() * dense.element_size()
        pages = -(-size // PAGE) * PAGE
        region = mmap.mmap(-1, pages + 2 * PAGE)
        address = ctypes.addressof(ctypes.c_char.from_buffer(region))
        for guard in (address, address + PAGE + pages):
            assert ctypes.CDLL(None).mprotect(ctypes.c_void_p(guard), PAGE, 0) == 0
        offset = PAGE + (pages - size if request.param == "behind" else 0)
        own = torch.frombuffer(region, dtype=dense.dtype, count=dense.numel(), offset=offset)
        own = own.view(dense.shape).copy_(dense)
        kept.append(region)
        return own.permute(0, 3, 1, 2) if is_map else own

    return copy


@pytest.mark.parametrize("channels", [(3, 16), (3, 64), (16, 16), (16, 32), (32, 16), (64, 96)])
@pytest.mark.parametrize("wraps", [False, True])
def test_convolutions(channels, wraps, guarded, monkeypatch):
    monkeypatch.setattr(
        "impasto.native.convolution._map",
        lambda *shape: guarded(torch.zeros(1, *shape, dtype=torch.bfloat16)),
    )
    inputs, outputs = channels
    weight, bias = torch.randn(outputs, inputs, 3, 3), guarded(torch.randn(outputs))
    there, back = (Packed(each) for each in (weight, weight.flip(2, 3).transpose(0, 1)))
    there.tiles, back.tiles = (guarded(each.tiles.flatten()) for each in (there, back))
    for height, width in SIDES:
        x = guarded(torch.rand(1, 3, height, width))
        source = Picture(x, (0.5, 0.5, 0.5))
        if inputs != 3:
            source = guarded(torch.randn(1, inputs, height, width).bfloat16())
        convolve(source, there, wraps=wraps, bias=bias, then="relu")
        if min(height, width) > 1:
            kept = Box.whole((height // 2, width // 2))
            found = convolve_and_pool(source, there, bias, wraps=wraps, kind="max", kept=kept)
            values, places = guarded(found.values), guarded(found.places)
            pooled = Pooled(values, places, found.shape, kept)
            way = convolve_to_picture if inputs == 3 else convolve
            way(pooled, back, wraps=wraps)
        if inputs == 3:
            continue
        features, added = (
            guarded(torch.randn(1, outputs, height, width).bfloat16()) for _ in range(2)
        )
        total, second_moments = (
            guarded(torch.randn(outputs)),
            guarded(torch.randn(outputs, outputs)),
        )
        joined = Joined(
            features, total, second_moments, added, Box(0, height, min(1, width - 1), width)
        )
        convolve(source, there, wraps=wraps, joined=joined)
        join((outputs, height, width), joined)
        native.sums(features)


@pytest.mark.parametrize("length", [1, 17, 4096, 4099, 12289])
def test_vectors(length, guarded):
    rows = guarded(torch.randn(5, length).bfloat16())
    image, gradient, out = (guarded(torch.rand(length)) for _ in range(3))
    native.products(rows, image, gradient, rows[4])
    native.search_direction(rows, torch.ones(5), 0.5, image, gradient, out)
    native.remembered((image, gradient), (gradient, image), rows[3:])
    picture, slope = (guarded(torch.rand(1, 3, length)) for _ in range(2))
    native.add_variation(picture, (1.0, 1.0), slope, 1.0)
