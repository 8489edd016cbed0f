"""A head is reduced to a small square one without changing any loss on it."""

from __future__ import annotations

import pytest
import torch

from impasto.nets.network import Head
from impasto.ops.statistics import gram_loss, statistics_of


def _noise(*shape: int, seed: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.fixture(params=[(5, 23), (5, 6), (5, 5), (7, 3)], ids=lambda p: f"{p[0]} to {p[1]}")
def case(request: pytest.FixtureRequest) -> dict[str, torch.Tensor]:
    channels, outputs = request.param
    return {
        "weight": _noise(outputs, channels, seed=0),
        "bias": _noise(outputs, seed=1),
        "f": _noise(1, channels, 6, 5, seed=2).relu(),
        "g": _noise(1, channels, 4, 3, seed=3).relu(),
    }


def test_statistics_lie_as_far_apart_as_through_the_full_head(case):
    weight, bias = case["weight"], case["bias"]
    head = Head.from_linear(weight, bias)
    assert head.channels == weight.shape[0]
    assert head.weight.shape[0] == head.bias.shape[0] <= weight.shape[1] + 1
    f, g = statistics_of(case["f"]), statistics_of(case["g"])
    whole = f.mapped(weight, bias), g.mapped(weight, bias)
    small = f.mapped(head.weight, head.bias), g.mapped(head.weight, head.bias)
    n = weight.shape[0]
    torch.testing.assert_close(gram_loss(*small, n), gram_loss(*whole, n), rtol=1e-11, atol=0)
    for part in ("mean", "covariance"):
        found, wanted = ((getattr(a, part) - getattr(b, part)).norm() for a, b in (small, whole))
        torch.testing.assert_close(found, wanted, rtol=1e-11, atol=0)


def test_features_lie_as_far_apart_as_through_the_full_head(case):
    head = Head.from_linear(case["weight"], case["bias"])
    difference = case["f"][0, :, 0] - case["g"][0, :, 0, :1]
    torch.testing.assert_close(
        (head.weight @ difference).norm(dim=0),
        (case["weight"] @ difference).norm(dim=0),
        rtol=1e-11,
        atol=0,
    )


def test_gradients_of_the_features_are_those_through_the_full_head(case):
    head = Head.from_linear(case["weight"], case["bias"])
    target = statistics_of(case["g"])
    gradients = []
    for weight, bias in ((case["weight"], case["bias"]), (head.weight, head.bias)):
        f = case["f"].clone().requires_grad_()
        loss = gram_loss(
            statistics_of(f).mapped(weight, bias), target.mapped(weight, bias), head.channels
        )
        gradients.append(torch.autograd.grad(loss, f)[0])
    torch.testing.assert_close(gradients[1], gradients[0], rtol=1e-9, atol=1e-12)


def test_a_float32_head_is_reduced_in_double(case):
    exact = Head.from_linear(case["weight"], case["bias"])
    head = Head.from_linear(case["weight"].float(), case["bias"].float())
    assert head.weight.dtype == head.bias.dtype == torch.float32
    gram, wanted = head.weight.mT @ head.weight, exact.weight.mT @ exact.weight
    assert (gram - wanted).norm() < 1e-6 * wanted.norm()
