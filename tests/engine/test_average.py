"""The running average against its closed form."""

from __future__ import annotations

import pytest
import torch

from impasto.engine.average import Average


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.99])
def test_the_average_is_the_weighted_sum_without_a_trace_of_its_start(decay: float):
    pictures = [torch.full((1, 3, 2, 2), float(k)) for k in (3, 1, 4, 1, 5)]
    average = Average(decay)
    for n, picture in enumerate(pictures, start=1):
        found = average.add(picture)
        weights = [decay ** (n - k) for k in range(1, n + 1)]
        expected = sum(w * p for w, p in zip(weights, pictures[:n], strict=True)) / sum(weights)
        torch.testing.assert_close(found, expected)
    assert pictures[-1].eq(5).all()
