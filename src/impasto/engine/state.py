"""What the engine yields: where the run stands, and the picture as it is."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from torch import Tensor

NAMED = ("total", "content", "style", "variation", "temporal")
"""Losses that every run has, in the order of a record."""


@dataclass(frozen=True)
class Losses:
    """The terms of the objective, in the report's units.

    Attributes:
        total: what is minimised: eq. (7), and total variation where it is asked for.
        content: L_content, eq. (1), summed over the content layers.
        style: L_style, eq. (3).
        variation: the picture's total variation over the photograph's.
        temporal: of a film's frame, its distance to earlier frames; see
            :class:`impasto.engine.objective.terms.temporal.Anchor`.
        others: those of terms of one's own, by name.

    """

    total: float
    content: float
    style: float
    variation: float
    temporal: float = 0.0
    others: Mapping[str, float] = field(default_factory=dict, kw_only=True)

    @classmethod
    def of(cls, total: float, terms: Mapping[str, float]) -> Losses:
        """From the losses by the names of their terms."""
        others = {name: value for name, value in terms.items() if name not in NAMED}
        content, style, variation, temporal = (terms.get(name, 0.0) for name in NAMED[1:])
        return cls(total, content, style, variation, temporal, others=others)

    @property
    def finite(self) -> bool:
        """False once anything is infinite or not a number."""
        return math.isfinite(self.total)


@dataclass(frozen=True)
class LossWeights:
    """Eq. (7)'s weights at one size, and the two yardsticks behind a strength.

    Attributes:
        alpha: weight of the content loss.
        beta: weight of the style loss.
        content_unit: C0, half the sum of squared deviations of the photograph's features from
            their mean over positions.
        style_unit: S0, the photograph's own style loss.

    """

    alpha: float
    beta: float
    content_unit: float
    style_unit: float

    @property
    def unit(self) -> float:
        """Loss of a picture without content and without style: 1 with a strength."""
        return self.alpha * self.content_unit + self.beta * self.style_unit

    def distances(self, losses: Losses) -> tuple[float, float]:
        """Relative distances to the content and to the style: sqrt(L/C0) and sqrt(L/S0).

        The photograph itself is at (0, 1).
        """
        return (
            math.sqrt(max(losses.content, 0) / self.content_unit),
            math.sqrt(max(losses.style, 0) / self.style_unit),
        )


Fault = Literal["not finite", "diverged", "stalled", "no better picture"]
Remedy = Literal["a shorter step", "a fresh start", "adam", "the last picture"]


@dataclass(frozen=True)
class Trouble:
    """What went wrong in a step, and what was done; see :mod:`impasto.engine.optim.guard`."""

    fault: Fault
    remedy: Remedy


@dataclass(frozen=True)
class Checkpoint:
    """All that the rest of a run depends on, besides its recipe, plan, pictures and network.

    Nothing is drawn at random once a run has its starting picture, so there is no generator in it:
    the seed is the recipe's. Tensors are the run's own, valid until the next state is asked for.

    Attributes:
        stage: index in ``plan.stages``.
        step: steps done in this stage.
        image: ``(1, 3, H, W)`` float32 in [0, 1].
        gradient: of the total loss at ``image``.
        losses: at ``image``.
        optimizer: state of the optimiser, its guard and the running average: tensors, numbers,
            texts, None, and lists or dicts of these.

    """

    stage: int
    step: int
    image: Tensor = field(repr=False)
    gradient: Tensor = field(repr=False)
    losses: Losses
    optimizer: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class State:
    """One step of a run.

    Attributes:
        step: steps done in the whole run; the first state has 0.
        steps: steps planned.
        stage: index of the stage in ``plan.stages``.
        progress: share of the work done, in [0, 1], by positions times steps.
        losses: of ``image``, this very picture.
        weights: of this stage.
        image: ``(1, 3, H, W)`` float32 in [0, 1], H and W those of the stage. A read-only view,
            valid until the next state is asked for; :meth:`snapshot` copies.
        finish: what is done to a picture before it is delivered.
        checkpoint: where the run stands: given to :func:`impasto.engine.run.run`, it goes on
            from here, bit for bit. A RecordError once the next step has begun.
        trouble: what went wrong in this step, if anything did.
        shown: what is delivered in place of ``image``: the average of the steps so far, where the
            recipe asks for it. After a stage's last step it is ``image``. Valid as long as that.
        tile: side of the tiles that the stage is computed in: the plan's, or a smaller one after a
            GPU's memory has run out.
        is_whole: False once the next step has begun: what the optimiser remembers is then no
            longer this state's.

    """

    step: int
    steps: int
    stage: int
    progress: float
    losses: Losses
    weights: LossWeights
    image: Tensor = field(repr=False)
    finish: Callable[[Tensor], Tensor] = field(repr=False)
    checkpoint: Callable[[], Checkpoint] = field(repr=False)
    trouble: Trouble | None = None
    shown: Tensor | None = field(default=None, repr=False)
    tile: int | None = None
    is_whole: Callable[[], bool] = field(default=lambda: True, repr=False)

    def snapshot(self) -> Tensor:
        """A copy of the picture as it would be delivered: with the photograph's colours back in
        place where the recipe asks for them. ``(1, 3, H, W)`` float32 in [0, 1], on the CPU.
        """
        return self.finish(self.image if self.shown is None else self.shown).detach().cpu().clone()
