"""Equations (1) to (7) of the report, in float64."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from impasto.ops.losses import (
    content_loss,
    gram_matrix,
    style_layer_loss,
    style_loss,
    total_loss,
    total_variation,
)

# Two filters on two positions, side by side: F = [[1, 2], [3, 4]].
FEATURES = torch.tensor([[[1.0, 2.0]], [[3.0, 4.0]]], dtype=torch.float64)
GRAM = torch.tensor([[5.0, 11.0], [11.0, 25.0]], dtype=torch.float64)
UNIT = torch.eye(2, dtype=torch.float64)


def _noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_gram_matrix_is_eq_4():
    assert torch.equal(gram_matrix(FEATURES), GRAM)


def test_content_loss_is_eq_1():
    target = torch.tensor([[[0.0, 4.0]], [[3.0, 1.0]]], dtype=torch.float64)
    assert content_loss(FEATURES, target).item() == (1 + 4 + 0 + 9) / 2


def test_style_layer_loss_is_eq_5():
    # G - A = [[4, 11], [11, 24]]; N = M = 2, so 4 N^2 M^2 = 64.
    loss = style_layer_loss(GRAM, UNIT, channels=2, positions=2)
    assert loss.item() == (16 + 121 + 121 + 576) / 64


def test_style_layer_loss_rescales_the_gram_matrix_of_another_size():
    # M / M_target = 1/2: G - A/2 = [[4.5, 11], [11, 24.5]].
    loss = style_layer_loss(GRAM, UNIT, channels=2, positions=2, target_positions=4)
    assert loss.item() == (20.25 + 121 + 121 + 600.25) / 64


def test_style_layer_loss_counts_the_channels_that_a_smaller_matrix_stands_for():
    loss = style_layer_loss(GRAM, UNIT, channels=10, positions=2)
    assert loss.item() == pytest.approx(834 / (4 * 100 * 4))


def test_style_loss_is_eq_3():
    layers = [torch.tensor(2.0, dtype=torch.float64), torch.tensor(4.0, dtype=torch.float64)]
    assert style_loss(layers).item() == 3
    assert style_loss(layers, (0.25, 2)).item() == 8.5
    five = [torch.tensor(float(n), dtype=torch.float64) for n in (1, 2, 3, 4, 10)]
    assert style_loss(five).item() == pytest.approx(20 / 5)


def test_style_loss_takes_one_weight_for_each_layer():
    with pytest.raises(ValueError, match="as many weights"):
        style_loss([torch.tensor(1.0), torch.tensor(2.0)], (1.0,))


def test_total_loss_is_eq_7():
    content, style = torch.tensor(5.0), torch.tensor(7.0)
    assert total_loss(content, style, alpha=2, beta=3).item() == 31


def test_total_variation_by_hand():
    # Across: 1 and 2, mean of squares 2.5. Down: 2 and 3, mean of squares 6.5.
    image = torch.tensor([[[0.0, 1.0], [2.0, 4.0]]], dtype=torch.float64)
    assert total_variation(image).item() == 9.0


def _preactivation() -> torch.Tensor:
    z = _noise(3, 2, 4, seed=1)
    z[0, 0, 0] = 0.0
    z[1, 1, 3] = 0.0
    assert (z < 0).any()
    assert (z > 0).any()
    return z


def test_content_derivative_is_eq_2_behind_the_relu():
    z = _preactivation().requires_grad_()
    target = _noise(3, 2, 4, seed=2).abs()
    (gradient,) = torch.autograd.grad(content_loss(F.relu(z), target), z)
    expected = torch.where(z > 0, F.relu(z) - target, 0)
    torch.testing.assert_close(gradient, expected.detach(), rtol=1e-13, atol=0)
    assert (gradient[z <= 0] == 0).all()


@pytest.mark.parametrize("target_positions", [8, 20])
def test_style_derivative_is_eq_6_behind_the_relu(target_positions: int):
    """Eq. (6) with the rescaled A; its left side reads dE_l/dF_ij."""
    z = _preactivation().requires_grad_()
    channels, positions = 3, 8
    target = gram_matrix(_noise(3, 1, target_positions, seed=3).abs())
    loss = style_layer_loss(
        gram_matrix(F.relu(z)),
        target,
        channels=channels,
        positions=positions,
        target_positions=target_positions,
    )
    (gradient,) = torch.autograd.grad(loss, z)
    f = F.relu(z.detach()).flatten(1)  # N x M
    difference = f @ f.T - target * positions / target_positions
    closed = (f.T @ difference).T / (channels**2 * positions**2)  # (F^T (G - A))_ji
    expected = torch.where(f > 0, closed, 0).view(z.shape)
    torch.testing.assert_close(gradient, expected, rtol=1e-12, atol=1e-15)
    assert (gradient[z <= 0] == 0).all()


def test_gradcheck_away_from_the_kink():
    z = _noise(1, 3, 3, 4, seed=4)
    z = (z + 0.1 * z.sign()).requires_grad_()
    target = _noise(1, 3, 3, 4, seed=5).abs()
    style = gram_matrix(target)

    def losses(z: torch.Tensor) -> tuple[torch.Tensor, ...]:
        f = F.relu(z)
        layer = style_layer_loss(gram_matrix(f), style, channels=3, positions=12)
        return content_loss(f, target), layer, total_variation(f)

    assert torch.autograd.gradcheck(losses, (z,))


def test_a_style_tiled_under_circular_padding_has_no_loss():
    weight, bias = _noise(5, 3, 3, 3, seed=6), _noise(5, seed=7)

    def features(image: torch.Tensor) -> torch.Tensor:
        return F.relu(F.conv2d(F.pad(image, (1, 1, 1, 1), mode="circular"), weight, bias))

    painting = _noise(1, 3, 6, 7, seed=8)
    once, tiled = gram_matrix(features(painting)), gram_matrix(features(painting.tile(1, 1, 2, 2)))
    sizes = {"channels": 5, "positions": 4 * 42}
    assert style_layer_loss(tiled, once, **sizes, target_positions=42).item() < 1e-25
    assert style_layer_loss(tiled, once, **sizes).item() > 1e-3  # the report's A, not rescaled


def test_leading_dimensions_are_kept():
    f, p = _noise(2, 3, 4, 5, 6), _noise(2, 3, 4, 5, 6, seed=1)
    grams, targets = gram_matrix(f), gram_matrix(p)
    assert grams.shape == (2, 3, 4, 4)
    sizes = {"channels": 4, "positions": 30, "target_positions": 60}
    layer = style_layer_loss(grams, targets, **sizes)
    assert layer.shape == content_loss(f, p).shape == total_variation(f).shape == (2, 3)
    assert style_loss([layer, layer]).shape == (2, 3)
    for i in range(2):
        for j in range(3):
            torch.testing.assert_close(grams[i, j], gram_matrix(f[i, j]))
            torch.testing.assert_close(content_loss(f, p)[i, j], content_loss(f[i, j], p[i, j]))
            torch.testing.assert_close(total_variation(f)[i, j], total_variation(f[i, j]))
            alone = style_layer_loss(grams[i, j], targets[i, j], **sizes)
            torch.testing.assert_close(layer[i, j], alone)


@given(seed=st.integers(0, 10**6), n=st.integers(1, 6), h=st.integers(1, 5), w=st.integers(1, 5))
def test_gram_matrices_are_symmetric_and_positive_semidefinite(seed: int, n: int, h: int, w: int):
    gram = gram_matrix(_noise(n, h, w, seed=seed))
    assert torch.equal(gram, gram.mT) or torch.allclose(gram, gram.mT, rtol=1e-14)
    assert torch.linalg.eigvalsh(gram).min() >= -1e-12 * gram.trace()
    assert torch.linalg.matrix_rank(gram, rtol=1e-10) <= h * w


def test_a_hundred_megapixels_do_not_overflow():
    """4 N^2 M^2 is more than an integer of 64 bits holds."""
    gram = torch.ones(64, 64, dtype=torch.float64)
    found = style_layer_loss(2 * gram, gram, channels=64, positions=10**8)
    assert found.item() == pytest.approx(64**2 / (4 * 64.0**2 * 1e16), rel=1e-12)
