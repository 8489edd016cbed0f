"""What annotations say of values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pytest

from impasto.recipe.typed import MismatchError, alternatives, build, choices, convert, fits, items

Steps = tuple[int, ...] | None
Weights = Literal["equal", "falling"] | tuple[float, ...]


@pytest.mark.parametrize(
    ("value", "hint", "is_right"),
    [
        (1, float, True),
        (1.0, int, False),
        (True, float, False),
        (True, int, False),
        (True, bool, True),
        (1, bool, False),
        (np.float64(0.5), float, True),
        ((1, 2), Steps, True),
        ((1, 2.5), Steps, False),
        ([1, 2], Steps, False),
        (None, Steps, True),
        ("equal", Weights, True),
        ("other", Weights, False),
        ((1, 0.5), Weights, True),
    ],
)
def test_what_fits(value, hint, is_right):
    assert fits(value, hint) is is_right


def test_what_an_annotation_is_made_of():
    assert alternatives(int) == (int,)
    assert len(alternatives(Steps)) == 2
    assert choices(Weights) == ("equal", "falling")
    assert choices(Steps) == ()
    assert (items(Steps), items(Weights), items(int | None)) == (int, float, None)


@dataclass(frozen=True)
class _Kept:
    steps: Steps
    weight: float = 0.5


def test_values_from_outside_become_a_dataclass():
    assert build(_Kept, {"steps": [1, 2], "weight": 1}) == _Kept((1, 2), 1.0)
    with pytest.raises(MismatchError, match="steps"):
        build(_Kept, {"steps": ["1"]})
    with pytest.raises(MismatchError, match="unknown"):
        build(_Kept, {"steps": None, "other": 1})
    with pytest.raises(MismatchError, match="too large"):
        convert(1e301, float)
