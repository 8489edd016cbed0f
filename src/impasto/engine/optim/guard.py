"""An optimiser that recovers when a step fails.

Each step is checked when it is done. If its loss or gradient is not finite, if the loss has run
away, or if nothing has moved although the gradient points somewhere, the run goes back to the best
picture of its stage, with a fresh optimiser and a fresh running average (so that nothing remembers
the fault) and steps a tenth as long; they grow again, twofold with each good step. After three
failures without a better picture in between, Adam goes on. A healthy step passes through unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from impasto.engine.objective.objective import Evaluation
from impasto.engine.optim.optimize import Adam, Evaluate, Optimizer
from impasto.engine.state import Fault, Trouble

FAILURES = 3  # of the run's own optimiser, before Adam goes on
SHORTER = 0.1  # of the length of a step, after a failure
SHORTEST = 1e-4
RUN_AWAY = 10.0  # times the best loss so far, and above the one that the stage started with


@dataclass
class _Watch:
    """An evaluation that remembers whether it was asked, and whether anything was not finite."""

    evaluate: Evaluate
    asked: bool = False
    broken: bool = False

    def __call__(self, image: Tensor) -> Evaluation:
        result = self.evaluate(image)
        self.asked = True
        self.broken = self.broken or not result.finite
        return result


class Guard:
    """The optimiser of one stage, guarded.

    Args:
        make: makes a fresh optimiser.
        start: the evaluated picture that the stage starts with.

    Attributes:
        trouble: what went wrong in the last step, if anything did.
        went_back: whether the last step ended in the best picture so far, for that reason.

    """

    def __init__(self, make: Callable[[], Optimizer], start: Evaluation) -> None:
        self.trouble: Trouble | None = None
        self.went_back = False
        self._make = make
        self._optimizer = make()
        self._is_adam = False
        self._failures = 0  # since the last better picture
        self._was_in_trouble = False
        self._length = 1.0
        self._first_loss = start.losses.total
        self._best, self._best_loss = start.image, start.losses.total

    def step(self, at: Evaluation, evaluate: Evaluate) -> Evaluation:
        """One step; the best picture so far if it fails."""
        watch = _Watch(evaluate)
        result = self._optimizer.step(at, self._shortened(at.image, watch))
        fault = self._fault(at, result, watch)
        self.went_back = fault is not None
        if fault is not None:
            return self._recover(fault, at, evaluate)
        self.trouble = Trouble("not finite", "a shorter step") if watch.broken else None
        self._length = min(1.0, 2 * self._length)
        if not result.losses.total >= self._best_loss:
            self._best, self._best_loss = result.image, result.losses.total
            self._failures = 0
        return result

    def settled(
        self, at: Evaluation, evaluate: Evaluate, average: Tensor | None = None
    ) -> Evaluation:
        """What the stage ends with: the average if there is one, else the last picture.

        The best one where there was trouble and that is no better.

        Args:
            at: the last picture, evaluated.
            evaluate: the objective.
            average: of the pictures since the last fault.

        """
        result = at if average is None else evaluate(average)
        if not result.finite and at.finite:
            self.trouble, result = Trouble("not finite", "the last picture"), at
        if not self._was_in_trouble or result.losses.total <= self._best_loss:
            return result
        return evaluate(self._best)

    def state_dict(self, at: Evaluation) -> dict[str, Any]:
        """All that the next step depends on, besides the evaluated picture."""
        return {
            "optimizer": self._optimizer.state_dict(),
            "is_adam": self._is_adam,
            "failures": self._failures,
            "was_in_trouble": self._was_in_trouble,
            "length": self._length,
            "first_loss": self._first_loss,
            "best_loss": self._best_loss,
            "best": None if self._best is at.image else self._best,
        }

    def load_state_dict(self, state: Mapping[str, Any], at: Evaluation) -> None:
        """Restore a :meth:`state_dict`."""
        self._is_adam = state["is_adam"]
        if self._is_adam:
            self._optimizer = Adam()
        self._optimizer.load_state_dict(state["optimizer"])
        self._failures = state["failures"]
        self._was_in_trouble = state["was_in_trouble"]
        self._length = state["length"]
        self._first_loss, self._best_loss = state["first_loss"], state["best_loss"]
        self._best = at.image if state["best"] is None else state["best"]

    def _fault(self, at: Evaluation, result: Evaluation, watch: _Watch) -> Fault | None:
        if not result.finite:
            return "not finite"
        if result.losses.total > max(self._first_loss, RUN_AWAY * self._best_loss) > 0:
            return "diverged"
        if not _equal(result.image, at.image) or not _points_somewhere(at):
            return None
        if watch.broken:
            return "not finite"
        return "no better picture" if watch.asked else "stalled"

    def _recover(self, fault: Fault, at: Evaluation, evaluate: Evaluate) -> Evaluation:
        """The best picture, evaluated, and a fresh optimiser."""
        self._failures += 1
        self._was_in_trouble = True
        self._length = max(SHORTEST, SHORTER * self._length)
        if self._failures == FAILURES:
            self._is_adam, self._length = True, SHORTER
        self._optimizer = Adam() if self._is_adam else self._make()
        self.trouble = Trouble(fault, "adam" if self._failures == FAILURES else "a fresh start")
        return at if at.image is self._best and at.finite else evaluate(self._best)

    def _shortened(self, start: Tensor, evaluate: Evaluate) -> Evaluate:
        """The evaluation of a step shorter than the optimiser's own."""
        if self._length == 1:
            return evaluate
        return lambda image: evaluate(torch.lerp(start, image, self._length))


def _points_somewhere(at: Evaluation) -> bool:
    return bool(at.gradient.masked_fill(at.held, 0).any())


def _equal(a: Tensor, b: Tensor) -> bool:
    """Whether two pictures are the same; two that differ mostly do so in the first row."""
    return torch.equal(a[..., :1, :], b[..., :1, :]) and torch.equal(a, b)
