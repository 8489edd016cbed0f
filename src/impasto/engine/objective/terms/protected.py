"""What is to stay as it is in the photograph: a mask's pixels are tied to it."""

from __future__ import annotations

from torch import Tensor

from impasto.engine.objective.terms.term import Activations, Needs, Target
from impasto.ops.losses import temporal_loss

HALF = 3.0  # weight at which a pixel ends about half-way between photograph and painting
FIRMEST = 1e3  # times that: a pixel that is wholly protected stays within a grey level or two


class Protected:
    """The weighted mean squared difference to the photograph.

    Where the mask is m, its weight is in the ratio of m to 1 - m, so that a mask of one half is
    half-way, and a mask of 1 leaves the photograph alone.

    Args:
        photograph: ``(1, 3, H, W)`` in [0, 1].
        mask: ``(1, 1, H, W)`` in [0, 1].

    """

    name = "protected"
    needs: Needs = "pixels"
    layers: tuple[str, ...] = ()
    weight = 1.0

    def __init__(self, photograph: Tensor, mask: Tensor) -> None:
        self._photograph = photograph
        self._weights = HALF * mask / (1 - mask + 1 / FIRMEST)

    def prepare(self, target: Target) -> None:
        """Nothing to do: the mask has the current size."""

    def loss(self, activations: Activations) -> Tensor:
        """A mean over the picture's values."""
        x = activations.picture
        assert x is not None
        return temporal_loss(x, self._photograph, self._weights).sum()
