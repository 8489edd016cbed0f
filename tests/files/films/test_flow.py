"""Optical flow, on motions that are known."""

from __future__ import annotations

import pytest
import torch

from impasto.files.films.flow import DIS, flow_picture
from impasto.ops.warp import reliable

pytest.importorskip("cv2")


def test_a_pan_is_found(moving):
    first, second = moving(2, 48, 64, step=3)
    flow = DIS()(second, first)
    inner = flow[..., 8:-8, 8:-8]
    assert (inner[:, 0] - 3).abs().mean() < 0.2
    assert inner[:, 1].abs().mean() < 0.2
    assert flow.dtype == torch.float32
    assert reliable(flow, DIS()(first, second))[..., 8:-8, 8:-8].mean() > 0.95


def test_directions_have_colors_and_no_motion_is_white():
    flow = torch.zeros(1, 2, 2, 2)
    flow[0, :, 0, 0] = torch.tensor([2.0, 0])
    flow[0, :, 0, 1] = torch.tensor([-2.0, 0])
    drawn = flow_picture(flow)
    assert torch.equal(drawn[0, :, 1, 1], torch.ones(3))
    assert drawn[0, :, 0, 0].tolist() == pytest.approx([1, 0.25, 0.25])
    assert drawn[0, :, 0, 1].tolist() == pytest.approx([0, 0.75, 0.75])
    assert flow_picture(flow, most=4)[0, 0, 0, 1] == pytest.approx(0.5)
