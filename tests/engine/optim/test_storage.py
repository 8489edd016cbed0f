"""Passes over pictures piece by piece, and an optimiser that remembers where it is told to."""

from __future__ import annotations

import pytest
import torch

from impasto.engine.objective.objective import Evaluation
from impasto.engine.optim import storage
from impasto.engine.optim.optimize import LBFGS, Adam
from impasto.engine.optim.storage import along, pieces
from impasto.engine.state import Losses


def _tensors(count, *shape):
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(shape, generator=generator, dtype=torch.float64) for _ in range(count)]


def test_pieces_are_views_of_the_whole(monkeypatch):
    monkeypatch.setattr(storage, "_PIECE", 10)
    (values,) = _tensors(1, 1, 3, 4, 7)
    expected = values.clone().mul_(2)
    for (piece,) in pieces(values):
        assert len(piece) <= 10
        piece.mul_(2)
    assert torch.equal(values, expected)


def test_products_of_differences(monkeypatch):
    monkeypatch.setattr(storage, "_PIECE", 10)
    a, c, d = _tensors(3, 1, 3, 4, 7)
    assert along(a, (c, d)) == pytest.approx((a * (c - d)).sum().item(), rel=1e-12)


def _evaluate(image):
    x = image.detach().requires_grad_()
    loss = ((x - 0.3) ** 2 * torch.arange(1.0, 1 + x.numel()).view_as(x)).sum()
    (gradient,) = torch.autograd.grad(loss, x)
    return Evaluation(image, Losses(float(loss.detach()), 0, 0, 0), gradient)


@pytest.mark.parametrize("make", [LBFGS, Adam])
def test_an_optimiser_takes_all_that_it_remembers_from_the_storage(make):
    taken = []

    def lend(like, shape):
        taken.append(like.new_full(shape, float("nan")))
        return taken[-1]

    at = plain = _evaluate(torch.full((1, 3, 4, 5), 0.6))
    one, other = make(storage=lend), make()
    for _ in range(6):
        at, plain = one.step(at, _evaluate), other.step(plain, _evaluate)
        assert torch.equal(at.image, plain.image)
    held = [value for value in vars(one).values() if isinstance(value, torch.Tensor)]
    assert held
    assert all(any(value is lent for lent in taken) for value in held)
