"""Painting at once and in tiles."""

from __future__ import annotations

import pytest
import torch

from impasto.engine.painting import paint
from impasto.nets.feedforward import Painter


@pytest.fixture
def painter() -> Painter:
    torch.manual_seed(0)
    painter = Painter(1, (4, 4, 4), 1).double()
    with torch.no_grad():
        for value in painter.parameters():
            value.add_(0.3 * torch.randn_like(value))
    return painter.requires_grad_(False)


def test_a_small_one_at_once(painter, waves):
    photograph = waves(33, 47).clamp(0, 1)
    ((done, found),) = paint(painter, photograph, torch.ones(1))
    assert done == 1
    torch.testing.assert_close(found, painter(photograph, torch.ones(1)), rtol=0, atol=1e-6)


def test_tiles_show_no_seam(painter, waves):
    """They are the whole picture's, given the statistics."""
    photograph = waves(101, 150).clamp(0, 1)
    shares = torch.ones(1)
    states = list(paint(painter, photograph, shares, largest=1, tile=32, part=24))
    assert [round(done * len(states)) for done, _ in states] == list(range(1, 21))
    tops, lefts = [0, 26, 51, 77], [0, 42, 84, 126]
    parts = torch.cat([photograph[..., y : y + 24, x : x + 24] for y in tops for x in lefts])
    with painter.with_statistics_of(parts, shares):
        whole = painter(photograph, shares)
    assert torch.allclose(states[-1][1], whole.to(photograph), atol=1e-6)
