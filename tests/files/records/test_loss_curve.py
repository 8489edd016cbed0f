import math
from dataclasses import asdict

import pytest
import torch

from impasto.engine.state import NAMED, Losses
from impasto.files.records.loss_curve import WIDTH, LossCurve


def test_entries_come_back_as_a_record_has_them():
    curve = LossCurve()
    curve.append(0, 0, asdict(Losses(3.0, 1.0, 2.0, 0.5)))
    curve.append(1, 1, asdict(Losses(math.inf, math.nan, 2.0, 0.1, 0.25)))
    assert len(curve) == 2
    first, second = curve
    expected = asdict(Losses(3.0, 1.0, 2.0, 0.5))
    assert first == {"step": 0, "stage": 0, **{name: expected[name] for name in NAMED}}
    assert second["total"] is None and second["content"] is None
    assert (second["style"], second["temporal"]) == (2.0, 0.25)
    assert [type(second[name]) for name in ("step", "stage")] == [int, int]


def test_what_a_record_lacks_stays_missing():
    curve = LossCurve()
    curve.append(7, 2, dict.fromkeys(NAMED))
    assert list(curve) == [{"step": 7, "stage": 2, **dict.fromkeys(NAMED)}]


def test_as_numbers_and_back():
    curve = LossCurve()
    curve.append(0, 0, asdict(Losses(3.0, 1.0, 2.0, 0.5)))
    curve.append(1, 1, asdict(Losses(math.inf, math.nan, 2.0, 0.1, 0.25)))
    assert list(LossCurve.of(curve.numbers())) == list(curve)
    for wrong in (torch.zeros(2, WIDTH), torch.zeros(2, 3, dtype=torch.float64), torch.ones(7)):
        with pytest.raises(ValueError, match="no losses"):
            LossCurve.of(wrong)


def test_a_step_takes_a_few_bytes():
    curve = LossCurve()
    for step in range(10_000):
        curve.append(step, 0, asdict(Losses(3.0, 1.0, 2.0, 0.5)))
    assert curve._numbers.itemsize * len(curve._numbers) == 10_000 * WIDTH * 8 < 1e6
