"""Warping and masks: hand-made flows whose truth is plain."""

from __future__ import annotations

import pytest
import torch

from impasto.ops.losses import temporal_loss
from impasto.ops.warp import inside, reliable, shared, warp


def _constant(u: float, v: float, height: int = 12, width: int = 16) -> torch.Tensor:
    return (
        torch.tensor([float(u), float(v)]).view(1, 2, 1, 1).expand(1, 2, height, width).contiguous()
    )


def test_no_motion_changes_nothing(waves):
    image = waves(12, 16)
    torch.testing.assert_close(warp(image, torch.zeros(1, 2, 12, 16, dtype=torch.float64)), image)


def test_whole_pixels_are_looked_up_exactly_and_the_border_goes_on(waves):
    image = waves(12, 16).float()
    moved = warp(image, _constant(3, -2))
    torch.testing.assert_close(moved[..., 2:, :-3], image[..., :-2, 3:], atol=1e-5, rtol=0)
    torch.testing.assert_close(moved[..., 2:, -1], image[..., :-2, -1], atol=1e-5, rtol=0)


def test_parts_of_pixels_follow_a_smooth_picture():
    x = torch.arange(40, dtype=torch.float64)
    image = torch.sin(0.2 * x).expand(1, 1, 5, 40)
    moved = warp(image, _constant(0.37, 0, 5, 40).double())
    torch.testing.assert_close(
        moved[..., 3:-3], torch.sin(0.2 * (x + 0.37)).expand_as(image)[..., 3:-3], atol=1e-2, rtol=0
    )


def test_the_gradient_is_right(waves):
    image = waves(6, 7).requires_grad_()
    flow = 2 * torch.rand(1, 2, 6, 7, dtype=torch.float64, generator=torch.Generator())
    assert torch.autograd.gradcheck(lambda x: warp(x, flow), (image,))


def test_what_leads_out_is_not_inside():
    found = inside(_constant(3, 0))[0, 0]
    assert found[:, :13].all()
    assert not found[:, 13:].any()


def test_a_steady_motion_is_believed_but_at_the_border():
    flow, back = _constant(2, 1), _constant(-2, -1)
    found = reliable(flow, back)[0, 0]
    assert found[:11, :14].all()
    assert not found[11:].any()
    assert not found[:, 14:].any()


def test_a_flow_that_does_not_come_back_is_not_believed():
    assert reliable(_constant(2, 0), _constant(2, 0)).sum() == 0
    # |4 + (-3.5)|^2 = 0.25 is below 0.01 (16 + 12.25) + 0.5; |4 - 3|^2 = 1 is above 0.75
    assert reliable(_constant(4, 0), _constant(-3.5, 0))[..., :10].all()
    assert not reliable(_constant(4, 0), _constant(-3, 0)).any()


def test_motion_boundaries_are_not_believed():
    flow = torch.zeros(1, 2, 12, 16)
    flow[:, 0, :, 8:] = 0.5  # slope 0.25 on the two columns beside the edge
    found = reliable(flow, -flow)[0, 0]
    assert not found[:, 7:9].any()
    assert found[:, :7].all()
    assert found[:, 9:15].all()


def test_each_pixel_counts_for_all_the_frames_that_show_it():
    near, far = torch.tensor([1.0, 0, 0, 1]), torch.tensor([1.0, 1, 0, 0])
    weights = shared([w.view(1, 1, 2, 2) for w in (near, far)])
    assert weights[0].flatten().tolist() == [0.5, 0, 0, 1]
    assert weights[1].flatten().tolist() == [0.5, 1, 0, 0]
    assert shared([]) == []


def test_temporal_loss_by_hand():
    image, target = torch.zeros(1, 3, 2, 2), torch.full((1, 3, 2, 2), 0.5)
    weights = torch.tensor([1.0, 0, 0, 2]).view(1, 1, 2, 2)
    assert temporal_loss(image, target, weights).item() == pytest.approx(3 * 0.25 * 3 / 12)
