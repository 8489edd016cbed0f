"""Losses and the relative distances."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from impasto.engine.state import Checkpoint, Losses, LossWeights, State

WEIGHTS = LossWeights(alpha=1.0, beta=2.0, content_unit=4.0, style_unit=9.0)


def test_distances_are_square_roots_of_the_losses_over_their_yardsticks():
    assert WEIGHTS.distances(Losses(0.0, 1.0, 81.0, 0.0)) == (0.5, 3.0)
    assert WEIGHTS.distances(Losses(0.0, -1e-20, 0.0, 0.0)) == (0.0, 0.0)


@pytest.mark.parametrize("total", [math.nan, math.inf, -math.inf])
def test_losses_know_when_they_are_no_numbers(total: float):
    assert not Losses(total, 1.0, 1.0, 1.0).finite
    assert Losses(1.0, 1.0, 1.0, 1.0).finite


def test_a_snapshot_is_finished_and_a_copy():
    image = torch.full((1, 3, 2, 2), 0.25)
    losses = Losses(1.0, 1.0, 1.0, 1.0)
    checkpoint = Checkpoint(0, 0, image, image, losses, {})
    state = State(0, 1, 0, 0.5, losses, WEIGHTS, image, lambda x: x, lambda: checkpoint)
    same = state.snapshot()
    image.fill_(0.5)
    assert (same == 0.25).all()
    doubled = replace(state, finish=lambda x: 2 * x).snapshot()
    assert (doubled == 1).all()
    assert (image == 0.5).all()
