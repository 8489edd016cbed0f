"""The objective of one stage: eq. (7) on a network's features, and its gradient to the picture."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import NamedTuple

import torch
from torch import Tensor

from impasto import native
from impasto.config import Recipe
from impasto.engine.state import Losses, Weights
from impasto.engine.threads import on_threads, side_by_side
from impasto.nets.network import ConvNetwork, Head, Network
from impasto.ops.losses import (
    content_loss,
    mapped_content_loss,
    style_loss,
    total_loss,
    total_variation,
)
from impasto.ops.statistics import Statistics, StatisticsLoss, mixture, statistics_of
from impasto.ops.style_losses import STYLE_LOSSES, wasserstein_loss

LONG = 64  # channels from which on a Wasserstein distance takes longer than to hand it over


@dataclass(frozen=True)
class Evaluation:
    """A picture, its losses and the gradient of the total loss; all three belong together."""

    image: Tensor
    losses: Losses
    gradient: Tensor

    @cached_property
    def finite(self) -> bool:
        """False once a loss or any part of the gradient is infinite or not a number."""
        return self.losses.finite and math.isfinite(float(self.gradient.sum()))

    @property
    def held(self) -> Tensor:
        """True for values on the bounds of [0, 1] that the gradient would push further out.

        Also where the gradient is zero, which no step down it cares about.
        """
        anywhere = torch.sub(self.image, self.gradient, alpha=1e30).clamp_(0, 1)
        return anywhere == self.image


Slopes = dict[str, tuple[Tensor, Tensor]]
"""By layer: derivatives with respect to ``Statistics.total`` and ``Statistics.outer``."""

StyleTargets = Sequence[Mapping[str, Statistics]]
"""Statistics of each painting by layer."""


class _LayerLoss(NamedTuple):
    """Style loss of one layer, N of eq. (5), and derivatives with respect to the sums."""

    loss: Tensor
    channels: int
    slopes: tuple[Tensor, Tensor]


class Features:
    """A network seen through its heads: content features, and statistics of the style layers."""

    def __init__(self, network: Network, device: torch.device) -> None:
        self._network = network
        heads: Mapping[str, Head] = getattr(network, "heads", {})
        self._heads = {layer: head.to(device) for layer, head in heads.items()}
        self._grams: dict[tuple[str, torch.dtype], Tensor] = {}

    def measure(
        self, image: Tensor, content_layers: Sequence[str], style_layers: Sequence[str]
    ) -> tuple[dict[str, Tensor], dict[str, Statistics]]:
        """Content layers' maps, as they are, and style statistics, by layer."""
        maps, sums = self.computed(image, content_layers, style_layers)
        return maps, {layer: self.mapped(layer, sums[layer]) for layer in style_layers}

    def computed(
        self, image: Tensor, content_layers: Sequence[str], style_layers: Sequence[str]
    ) -> tuple[dict[str, Tensor], dict[str, Statistics]]:
        """Content layers' maps, and sums over the style layers' maps, before any head."""
        maps, sums = _measured(self._network, image, content_layers, style_layers)
        return {n: maps[n] for n in content_layers}, {n: sums[n] for n in style_layers}

    def channels(self, layer: str, statistics: Statistics) -> int:
        """N of eq. (5): the number of channels that the layer stands for."""
        head = self._heads.get(layer)
        return head.channels if head else statistics.total.numel()

    def content_loss(self, layer: str, features: Tensor, target: Tensor) -> Tensor:
        """Eq. (1) from two maps ``(1, N, h, w)`` of a layer; ``(1)``, in float32 or better."""
        head = self._heads.get(layer)
        if head is None:
            return content_loss(*(_widened(each) for each in (features, target)))
        exact = torch.float64 if features.dtype == torch.float64 else torch.float32
        if (layer, exact) not in self._grams:
            # The bias cancels in every difference, so the linear part is enough.
            wide = head.weight.cpu().double()
            self._grams[layer, exact] = (wide.mT @ wide).to(features.device, exact)
        return mapped_content_loss(features, target, self._grams[layer, exact])

    def content_sums(self, layer: str, sums: Statistics) -> Statistics:
        """Sums over a layer's content features from the sums over its map."""
        head = self._heads.get(layer)
        if head is None:
            return sums
        return sums.mapped(head.weight.to(sums.outer), torch.zeros_like(head.bias.to(sums.outer)))

    def mapped(self, layer: str, sums: Statistics) -> Statistics:
        """Style statistics from the sums over a layer's map."""
        head = self._heads.get(layer)
        if head is None:
            return sums
        return sums.mapped(head.weight.to(sums.outer), head.bias.to(sums.outer), head.frame)


