"""Sums over positions: exact for any split, any layout, and differentiable like the plain sums."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from impasto.ops.losses import gram_matrix, style_layer_loss
from impasto.ops.statistics import _CHUNK, Statistics, gram_loss, statistics_of


def _noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _same(a: Statistics, b: Statistics) -> None:
    assert a.count == b.count
    torch.testing.assert_close(a.total, b.total, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(a.second_moments, b.second_moments, rtol=1e-10, atol=1e-10)


def test_by_hand():
    # Three positions of two filters: (1, 0), (2, 1), (3, 5).
    features = torch.tensor([[[[1.0, 2.0, 3.0]], [[0.0, 1.0, 5.0]]]], dtype=torch.float64)
    found = statistics_of(features)
    assert found.count == 3
    assert found.total.tolist() == [6, 6]
    assert found.second_moments.tolist() == [[14, 17], [17, 26]]
    assert found.mean.tolist() == [2, 2]
    torch.testing.assert_close(
        found.covariance, torch.tensor([[2 / 3, 5 / 3], [5 / 3, 14 / 3]], dtype=torch.float64)
    )


def test_outer_is_the_gram_matrix_and_covariance_is_torch_s():
    features = _noise(1, 4, 5, 7)
    found = statistics_of(features)
    torch.testing.assert_close(found.second_moments, gram_matrix(features)[0])
    torch.testing.assert_close(found.covariance, torch.cov(features.flatten(2)[0], correction=0))


@given(data=st.data(), channels=st.integers(1, 5), positions=st.integers(1, 30))
def test_statistics_add_up_over_any_split_of_positions(data, channels: int, positions: int):
    features = _noise(1, channels, 1, positions, seed=positions)
    parts = data.draw(st.lists(st.integers(0, 2), min_size=positions, max_size=positions))
    chosen = torch.tensor(parts)
    pieces = [
        statistics_of(features[..., chosen == part]) for part in range(3) if (chosen == part).any()
    ]
    whole = pieces[0]
    for piece in pieces[1:]:
        whole = whole + piece
    _same(whole, statistics_of(features))


@given(seed=st.integers(0, 10**6), channels=st.integers(1, 5), outputs=st.integers(1, 7))
def test_mapped_statistics_are_those_of_the_mapped_features(seed: int, channels: int, outputs: int):
    features = _noise(1, channels, 3, 4, seed=seed)
    weight, bias = _noise(outputs, channels, seed=seed + 1), _noise(outputs, seed=seed + 2)
    mapped = torch.einsum("kn,bnhw->bkhw", weight, features) + bias[:, None, None]
    _same(statistics_of(features).mapped(weight, bias), statistics_of(mapped))


@given(seed=st.integers(0, 10**6), channels=st.integers(1, 4), outputs=st.integers(1, 5))
def test_mapping_statistics_has_its_derivative(seed: int, channels: int, outputs: int):
    weight, bias = _noise(outputs, channels, seed=seed), _noise(outputs, seed=seed + 1)
    sums = _noise(channels, seed=seed + 2), _noise(channels, channels, seed=seed + 3)

    def mapped(
        total: torch.Tensor, second_moments: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        found = Statistics(7, total, second_moments + second_moments.mT).mapped(weight, bias)
        return found.total, found.second_moments

    assert torch.autograd.gradcheck(mapped, tuple(each.requires_grad_() for each in sums))


def test_gram_loss_is_eq_5_of_the_features():
    f, g = _noise(1, 3, 4, 5), _noise(1, 3, 6, 7, seed=1)
    expected = style_layer_loss(
        gram_matrix(f)[0], gram_matrix(g)[0], channels=9, positions=20, target_positions=42
    )
    torch.testing.assert_close(gram_loss(statistics_of(f), statistics_of(g), 9), expected)


LAYOUTS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "contiguous": lambda x: x.contiguous(),
    "channels last": lambda x: x.contiguous(memory_format=torch.channels_last),
    "a crop": lambda x: torch.nn.functional.pad(x, (1, 2, 3, 1))[..., 3:-1, 1:-2],
    "transposed": lambda x: x.mT.contiguous().mT,
}
HEIGHTS = [1, _CHUNK // 64 - 1, _CHUNK // 64, _CHUNK // 64 + 1, 2 * _CHUNK // 64 + 5]


def _weighed(total: torch.Tensor, second_moments: torch.Tensor) -> torch.Tensor:
    """A loss whose gradient with respect to the second moments is not symmetric."""
    n = total.numel()
    weights = torch.arange(n * n, dtype=total.dtype).view(n, n)
    return (weights * second_moments).sum() + total.square().sum() / 7


@pytest.mark.parametrize("height", HEIGHTS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_gradient_is_that_of_the_plain_sums(layout: str, height: int):
    features = LAYOUTS[layout](_noise(1, 3, height, 64)).detach().requires_grad_()
    found = statistics_of(features)
    assert found.count == height * 64
    loss = _weighed(found.total, found.second_moments)
    (gradient,) = torch.autograd.grad(loss, features)
    flat = features.flatten(2)[0]
    plain = _weighed(flat.sum(1), flat @ flat.T)
    (expected,) = torch.autograd.grad(plain, features)
    torch.testing.assert_close(loss, plain, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(gradient, expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("part", ["total", "second_moments"])
def test_gradient_where_the_loss_takes_only_one_of_the_sums(part: str):
    features = _noise(1, 3, 4, 5).requires_grad_()
    (gradient,) = torch.autograd.grad(getattr(statistics_of(features), part).sum(), features)
    if part == "total":
        expected = torch.ones_like(features)
    else:
        expected = 2 * features.detach().sum(1, keepdim=True).expand_as(features)
    torch.testing.assert_close(gradient, expected)


def test_gradcheck():
    features = _noise(1, 2, 2, 3).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda f: (statistics_of(f).total, statistics_of(f).second_moments), (features,)
    )


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("channels", [3, 80, 120])
def test_half_precision_is_summed_in_float32(dtype: torch.dtype, channels: int):
    """Ten thousand positions of about 20: bfloat16 sums stop growing at 5120, float16's overflow.

    120 channels are multiplied as bfloat16, and what that rounds away is added again.
    """
    features = (20 + _noise(1, channels, 100, 100)).to(dtype)
    found = statistics_of(features)
    assert found.total.dtype == found.second_moments.dtype == torch.float32
    flat = features.double().flatten(2)[0]
    # What two numbers of bfloat16 hold, and float32's rounding: the root of a block's 4096 rows.
    rounding = 2**-17 + 4096**0.5 * 2**-24
    torch.testing.assert_close(found.total.double(), flat.sum(1), rtol=rounding, atol=0)
    torch.testing.assert_close(found.second_moments.double(), flat @ flat.T, rtol=rounding, atol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_gradients_come_in_the_type_of_the_features(dtype: torch.dtype):
    """As far from float64 as the plain sums, which the small difference of both maps magnifies."""
    features = _noise(1, 4, 70, 70).to(dtype)
    target = statistics_of(_noise(1, 4, 70, 70, seed=1))

    def gradient(f: torch.Tensor, sums: Callable[[torch.Tensor], Statistics]) -> torch.Tensor:
        f = f.detach().requires_grad_()
        found = sums(f)
        like = (target.total.to(found.total), target.second_moments.to(found.second_moments))
        loss = gram_loss(found, Statistics(target.count, *like), 4)
        return torch.autograd.grad(loss, f)[0]

    def plain(f: torch.Tensor) -> Statistics:
        rows = f[0].flatten(1)
        return Statistics(rows.shape[1], rows.sum(1), rows @ rows.T)

    found = gradient(features, statistics_of)
    assert found.dtype == dtype
    expected = gradient(features.double(), plain)
    error, usual = (
        (each.double() - expected).norm() / expected.norm()
        for each in (found, gradient(features.float(), plain))
    )
    assert error < 3 * usual + torch.finfo(dtype).eps
    assert usual < 0.01


def test_detached_statistics_carry_no_graph():
    found = statistics_of(_noise(1, 2, 2, 2).requires_grad_())
    assert found.second_moments.requires_grad
    assert not found.detach().second_moments.requires_grad
    assert not found.detach().total.requires_grad
