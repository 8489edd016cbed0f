"""The objective of a film's frame: a picture's, and what ties it to earlier frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from impasto.engine.objective import Evaluation
from impasto.engine.state import Weights
from impasto.ops.losses import temporal_loss


@dataclass(frozen=True)
class Anchor:
    """What a frame of a film should look like where an earlier frame shows the same.

    Attributes:
        picture: the earlier result warped to this frame, ``(1, 3, H, W)`` in [0, 1].
        weights: ``(1, 1, H, W)``, 0 where the earlier frame says nothing; the temporal loss's own
            weight is in it.

    """

    picture: Tensor
    weights: Tensor


class Evaluating(Protocol):
    """An objective: whole, in tiles, or anchored."""

    @property
    def weights(self) -> Weights:
        """Alpha, beta and their yardsticks."""
        ...

    def evaluate(self, image: Tensor) -> Evaluation:
        """Losses and gradient at a picture."""
        ...


class Anchored:
    """An objective with the temporal losses of its anchors added.

    They are in the unit alpha C0 + beta S0 (1 with a strength), so that their weight means the same
    whatever alpha and beta are.

    Args:
        objective: of the picture by itself.
        anchors: what ties it to earlier ones.

    """

    def __init__(self, objective: Evaluating, anchors: Sequence[Anchor]) -> None:
        self._objective = objective
        self._anchors = anchors

    @property
    def weights(self) -> Weights:
        """The objective's own."""
        return self._objective.weights

    def evaluate(self, image: Tensor) -> Evaluation:
        """Losses at a picture ``(1, 3, H, W)`` in [0, 1], and the gradient of the total loss.

        Long-term consistency, Ruder et al. 2016, eq. (10): the sum over the anchors.
        """
        found = self._objective.evaluate(image)
        with torch.enable_grad():
            x = image.detach().requires_grad_()
            terms = [temporal_loss(x, each.picture, each.weights) for each in self._anchors]
            temporal = torch.cat(terms).sum()
            (slope,) = torch.autograd.grad(temporal, x)
        unit, value = self.weights.unit, float(temporal.detach())
        losses = replace(found.losses, total=found.losses.total + unit * value, temporal=value)
        return Evaluation(found.image, losses, found.gradient.add(slope, alpha=unit))