def _widened(features: Tensor) -> Tensor:
    return features if features.dtype == torch.float64 else features.float()


def _measured(
    network: Network, image: Tensor, maps: Sequence[str], sums: Sequence[str]
) -> tuple[Mapping[str, Tensor], Mapping[str, Statistics]]:
    """Feature maps of some layers and statistics of others; at once where the network can."""
    if isinstance(network, ConvNetwork):
        return network.measured(image, maps, sums)
    found = network.features(image, [*maps, *sums])
    return found, {layer: statistics_of(found[layer]) for layer in sums}


class Objective:
    """Eq. (7) for one photograph and one or more paintings, at one size.

    With a strength s the weights are those of (1 - s) L_content / C0 + s L_style / S0, where C0 is
    half the sum of squared deviations of the photograph's content features from their mean over
    positions, and S0 is the photograph's own style loss, both at this size. A departure from the
    report, whose alpha and beta depend on the size of the picture (eq. (1) is a sum).

    Args:
        recipe: layers, weights, blend.
        network: gives the features.
        content: the photograph, ``(1, 3, H, W)`` in [0, 1].
        styles: the paintings, ``(1, 3, h, w)`` in [0, 1] each, one after the other at every style
            scale of the recipe.
        layer_loss: style loss of one layer, a function of statistics; the recipe's when not given.
        painting_network: gives the features of the paintings, where they differ in padding.
        targets: the paintings' statistics, where they are known already.

    Attributes:
        weights: alpha, beta and their yardsticks.
        targets: the paintings' statistics.

    """

    def __init__(
        self,
        recipe: Recipe,
        network: Network,
        content: Tensor,
        styles: Sequence[Tensor],
        *,
        layer_loss: StatisticsLoss | None = None,
        painting_network: Network | None = None,
        targets: StyleTargets | None = None,
    ) -> None:
        self._recipe = recipe
        self._device = content.device
        self._features = Features(network, content.device)
        self._painting_features = Features(painting_network or network, content.device)
        self._layer_loss = layer_loss or STYLE_LOSSES[recipe.style_loss]
        scales = len(recipe.style_scales)
        paintings = [styles[i : i + scales] for i in range(0, len(styles), scales)]
        self._blend = recipe.blend_for(len(paintings))
        with torch.no_grad():
            self.targets = targets or [self._measure_sizes(sizes) for sizes in paintings]
            content_unit, statistics = self._study(content)
            self._photograph_variation = max(1e-4, self._add_variation(content))
            self.weights = self._resolve_weights(content_unit, statistics)

    def evaluate(self, image: Tensor) -> Evaluation:
        """Losses at a picture ``(1, 3, H, W)`` in [0, 1], and the gradient of the total loss."""
        image = image.contiguous()
        with torch.enable_grad():
            x = image.detach().requires_grad_()
            features, sums = self._features.computed(
                x, self._recipe.content_layers, self._recipe.style_layers
            )
            content = self._content_loss(features)
            style, slopes = self._style_and_slopes(sums)
            outputs = [(self.weights.alpha * content, torch.ones_like(content))]
            for layer, slope in slopes.items():
                outputs += zip((sums[layer].total, sums[layer].outer), slope, strict=True)
            roots, derivatives = zip(
                *(each for each in outputs if each[0].requires_grad), strict=True
            )
            (gradient,) = torch.autograd.grad(roots, x, derivatives)
            gradient = gradient.contiguous()
        total = total_loss(content, style, alpha=self.weights.alpha, beta=self.weights.beta)
        terms = torch.stack([total, content, style]).detach().tolist()
        losses = Losses(terms[0], terms[1], terms[2], 0.0)
        return self._smoothed(Evaluation(image, losses, gradient))

    def _smoothed(self, found: Evaluation) -> Evaluation:
        """With total variation, relative to the photograph's, added to losses and gradient."""
        weight, unit = self._recipe.variation_weight, self._photograph_variation
        gradient = found.gradient if weight else None
        variation = self._add_variation(found.image, gradient, weight / unit) / unit
        total = found.losses.total + weight * variation
        losses = replace(found.losses, total=total, variation=variation)
        return replace(found, losses=losses)

    def _measure(self, image: Tensor) -> tuple[dict[str, Tensor], dict[str, Statistics]]:
        return self._features.measure(image, self._recipe.content_layers, self._recipe.style_layers)

    def _measure_sizes(self, sizes: Sequence[Tensor]) -> dict[str, Statistics]:
        """Statistics of one painting, the mixture of those at its sizes."""
        found = [self._measure_style(painting) for painting in sizes]
        return {layer: mixture([each[layer] for each in found]) for layer in found[0]}

    def _measure_style(self, painting: Tensor) -> dict[str, Statistics]:
        return self._painting_features.measure(painting, (), self._recipe.style_layers)[1]

    def _add_variation(
        self, image: Tensor, gradient: Tensor | None = None, slope: float = 0.0
    ) -> float:
        """Total variation; of a tile, across its seams. Its derivative goes to the gradient."""
        if self._recipe.tileable or not native.can_vary(image):
            return self._add_variation_by_torch(image, gradient, slope)
        across, down = image[..., 1:].numel(), image[..., 1:, :].numel()
        weights = (1 / max(1, across), 1 / max(1, down))
        return native.add_variation(image, weights, gradient, slope)

    def _add_variation_by_torch(
        self, image: Tensor, gradient: Tensor | None, slope: float
    ) -> float:
        with torch.enable_grad():
            x = seamless = image.detach().requires_grad_(gradient is not None)
            if self._recipe.tileable:
                seamless = torch.cat([x, x[..., :1]], dim=-1)
                seamless = torch.cat([seamless, seamless[..., :1, :]], dim=-2)
            value = total_variation(seamless).sum()
            if gradient is not None:
                (found,) = torch.autograd.grad(value, x)
                gradient.add_(found, alpha=slope)
        return float(value.detach())

    def _content_loss(self, features: Mapping[str, Tensor]) -> Tensor:
        terms = [
            self._features.content_loss(layer, f, self._photograph[layer])
            for layer, f in features.items()
        ]
        return torch.cat(terms).sum() if terms else torch.zeros((), device=self._device)

    def _style_loss(self, statistics: Mapping[str, Statistics]) -> Tensor:
        """Eq. (3), summed over the paintings with their shares."""
        layers, widths = [], []
        for layer, found in statistics.items():
            channels = self._features.channels(layer, found)
            widths.append(channels)
            layers.append(self._layer_style_loss(layer, found, channels))
        return style_loss(layers, self._recipe.weights_of_layers(widths))

    def _layer_style_loss(self, layer: str, found: Statistics, channels: int) -> Tensor:
        losses = [
            share * self._layer_loss(found, painting[layer], channels)
            for share, painting in zip(self._blend, self.targets, strict=True)
        ]
        return sum(losses[1:], losses[0])

    def _study(self, photograph: Tensor) -> tuple[float, dict[str, Statistics]]:
        """C0 and the style statistics of the photograph; remembers its content features."""
        self._photograph, statistics = self._measure(photograph)
        unit, energy = 0.0, 0.0
        for layer, features in self._photograph.items():
            wide = _widened(features)
            mean, nothing = wide.mean((-2, -1), keepdim=True).expand_as(wide), wide.new_zeros(())
            unit += float(self._features.content_loss(layer, wide, mean))
            energy += float(self._features.content_loss(layer, wide, nothing.expand_as(wide)))
        return content_unit(unit, energy), statistics

    def _style_and_slopes(self, sums: Mapping[str, Statistics]) -> tuple[Tensor, Slopes]:
        """Eq. (3), and beta times its derivatives with respect to the sums.

        Each layer on one thread: the matrices are small, and what is made of them takes hundreds of
        calls, at each of which several threads would wait for each other.
        """
        widest = sorted(sums, key=lambda layer: len(sums[layer].total), reverse=True)
        of_layers = [
            partial(self._of_layers, sums, layers) for layers in (widest[::2], widest[1::2])
        ]
        if self._is_worth_sharing(len(sums[widest[0]].total)):
            parts = side_by_side(*of_layers)
        else:
            with on_threads(1):
                parts = of_layers[0](), of_layers[1]()
        found = {**parts[0], **parts[1]}
        weights = self._recipe.weights_of_layers([found[layer].channels for layer in sums])
        style = style_loss([found[layer].loss for layer in sums], weights)
        slopes = Slopes()
        for layer, weight in zip(sums, weights, strict=True):
            of_total, of_outer = found[layer].slopes
            share = self.weights.beta * weight
            slopes[layer] = share * of_total, share * of_outer
        return style, slopes

    def _is_worth_sharing(self, width: int) -> bool:
        """Whether layers that wide are made at the same time; never with a loss of the caller's."""
        is_long = self._layer_loss is wasserstein_loss and width >= LONG
        return is_long and self._device.type == "cpu" and torch.get_num_threads() > 1

    def _of_layers(
        self, sums: Mapping[str, Statistics], layers: Sequence[str]
    ) -> dict[str, _LayerLoss]:
        """Style losses of some layers, and their derivatives with respect to the sums."""
        return {layer: self._of_layer(layer, sums[layer]) for layer in layers}

    def _of_layer(self, layer: str, sums: Statistics) -> _LayerLoss:
        leaves = [each.detach().requires_grad_() for each in (sums.total, sums.outer)]
        with torch.enable_grad():
            found = self._features.mapped(layer, Statistics(sums.count, *leaves))
            channels = self._features.channels(layer, found)
            loss = self._layer_style_loss(layer, found, channels)
            of_total, of_outer = torch.autograd.grad(
                loss, leaves, allow_unused=True, materialize_grads=True
            )
        return _LayerLoss(loss.detach(), channels, (of_total, of_outer))

    def _resolve_weights(
        self, content_unit: float, photograph: Mapping[str, Statistics]
    ) -> Weights:
        style_unit = self._style_unit(photograph)
        if self._recipe.uses_alpha_beta:
            alpha = 1.0 if self._recipe.alpha is None else self._recipe.alpha
            beta = 1.0 if self._recipe.beta is None else self._recipe.beta
        else:
            alpha = (1 - self._recipe.strength) / content_unit
            beta = self._recipe.strength / style_unit
        return Weights(alpha, beta, content_unit, style_unit)

    def _style_unit(self, photograph: Mapping[str, Statistics]) -> float:
        """S0; kept away from zero for a photograph that has the painting's style already."""
        nothing = {
            layer: replace(s, total=torch.zeros_like(s.total), outer=torch.zeros_like(s.outer))
            for layer, s in photograph.items()
        }
        own, energy = float(self._style_loss(photograph)), float(self._style_loss(nothing))
        return max(own, 1e-4 * energy, 1e-12)


def content_unit(deviation: float, energy: float) -> float:
    """C0 from half the squared deviations; away from zero for a photograph without any detail."""
    return max(deviation, 1e-3 * energy, 1e-12)
