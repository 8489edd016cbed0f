"""The optimisers: one step at a time, the picture kept in [0, 1], all state in the open.

A step starts at an evaluated picture and ends at one, so losses and picture always belong
together. The whole state can be saved between any two steps (:meth:`Optimizer.state_dict`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import torch
from torch import Tensor

from impasto.config import Recipe
from impasto.engine.objective import Evaluation
from impasto.engine.pairs import Pairs

Evaluate = Callable[[Tensor], Evaluation]


class Optimizer(Protocol):
    """What the engine asks of an optimiser. Any object with this shape can be passed instead."""

    def step(self, at: Evaluation, evaluate: Evaluate) -> Evaluation:
        """Go from an evaluated picture to a better one; ``at`` itself when there is none."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """All that the next step depends on, besides the evaluated picture.

        Tensors, numbers, texts, None, and lists or dicts of these: what a checkpoint can hold.
        """
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up where :meth:`state_dict` left off, so that the next step is the same."""
        ...


def make_optimizer(recipe: Recipe) -> Optimizer:
    """The optimiser that the recipe names."""
    if recipe.optimizer == "adam":
        return Adam(learning_rate=recipe.learning_rate)
    if recipe.optimizer == "sgd":
        return SGD(learning_rate=recipe.learning_rate)
    return LBFGS(history=recipe.history)


