"""Matches against a brute-force search, and prices against the softmax written out."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from impasto.instant import matching
from impasto.instant.matching import around, cheapest, directions, evenly, prices, principal


def _features(rows, seed, channels=7):
    gen = torch.Generator().manual_seed(seed)
    return torch.randn(rows, channels, generator=gen, dtype=torch.float64)


def _matches(queries, bank, balance=0.0):
    asked, offered = directions(queries), directions(bank)
    return cheapest(asked, offered, prices(asked, offered, balance))


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 99))
def test_the_nearest_by_centred_cosine(queries, bank, seed):
    a, b = _features(queries, seed), _features(bank, seed + 1)
    found = _matches(a, b)
    centred = (a - a.mean(0))[:, None], (b - b.mean(0))[None]
    likeness = F.cosine_similarity(*centred, dim=2)
    best = likeness.gather(1, found[:, None])[:, 0]
    torch.testing.assert_close(best, likeness.amax(1), rtol=0, atol=1e-12)


def test_blocks_change_nothing(monkeypatch):
    a, b = _features(50, 1), _features(20, 2)
    whole = _matches(a, b, 0.5)
    monkeypatch.setattr(matching, "BLOCK", 7)
    assert torch.equal(_matches(a, b, 0.5), whole)


@pytest.mark.parametrize("balance", [0.3, 1.0])
def test_prices_are_those_of_the_softmax(balance):
    a, b = directions(_features(60, 3)), directions(_features(30, 4))
    price = torch.zeros(30, dtype=torch.float64)
    for _ in range(matching.ROUNDS):
        use = torch.softmax((a @ b.T - price) / matching.SOFTNESS, 1).sum(0) * 30 / 60
        price = price + balance * matching.SOFTNESS * use.clamp_min(1e-3).log()
        price = price - price.mean()
    torch.testing.assert_close(prices(a, b, balance), price, rtol=1e-9, atol=1e-12)


def test_balance_uses_more_of_the_bank():
    a = _features(400, 5) * 0.1 + _features(1, 6)  # much alike: one or two positions are nearest
    b = _features(100, 7)
    a[0], a[1] = _features(2, 8)
    used = [len(_matches(a, b, balance).unique()) for balance in (0.0, 0.5, 1.0)]
    assert used[0] < used[1] <= used[2]


def test_one_of_each():
    assert _matches(_features(1, 1), _features(1, 2), 1.0).tolist() == [0]


@given(st.integers(1, 90), st.integers(0, 20))
def test_principal_directions_hold_what_the_eigenvectors_do(rows, seed):
    seen = directions(_features(rows, seed, channels=40) * torch.logspace(0, -2, 40).double())
    found = principal(seen, 8)
    best = torch.linalg.eigvalsh(seen.T @ seen)[-8:].sum()
    assert float((seen @ found).square().sum()) == pytest.approx(float(best), rel=0.05, abs=1e-9)
    products = found.T @ found  # orthonormal, or zero where there are fewer rows than columns
    assert torch.linalg.eigvalsh(products).sub(0.5).abs().sub(0.5).abs().max() < 1e-3


def test_evenly_by_hand():
    assert evenly(10, 5, torch.device("cpu")).tolist() == [1, 3, 5, 7, 9]
    assert evenly(3, 3, torch.device("cpu")).tolist() == [0, 1, 2]
    assert evenly(2, 4, torch.device("cpu")).tolist() == [0, 0, 1, 1]


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 4))
def test_the_sum_around(height, width, reach):
    values = _features(height, 1, channels=width)
    wanted = F.avg_pool2d(values[None, None], 2 * reach + 1, 1, reach)[0, 0] * (2 * reach + 1) ** 2
    torch.testing.assert_close(around(values, reach), wanted, rtol=0, atol=1e-12)
