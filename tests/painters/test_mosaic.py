"""Stipples and tiles, and the centroidal Voronoi diagram that they stand on."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from impasto.ops.natural import natural_picture
from impasto.painters.mosaic import stippled, tiled
from impasto.painters.sites import spread
from impasto.painters.strokes import Painting, Stroke
from impasto.painters.svg import to_svg


def _rng():
    return torch.Generator().manual_seed(0)


def test_each_pixel_belongs_to_the_nearest_place():
    sites = spread(torch.ones(30, 40), 25, _rng())
    rows, columns = torch.meshgrid(torch.arange(30.0), torch.arange(40.0), indexing="ij")
    pixels = torch.stack([rows, columns], -1).reshape(-1, 2)
    distance = torch.cdist(pixels, sites.places)
    own = distance.gather(1, sites.cells.flatten()[:, None])[:, 0]
    # Jump flooding is known to miss a few.
    assert float((own <= distance.amin(1) + 1e-4).float().mean()) > 0.99


def test_cells_weigh_about_the_same_and_all_weight_is_in_one():
    weights = torch.linspace(0.2, 1, 60).expand(60, 60).contiguous()
    sites = spread(weights, 60, _rng())
    assert float(sites.mass.sum()) == pytest.approx(float(weights.sum()), rel=1e-4)
    # Denser where it weighs more, though not in proportion (Gersho: the square root in 2D).
    right = float((sites.places[:, 1] > 30).float().mean())
    assert 0.55 < right < 0.75


def test_four_places_of_a_square_come_to_its_quarters():
    sites = spread(torch.ones(40, 40), 4, _rng())
    found = sorted(map(tuple, sites.places.round().tolist()))
    areas = sites.mass.tolist()
    assert max(areas) < 1.5 * min(areas)
    assert len(set(found)) == 4


def test_stipples_cover_as_much_as_the_picture_is_dark():
    ramp = torch.linspace(0, 1, 96).expand(1, 3, 96, 96).contiguous()
    drawn = stippled(ramp).drawn(384)[0, 0]
    for at in (128, 192, 256, 320):
        light = float((ramp[0, 0, :, at // 4 : at // 4 + 16] ** 2.2).mean())
        assert float(drawn[:, at : at + 64].mean()) == pytest.approx(light, abs=0.07)


def test_tiles_run_along_an_edge():
    """A slanted edge: the tiles beside it have its direction, or the one across."""
    y, x = torch.meshgrid(torch.arange(96.0), torch.arange(96.0), indexing="ij")
    picture = torch.sigmoid((x - y) / 3).expand(1, 3, 96, 96).contiguous()
    turned = []
    for tile in tiled(picture).strokes:
        (x0, y0), (x1, y1) = tile.points.tolist()
        if abs((x0 + x1) / 2 - (y0 + y1) / 2) < 0.05:
            turned.append(math.degrees(math.atan2(y1 - y0, x1 - x0)) % 90)
    assert len(turned) > 10
    assert np.median(np.abs(np.array(turned) - 45)) < 8


def test_tiles_hardly_overlap_and_colours_are_the_photograph_s():
    photo = natural_picture(60, 80, seed=1)
    painting = tiled(photo)
    covered = sum((2 * each.radius * 80) ** 2 for each in painting.strokes)
    assert 0.5 * 60 * 80 < covered < 60 * 80
    assert all(each.is_square for each in painting.strokes)
    mean = np.mean([each.color for each in painting.strokes], 0)
    np.testing.assert_allclose(mean, photo.mean((0, 2, 3)).numpy(), atol=0.02)


def test_a_palette_gives_ink_paper_and_tiles_their_colours():
    palette = torch.zeros(1, 3, 20, 20)
    palette[:, 0, :10], palette[:, 1:, 10:] = 0.9, 0.3
    photo = natural_picture(40, 48, seed=2)
    dots = stippled(photo, palette)
    assert dots.ground == pytest.approx((0.9, 0, 0), abs=1e-5)
    assert all(each.color == pytest.approx((0, 0.3, 0.3), abs=1e-5) for each in dots.strokes)
    for tile in tiled(photo, palette).strokes:
        assert min(abs(tile.color[0] - 0.9), abs(tile.color[0])) < 1e-5


@pytest.mark.parametrize("paint", [stippled, tiled])
def test_a_seed_decides_and_the_whole_is_shown_in_few_pictures(paint):
    photo = natural_picture(32, 48, seed=1)
    one, same, other = (paint(photo, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(one.drawn(96), same.drawn(96))
    assert not torch.equal(one.drawn(96), other.drawn(96))
    *_, last = one.unfolding(48, 32, 5)
    assert torch.equal(last, one.drawn(48, 32))


def test_a_tile_is_a_square_as_pixels_and_as_svg():
    line = np.array([[0.25, 0.5], [0.75, 0.5]], np.float32)
    painting = Painting(1.0, (1.0, 1.0, 1.0), (Stroke(line, 0.25, (0, 0, 0), is_square=True),))
    dark = painting.drawn(100)[0, 0] < 0.5
    assert int(dark.sum()) == pytest.approx(50 * 50, rel=0.05)
    assert bool(dark[30:70, 30:70].all())
    assert 'stroke-linecap="butt"' in to_svg(painting)


@pytest.mark.parametrize("paint", [stippled, tiled])
@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_one_colour_is_no_error(paint, value):
    made = paint(torch.full((1, 3, 20, 30), value)).drawn(30)
    assert bool(torch.isfinite(made).all())