class LBFGS:
    """Limited-memory BFGS (Nocedal and Wright 2006, algorithm 7.4) within the box [0, 1].

    Three things keep it safe without the cost of a full line search. Pixels that sit on the box
    with the gradient pushing them outwards are held for the step. The pair (s, y) is taken from
    the clipped picture. And a step is shortened until the loss falls below the largest of the
    last few (Grippo, Lampariello and Lucidi 1986), which the first trial nearly always does.

    Args:
        history: pairs remembered.
        first_change: mean change of a channel by the very first step, in picture units.

    """

    armijo = 1e-4
    memory_of_losses = 5
    trials = 12

    def __init__(self, *, history: int = 10, first_change: float = 0.01) -> None:
        self.history = history
        self.first_change = first_change
        self._pairs = Pairs(history)
        self._losses: list[float] = []

    def step(self, at: Evaluation, evaluate: Evaluate) -> Evaluation:
        """One step; usually one evaluation."""
        held = at.held
        gradient = at.gradient.masked_fill(held, 0)
        if not _dot(gradient, gradient) and not gradient.any():
            return at
        self._losses = [*self._losses, at.losses.total][-self.memory_of_losses :]
        found = self._search(at, gradient, self._direction(gradient, held), evaluate)
        if found is None and len(self._pairs):
            self._pairs.forget()
            self._losses = self._losses[-1:]
            found = self._search(at, gradient, self._direction(gradient, held), evaluate)
        if found is None:
            return at
        evaluation, step = found
        self._remember(step, evaluation.gradient - at.gradient)
        return evaluation

    def state_dict(self) -> dict[str, Any]:
        """The pairs and the last losses."""
        return {**self._pairs.state_dict(), "losses": list(self._losses)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up where :meth:`state_dict` left off."""
        self._pairs.load_state_dict(state)
        self._losses = list(state["losses"])

    def _direction(self, gradient: Tensor, held: Tensor) -> Tensor:
        """-H g within the free pixels; the scaled negative gradient while nothing is known."""
        if not len(self._pairs):
            return -gradient * (self.first_change / gradient.abs().mean())
        return self._pairs.direction(gradient).masked_fill_(held, 0)

    def _search(
        self, at: Evaluation, gradient: Tensor, direction: Tensor, evaluate: Evaluate
    ) -> tuple[Evaluation, Tensor] | None:
        """A picture that is good enough, evaluated, and the step that led there."""
        if not _dot(gradient, direction) < 0:  # also when it is not a number
            return None
        length, bound = 1.0, max(self._losses)
        for _ in range(self.trials):
            found = evaluate(torch.add(at.image, direction, alpha=length).clamp_(0, 1))
            step = found.image - at.image
            slope = min(0.0, _dot(gradient, step))
            if not found.finite:
                length /= 10
            elif found.losses.total <= bound + self.armijo * slope:
                return found, step
            else:
                length /= 2
        return None

    def _remember(self, step: Tensor, change: Tensor) -> None:
        if _dot(step, change) > 1e-10 * _dot(change, change):
            self._pairs.add(step, change)


class Adam:
    """Adam (Kingma and Ba 2015, algorithm 1), the picture clipped to [0, 1] after each step.

    Args:
        learning_rate: largest change of a channel by a step, in picture units.
        betas: decay of the two moments; 0.99 for the second, since runs are a few hundred steps.

    """

    epsilon = 1e-12  # relative sizes of gradients are kept down to very small losses

    def __init__(
        self, *, learning_rate: float = 0.02, betas: tuple[float, float] = (0.9, 0.99)
    ) -> None:
        self.learning_rate = learning_rate
        self.betas = betas
        self._first: Tensor | None = None
        self._second: Tensor | None = None
        self._count = 0

    def step(self, at: Evaluation, evaluate: Evaluate) -> Evaluation:
        """One step, one evaluation; a shorter one where the result is not a number."""
        if self._first is None or self._second is None:
            self._first, self._second = torch.zeros_like(at.image), torch.zeros_like(at.image)
        self._count += 1
        decay1, decay2 = self.betas
        self._first = self._first.lerp(at.gradient, 1 - decay1)
        self._second = self._second.lerp(at.gradient.square(), 1 - decay2)
        mean = self._first / (1 - decay1**self._count)
        deviation = (self._second / (1 - decay2**self._count)).sqrt()
        change = -self.learning_rate * mean / (deviation + self.epsilon)
        return _first_finite(at, change, evaluate)

    def state_dict(self) -> dict[str, Any]:
        """Both moments and the number of steps."""
        return {"first": self._first, "second": self._second, "count": self._count}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up where :meth:`state_dict` left off."""
        self._first, self._second = state["first"], state["second"]
        self._count = state["count"]


class SGD:
    """Gradient descent with momentum (Polyak 1964), the picture clipped to [0, 1] after each step.

    Nothing about it is stochastic here: every gradient is of the whole picture. The momentum is
    that of the clipped picture, so that none gathers at the edge of the box.

    Args:
        learning_rate: mean change of a channel by the very first step, in picture units; later
            steps keep its ratio to the gradient, whatever the scale of the loss.
        momentum: share of the last step that is taken again.

    """

    def __init__(self, *, learning_rate: float = 0.02, momentum: float = 0.9) -> None:
        self.learning_rate = learning_rate
        self.momentum = momentum
        self._rate: float | None = None  # picture units for a unit of the gradient
        self._change: Tensor | None = None

    def step(self, at: Evaluation, evaluate: Evaluate) -> Evaluation:
        """One step, one evaluation; a shorter one where the result is not a number."""
        if self._rate is None or self._change is None:
            size = float(at.gradient.abs().mean())
            if not size > 0:
                return at
            self._rate, self._change = self.learning_rate / size, torch.zeros_like(at.image)
        change = self.momentum * self._change - self._rate * at.gradient
        found = _first_finite(at, change, evaluate)
        self._change = found.image - at.image
        return found

    def state_dict(self) -> dict[str, Any]:
        """The last step, and the rate."""
        return {"rate": self._rate, "change": self._change}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up where :meth:`state_dict` left off."""
        self._rate, self._change = state["rate"], state["change"]


def _first_finite(at: Evaluation, change: Tensor, evaluate: Evaluate) -> Evaluation:
    """The picture after a change, or after a tenth of it where that is not a number, and so on."""
    for length in (1.0, 0.1, 0.01, 0.001):
        found = evaluate((at.image + length * change).clamp_(0, 1))
        if found.finite:
            return found
    return at


def _dot(a: Tensor, b: Tensor) -> float:
    return float(torch.dot(a.flatten(), b.flatten()))
