"""Each fault at each scale of a real run, with L-BFGS and with Adam and its average."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import pytest
import torch

from impasto.engine import run as pyramid
from impasto.engine.objective.objective import Evaluation
from impasto.engine.optim.guard import FAILURES, SHORTER
from impasto.engine.optim.optimize import LBFGS, Adam
from impasto.engine.planning.plan import Machine, make_plan
from impasto.engine.run import Pictures, run
from impasto.engine.state import Trouble
from impasto.recipe.still import Recipe

GOOD = 3  # steps of a stage before the faults
STEPS = GOOD + FAILURES + 4
RECIPES = {
    "lbfgs": {"optimizer": "lbfgs", "style_loss": "gram", "average": 0.0},
    "adam": {"optimizer": "adam", "style_loss": "w2", "average": 0.9},
    "adam, not averaged": {"optimizer": "adam", "style_loss": "gram", "average": 0.0},
}


def _losses_times(factor: float, found: Evaluation) -> Evaluation:
    return replace(found, losses=replace(found.losses, total=factor * found.losses.total))


def _gradient_not_finite(found: Evaluation) -> Evaluation:
    return replace(found, gradient=found.gradient * math.nan)


IN_EVALUATION = {
    "a loss that is no number": lambda found: _losses_times(math.nan, found),
    "a gradient that is no number": _gradient_not_finite,
    "a search that fails": lambda found: _losses_times(1e6, found),
}
"""What is evaluated during the whole step is changed."""
IN_STEP = {
    "a stall": lambda real, at, evaluate: at,
    "a divergence": lambda real, at, evaluate: _losses_times(
        1e6, evaluate(1 - real.step(at, evaluate).image)
    ),
}
"""What the optimiser does is changed."""
FAULTS = [*IN_EVALUATION, *IN_STEP]
SAID = {
    **dict.fromkeys(FAULTS[:2], "not finite"),
    "a search that fails": "no better picture",
    "a stall": "stalled",
    "a divergence": "diverged",
}


@dataclass
class Strike:
    """When a fault strikes: in some steps of the stage of this width."""

    fault: str
    width: int
    steps: int = 0
    is_on: bool = False


@dataclass
class Falling:
    """An optimiser that falls."""

    real: LBFGS | Adam
    strike: Strike

    def step(self, at, evaluate):
        if at.image.shape[-1] != self.strike.width:
            return self.real.step(at, evaluate)
        self.strike.steps += 1
        self.strike.is_on = GOOD < self.strike.steps <= GOOD + FAILURES
        fall = IN_STEP.get(self.strike.fault) if self.strike.is_on else None
        found = fall(self.real, at, evaluate) if fall else self.real.step(at, evaluate)
        self.strike.is_on = False
        return found

    def state_dict(self):
        return self.real.state_dict()

    def load_state_dict(self, state):
        self.real.load_state_dict(state)


def _breaking(strike: Strike) -> type[pyramid.Shrinking]:
    class Breaking(pyramid.Shrinking):
        def evaluate(self, image):
            found = super().evaluate(image)
            change = IN_EVALUATION.get(strike.fault) if strike.is_on else None
            return change(found) if change else found

    return Breaking


@pytest.mark.parametrize("stage", [0, 1, 2])
@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_noticed_and_mended_in_its_step(
    fault, name, stage, monkeypatch, tiny_network, waves
):
    recipe = Recipe(
        size=64, scales=3, steps=(STEPS,), content_layers=("conv1_2",),
        style_layers=("conv1_1", "conv1_2"), precision="fp32", **RECIPES[name],
    )  # fmt: skip
    plan = make_plan(recipe, (64, 64), [(44, 40)], Machine(("cpu",), frozenset(), 1))
    pictures = Pictures(waves(64, 64).float(), (waves(44, 40, phase=1.7).float(),))
    made, strike = [], Strike(fault, plan.stages[stage].size[1])
    monkeypatch.setattr(pyramid, "Shrinking", _breaking(strike))

    def make() -> Falling:
        real = LBFGS() if recipe.optimizer == "lbfgs" else Adam()
        made.append(real)
        return Falling(real, strike)

    states, images, shown = [], [], []
    for state in run(recipe, plan, pictures, tiny_network(last="conv1_2"), optimizer=make):
        states.append(state)
        images.append(state.image.clone())
        shown.append(state.snapshot())
    assert len(states) == 3 * (STEPS + 1)  # a picture, whatever happened
    assert all(image.isfinite().all() and 0 <= image.min() <= image.max() <= 1 for image in images)
    assert all(state.losses.finite for state in states)

    begin = stage * (STEPS + 1)
    struck = range(begin + GOOD + 1, begin + GOOD + 1 + FAILURES)
    said = {at: (s.trouble.fault, s.trouble.remedy) for at, s in enumerate(states) if s.trouble}
    expected = SAID[fault]
    if fault == "a search that fails" and recipe.optimizer == "adam":  # which does not search
        expected = "diverged"
    remedies = ["a fresh start"] * (FAILURES - 1) + ["adam"]
    assert said == {at: (expected, r) for at, r in zip(struck, remedies, strict=True)}
    assert len(made) == 3 + FAILURES - 1  # one a stage, and a fresh one after each fault

    best = min(range(begin, struck[0]), key=lambda at: states[at].losses.total)
    for at in struck:
        assert torch.equal(images[at], images[best])
        assert states[at].losses == states[best].losses
        torch.testing.assert_close(shown[at], images[best], rtol=0, atol=1e-6)
    change = (images[struck[-1] + 1] - images[struck[-1]]).abs()
    assert 0 < change.max() <= 1.001 * SHORTER * Adam().learning_rate
    last = begin + STEPS
    assert states[last].losses.total <= states[best].losses.total


@pytest.mark.parametrize("lasting", [1, 10])
def test_an_average_that_cannot_be_evaluated_gives_way_to_the_last_picture(
    lasting, monkeypatch, tiny_network, waves
):
    """It is evaluated once more before it is delivered; a fault there is one of the last step."""
    recipe = Recipe(
        size=32, scales=1, steps=(4,), content_layers=("conv1_2",), style_layers=("conv1_1",),
        precision="fp32", **RECIPES["adam"],
    )  # fmt: skip
    plan = make_plan(recipe, (32, 32), [(32, 32)], Machine(("cpu",), frozenset(), 1))
    pictures = Pictures(waves(32, 32).float(), (waves(32, 32, phase=1.7).float(),))
    calls = 0

    class Breaking(pyramid.Shrinking):
        def evaluate(self, image):
            nonlocal calls
            calls += 1
            found = super().evaluate(image)
            return _losses_times(math.nan, found) if 5 < calls <= 5 + lasting else found

    monkeypatch.setattr(pyramid, "Shrinking", Breaking)
    states = list(pyramid.run(recipe, plan, pictures, tiny_network(last="conv1_2")))
    assert [state.trouble for state in states[:-1]] == [None] * 4
    assert states[-1].trouble == Trouble("not finite", "the last picture")
    assert states[-1].losses.finite
    assert states[-1].losses.total < states[0].losses.total
