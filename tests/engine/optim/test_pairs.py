"""The pairs against the two-loop recursion on vectors, as the textbook writes it."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from impasto import native
from impasto.engine.objective.objective import Evaluation
from impasto.engine.optim.pairs import Pairs
from impasto.engine.optim.vectors import Halved, Plain
from impasto.engine.state import Losses


def _textbook(pairs, gradient):
    """Nocedal and Wright 2006, algorithm 7.4."""
    q, shares = gradient.clone(), []
    for s, y in reversed(pairs):
        shares.append((s @ q) / (s @ y))
        q = q - shares[-1] * y
    s, y = pairs[-1]
    r = (s @ y) / (y @ y) * q
    for (s, y), share in zip(pairs, reversed(shares), strict=True):
        r = r + s * (share - (y @ r) / (s @ y))
    return r


def _random_pairs(count, *, size=12, seed=0):
    """Pairs of one quadratic function, so that s . y is positive."""
    generator = torch.Generator().manual_seed(seed)
    factor = torch.randn(size, size, generator=generator, dtype=torch.float64)
    hessian = factor @ factor.T / size + 0.1 * torch.eye(size, dtype=torch.float64)
    steps = torch.randn(count, size, generator=generator, dtype=torch.float64)
    gradient = torch.randn(size, generator=generator, dtype=torch.float64)
    return [(s, hessian @ s) for s in steps], gradient


def _remember(remembered, step, change):
    """A pair is handed over as two evaluated pictures."""
    nothing = torch.zeros_like(step)
    return remembered.add(_evaluated(step, change), _evaluated(nothing, nothing))


def _evaluated(image, gradient):
    return Evaluation(image, Losses(0, 0, 0, 0), gradient)


def _direction(remembered, gradient):
    """At a picture within the box, so that nothing is held."""
    out = torch.empty_like(gradient)
    slope = remembered.search_direction(_evaluated(torch.full_like(gradient, 0.5), gradient), out)
    assert slope == pytest.approx(float(gradient.flatten() @ out.flatten()), rel=1e-5)
    return out


@given(capacity=st.integers(1, 6), count=st.integers(1, 15), seed=st.integers(0, 2**16))
def test_the_same_product_as_the_recursion_on_vectors(capacity, count, seed):
    pairs, gradient = _random_pairs(count, seed=seed)
    remembered = Pairs(capacity)
    for pair in pairs:
        _remember(remembered, *pair)
    torch.testing.assert_close(
        _direction(remembered, gradient),
        -_textbook(pairs[-capacity:], gradient),
        rtol=1e-8,
        atol=1e-8,
    )


def test_it_solves_for_the_youngest_pair_exactly():
    pairs, _ = _random_pairs(5)
    remembered = Pairs(3)
    for s, y in pairs:
        _remember(remembered, s.view(1, 3, 4, 1), y.view(1, 3, 4, 1))
    s, y = pairs[-1]
    torch.testing.assert_close(_direction(remembered, y.view(1, 3, 4, 1)), -s.view(1, 3, 4, 1))


@pytest.mark.slow
def test_float32_is_as_good_as_the_recursion_on_vectors():
    pairs, gradient = _random_pairs(10, size=4000)
    remembered, exact = Pairs(10), _textbook(pairs, gradient)
    for s, y in pairs:
        _remember(remembered, s.float(), y.float())
    singles = [(s.float(), y.float()) for s, y in pairs]
    ours = (_direction(remembered, gradient.float()) + exact).norm()
    theirs = (_textbook(singles, gradient.float()) - exact).norm()
    assert ours < 3 * theirs + 1e-5 * exact.norm()


@pytest.mark.parametrize("count", [2, 7])
def test_a_restored_memory_goes_on_bit_for_bit(count):
    pairs, gradient = _random_pairs(count + 3)
    first, second = Pairs(4), Pairs(4)
    for pair in pairs[:count]:
        _remember(first, *pair)
    second.load_state_dict(first.state_dict())
    for pair in pairs[count:]:
        assert torch.equal(_direction(first, gradient), _direction(second, gradient))
        _remember(first, *pair)
        _remember(second, *pair)
    assert len(first) == len(second) == 4


def test_what_is_forgotten_is_gone():
    pairs, gradient = _random_pairs(4)
    remembered, fresh = Pairs(3), Pairs(3)
    for pair in pairs[:3]:
        _remember(remembered, *pair)
    remembered.forget()
    assert len(remembered) == 0
    for each in (remembered, fresh):
        _remember(each, *pairs[3])
    assert torch.equal(_direction(remembered, gradient), _direction(fresh, gradient))


def test_a_pair_without_curvature_is_not_remembered():
    pairs, gradient = _random_pairs(3)
    remembered = Pairs(2)
    for pair in pairs[:2]:
        assert _remember(remembered, *pair)
    step, _ = pairs[2]
    for change in (-step, torch.zeros_like(step), step * torch.nan):
        assert not _remember(remembered, step, change)
    assert len(remembered) == 1  # the oldest had made room
    torch.testing.assert_close(_direction(remembered, gradient), -_textbook(pairs[1:2], gradient))
    _remember(remembered, *pairs[2])
    torch.testing.assert_close(_direction(remembered, gradient), -_textbook(pairs[1:], gradient))


@pytest.mark.skipif(not native.are_available(), reason="no kernels on this machine")
@pytest.mark.parametrize("ways", [(Halved, Plain), (Plain, Halved)], ids=["plain", "halved"])
def test_pairs_move_between_machines_with_kernels_and_without(ways):
    pairs, gradient = _random_pairs(5, size=300)
    first, second = (Pairs(4, vectors=way()) for way in ways)
    for s, y in pairs[:3]:
        _remember(first, s.float(), y.float())
    wanted = _direction(first, gradient.float())
    second.load_state_dict(first.state_dict())
    found = _direction(second, gradient.float())
    assert (found - wanted).norm() < 0.02 * wanted.norm()
    assert _remember(second, *(each.float() for each in pairs[3]))
