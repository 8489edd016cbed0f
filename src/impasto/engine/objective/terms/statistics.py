"""The style loss, eq. (3): a distance between statistics, layer by layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from impasto.engine.objective.features import Features
from impasto.engine.objective.terms.term import (
    Activations,
    Needs,
    Painting,
    Slopes,
    Target,
    leaves_of,
)
from impasto.engine.threads import on_threads, side_by_side
from impasto.ops.losses import style_loss
from impasto.ops.statistics import Statistics, StatisticsLoss
from impasto.ops.style_losses import STYLE_LOSSES, wasserstein_loss
from impasto.recipe.still import Recipe

LONG = 64  # channels from which on a Wasserstein distance takes longer than to hand it over


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

    def loss(self, activations: Activations) -> Tensor:
        """Eq. (3)."""
        return self._of({name: activations.sums[name] for name in self.layers})

    def unit(self, photograph: Mapping[str, Statistics]) -> float:
        """S0; kept away from zero for a photograph that has the painting's style already."""
        own = {name: photograph[name] for name in self.layers}
        nothing = {
            name: replace(
                s,
                total=torch.zeros_like(s.total),
                second_moments=torch.zeros_like(s.second_moments),
            )
            for name, s in own.items()
        }
        return max(float(self._of(own)), 1e-4 * float(self._of(nothing)), 1e-12)

    def differentiated(self, sums: Mapping[str, Statistics], slope: float) -> tuple[Tensor, Slopes]:
        """Eq. (3), and ``slope`` times its derivatives with respect to the sums.

        Each layer on one thread: the matrices are small, and what is made of them takes hundreds of
        calls, at each of which several threads would wait for each other.
        """
        widest = sorted(sums, key=lambda layer: len(sums[layer].total), reverse=True)
        halves = [partial(self._of_layers, sums, layers) for layers in (widest[::2], widest[1::2])]
        if self._is_worth_sharing(sums[widest[0]]):
            parts = side_by_side(*halves)
        else:
            with on_threads(1):
                parts = halves[0](), halves[1]()
        made = {**parts[0], **parts[1]}
        weights = self._recipe.weights_of_layers([made[layer].channels for layer in sums])
        slopes = Slopes()
        for layer, weight in zip(sums, weights, strict=True):
            of_total, of_second_moments = made[layer].slopes
            slopes[layer] = slope * weight * of_total, slope * weight * of_second_moments
        return style_loss([made[layer].loss for layer in sums], weights), slopes

    def _is_worth_sharing(self, widest: Statistics) -> bool:
        """Whether layers that wide are made at the same time; never with a loss of the caller's."""
        is_long = self._layer_loss is wasserstein_loss and len(widest.total) >= LONG
        return is_long and widest.total.device.type == "cpu" and torch.get_num_threads() > 1

    def _of_layers(
        self, sums: Mapping[str, Statistics], layers: Sequence[str]
    ) -> dict[str, _LayerLoss]:
        return {layer: self._of_layer(layer, leaves_of(sums[layer])) for layer in layers}

    def _of_layer(self, layer: str, sums: Statistics) -> _LayerLoss:
        assert self._features is not None
        with torch.enable_grad():
            mapped = self._features.mapped(layer, sums)
            loss, channels = self._layer_style_loss(layer, mapped)
            of_total, of_second_moments = torch.autograd.grad(
                loss, (sums.total, sums.second_moments), allow_unused=True, materialize_grads=True
            )
        return _LayerLoss(loss.detach(), channels, (of_total, of_second_moments))

    def _of(self, statistics: Mapping[str, Statistics]) -> Tensor:
        losses = [self._layer_style_loss(layer, each) for layer, each in statistics.items()]
        weights = self._recipe.weights_of_layers([channels for _, channels in losses])
        return style_loss([loss for loss, _ in losses], weights)

    def _layer_style_loss(self, layer: str, statistics: Statistics) -> tuple[Tensor, int]:
        """Eq. (2) of one layer over the paintings with their shares, and N of eq. (5)."""
        assert self._features is not None
        channels = self._features.channels(layer, statistics)
        losses = [
            each.share * self._layer_loss(statistics, each.statistics[layer], channels)
            for each in self._paintings
        ]
        return sum(losses[1:], losses[0]), channels


class _LayerLoss(NamedTuple):
    """Style loss of one layer, N of eq. (5), and derivatives with respect to the sums."""

    loss: Tensor
    channels: int
    slopes: tuple[Tensor, Tensor]
