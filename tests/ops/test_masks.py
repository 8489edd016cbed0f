"""Masks with soft edges."""

from __future__ import annotations

import torch

from impasto.ops.masks import softened


def test_an_even_mask_stays_as_it_is():
    for level in (0.0, 0.4, 1.0):
        mask = torch.full((1, 1, 50, 70), level, dtype=torch.float64)
        assert torch.allclose(softened(mask), mask)


def test_an_edge_rises_evenly_over_two_hundredths_of_the_shorter_side():
    mask = torch.zeros(1, 1, 400, 500, dtype=torch.float64)
    mask[..., 250:] = 1
    row = softened(mask)[0, 0, 200]
    assert (row.diff() >= -1e-12).all()
    assert torch.isclose(row[246] + row[253], torch.ones((), dtype=torch.float64))
    assert row[245] == 0
    assert row[254] == 1
