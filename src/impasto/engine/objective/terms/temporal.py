"""The temporal losses of a film's frame: what ties it to earlier frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from impasto.engine.objective.terms.term import Activations, Needs, Target
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


class Temporal:
    """Long-term consistency, Ruder et al. 2016, eq. (10): the sum over the anchors.

    Args:
        anchors: earlier results, and where they count.

    """

    name = "temporal"
    needs: Needs = "pixels"
    layers: tuple[str, ...] = ()
    weight = 1.0

    def __init__(self, anchors: Sequence[Anchor]) -> None:
        self._anchors = anchors

    def prepare(self, target: Target) -> None:
        """Nothing to do: anchors have the current size."""

    def loss(self, activations: Activations) -> Tensor:
        """The sum over the anchors."""
        x = activations.picture
        assert x is not None
        terms = [temporal_loss(x, each.picture, each.weights) for each in self._anchors]
        return torch.cat(terms).sum()
