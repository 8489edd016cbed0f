"""What the command tells the C library, told to a stand-in."""

from __future__ import annotations

import ctypes
import sys
from dataclasses import replace

import pytest

from impasto.cli import memory
from impasto.engine.planning.plan import Machine, make_plan
from impasto.recipe.still import Recipe

MACHINE = Machine(devices=("cpu",), fast_bf16=frozenset(), threads=1)


@pytest.fixture
def told(monkeypatch):
    """What mallopt was told, by parameter."""
    calls: dict[int | str, int] = {}

    class Library:
        @staticmethod
        def mallopt(parameter: int, value: int) -> int:
            calls[parameter] = value
            return 1

        @staticmethod
        def malloc_trim(kept: int) -> int:
            calls["given back"] = calls.get("given back", 0) + 1
            return kept

    monkeypatch.setattr(ctypes, "CDLL", lambda name: Library)
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("MALLOC_MMAP_MAX_", "MALLOC_TRIM_THRESHOLD_"):
        monkeypatch.delenv(name, raising=False)
    return calls


def test_freed_memory_is_kept_and_large_blocks_given_back_where_memory_is_short(told):
    plan = make_plan(Recipe(size=512), (3000, 4000), [(600, 800)], MACHINE)
    memory.keep_freed_memory(plan)
    assert told == {-1: -1, -4: 0, "given back": 1}
    told.clear()
    short = replace(plan, stages=tuple(replace(stage, mapped=True) for stage in plan.stages))
    memory.keep_freed_memory(short)
    assert told == {-1: -1, -3: 32 * 2**20, -4: 65536, "given back": 1}


def test_who_has_set_a_variable_keeps_it(told, monkeypatch):
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "1000000")
    memory.keep()
    assert not told


def test_other_systems_are_left_alone(told, monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    memory.keep()
    assert not told
