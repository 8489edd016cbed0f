"""Regions at the sizes of a run: labels, soft masks, paintings' parts, windows."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from impasto.engine.planning.stages import Stage
from impasto.engine.regions import NOWHERE, Regions, nearest

STAGE = Stage(
    height=40, width=60, styles=((20, 20), (30, 30)), steps=1, precision="fp32", tile=None
)


@pytest.fixture
def regions():
    labels = torch.zeros(1, 1, 80, 120, dtype=torch.uint8)
    labels[..., 60:] = 1
    part = torch.full((1, 1, 50, 50), NOWHERE, dtype=torch.uint8)
    part[..., :25, :] = 1
    return Regions(labels, ((1.0, 0.0), (0.5, 0.5)), (None, part))


def test_masks_are_soft_at_the_border_and_add_up(regions):
    masks = regions.masks(STAGE)
    assert masks.shape == (1, 2, 40, 60)
    torch.testing.assert_close(masks.sum(1), torch.ones(1, 40, 60))
    assert masks[0, 0, 20, 0] == 1
    assert masks[0, 1, 20, -1] == 1
    assert 0 < masks[0, 0, 20, 29] < 1


def test_parts_are_those_of_their_painting_and_nowhere_is_no_part(regions):
    whole, part = regions.parts_at(STAGE.styles)
    assert whole is None
    assert part.shape == (1, 2, 30, 30)
    assert part[0, 0].sum() == 0
    assert part[0, 1, :15].min() == 1
    assert part[0, 1, 15:].max() == 0


def test_a_window_s_are_cut_from_the_whole(regions):
    stage = replace(STAGE, window=(10, 25, 16, 20))
    labels = regions.in_window(stage).labels
    assert torch.equal(labels, nearest(regions.labels, 40, 60)[..., 10:26, 25:45])
