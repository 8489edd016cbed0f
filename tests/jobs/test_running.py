"""The one loop."""

from __future__ import annotations

import pytest

from impasto.jobs.running import carry_out


def test_each_observer_is_told_of_each_state_in_order():
    told = []
    carry_out("ab", lambda s: told.append(1 if s == "a" else 3), told.append)
    assert told == [1, "a", 3, "b"]


def test_it_ends_at_the_last_state_that_is_needed():
    told = []
    carry_out(iter(range(9)), told.append, until=lambda s: s == 2)
    assert told == [0, 1, 2]


def test_what_an_observer_raises_ends_it():
    told = []

    def stop(state: int) -> None:
        if state == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        carry_out(range(5), told.append, stop)
    assert told == [0, 1]
