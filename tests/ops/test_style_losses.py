"""The style losses against closed forms, scipy and finite differences, in float64."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import sqrtm

from impasto.nets.network import Head
from impasto.ops.losses import squared_wasserstein
from impasto.ops.statistics import Statistics, gram_loss, mixture, statistics_of
from impasto.ops.style_losses import STYLE_LOSSES, gram_mean_std_loss, wasserstein_loss


def _noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _features(*shape: int, seed: int = 0) -> torch.Tensor:
    """Like a layer's after its ReLU: half of them zero."""
    return _noise(*shape, seed=seed).relu()


def _spread(n: int, seed: int) -> torch.Tensor:
    root = _noise(n, n, seed=seed)
    return root @ root.mT + 0.1 * torch.eye(n, dtype=torch.float64)


def _bures_by_scipy(a: np.ndarray, b: np.ndarray) -> float:
    """tr(A) + tr(B) - 2 tr((B^1/2 A B^1/2)^1/2), written out."""
    root = sqrtm(b)
    return float(np.trace(a) + np.trace(b) - 2 * np.trace(sqrtm(root @ a @ root)).real)


def _wasserstein(mean, covariance, target_mean, target_covariance) -> torch.Tensor:
    root = torch.linalg.cholesky(target_covariance)
    return squared_wasserstein(mean, covariance, target_mean, root)


def test_wasserstein_of_numbers_is_that_of_means_and_deviations():
    # N(1, 4) and N(4, 25): (1 - 4)^2 + (2 - 5)^2.
    values = [torch.tensor(v, dtype=torch.float64) for v in ([1.0], [[4.0]], [4.0], [[25.0]])]
    assert _wasserstein(*values).item() == pytest.approx(18)


@given(seed=st.integers(0, 10**6), n=st.integers(1, 6))
def test_wasserstein_is_scipy_s_square_root_written_out(seed: int, n: int):
    a, b = _spread(n, seed), _spread(n, seed + 1)
    zero = torch.zeros(n, dtype=torch.float64)
    found = _wasserstein(zero, a, zero, b)
    assert found.item() == pytest.approx(_bures_by_scipy(a.numpy(), b.numpy()), rel=1e-6, abs=1e-9)
    assert _wasserstein(zero, a, zero, a).item() == pytest.approx(0, abs=1e-10 * a.trace().item())
    turned = _wasserstein(zero, b, zero, a)
    assert found.item() == pytest.approx(turned.item(), rel=1e-8, abs=1e-10)


@given(seed=st.integers(0, 10**6), n=st.integers(1, 5), equal=st.booleans())
def test_wasserstein_has_its_derivative(seed: int, n: int, equal: bool):
    """Also where all eigenvalues coincide."""
    b = _spread(n, seed)
    a = 4 * b if equal else _spread(n, seed + 1)
    means = _noise(n, seed=seed), _noise(n, seed=seed + 2)

    def distance(mean: torch.Tensor, covariance: torch.Tensor) -> torch.Tensor:
        return _wasserstein(mean, (covariance + covariance.mT) / 2, means[1], b)

    assert torch.autograd.gradcheck(distance, (means[0].requires_grad_(), a.requires_grad_()))


def test_wasserstein_keeps_leading_dimensions():
    a, b = (torch.stack([_spread(3, seed), _spread(3, seed + 9)]) for seed in (0, 1))
    means = _noise(2, 3), _noise(2, 3, seed=1)
    both = _wasserstein(means[0], a, means[1], b)
    for i in range(2):
        torch.testing.assert_close(both[i], _wasserstein(means[0][i], a[i], means[1][i], b[i]))


def test_wasserstein_loss_of_the_features():
    f, g = _features(1, 4, 6, 7), _features(1, 4, 5, 9, seed=1)
    (a, b), (m, n) = ([torch.cov(x[0].flatten(1), correction=0) for x in (f, g)],
                      [x.mean((0, 2, 3)) for x in (f, g)])  # fmt: skip
    energy = b.trace() + n.square().sum()
    floor = 1e-4 * b.diagonal().mean() + 4 * 2**-23 * energy
    wide = [c + floor * torch.eye(4, dtype=b.dtype) for c in (a, b)]
    expected = (m - n).square().sum().item() + _bures_by_scipy(*(c.numpy() for c in wide))
    found = wasserstein_loss(statistics_of(f), statistics_of(g), 4)
    assert found.item() == pytest.approx(expected / 4, rel=1e-6)
    plain = (m - n).square().sum().item() + _bures_by_scipy(a.numpy(), b.numpy())
    assert found.item() == pytest.approx(plain / 4, rel=0.01)  # widening changes little


def test_gram_mean_std_by_hand():
    # One channel: picture 1, 3 (mean 2, deviation 1, energy 5); painting 2, 6 (mean 4, dev. 2, 20).
    f, g = (torch.tensor([[[values]]], dtype=torch.float64) for values in ([1.0, 3.0], [2.0, 6.0]))
    gram = (5 - 20) ** 2 / 4
    found = gram_mean_std_loss(statistics_of(f), statistics_of(g), 1)
    assert found.item() == pytest.approx(gram + 20 * (2**2 + 1**2), rel=1e-3)


