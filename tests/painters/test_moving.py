"""Strokes of a film: carried along its motion, dropped, and laid anew only where they must be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from impasto.ops.natural import natural_picture
from impasto.painters.moving import carried, without_covered
from impasto.painters.strokes import Laid, Manner, Painting, Stroke, off_by, paint

MANNER = Manner(radii=(24.0, 12.0), threshold=30)


def _painted(picture, onto=None):
    *_, painting = paint(picture, MANNER, onto=onto)
    return painting


def _laid(photo, painting):
    return Laid(painting, off_by(photo, painting.drawn(64, 48), MANNER))


def _flow(right, down, height=48, width=64):
    return torch.tensor([right, down]).view(1, 2, 1, 1).expand(1, 2, height, width).contiguous()


def test_strokes_move_with_the_flow_and_keep_all_else():
    painting = _painted(natural_picture(48, 64, seed=1))
    moved = carried(painting, _flow(2.0, -1.0), torch.ones(1, 1, 48, 64))
    assert 0.8 * len(painting.strokes) < len(moved.strokes) <= len(painting.strokes)
    one = Stroke(np.array([[0.5, 0.5], [0.6, 0.5]], np.float32), 0.1, (1.0, 0.0, 0.0))
    there = carried(Painting(0.75, (0, 0, 0), (one,)), _flow(6.4, 3.2), torch.ones(1, 1, 48, 64))
    np.testing.assert_allclose(
        there.strokes[0].points, one.points + np.array([0.1, 0.05]), atol=1e-6
    )


def test_what_is_hidden_or_leaves_is_dropped():
    painting = _painted(natural_picture(48, 64, seed=1))
    known = torch.ones(1, 1, 48, 64)
    known[..., 32:] = 0
    left = carried(painting, _flow(0.0, 0.0), known)
    assert 0 < len(left.strokes) < len(painting.strokes)
    assert all(each.points[:, 0].min() < 0.5 for each in left.strokes)
    assert not carried(painting, _flow(200.0, 0.0), torch.ones(1, 1, 48, 64)).strokes
    empty = replace(painting, strokes=())
    assert carried(empty, _flow(1.0, 0.0), known) == empty


def test_what_is_covered_goes_and_nothing_is_seen_of_it():
    painting = _painted(natural_picture(48, 64, seed=2))
    less = without_covered(painting, 64, 48)
    assert len(less.strokes) < len(painting.strokes)
    difference = (less.drawn(64, 48) - painting.drawn(64, 48)).abs()
    # Edges are drawn finer than the pixels in which strokes are counted.
    assert float(difference.mean()) < 0.004


def test_on_a_picture_that_is_there_already_hardly_anything_is_laid():
    photo = natural_picture(48, 64, seed=1)
    first = _painted(photo)
    assert _painted(photo, onto=_laid(photo, first)) == first


@pytest.mark.parametrize("side", ["left", "right"])
def test_where_the_picture_has_changed_strokes_are_laid(side):
    photo = natural_picture(48, 64, seed=1)
    first, other = _painted(photo), photo.clone()
    half = slice(0, 32) if side == "left" else slice(32, 64)
    other[..., half] = 1 - other[..., half]
    again = _painted(other, onto=_laid(photo, first))
    new = again.strokes[len(first.strokes) :]
    assert len(new) > 20
    starts = np.array([each.points[0, 0] for each in new])
    assert float((starts < 0.6).mean() if side == "left" else (starts >= 0.4).mean()) > 0.95
    assert float((again.drawn(64, 48) - other).abs().mean()) < 0.5 * float(
        (first.drawn(64, 48) - other).abs().mean()
    )
