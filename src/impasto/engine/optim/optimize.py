"""The optimisers: one step at a time, the picture kept in [0, 1], all state accessible.

A step starts at an evaluated picture and ends at one, so losses and picture always belong
together. The whole state can be saved between any two steps (:meth:`Optimizer.state_dict`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.optim.adam import adam

from impasto.engine.objective.objective import Evaluation
from impasto.engine.optim.pairs import Pairs
from impasto.engine.optim.storage import Storage, in_memory, pieces
from impasto.engine.optim.vectors import Plain, Vectors
from impasto.recipe.still import Recipe

Evaluate = Callable[[Tensor], Evaluation]


class Optimizer(Protocol):
    """The protocol of an optimiser. Any object with these methods can be passed instead."""

    def step(self, at: Evaluation, evaluate: Evaluate) -> Evaluation:
        """Go from an evaluated picture to a better one; ``at`` itself when there is none."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """All that the next step depends on, besides the evaluated picture.

        Tensors, numbers, texts, None, and lists or dicts of these: what a checkpoint can hold.
        """
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a :meth:`state_dict`, so that the next step is the same."""
        ...


def make_optimizer(
    recipe: Recipe,
    *,
    steps: int | None = None,
    storage: Storage = in_memory,
    vectors: Vectors | None = None,
) -> Optimizer:
    """The optimiser that the recipe names.

    Args:
        recipe: its name, and its settings.
        steps: that it will take at most, so that no room is kept for what it cannot use.
        storage: where what it remembers lies.
        vectors: the arithmetic of L-BFGS.

    """
    if recipe.optimizer == "adam":
        return Adam(learning_rate=recipe.learning_rate, storage=storage)
    if recipe.optimizer == "sgd":
        return SGD(learning_rate=recipe.learning_rate)
    history = recipe.history if steps is None else max(1, min(recipe.history, steps))
    return LBFGS(history=history, storage=storage, vectors=vectors)


