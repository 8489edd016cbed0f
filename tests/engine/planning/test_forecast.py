"""What is told beforehand: sums over the plan, from a trial whose time is made up here."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from impasto.engine.planning import forecast as module
from impasto.engine.planning.footprint import tiling_cost
from impasto.engine.planning.forecast import EvaluationTime, forecast
from impasto.engine.planning.plan import Machine, make_plan
from impasto.recipe.still import Recipe

PHOTO, PAINTING = (600, 800), (500, 400)
MACHINE = Machine(("cpu",), frozenset(), 1)


@pytest.fixture
def told(monkeypatch, tiny_network):
    """A forecast where every evaluation takes a microsecond a pixel, and 10 ms."""
    monkeypatch.setattr(module, "_pace", lambda *_: EvaluationTime(0.01, 1e-6))

    def told(plan=None, network=None, **options):
        recipe = Recipe(**{"size": 800, "scales": 2, "steps": (10, 5), **options})
        plan = plan or make_plan(recipe, PHOTO, [PAINTING], MACHINE)
        return plan, forecast(recipe, plan, PHOTO, [PAINTING], network or tiny_network())

    return told


def test_progress_is_the_share_of_the_time_and_ends_at_one(told):
    plan, found = told()
    shares = [
        found.progress(plan, index, step)
        for index, stage in enumerate(plan.stages)
        for step in range(stage.steps + 1)
    ]
    assert all(a < b for a, b in pairwise(shares))
    assert shares[-1] == pytest.approx(1)
    assert found.progress(plan, 0, 10) == pytest.approx(found.seconds[0] / found.total)


def test_time_is_pixels_times_steps(told):
    _, few = told(steps=(0, 100))
    _, more = told(steps=(0, 200))
    step = (more.seconds[1] - few.seconds[1]) / 100
    assert 0.01 + 600 * 800 * 1e-6 < step < 0.01 + 1.3 * 600 * 800 * 1e-6


def test_an_average_is_evaluated_at_the_end_of_each_stage(told):
    _, without = told(average=0.0)
    plan, found = told(average=0.9)
    for stage, a, b in zip(plan.stages, without.seconds, found.seconds, strict=True):
        assert b - a == pytest.approx(0.01 + stage.pixels * 1e-6)


def test_each_stage_has_a_beginning(told, monkeypatch):
    _, without = told()
    monkeypatch.setattr(module, "_pace", lambda *_: EvaluationTime(0.01, 1e-6, beginning=0.3))
    _, found = told()
    for a, b in zip(without.seconds, found.seconds, strict=True):
        assert b - a == pytest.approx(0.3)


def test_a_pace_goes_through_both_trials():
    pace = EvaluationTime.through((100, 0.3), (300, 0.5))
    assert pace.seconds(100) == pytest.approx(0.3)
    assert pace.seconds(1100) == pytest.approx(1.3)
    assert pace.fixed == pytest.approx(0.2)


@pytest.mark.parametrize("large", [0.2, 0.3, 1.2])
def test_a_noisy_trial_promises_nothing_free(large):
    pace = EvaluationTime.through((100, 0.3), (300, large))
    assert pace.fixed >= 0
    assert pace.pixel > 0


def test_tiles_cost_time_and_save_memory(told, tiny_network):
    plan, whole = told()
    stages = (plan.stages[0], replace(plan.stages[1], tile=256))
    _, tiled = told(plan=replace(plan, stages=stages))
    assert 1.5 < tiled.seconds[1] / whole.seconds[1] < 2.6
    assert tiled.memory < whole.memory
    mapped = (plan.stages[0], replace(plan.stages[1], tile=256, mapped=True))
    _, filed = told(plan=replace(plan, stages=mapped))
    assert filed.memory < tiled.memory


@pytest.mark.parametrize(("side", "across", "down"), [(512, 7, 5), (1024, 3, 2)])
def test_what_tiles_cost_by_hand(side, across, down, tiny_network):
    """1.5 for two passes, and at each of so many cuts twice a halo of 53 pixels in the mean."""
    recipe = Recipe()
    layers = (*recipe.content_layers, *recipe.style_layers)
    expected = 1.5 * (1 + across * 2 * 53.2 / 4096) * (1 + down * 2 * 53.2 / 3072)
    found = tiling_cost(tiny_network().table, layers, (3072, 4096), side)
    assert found == pytest.approx(expected, rel=0.02)


def test_of_another_s_network_nothing_is_known_but_the_time(told):
    _, found = told(network=object())
    assert found.memory is None
    assert found.total > 0


def test_the_trial_is_timed(tiny_network):
    recipe = Recipe(size=100, steps=(2,), scales=1)
    plan = make_plan(recipe, PHOTO, [PAINTING], MACHINE)
    assert 0 < forecast(recipe, plan, PHOTO, [PAINTING], tiny_network()).total < 600
