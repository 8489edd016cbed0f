"""Display matrices, all eight ways of laying a picture on a table, and those that are askew."""

from __future__ import annotations

import math

import numpy as np
import pytest

from impasto.files.films.turning import Turn, turn_by


def _matrix(a, b, c, d):
    return np.array([a, b, 0, c, d, 0, 0, 0, 1], float)


@pytest.mark.parametrize(
    ("a", "b", "c", "d"),
    [
        (1, 0, 0, 1), (0, 1, -1, 0), (-1, 0, 0, -1), (0, -1, 1, 0),
        (-1, 0, 0, 1), (1, 0, 0, -1), (0, 1, 1, 0), (0, -1, -1, 0),
    ],
)  # fmt: skip
def test_every_point_comes_to_where_the_matrix_says(a, b, c, d):
    stored = np.arange(6).reshape(2, 3)
    shown = turn_by(65536 * _matrix(a, b, c, d))(stored)
    points = {(x, y): stored[y, x] for y in range(2) for x in range(3)}
    moved = {(a * x + c * y, b * x + d * y): value for (x, y), value in points.items()}
    left, top = min(x for x, _ in moved), min(y for _, y in moved)
    expected = np.zeros_like(shown)
    for (x, y), value in moved.items():
        expected[y - top, x - left] = value
    assert shown.tolist() == expected.tolist()


def test_the_nearest_quarter_turn_is_carried_out_and_the_rest_is_known():
    angle = math.radians(120)
    turn = turn_by(_matrix(math.cos(angle), -math.sin(angle), math.sin(angle), math.cos(angle)))
    assert (turn.mirrored, turn.quarters, turn.is_exact) == (False, 1, False)
    assert turn.left_over == pytest.approx(30)
    near = math.radians(89.7)
    assert turn_by(
        _matrix(math.cos(near), -math.sin(near), math.sin(near), math.cos(near))
    ).is_exact


def test_a_matrix_that_says_nothing_turns_nothing():
    assert turn_by(np.zeros(9)) == Turn()
    assert turn_by(_matrix(2, 0, 0, 3)).quarters == 0  # a size is no turn
