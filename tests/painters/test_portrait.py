"""Portraits: templates that find their edges, and strokes that keep to them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from impasto.ops.natural import natural_picture
from impasto.painters.portrait import CAREFUL, LOOSE, PARTS, fitted, guide_for, manner_for
from impasto.painters.strokes import Guide, Manner, paint


@dataclass(frozen=True)
class _Face:
    top: float
    left: float
    side: float


FACE = _Face(40.0, 40.0, 100.0)


def _drawn(name, shift, template=0):
    """A picture of one part's lines, moved."""
    image = Image.new("RGB", (180, 190), (220, 190, 170))
    draw = ImageDraw.Draw(image)
    for line in PARTS[name][template].lines:
        places = [(40 + 100 * (x + shift[0]), 40 + 100 * (y + shift[1])) for x, y in line]
        draw.line(places, fill=(60, 30, 20), width=3)
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].float() / 255


@pytest.mark.parametrize("name", ["left eye", "right brow", "nose"])
@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.04, -0.04), (-0.06, 0.02)])
def test_a_part_finds_where_it_has_been_drawn(name, shift):
    index = list(PARTS).index(name)
    found = fitted(_drawn(name, shift), FACE)[index].lines
    wanted = PARTS[name][0].lines
    errors = [
        math.dist((a + shift[0], b + shift[1]), (c, d))
        for line, own in zip(wanted, found, strict=True)
        for (a, b), (c, d) in zip(line, own, strict=True)
    ]
    assert np.mean(errors) < 0.03


@pytest.mark.parametrize("template", [0, 1])
def test_of_two_mouths_the_one_that_is_there_is_taken(template):
    image = Image.new("RGB", (180, 190), (220, 190, 170))
    first, second, last = (
        [(40 + 100 * x, 40 + 100 * y) for x, y in line] for line in PARTS["mouth"][template].lines
    )
    draw = ImageDraw.Draw(image)
    draw.polygon(first + last[::-1], fill=(170, 90, 80))
    draw.polygon(first + second[::-1], fill=(110, 40, 40) if template == 0 else (240, 240, 235))
    picture = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].float() / 255
    found = fitted(picture, FACE)[list(PARTS).index("mouth")]
    counts = [[len(line) for line in each.lines] for each in PARTS["mouth"]]
    assert [len(line) for line in found.lines] == counts[template]


def test_eyes_are_painted_closely_and_the_ground_loosely():
    guide = guide_for(_drawn("left eye", (0, 0)), [FACE])
    assert float(guide.loose.min()) == pytest.approx(CAREFUL, abs=0.05)
    assert float(guide.loose[0, 0]) == LOOSE
    eye = guide.loose[40 + 38, 40 + 29]
    cheek = guide.loose[40 + 60, 40 + 15]
    assert float(eye) < float(cheek) < LOOSE
    assert float(guide.trust.min()) >= 0
    assert float(guide.trust.max()) <= 1
    assert float(guide.trust[0, 0]) == 0


def test_on_flat_skin_strokes_run_as_the_guide_says():
    skin = natural_picture(64, 64, seed=1) * 0.04 + 0.5
    ones = torch.ones(64, 64)
    for angle, along in ((0.0, 0), (math.pi / 2, 1)):
        *_, painting = paint(
            skin, Manner(radii=(32.0,), threshold=1), guide=Guide(angle * ones, ones, ones)
        )
        long = [each.points for each in painting.strokes if len(each.points) > 4]
        reach = np.mean([np.ptp(points, axis=0) for points in long], 0)
        assert reach[along] > 5 * reach[1 - along]


def test_on_a_clear_edge_the_edge_is_followed():
    picture = torch.zeros(1, 3, 64, 64)
    picture[..., 32:] = 1
    ones = torch.ones(64, 64)
    *_, painting = paint(
        picture, Manner(radii=(32.0,), threshold=1), guide=Guide(0 * ones, ones, ones)
    )
    near = [each.points * 64 for each in painting.strokes if abs(each.points[0, 0] * 64 - 32) < 1]
    assert near
    assert np.mean([np.ptp(each[:, 1]) for each in near]) > np.mean(
        [np.ptp(each[:, 0]) for each in near]
    )


def test_where_nothing_is_loosened_no_stroke_is_laid_for_it():
    photo = natural_picture(64, 64, seed=2)
    ones = torch.ones(64, 64)
    manner = Manner(radii=(8.0, 4.0))
    counts = []
    for loose in (0.5, 1.0, 4.0):
        *_, painting = paint(photo, manner, guide=Guide(0 * ones, 0 * ones, loose * ones))
        counts.append(len(painting.strokes))
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[2]


def test_brushes_go_by_the_face():
    small, large = manner_for(100, 500).radii, manner_for(400, 500).radii
    assert large[:3] == pytest.approx([4 * each for each in small[:3]])
    assert list(large) == sorted(large, reverse=True)
