"""The running average against its closed form."""

from __future__ import annotations

import pytest
import torch

from impasto.engine.optim.average import Average


@pytest.mark.parametrize("decay", [0.1, 0.5, 0.99])
def test_the_average_is_the_weighted_sum_without_a_trace_of_its_start(decay: float):
    pictures = [torch.full((1, 3, 2, 2), float(k)) for k in (3, 1, 4, 1, 5)]
    average = Average(decay)
    assert average.picture is None
    for n, picture in enumerate(pictures, start=1):
        average.add(picture)
        weights = [decay ** (n - k) for k in range(1, n + 1)]
        expected = sum(w * p for w, p in zip(weights, pictures[:n], strict=True)) / sum(weights)
        torch.testing.assert_close(average.picture, expected)
        assert average.picture is not picture
    assert pictures[-1].eq(5).all()


def test_nothing_is_averaged_unless_asked():
    average = Average(0.0)
    average.add(torch.ones(1, 3, 2, 2))
    assert average.picture is None


def test_the_state_is_all_there_is_to_it():
    one, other = Average(0.5), Average(0.5)
    one.add(torch.ones(1, 3, 2, 2))
    other.load_state_dict(one.state_dict())
    for average in (one, other):
        average.add(torch.zeros(1, 3, 2, 2))
    assert one.picture is not other.picture
    assert torch.equal(one.picture, other.picture)


def test_what_came_before_can_be_forgotten():
    average = Average(0.9)
    average.add(torch.zeros(1, 3, 2, 2))
    average.forget()
    assert average.picture is None
    average.add(torch.ones(1, 3, 2, 2))
    assert average.picture.eq(1).all()


def test_rounding_leads_out_of_no_bounds():
    average = Average(0.97)
    for _ in range(200):
        average.add(torch.ones(1, 3, 2, 2))
        assert average.picture.eq(1).all()
