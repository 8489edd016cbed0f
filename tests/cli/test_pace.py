"""The time left by the pace of late, on a clock of the test's own."""

from __future__ import annotations

import pytest

from impasto.cli.pace import SECONDS, STEPS, Pace


def _followed(seconds_a_step, steps: int):
    """(seconds left as told, as it came) after every step."""
    pace, now, told = Pace(), 100.0, []
    for step in range(steps + 1):
        told.append((now, pace.left(now, step / steps)))
        now += seconds_a_step(step)
    end = told[-1][0]
    return [(left, end - at) for at, left in told]


@pytest.mark.parametrize("seconds", [0.01, 1.0, 200.0])
def test_an_even_pace_is_told_exactly(seconds):
    """Also where a step takes longer than the time that the pace is taken over."""
    told = _followed(lambda _: seconds, 500)
    assert told[0][0] is None
    for left, actual in told[100:]:
        assert left == pytest.approx(actual, abs=1e-6)


def test_a_machine_that_gets_busy_is_believed_after_half_a_minute():
    told = _followed(lambda step: 0.1 if step < 5000 else 0.3, 10_000)
    before, after = told[4999], told[5000 + int(SECONDS / 0.3) + 2]
    assert before[0] / before[1] == pytest.approx(1 / 3, rel=1e-2)  # nobody could know
    assert after[0] / after[1] == pytest.approx(1, rel=1e-2)


def test_so_few_steps_are_enough():
    told = _followed(lambda step: 50.0 if step < 10 else 100.0, 30)
    assert told[10 + STEPS][0] == pytest.approx(told[10 + STEPS][1])


def test_between_two_steps_it_counts_down():
    pace = Pace()
    pace.left(0, 0)
    assert pace.left(10, 0.1) == pytest.approx(90)
    assert pace.left(17, 0.1) == pytest.approx(83)
    assert pace.left(300, 0.1) == 0


def test_a_work_that_begins_again_is_another():
    pace = Pace()
    pace.left(0, 0)
    pace.left(10, 0.9)
    assert pace.left(11, 0.0) is None
    assert pace.left(12, 0.1) == pytest.approx(9)


def test_a_run_that_was_taken_up_is_told_by_what_is_new():
    pace = Pace()
    pace.left(0, 0.5)
    assert pace.left(10, 0.6) == pytest.approx(40)


def test_little_is_remembered():
    pace = Pace()
    for step in range(100_000):
        pace.left(step / 1000, step / 100_000)
    assert len(pace._seen) < 100
