"""Blur, gradients and the structure tensor, by hand."""

from __future__ import annotations

import math

import pytest
import torch

from impasto.painters.structure import blurred, flow_of, gradients


def test_gradients_of_a_plane_are_its_slopes():
    y, x = torch.meshgrid(torch.arange(9.0), torch.arange(11.0), indexing="ij")
    along_x, along_y = gradients((0.3 * x - 0.2 * y)[None, None])
    torch.testing.assert_close(along_x[0, 0, 1:-1, 1:-1], torch.full((7, 9), 0.3))
    torch.testing.assert_close(along_y[0, 0, 1:-1, 1:-1], torch.full((7, 9), -0.2))


def test_a_blur_keeps_the_mean_of_a_dot_and_spreads_it_by_its_variance():
    dot = torch.zeros(1, 1, 41, 41)
    dot[..., 20, 20] = 1
    made = blurred(dot, 3.0)[0, 0]
    places = torch.arange(41.0) - 20
    assert float(made.sum()) == pytest.approx(1, abs=1e-5)
    # Cut off at three deviations, a Gaussian's variance is .97 of the whole one's.
    assert float((made.sum(0) * places.square()).sum()) == pytest.approx(9, rel=0.05)


def test_no_blur_is_the_picture():
    picture = torch.rand(1, 3, 5, 6)
    assert blurred(picture, 0.0) is picture


@pytest.mark.parametrize("degrees", [0, 30, 90, 135])
def test_the_flow_runs_along_stripes(degrees):
    angle = math.radians(degrees)
    y, x = torch.meshgrid(torch.arange(48.0), torch.arange(48.0), indexing="ij")
    across = -math.sin(angle) * x + math.cos(angle) * y
    stripes = (0.5 + 0.4 * torch.sin(across * 0.6)).expand(1, 3, -1, -1)
    flow = flow_of(stripes, 3.0)
    inside = flow.angle[12:-12, 12:-12]
    # A direction and its opposite are the same line.
    assert float((2 * (inside - angle)).cos().min()) > 0.99
    assert float(flow.anisotropy[12:-12, 12:-12].min()) > 0.95


def test_a_flat_picture_has_no_direction():
    assert float(flow_of(torch.full((1, 3, 16, 16), 0.4), 2.0).anisotropy.max()) < 1e-3
