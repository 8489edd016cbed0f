"""A convolution and its way back, against torch's own."""

from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F

from impasto.nets.convolution import Convolution, Prepared

LAYOUTS = {"NCHW": torch.contiguous_format, "NHWC": torch.channels_last}


def _noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("padding", [0, 1])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 0.02), (torch.float64, 1e-12)]
)
def test_both_ways_are_torch_s(dtype, tolerance, layout, padding, relu):
    x = _noise(1, 5, 9, 14).to(dtype, memory_format=LAYOUTS[layout])
    weight = _noise(6, 5, 3, 3, seed=1).to(dtype, memory_format=LAYOUTS[layout])
    bias, offset = _noise(6, seed=2).to(dtype), _noise(5, seed=3).to(dtype)
    convolution = Convolution(weight, bias)
    y = convolution(x, padding=padding, relu=relu)

    wide = x.double().requires_grad_()
    before = F.conv2d(wide, weight.double(), bias.double(), padding=padding)
    upstream = _noise(*before.shape, seed=4).to(dtype, memory_format=LAYOUTS[layout])
    (expected,) = torch.autograd.grad(before, wide, upstream.double())

    def close(found, expected):
        assert found.dtype == dtype
        assert found.is_contiguous(memory_format=LAYOUTS[layout])
        error = (found.double() - expected).abs().max()
        assert error < tolerance * expected.abs().max()

    close(y, before.relu() if relu else before)
    close(convolution.backward(upstream, padding=padding), expected)
    moved = convolution.backward(upstream, padding=padding, offset=offset)
    close(moved, expected + offset.double().view(1, -1, 1, 1))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_bfloat16_on_a_processor_where_onednn_refuses_it(layout, monkeypatch):
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: False)
    monkeypatch.setattr(torch.ops.mkldnn, "_convolution_pointwise", _refuses, raising=False)
    test_both_ways_are_torch_s(torch.bfloat16, 0.02, layout, padding=1, relu=True)


def _refuses(*_):
    raise RuntimeError("bf16 path needs the cpu support avx512bw, avx512vl and avx512dq")


def test_a_copy_of_what_is_prepared_starts_empty():
    prepared = Prepared()
    prepared["conv1_1"] = ("state", Convolution(_noise(4, 3, 3, 3), _noise(4)))
    for other in (copy.deepcopy(prepared), copy.deepcopy({"held": prepared})["held"]):
        assert isinstance(other, Prepared)
        assert not other
