"""Strokes: where they begin, how they run, what they look like as pixels and as SVG."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from impasto.ops.metrics import psnr
from impasto.ops.natural import natural_picture
from impasto.painters.strokes import (
    MANNERS,
    Manner,
    Painting,
    Stroke,
    curved,
    paint,
    palette_of,
)
from impasto.painters.svg import to_svg


def _painted(picture, manner, **options):
    *_, last = paint(picture, manner, **options)
    return last


@pytest.mark.parametrize("name", MANNERS)
def test_every_manner_comes_to_look_like_the_photograph(name):
    photo = natural_picture(60, 80, seed=1)
    painting = _painted(photo, MANNERS[name])
    made = painting.drawn(80, 60)
    ground = torch.tensor(painting.ground).view(1, 3, 1, 1).expand_as(photo)
    assert float(psnr(made, photo)) > float(psnr(ground, photo)) + 1
    assert made.shape == photo.shape


def test_each_brush_brings_it_nearer():
    photo = natural_picture(96, 128, seed=2)
    distances = [float((p.drawn(128, 96) - photo).abs().mean()) for p in paint(photo, Manner())]
    assert len(distances) == 3
    assert distances == sorted(distances, reverse=True)


def test_strokes_run_along_an_edge_and_not_across():
    """Left dark, right light: gradients point to the right, normals up or down."""
    picture = torch.linspace(0, 1, 64).expand(1, 3, 64, 64).contiguous()
    painting = _painted(picture, Manner(radii=(32.0,), threshold=5))
    long = [each.points for each in painting.strokes if len(each.points) > 4]
    assert len(long) > 20
    wide = np.mean([np.ptp(points[:, 0]) for points in long])
    high = np.mean([np.ptp(points[:, 1]) for points in long])
    assert high > 10 * wide


def test_nothing_is_laid_where_the_canvas_is_near_enough():
    flat = torch.full((1, 3, 32, 32), 0.5)
    first, second = paint(flat, Manner(radii=(64.0, 32.0)))
    assert len(first.strokes) > 0
    assert second.strokes == first.strokes


def test_a_seed_decides_the_picture():
    photo = natural_picture(40, 40, seed=1)
    one, same, other = (_painted(photo, MANNERS["wash"], seed=seed) for seed in (1, 1, 2))
    assert torch.equal(one.drawn(40), same.drawn(40))
    assert not torch.equal(one.drawn(40), other.drawn(40))


def test_a_painting_gives_its_colours_alone():
    red = torch.zeros(1, 3, 20, 20)
    red[:, 0, :10], red[:, 2, 10:] = 0.9, 0.8
    photo = natural_picture(40, 48, seed=1)
    manner = replace(MANNERS["impressionist"], value=0.0)
    painting = _painted(photo, manner, palette=red)
    wanted = np.array([[0.9, 0, 0], [0, 0, 0.8]])
    for stroke in painting.strokes:
        assert np.abs(wanted - np.array(stroke.color)).max(1).min() < 1e-5


def test_a_palette_has_the_colours_that_are_there():
    generator = torch.Generator().manual_seed(0)
    colors = torch.rand(3, 4, generator=generator)
    picture = colors[:, torch.arange(400) % 4].reshape(1, 3, 20, 20)
    found = torch.from_numpy(palette_of(picture, 4))
    assert float(torch.cdist(found, colors.T).amin(0).max()) < 1e-5


@given(
    st.lists(st.tuples(st.floats(0, 10), st.floats(0, 10)), min_size=1, max_size=8),
)
def test_a_curve_begins_and_ends_with_its_points_and_stays_among_them(places):
    points = np.array(places, np.float32)
    curve = curved(points)
    np.testing.assert_allclose(curve[0], points[0], atol=1e-4)
    np.testing.assert_allclose(curve[-1], points[-1], atol=1e-4)
    assert (curve >= points.min(0) - 1e-4).all()
    assert (curve <= points.max(0) + 1e-4).all()


def test_any_size_is_the_same_painting():
    painting = _painted(natural_picture(48, 64, seed=1), Manner())
    large = painting.drawn(256)
    small = torch.nn.functional.avg_pool2d(large, 4)
    assert float(psnr(small, painting.drawn(64))) > 30


def test_the_last_picture_of_the_making_is_the_painting():
    painting = _painted(natural_picture(48, 64, seed=1), Manner())
    pictures = list(painting.unfolding(64, 48, 7))
    assert len(pictures) == 8
    assert torch.equal(pictures[-1], painting.drawn(64, 48))
    assert float((pictures[0] - torch.tensor(painting.ground).view(3, 1, 1)).abs().max()) < 0.003


def test_a_bend_has_no_notch():
    """Half a circle of a broad brush: all of the ring is covered."""
    angles = np.linspace(0, np.pi, 9)
    points = np.stack([0.5 + 0.25 * np.cos(angles), 0.2 + 0.25 * np.sin(angles)], -1)
    stroke = Stroke(curved(points.astype(np.float32)), 0.12, (0.0, 0.0, 0.0))
    made = Painting(1.0, (1.0, 1.0, 1.0), (stroke,)).drawn(400)[0, 0]
    y, x = torch.meshgrid(torch.arange(400.0) + 0.5, torch.arange(400.0) + 0.5, indexing="ij")
    lines = torch.from_numpy(stroke.points) * 400
    nearest = torch.cdist(torch.stack([x, y], -1).reshape(-1, 2), lines).amin(1).reshape(400, 400)
    assert float(made[nearest < 0.12 * 400 - 2.5].max()) == 0
    assert float(made[nearest > 0.12 * 400 + 3].min()) == 1


def test_a_stroke_that_crosses_itself_is_no_darker_there():
    points = np.array([[0.2, 0.2], [0.8, 0.8], [0.8, 0.2], [0.2, 0.8]], np.float32)
    stroke = Stroke(points, 0.1, (0.0, 0.0, 0.0), opacity=0.5)
    made = Painting(1.0, (1.0, 1.0, 1.0), (stroke,)).drawn(80)
    assert float(made.min()) == pytest.approx(0.5, abs=0.01)


def test_the_svg_read_back_is_the_raster():
    painting = _painted(natural_picture(48, 64, seed=4), Manner(radii=(24.0, 12.0), opacity=1.0))
    assert len(painting.strokes) > 50
    scale = 8
    image = Image.new("RGB", (64 * scale, 48 * scale))
    draw = ImageDraw.Draw(image)
    for element in re.findall(r"<(?:rect|path) [^>]*>", to_svg(painting)):
        values = dict(re.findall(r'([\w-]+)="([^"]*)"', element))
        if element.startswith("<rect"):
            draw.rectangle((0, 0, *image.size), fill=values["fill"])
            continue
        numbers = [float(each) for each in re.findall(r"-?[\d.]+", values["d"])]
        unit = 64 * scale / 1000
        places = [(x * unit, y * unit) for x, y in zip(numbers[::2], numbers[1::2], strict=True)]
        radius = float(values["stroke-width"]) * unit / 2
        draw.line(places, fill=values["stroke"], width=round(2 * radius))
        for x, y in places:  # round joints and ends
            box = (x - radius, y - radius, x + radius, y + radius)
            draw.ellipse(box, fill=values["stroke"])
    levels = np.array(image.reduce(scale))
    read = torch.from_numpy(levels).permute(2, 0, 1)[None] / 255
    assert float(psnr(read, painting.drawn(64, 48))) > 28
