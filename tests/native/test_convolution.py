"""The convolution against torch's in float64, with all that may come before and after it."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

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

SIDES = st.integers(1, 70)
INPUTS, OUTPUTS = st.sampled_from([16, 32, 64, 96]), st.sampled_from([16, 32, 64, 96])
ROUNDING = 2**-8  # of bfloat16, once


@pytest.fixture(autouse=True)
def two_threads():
    torch.set_num_threads(2)


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def rounded(x: torch.Tensor) -> torch.Tensor:
    return x.bfloat16().contiguous(memory_format=torch.channels_last)


def weights_of(inputs: int, outputs: int) -> torch.Tensor:
    return (noise(outputs, inputs, 3, 3, seed=1) / (9 * inputs) ** 0.5).bfloat16()


def exactly(x: torch.Tensor, weight: torch.Tensor, wraps: bool) -> torch.Tensor:
    padded = F.pad(x.double(), (1, 1, 1, 1), mode="circular" if wraps else "constant")
    return F.conv2d(padded, weight.double())


def assert_rounded(found: torch.Tensor, exact: torch.Tensor) -> None:
    """To bfloat16, after sums in float32."""
    torch.testing.assert_close(found.double(), exact, rtol=ROUNDING, atol=2e-5)


@given(inputs=INPUTS, outputs=OUTPUTS, height=SIDES, width=SIDES, wraps=st.booleans())
def test_a_map_its_bias_and_its_relu(inputs, outputs, height, width, wraps):
    x, weight, bias = (
        rounded(noise(1, inputs, height, width)),
        weights_of(inputs, outputs),
        noise(outputs, seed=2).float(),
    )
    found = convolve(x, Packed(weight), wraps=wraps, bias=bias, then="relu")
    exact = exactly(x, weight, wraps) + bias.double().view(1, -1, 1, 1)
    assert_rounded(found, exact.relu())
    assert_rounded(convolve(x, Packed(weight), wraps=wraps), exactly(x, weight, wraps))


@given(outputs=OUTPUTS, height=SIDES, width=SIDES, wraps=st.booleans())
def test_a_picture_there_and_back(outputs, height, width, wraps):
    image, mean = noise(1, 3, height, width).float(), (0.5, 0.25, -0.125)
    weight, bias = weights_of(3, outputs), noise(outputs, seed=2).float()
    there = convolve(Picture(image, mean), Packed(weight), wraps=wraps, bias=bias)
    centred = rounded(image - torch.tensor(mean).view(1, 3, 1, 1))
    assert_rounded(there, exactly(centred, weight, wraps) + bias.double().view(1, -1, 1, 1))
    turned = weight.flip(2, 3).transpose(0, 1)
    back = convolve_to_picture(there, Packed(turned), wraps=wraps)
    assert back.dtype == torch.float32
    torch.testing.assert_close(back.double(), exactly(there, turned, wraps), rtol=1e-5, atol=1e-5)


@given(
    inputs=INPUTS,
    outputs=OUTPUTS,
    height=st.integers(2, 70),
    width=st.integers(2, 70),
    kind=st.sampled_from(["max", "avg"]),
    wraps=st.booleans(),
    trim=st.integers(0, 2),
)
def test_a_pooling_there_and_back(inputs, outputs, height, width, kind, wraps, trim):
    x, weight, bias = (
        rounded(noise(1, inputs, height, width)),
        weights_of(inputs, outputs),
        noise(outputs, seed=2).float(),
    )
    box = _trimmed(height // 2, width // 2, trim)
    found = convolve_and_pool(x, Packed(weight), bias, wraps=wraps, kind=kind, kept=box)

    full = convolve(x, Packed(weight), wraps=wraps, bias=bias, then="relu").double()
    full.requires_grad_()
    pooled = F.max_pool2d(full, 2) if kind == "max" else F.avg_pool2d(full, 2)
    here = (..., slice(box.top, box.bottom), slice(box.left, box.right))
    assert_rounded(found.values, pooled.detach()[here])
    if kind == "max":
        assert torch.equal(found.values.double(), pooled.detach()[here])

    upstream = rounded(noise(*found.values.shape, seed=3))
    (spread,) = torch.autograd.grad(pooled[here], full, upstream.double())
    spread = spread * (full > 0) * (4 if kind == "avg" else 1)
    given_back = Pooled(upstream, found.places, found.shape, box)
    turned = weight.flip(2, 3).transpose(0, 1)
    assert_rounded(
        convolve(given_back, Packed(turned), wraps=wraps), exactly(spread, turned, wraps)
    )


def _trimmed(height: int, width: int, trim: int) -> Box:
    if min(height, width) <= 2 * trim:
        return Box.whole((height, width))
    return Box(trim, height - trim, 0, width - trim)


@given(
    inputs=INPUTS,
    outputs=OUTPUTS,
    height=st.integers(3, 70),
    width=st.integers(3, 70),
    is_part=st.booleans(),
    parts=st.sets(st.sampled_from(["total", "second_moments", "added"])),
)
def test_what_is_joined_on_the_way_back(inputs, outputs, height, width, is_part, parts):
    x, weight = rounded(noise(1, inputs, height, width)), weights_of(inputs, outputs)
    features = rounded(noise(1, outputs, height, width, seed=2))
    total, second_moments = noise(outputs, seed=3), noise(outputs, outputs, seed=4) / outputs
    added = rounded(noise(1, outputs, height, width, seed=5))
    core = Box(1, height - 1, 1, width) if is_part else Box.whole((height, width))
    joined = Joined(
        features,
        total.float() if "total" in parts else None,
        second_moments.float() if "second_moments" in parts else None,
        added if "added" in parts else None,
        core,
    )
    matrix = (
        (second_moments.float() + second_moments.float().mT).bfloat16().double()
    )  # as it is multiplied with
    more = torch.zeros_like(features, dtype=torch.float64)
    here = (..., slice(core.top, core.bottom), slice(core.left, core.right))
    if "total" in parts:
        more[here] += total.float().double().view(1, -1, 1, 1)
    if "second_moments" in parts:
        more[here] += torch.einsum("bchw,cd->bdhw", features.double(), matrix)[here]
    if "added" in parts:
        more += added.double()
    exact = (exactly(x, weight, False) + more) * (features > 0)
    assert_rounded(convolve(x, Packed(weight), wraps=False, joined=joined), exact)
    alone = join((outputs, height, width), joined)
    assert_rounded(alone, more * (features > 0))


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_number_of_threads_changes_nothing(threads):
    x, weight = rounded(noise(1, 32, 65, 70)), weights_of(32, 64)
    once = convolve(x, Packed(weight), wraps=False)
    torch.set_num_threads(threads)
    assert torch.equal(convolve(x, Packed(weight), wraps=False), once)


def test_what_is_not_a_number_stays_so():
    x = rounded(noise(1, 16, 20, 20))
    x[0, 3, 10, 10] = torch.nan
    found = convolve(x, Packed(weights_of(16, 16)), wraps=False)
    assert found[..., 9:12, 9:12].isnan().all()
    assert not found[..., :8, :8].isnan().any()
