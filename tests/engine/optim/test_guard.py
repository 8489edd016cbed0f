"""Faults of every kind, injected: the run goes back to its best picture and on from there."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from impasto.engine import run as pyramid
from impasto.engine.objective.objective import Evaluation
from impasto.engine.optim.guard import FAILURES, Guard
from impasto.engine.optim.optimize import LBFGS, Adam
from impasto.engine.planning.plan import Machine, make_plan
from impasto.engine.state import Losses
from impasto.recipe.still import Recipe

NAN = math.nan


def _evaluate(image: torch.Tensor) -> Evaluation:
    """A parabola with curvatures from 1 to 100 and its bottom at 0.7."""
    slope = torch.logspace(0, 2, image.numel()).view_as(image) * (image - 0.7)
    loss = (slope * (image - 0.7)).sum().item() / 2
    return Evaluation(image, Losses(loss, 0.0, loss, 0.0), slope)


def _broken(found: Evaluation, fault: str) -> Evaluation:
    if fault == "loss":
        return replace(found, losses=replace(found.losses, total=NAN))
    return replace(found, gradient=found.gradient * NAN)


class Faulty:
    """An evaluation that is not finite at some of its calls."""

    def __init__(self, calls, fault="loss"):
        self.calls, self.fault, self.count = set(calls), fault, 0

    def __call__(self, image):
        self.count += 1
        found = _evaluate(image)
        return _broken(found, self.fault) if self.count in self.calls else found


def _start(value: float = 0.2) -> Evaluation:
    return _evaluate(torch.full((1, 3, 4, 4), value))


def _go(guard: Guard, evaluate, steps: int, at: Evaluation | None = None):
    at, troubles = at or _start(), []
    for _ in range(steps):
        at = guard.step(at, evaluate)
        troubles.append(guard.trouble)
    return at, troubles


@pytest.mark.parametrize("make", [LBFGS, Adam])
def test_a_healthy_run_is_left_as_it_is(make):
    guard, plain = Guard(make, _start()), make()
    at = other = _start()
    for _ in range(12):
        at, other = guard.step(at, _evaluate), plain.step(other, _evaluate)
        assert torch.equal(at.image, other.image)
        assert guard.trouble is None
    assert guard.settled(at, _evaluate) is at


@pytest.mark.parametrize("fault", ["loss", "gradient"])
def test_an_optimiser_s_own_remedy_is_noted_too(fault):
    at, troubles = _go(Guard(LBFGS, _start()), Faulty([2], fault), 8)
    assert (troubles[1].fault, troubles[1].remedy) == ("not finite", "a shorter step")
    assert [trouble for trouble in troubles if trouble] == [troubles[1]]
    assert at.losses.total < _start().losses.total / 4


@pytest.mark.parametrize("fault", ["loss", "gradient"])
def test_a_fault_that_the_optimiser_cannot_mend_is_noticed_in_the_same_step(fault):
    """All trials of both searches of one step fail; the next step starts afresh."""
    evaluate = Faulty(range(4, 28), fault)
    guard = Guard(LBFGS, _start())
    before, troubles = _go(guard, evaluate, 3)
    assert troubles == [None] * 3
    at = guard.step(before, evaluate)
    assert (guard.trouble.fault, guard.trouble.remedy) == ("not finite", "a fresh start")
    assert torch.equal(at.image, before.image)
    after, troubles = _go(guard, evaluate, 8, at)
    assert troubles == [None] * 8
    assert after.losses.total < before.losses.total


class Stubborn:
    """An optimiser that goes on well until it does what it is told."""

    def __init__(self, move):
        self.move = move

    def step(self, at, evaluate):
        return self.move(at, evaluate)

    def state_dict(self):
        return {}

    def load_state_dict(self, state):
        pass


STUBBORN = {
    "stalled": lambda at, evaluate: at,
    "no better picture": lambda at, evaluate: (evaluate(at.image * 0.5), at)[1],
    "diverged": lambda at, evaluate: replace(
        evaluate(at.image + 0.1), losses=Losses(1e6, 0.0, 1e6, 0.0)
    ),
    "not finite": lambda at, evaluate: _broken(evaluate(at.image + 0.1), "loss"),
}


@pytest.mark.parametrize("fault", STUBBORN)
def test_after_three_failures_adam_goes_on(fault):
    guard = Guard(lambda: Stubborn(STUBBORN[fault]), _start())
    at, troubles = _go(guard, _evaluate, FAILURES)
    assert [trouble.fault for trouble in troubles] == [fault] * FAILURES
    assert [trouble.remedy for trouble in troubles] == ["a fresh start"] * 2 + ["adam"]
    assert torch.equal(at.image, _start().image)
    at, troubles = _go(guard, _evaluate, 200, at)
    assert troubles == [None] * 200
    assert at.losses.total < _start().losses.total / 100


def test_the_run_goes_back_to_its_best_picture():
    climbing = iter([0.6, 0.3, None])

    def move(at, evaluate):
        value = next(climbing)
        found = evaluate(torch.full_like(at.image, value or 0.1))
        return found if value else _broken(found, "loss")

    guard = Guard(lambda: Stubborn(move), _start())
    at, troubles = _go(guard, _evaluate, 3)
    assert (at.image == 0.6).all()
    assert at.losses == _evaluate(at.image).losses
    assert [bool(trouble) for trouble in troubles] == [False, False, True]


def test_a_step_after_a_fault_is_a_tenth_as_long_and_grows_again():
    moves = iter([lambda at, e: at] + [lambda at, e: e(at.image + 0.04)] * 6)
    guard = Guard(lambda: Stubborn(lambda *given: next(moves)(*given)), _start())  # noqa: PLW0108
    at, lengths = guard.step(_start(), _evaluate), []
    for _ in range(6):
        found = guard.step(at, _evaluate)
        lengths.append((found.image - at.image).mean().item())
        at = found
    assert lengths == pytest.approx([0.004, 0.008, 0.016, 0.032, 0.04, 0.04], rel=1e-4)


def test_after_trouble_the_best_picture_is_delivered():
    guard = Guard(lambda: Stubborn(STUBBORN["stalled"]), _start(0.65))
    at, _ = _go(guard, _evaluate, FAILURES, _start(0.65))
    worse = _evaluate(at.image - 0.3)
    settled = guard.settled(worse, _evaluate)
    assert torch.equal(settled.image, at.image)
    assert settled.losses == at.losses


def test_where_nothing_can_be_gained_nothing_is_wrong():
    start = _start(0.7)
    flat = replace(start, gradient=torch.zeros_like(start.image))
    assert _go(Guard(LBFGS, flat), _evaluate, 3, flat)[1] == [None] * 3
    on_bounds = Evaluation(
        torch.ones(1, 3, 2, 2), Losses(1.0, 0.0, 1.0, 0.0), -torch.ones(1, 3, 2, 2)
    )
    assert _go(Guard(LBFGS, on_bounds), _evaluate, 3, on_bounds)[1] == [None] * 3


def test_a_restored_guard_goes_on_in_the_same_way():
    evaluate = Faulty(range(4, 60))
    guard = Guard(LBFGS, _start())
    at, troubles = _go(guard, evaluate, 5)
    assert troubles[-1] is not None
    again = Guard(LBFGS, at)
    again.load_state_dict(guard.state_dict(at), at)
    one = _go(guard, Faulty(range(1, 30)), 30, at)
    other = _go(again, Faulty(range(1, 30)), 30, at)
    assert torch.equal(one[0].image, other[0].image)
    assert one[1] == other[1]


@pytest.mark.parametrize("fault", ["loss", "gradient"])
@pytest.mark.parametrize("stage", [0, 1, 2])
@pytest.mark.parametrize("lasting", [1, 40, 10**6])
@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_a_fault_at_any_scale_costs_no_picture(
    optimizer, lasting, stage, fault, monkeypatch, tiny_network, waves
):
    recipe = Recipe(
        size=64, scales=3, steps=(4,), optimizer=optimizer, content_layers=("conv2_1",),
        style_layers=("conv1_1", "conv2_1"), precision="fp32",
        style_loss="gram", average=0.0, learning_rate=0.005,
    )  # fmt: skip
    plan = make_plan(recipe, (64, 64), [(44, 40)], Machine(("cpu",), frozenset(), 1))
    width, first = plan.stages[stage].size[1], 3
    calls = 0

    class Breaking(pyramid.Shrinking):
        def evaluate(self, image):
            nonlocal calls
            found = super().evaluate(image)
            if image.shape[-1] == width:
                calls += 1
                if first <= calls < first + lasting:
                    return _broken(found, fault)
            return found

    monkeypatch.setattr(pyramid, "Shrinking", Breaking)
    pictures = pyramid.Pictures(waves(64, 64).float(), (waves(44, 40, phase=1.7).float(),))
    states, struck = [], None
    for state in pyramid.run(recipe, plan, pictures, tiny_network(last="conv2_1")):
        struck = state.step if struck is None and calls >= first else struck
        states.append(state)
    assert len(states) == plan.steps + 3
    noticed = [state for state in states if state.trouble]
    assert noticed[0].step == struck  # in the very step
    assert {state.stage for state in noticed} == {stage}
    assert states[-1].image.isfinite().all()
    last = [state for state in states if state.stage == stage][-1]
    assert last.image.isfinite().all()
    if last.losses.finite and noticed[0].trouble.remedy != "a shorter step":
        assert last.losses.total == min(s.losses.total for s in states if s.stage == stage)