def test_a_change_of_the_means_costs_as_much_as_through_the_gram_matrix():
    g = _features(1, 6, 8, 8, seed=2)
    flat = g.mean((2, 3), keepdim=True).expand_as(g)  # no deviations: the Gram matrix is the means'
    moved = statistics_of(flat * 1.001), statistics_of(flat)
    gram, both = (loss(*moved, 6).item() for loss in (gram_loss, gram_mean_std_loss))
    assert both - gram == pytest.approx(gram, rel=0.01)


def test_what_is_no_covariance_is_no_error_either():
    """Rounding beyond the widening: the optimiser's guard is told, and the run goes on."""
    f = statistics_of(_features(1, 2, 5, 5))
    second_moments = torch.diag(torch.tensor([-1e6, 1.0], dtype=torch.float64))
    assert wasserstein_loss(f, replace(f, second_moments=second_moments), 2).isnan()


@pytest.mark.parametrize("name", STYLE_LOSSES)
def test_gradcheck(name: str):
    target = statistics_of(_features(1, 3, 4, 5, seed=1))

    def loss(features: torch.Tensor) -> torch.Tensor:
        rows = features[0].flatten(1)
        return STYLE_LOSSES[name](Statistics(24, rows.sum(1), rows @ rows.mT), target, 3)

    assert torch.autograd.gradcheck(loss, (_noise(1, 3, 4, 6, seed=3).requires_grad_(),))


@pytest.mark.parametrize("name", STYLE_LOSSES)
def test_nothing_is_lost_on_the_painting_itself_nor_on_it_tiled(name: str):
    g = _features(1, 5, 6, 6)
    once, tiled = statistics_of(g), statistics_of(g.tile(1, 1, 2, 2))
    other = STYLE_LOSSES[name](statistics_of(_features(1, 5, 6, 6, seed=1)), once, 5)
    assert other > 0
    for found in (once, tiled):
        assert STYLE_LOSSES[name](found, once, 5).item() == pytest.approx(
            0, abs=1e-9 * other.item()
        )


@pytest.mark.parametrize("name", STYLE_LOSSES)
def test_a_silent_channel_and_a_blank_picture_have_losses_and_gradients(name: str):
    f, g = _features(1, 4, 5, 5), _features(1, 4, 5, 5, seed=1)
    g[:, 2] = 0
    for picture in (f * torch.tensor([1.0, 0, 1, 0]).view(1, 4, 1, 1), torch.zeros_like(f)):
        x = picture.float().requires_grad_()
        loss = STYLE_LOSSES[name](statistics_of(x), statistics_of(g.float()), 4)
        (gradient,) = torch.autograd.grad(loss, x)
        assert loss.item() > 0
        assert gradient.isfinite().all()


def test_a_matrix_of_few_positions_far_from_zero_is_no_trouble_in_float32():
    """Its rank is 3 of 30, and rounding of its large means outweighs its small variances."""
    f, g = ((100 + _noise(1, 30, 1, 3, seed=seed)).float() for seed in (0, 1))
    found = wasserstein_loss(statistics_of(f), statistics_of(g), 30)
    assert 0 < found < 10


def test_what_is_not_finite_is_no_error():
    f, g = _features(1, 4, 5, 5), _features(1, 4, 5, 5, seed=1)
    for value in (torch.nan, torch.inf):
        x = (f * value).requires_grad_()
        loss = wasserstein_loss(statistics_of(x), statistics_of(g), 4)
        assert not loss.isfinite()
        assert not torch.autograd.grad(loss, x)[0].isfinite().all()


@pytest.mark.parametrize("name", STYLE_LOSSES)
def test_losses_of_a_reduced_head_are_those_of_the_whole_one(name: str):
    weight, bias = _noise(12, 3, seed=4), _noise(12, seed=5)
    head = Head.from_linear(weight, bias)
    sums = [statistics_of(_features(1, 3, 5, 6, seed=seed)) for seed in (0, 1)]
    small = [s.mapped(head.weight, head.bias, head.frame) for s in sums]
    whole = [s.mapped(weight, bias) for s in sums]
    torch.testing.assert_close(small[0].variance, whole[0].variance)
    loss = STYLE_LOSSES[name]
    # The Wasserstein loss widens four directions of the small space and twelve of the whole one.
    tolerance = 1e-3 if name == "w2" else 1e-8
    assert loss(*small, 12).item() == pytest.approx(loss(*whole, 12).item(), rel=tolerance)


@pytest.mark.parametrize("name", STYLE_LOSSES)
def test_losses_of_pieces_added_up_are_those_of_the_whole(name: str):
    f, g = _features(1, 4, 6, 8), statistics_of(_features(1, 4, 5, 5, seed=1))
    frame = torch.linalg.qr(_noise(7, 4)).Q
    whole, left, right = (
        replace(statistics_of(x), frame=frame) for x in (f, f[..., :3], f[..., 3:])
    )
    target = replace(g, frame=frame)
    torch.testing.assert_close(
        STYLE_LOSSES[name](left + right, target, 7), STYLE_LOSSES[name](whole, target, 7)
    )


def test_a_mixture_has_equal_shares_of_maps_of_any_size():
    small, large = (
        statistics_of(_features(1, 3, 2, 2)),
        statistics_of(_features(1, 3, 9, 8, seed=1)),
    )
    both = mixture([small, large])
    assert both.count == small.count
    torch.testing.assert_close(both.mean, (small.mean + large.mean) / 2)
    moments = [s.second_moments / s.count for s in (both, small, large)]
    torch.testing.assert_close(moments[0], (moments[1] + moments[2]) / 2)
    torch.testing.assert_close(mixture([large]).second_moments, large.second_moments)
