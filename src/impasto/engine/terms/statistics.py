"""The style loss, eq. (3): a distance between statistics, layer by layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from impasto.config import Recipe
from impasto.engine.features import Features
from impasto.engine.terms.term import Found, Needs, Painting, Target
from impasto.ops.losses import style_loss
from impasto.ops.statistics import Statistics, StatisticsLoss
from impasto.ops.style_losses import STYLE_LOSSES


class Style:
    """Eq. (3), summed over the paintings with their shares.

    Args:
        recipe: the style layers and their weights, and the loss of one layer.
        features: the network through its heads; None to ask what it needs only.
        layer_loss: style loss of one layer, a function of statistics; the recipe's when not given.

    """

    name = "style"
    needs: Needs = "sums"
    weight = 1.0

    def __init__(
        self,
        recipe: Recipe,
        features: Features | None = None,
        layer_loss: StatisticsLoss | None = None,
    ) -> None:
        self.layers = recipe.style_layers
        self._recipe, self._features = recipe, features
        self._layer_loss = layer_loss or STYLE_LOSSES[recipe.style_loss]
        self._paintings: Sequence[Painting] = ()

    def prepare(self, target: Target) -> None:
        """The paintings' statistics."""
        self._paintings = target.paintings

    def loss(self, found: Found) -> Tensor:
        """Eq. (3)."""
        return self._of({name: found.sums[name] for name in self.layers})

    def unit(self, photograph: Mapping[str, Statistics]) -> float:
        """S0; kept away from zero for a photograph that has the painting's style already."""
        own = {name: photograph[name] for name in self.layers}
        nothing = {
            name: replace(s, total=torch.zeros_like(s.total), outer=torch.zeros_like(s.outer))
            for name, s in own.items()
        }
        return max(float(self._of(own)), 1e-4 * float(self._of(nothing)), 1e-12)

    def _of(self, statistics: Mapping[str, Statistics]) -> Tensor:
        assert self._features is not None
        layers, widths = [], []
        for layer, found in statistics.items():
            channels = self._features.channels(layer, found)
            widths.append(channels)
            losses = [
                each.share * self._layer_loss(found, each.statistics[layer], channels)
                for each in self._paintings
            ]
            layers.append(sum(losses[1:], losses[0]))
        return style_loss(layers, self._recipe.weights_of_layers(widths))
