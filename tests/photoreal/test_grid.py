"""The grid against a brute-force reference, and what must hold for any grid."""

from __future__ import annotations

import math

import pytest
import torch

from impasto.ops.color import rgb_to_luma
from impasto.photoreal.change import Change
from impasto.photoreal.grid import Grid, sliced
from impasto.photoreal.local import base_of
from impasto.photoreal.regions import refined
from impasto.photoreal.space import in_gamut, to_opponent, to_rgb
from impasto.photoreal.tone import LEAST, rising


def _picture(height=23, width=31, seed=0, dtype=torch.float32):
    gen = torch.Generator().manual_seed(seed)
    return torch.rand(1, 3, height, width, generator=gen, dtype=dtype)


def _nodes(*shape, seed=1, size=0.05, dtype=torch.float32):
    gen = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=gen, dtype=dtype) * size


def _brute(nodes, guide):
    """Trilinear interpolation written out, pixel by pixel."""
    channels, depth, rows, columns = nodes.shape
    height, width = guide.shape
    found = torch.zeros(channels, height, width, dtype=nodes.dtype)
    for y in range(height):
        for x in range(width):
            at = (
                float(guide[y, x]) * (depth - 1),
                (y + 0.5) / height * (rows - 1),
                (x + 0.5) / width * (columns - 1),
            )
            for corner in range(8):
                weight, index = 1.0, []
                for axis, (place, size) in enumerate(zip(at, (depth, rows, columns), strict=True)):
                    low = min(math.floor(place), size - 2)
                    bit = corner >> axis & 1
                    weight *= place - low if bit else 1 - place + low
                    index.append(low + bit)
                found[:, y, x] += weight * nodes[:, index[0], index[1], index[2]]
    return found


def test_slice_is_trilinear_interpolation():
    nodes = _nodes(7, 5, 3, 4, dtype=torch.float64)
    guide = torch.rand(6, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(sliced(nodes, guide, 0, 6), _brute(nodes, guide))


def test_gradient_in_float64():
    image = 0.3 + 0.4 * _picture(4, 5, dtype=torch.float64)
    nodes = _nodes(1, 7, 3, 2, 2, size=0.01, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(lambda n: Grid(n).changed(image), (nodes,))


def test_no_change_is_the_photograph_bit_for_bit():
    image = _picture()
    assert torch.equal(Grid.identity(1, 6, 4, 4).changed(image), image)
    regions = torch.rand(1, 2, 23, 31)
    assert torch.equal(Grid.identity(2, 6, 4, 4).changed(image, regions), image)


@pytest.mark.parametrize("rows", [1, 7, 23, 100])
def test_bands_equal_all_at_once(rows):
    image = _picture()
    regions = torch.rand(1, 2, 9, 11, generator=torch.Generator().manual_seed(3)).softmax(1)
    change = Change(Grid(_nodes(2, 7, 6, 4, 4)), base_of(image), refined(regions, image))
    whole = change.changed(image)
    torch.testing.assert_close(change.apply(image, rows=rows), whole, atol=1e-6, rtol=0)
    assert not torch.allclose(whole, image, atol=1e-3)
    assert torch.equal(change.scaled(0.0).apply(image), image)


def test_fine_detail_keeps_its_contrast_whatever_the_curve():
    """A step of tone is halved; stripes of a pixel on it are not."""
    image = torch.full((1, 3, 64, 64), 0.4)
    image[..., 32:] = 0.7
    image[..., ::2, :] += 0.02
    nodes = torch.zeros(1, 7, 11, 2, 2)
    nodes[:, 0] = (0.275 - 0.5 * torch.linspace(0, 1, 11)).view(11, 1, 1)
    masks = refined(torch.ones(1, 1, 8, 8), image)
    made = Change(Grid(nodes), base_of(image), masks).apply(image)
    stripes = (made[..., 16:48:2, :] - made[..., 17:48:2, :])[:, :, :, [8, 56]]
    assert float(stripes.min()) > 0.016
    assert float(stripes.max()) < 0.0201
    assert float(made[..., 56].mean() - made[..., 8].mean()) == pytest.approx(0.15, abs=0.01)


def test_detail_is_not_cut_off_near_black():
    image = 0.5 + 0.1 * (_picture() - 0.5)
    nodes = torch.zeros(1, 7, 5, 2, 2)
    nodes[:, 0] = -0.46
    made = Change(Grid(nodes), base_of(image), refined(torch.ones(1, 1, 8, 8), image)).apply(image)
    assert float((made == 0).float().mean()) < 0.2


def test_regions_keep_to_their_own():
    image = _picture()
    regions = torch.zeros(1, 2, 23, 31)
    regions[:, 0, :, :15], regions[:, 1, :, 15:] = 1, 1
    nodes = _nodes(2, 7, 6, 4, 4)
    nodes[1] = 0
    made = Grid(nodes).changed(image, regions)
    assert torch.equal(made[..., 15:], image[..., 15:])
    assert not torch.allclose(made[..., :15], image[..., :15])


def test_strength_moves_further_and_further():
    image, grid = 0.3 + 0.4 * _picture(), Grid(_nodes(1, 7, 6, 4, 4))
    apart = [
        float((grid.scaled(s).changed(image) - image).square().mean()) for s in (0, 0.25, 0.5, 1)
    ]
    assert apart[0] == 0
    assert apart == sorted(apart)


def test_luma_never_falls_as_the_photographs_rises():
    nodes = torch.zeros(1, 7, 9, 3, 3)
    nodes[:, 0] = rising(_nodes(1, 9, 3, 3, size=0.4), 1)
    ramp = torch.linspace(0, 1, 200).view(1, 1, 200, 1).expand(1, 3, 200, 8)
    for row in range(3):
        for col in range(3):
            cell = nodes[:, :, :, row : row + 1, col : col + 1].expand(1, 7, 9, 2, 2)
            luma = rgb_to_luma(Grid(cell.contiguous()).changed(ramp))[0, 0, :, 0]
            assert (luma.diff() >= -1e-6).all()


def test_a_rising_curve_is_within_its_bounds_and_left_alone():
    curve = rising(_nodes(12, 4, size=0.5))
    out = torch.linspace(0, 1, 12)[:, None] + curve
    assert out.min() >= 0
    assert out.max() <= 1
    assert (out.diff(dim=0) >= -1e-6).all()
    gentle = 0.05 * torch.sin(torch.linspace(0, 3, 12)) * torch.linspace(1, 0, 12)[:, None]
    torch.testing.assert_close(rising(gentle), gentle, atol=1e-5, rtol=0)
    assert LEAST > 0


def test_space_there_and_back_and_colours_outside_keep_their_luma():
    image = _picture()
    torch.testing.assert_close(to_rgb(to_opponent(image)), image, atol=1e-6, rtol=0)
    assert torch.equal(in_gamut(image), image)
    wild = image * 1.4 - 0.2
    brought = in_gamut(wild)
    assert brought.min() >= 0
    assert brought.max() <= 1
    torch.testing.assert_close(
        rgb_to_luma(brought), rgb_to_luma(wild).clamp(0, 1), atol=1e-5, rtol=0
    )
