"""Threads sleep at barriers while they are kept waiting for a processor, and spin again later."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest
import torch

from impasto.engine import waiting as module
from impasto.engine.waiting import BUSY, GRACE, PAUSES, PERIOD, Waiting, kept_waiting


class Machine:
    """A clock, and a share of it that threads are kept waiting for."""

    def __init__(self) -> None:
        self.now, self.kept, self.teams = 1000.0, 0.0, []

    def pass_time(self, seconds: float, share: float) -> None:
        self.now += seconds
        self.kept += share * seconds

    def gathered(self, threads: int, seconds: float) -> Team:
        self.teams.append(Team(self.now + seconds))
        return self.teams[-1]


class Team:
    def __init__(self, until: float) -> None:
        self.until, self.is_there = until, True

    def is_over(self, now: float) -> bool:
        return now >= self.until

    def leave(self) -> None:
        self.is_there = False


@pytest.fixture
def machine(monkeypatch):
    machine = Machine()
    monkeypatch.setattr(module.time, "monotonic", lambda: machine.now)
    monkeypatch.setattr(module, "kept_waiting", lambda: {"1": round(machine.kept * 1e9)})
    monkeypatch.setattr(module._IdleTeam, "gathered", machine.gathered)
    return machine


def _after(machine: Machine, waiting: Waiting, share: float, seconds: float = PERIOD) -> bool:
    machine.pass_time(seconds + 1e-6, share)
    waiting.look(2)
    return waiting.sleeps


def test_threads_spin_until_they_are_kept_waiting(machine):
    waiting = Waiting()
    assert not _after(machine, waiting, 1.0)  # the first look has nothing to compare with
    assert not _after(machine, waiting, 0.9 * BUSY)
    assert _after(machine, waiting, 1.1 * BUSY)


def test_they_are_tried_again_after_a_pause(machine):
    waiting = Waiting()
    _after(machine, waiting, 0.0)
    assert _after(machine, waiting, 1.0)
    assert _after(machine, waiting, 1.0, PAUSES[0] / 2)
    assert not _after(machine, waiting, 1.0, PAUSES[0])
    assert not _after(machine, waiting, 0.0)


def test_each_vain_trial_makes_the_pause_longer(machine):
    waiting = Waiting()
    _after(machine, waiting, 0.0)
    pauses = []
    for _ in range(7):
        assert _after(machine, waiting, 1.0)
        pauses.append(machine.teams[-1].until - machine.now)
        assert not _after(machine, waiting, 1.0, pauses[-1])
    assert pauses == pytest.approx([3, 6, 12, 20, 20, 20, 20])
    for _ in range(10):
        assert not _after(machine, waiting, 0.0)
    assert _after(machine, waiting, 1.0)
    assert machine.teams[-1].until - machine.now == pytest.approx(PAUSES[0])


def test_what_lies_long_ago_decides_nothing(machine):
    waiting = Waiting()
    _after(machine, waiting, 0.0)
    assert not _after(machine, waiting, 1.0, GRACE + 1)


def test_one_thread_waits_for_nobody(machine):
    waiting = Waiting()
    for _ in range(3):
        machine.pass_time(1.0, 1.0)
        waiting.look(1)
    assert not machine.teams


def test_a_look_comes_once_in_a_while(machine, monkeypatch):
    looks = []
    monkeypatch.setattr(module, "kept_waiting", lambda: looks.append(machine.now) or {"1": 0})
    waiting = Waiting()
    for _ in range(100):
        machine.pass_time(PERIOD / 10, 0.0)
        waiting.look(2)
    assert len(looks) == pytest.approx(10, abs=1)


def test_a_system_that_tells_nothing_changes_nothing(machine, monkeypatch):
    monkeypatch.setattr(module, "kept_waiting", dict)
    waiting = Waiting()
    for _ in range(3):
        assert not _after(machine, waiting, 1.0)


@pytest.mark.parametrize(
    ("processors", "seconds", "others", "expected"),
    [(2, 1.0, 1.0, True), (2, 1.0, 0.3, False), (4, 1.0, 1.0, False), (2, 0.1, 1.0, False),
     (4, 2.0, 3.0, True), (2, 60.0, 2.0, False)],
)  # fmt: skip
def test_the_start_tells_whether_other_programs_are_busy(
    monkeypatch, processors, seconds, others, expected
):
    monkeypatch.setattr(module.psutil, "cpu_count", lambda: processors)
    start = module._Load(5.0, 100.0, 3.0)
    later = module._Load(5.0 + seconds, 100.0 + (others + 0.9) * seconds, 3.0 + 0.9 * seconds)
    assert start.leaves_too_few(2, later) == expected


def test_a_busy_start_lets_threads_sleep_from_the_first_look_on(machine, monkeypatch):
    waiting = Waiting()
    monkeypatch.setattr(module._Load, "leaves_too_few", lambda *_: True)
    assert _after(machine, waiting, 0.0)
    assert not _after(machine, waiting, 0.0, PAUSES[0])
    assert not _after(machine, waiting, 0.0)  # the start decides once


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_time_of_every_thread_is_told():
    assert sorted(kept_waiting()) == sorted(p.name for p in Path("/proc/self/task").iterdir())


@pytest.mark.skipif(module._openmp() is None, reason="another OpenMP, or it is told how to wait")
def test_beside_an_idle_team_threads_sleep_and_results_are_the_same():
    torch.set_num_threads(2)
    expected = _many_calls()
    alone = _many_calls()
    team = module._IdleTeam.gathered(2, 60.0)
    if team is None:
        pytest.skip("so many processors that it is not worth it")
    _wait_until(lambda: len(kept_waiting()) > 2)
    time.sleep(0.05)
    switched = _sleeps()
    beside = _many_calls()
    slept = _sleeps() - switched
    team.leave()
    _wait_until(lambda: not team.is_there)
    assert torch.equal(alone, expected)
    assert torch.equal(beside, expected)
    assert slept > 200  # of 400 calls; spinning threads sleep hardly ever


def _many_calls() -> torch.Tensor:
    x = torch.linspace(0, 1, 1 << 17)
    for _ in range(400):
        x = x.sin()
    return x


def _sleeps() -> int:
    """How often threads of this process have gone to sleep."""
    lines = [
        line
        for status in Path("/proc/self/task").glob("*/status")
        for line in status.read_text().splitlines()
    ]
    return sum(int(line.split()[1]) for line in lines if line.startswith("voluntary"))


def _wait_until(is_so) -> None:
    end = time.monotonic() + 10
    while not is_so() and time.monotonic() < end:
        time.sleep(0.01)
    assert is_so()