class LBFGS:
    """Limited-memory BFGS (Nocedal and Wright 2006, algorithm 7.4) within the box [0, 1].

    Three things keep it safe without the cost of a full line search. Pixels that sit on the box
    with the gradient pushing them outwards are held for the step. The pair (s, y) is taken from
    the clipped picture. And a step is shortened until the loss falls below the largest of the
    last few (Grippo, Lampariello and Lucidi 1986), which the first trial nearly always does.

    Args:
        history: pairs remembered.
        first_change: mean change of a channel by the very first step, in picture units.
        storage: where the pairs and the direction lie.
        vectors: the arithmetic.

    """

    armijo = 1e-4
    memory_of_losses = 5
    trials = 12

    def __init__(
        self,
        *,
        history: int = 10,
        first_change: float = 0.01,
        storage: Storage = in_memory,
        vectors: Vectors | None = None,
    ) -> None:
        self.history = history
        self.first_change = first_change
        self._vectors = vectors or Plain()
        self._pairs = Pairs(history, storage, self._vectors)
        self._losses: list[float] = []
        self._storage = storage
        self._direction: Tensor | None = None

    def step(self, at: Evaluation, evaluate: Evaluate) -> Evaluation:
        """One step; usually one evaluation."""
        self._losses = [*self._losses, at.losses.total][-self.memory_of_losses :]
        result = self._search(at, evaluate)
        if result is None and len(self._pairs):
            self._pairs.forget()
            self._losses = self._losses[-1:]
            result = self._search(at, evaluate)
        if result is None:
            return at
        self._remember(at, result)
        return result

    def state_dict(self) -> dict[str, Any]:
        """The pairs and the last losses."""
        return {**self._pairs.state_dict(), "losses": list(self._losses)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a :meth:`state_dict`."""
        self._pairs.load_state_dict(state)
        self._losses = list(state["losses"])

    def _turned(self, at: Evaluation) -> tuple[Tensor, float]:
        """-H g within the free values, and its product with g.

        The scaled negative gradient while nothing is known. It lies where the last one lay.
        """
        if self._direction is None:
            self._direction = self._storage(at.gradient, tuple(at.gradient.shape))
        direction = self._direction
        if len(self._pairs):
            return direction, self._pairs.search_direction(at, direction)
        direction.copy_(at.gradient).masked_fill_(at.held, 0)
        size = float(direction.abs().mean())
        direction.mul_(-self.first_change / size if size else 0)
        return direction, _dot(at.gradient, direction)

    def _search(self, at: Evaluation, evaluate: Evaluate) -> Evaluation | None:
        """A picture that is good enough, evaluated; held values stay, so they count nowhere."""
        direction, slope = self._turned(at)
        if not slope < 0:  # also if not a number
            return None
        length, bound = 1.0, max(self._losses)
        for _ in range(self.trials):
            image, slope = self._vectors.move(at, direction, length)
            result = evaluate(image)
            if not result.finite:
                length /= 10
            elif result.losses.total <= bound + self.armijo * min(0.0, slope):
                return result
            else:
                length /= 2
        return None

    def _remember(self, at: Evaluation, result: Evaluation) -> None:
        self._pairs.add(result, at)


class Adam:
    """Adam (Kingma and Ba 2015, algorithm 1), the picture clipped to [0, 1] after each step.

    Args:
        learning_rate: largest change of a channel by a step, in picture units.
        betas: decay of the two moments; 0.99 for the second, since runs are a few hundred steps.
        storage: where the moments lie.

    """

    epsilon = 1e-12  # relative sizes of gradients are kept down to very small losses

    def __init__(
        self,
        *,
        learning_rate: float = 0.02,
        betas: tuple[float, float] = (0.9, 0.99),
        storage: Storage = in_memory,
    ) -> None:
        self.learning_rate = learning_rate
        self.betas = betas
        self._storage = storage
        self._first: Tensor | None = None
        self._second: Tensor | None = None
        self._count = 0

    def step(self, at: Evaluation, evaluate: Evaluate) -> Evaluation:
        """One step, one evaluation; a shorter one where the result is not a number."""
        first, second = self._moments(at.gradient)
        image = torch.empty_like(at.image, memory_format=torch.contiguous_format)
        for new, x, gradient, m, v in pieces(image, at.image, at.gradient, first, second):
            new.copy_(x)
            self._move(new, gradient.contiguous(), m, v)
        self._count += 1
        return _first_finite(at, image.clamp_(0, 1), evaluate)

    def _move(self, x: Tensor, gradient: Tensor, m: Tensor, v: Tensor) -> None:
        """Torch's own step, all of it in one pass over memory."""
        beta1, beta2 = self.betas
        adam(
            [x],
            [gradient],
            [m],
            [v],
            [],
            [torch.tensor(float(self._count), device=x.device)],
            fused=True,
            amsgrad=False,
            beta1=beta1,
            beta2=beta2,
            lr=self.learning_rate,
            weight_decay=0.0,
            eps=self.epsilon,
            maximize=False,
        )

    def state_dict(self) -> dict[str, Any]:
        """Copies of both moments, and the number of steps."""
        moments = {"first": self._first, "second": self._second}
        copies = {
            name: each if each is None else self._copied(each) for name, each in moments.items()
        }
        return {**copies, "count": self._count}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a :meth:`state_dict`."""
        moments = (state["first"], state["second"])
        self._first, self._second = (m if m is None else self._copied(m) for m in moments)
        self._count = state["count"]

    def _moments(self, gradient: Tensor) -> tuple[Tensor, Tensor]:
        if self._first is None or self._second is None:
            shape = tuple(gradient.shape)
            self._first, self._second = (self._storage(gradient, shape).zero_() for _ in range(2))
        return self._first, self._second

    def _copied(self, moment: Tensor) -> Tensor:
        return self._storage(moment, tuple(moment.shape)).copy_(moment)


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
        result = _first_finite(at, (at.image + change).clamp_(0, 1), evaluate)
        self._change = result.image - at.image
        return result

    def state_dict(self) -> dict[str, Any]:
        """The last step, and the rate."""
        return {"rate": self._rate, "change": self._change}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a :meth:`state_dict`."""
        self._rate, self._change = state["rate"], state["change"]


def _first_finite(at: Evaluation, image: Tensor, evaluate: Evaluate) -> Evaluation:
    """The picture after a step, or after a tenth of it where that is not a number, and so on."""
    for share in (1.0, 0.1, 0.01, 0.001):
        result = evaluate(image if share == 1 else torch.lerp(at.image, image, share))
        if result.finite:
            return result
    return at


def _dot(a: Tensor, b: Tensor) -> float:
    return float(torch.dot(a.flatten(), b.flatten()))
