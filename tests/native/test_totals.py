"""Sums over positions against float64."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from impasto import native


def _map(channels: int, height: int, width: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(channels + height)
    x = torch.rand(1, channels, height, width, generator=generator)
    return x.bfloat16().contiguous(memory_format=torch.channels_last)


@given(
    channels=st.sampled_from([16, 32, 48, 64, 192]),
    height=st.integers(1, 90),
    width=st.integers(1, 90),
    is_part=st.booleans(),
    threads=st.integers(1, 3),
)
def test_sums_of_a_map_or_of_a_part(channels, height, width, is_part, threads):
    torch.set_num_threads(threads)
    features = _map(channels, height + 2, width + 3)
    features = features[..., 1:-1, 2:-1] if is_part else features
    assert native.can_sum(features)
    total, second_moments = native.sums(features)
    rows = features[0].flatten(1).double()
    torch.testing.assert_close(total.double(), rows.sum(1), rtol=2e-6, atol=0)
    torch.testing.assert_close(second_moments.double(), rows @ rows.mT, rtol=2e-6, atol=0)
    assert torch.equal(second_moments, second_moments.mT)


def test_the_same_threads_give_the_same_bits():
    torch.set_num_threads(2)
    features = _map(64, 100, 90)
    first = native.sums(features)
    for _ in range(5):
        assert all(torch.equal(a, b) for a, b in zip(native.sums(features), first, strict=True))


@pytest.mark.parametrize(
    "features",
    [
        _map(16, 8, 8).float(),
        _map(16, 8, 8).contiguous(),
        _map(24, 8, 8),
        _map(16, 8, 8).expand(2, -1, -1, -1),
        _map(16, 8, 8)[..., :0],
        _map(16, 8, 8)[..., ::2],
    ],
    ids=["float32", "channels first", "24 channels", "two", "nothing", "every other column"],
)
def test_maps_that_are_left_to_torch(features):
    assert not native.can_sum(features)
