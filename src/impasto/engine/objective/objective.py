"""The objective of one stage: a weighted sum of terms, eq. (7) by default, and its gradient."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import torch
from torch import Tensor

from impasto.engine.objective.features import Features
from impasto.engine.objective.regions import EVERYWHERE, Masks, SizedRegions, layer_of, regional
from impasto.engine.objective.terms import (
    Activations,
    Content,
    Painting,
    Pixels,
    RegionalStyle,
    Style,
    Sums,
    Target,
    Term,
    needed,
)
from impasto.engine.objective.terms.term import Slopes, leaves_of
from impasto.engine.objective.terms.variation import Variation
from impasto.engine.state import Losses, LossWeights
from impasto.engine.threads import on_threads
from impasto.nets.network import Network
from impasto.ops.statistics import Statistics, StatisticsLoss, mixture
from impasto.recipe.still import Recipe


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

        Also where the gradient is zero.
        """
        anywhere = torch.sub(self.image, self.gradient, alpha=1e30).clamp_(0, 1)
        return anywhere == self.image


StyleTargets = Sequence[Mapping[str, Statistics]]
"""Statistics of each painting by layer."""


class Objective:
    """Eq. (7) and further terms, for one photograph and its paintings at one size.

    With a style share s (:mod:`impasto.recipe.strength`) the weights are those of
    (1 - s) L_content / C0 + s L_style / S0, where C0 is half the sum of squared deviations of the
    photograph's content features from their mean over positions, and S0 is the photograph's own
    style loss, both at this size. A departure from the report, whose alpha and beta depend on the
    size of the picture (eq. (1) is a sum).

    Args:
        recipe: layers, weights, blend.
        network: gives the features.
        content: the photograph, ``(1, 3, H, W)`` in [0, 1].
        styles: the paintings, ``(1, 3, h, w)`` in [0, 1] each, one after the other at every style
            scale of the recipe.
        layer_loss: style loss of one layer, a function of statistics; the recipe's when not given.
        painting_network: gives the features of the paintings, where they differ in padding.
        targets: the paintings' statistics, where they are known already.
        terms: more terms, of one's own or a film's.
        regions: where the picture takes after which painting; everywhere alike when not given.

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
        terms: Sequence[Term] = (),
        regions: SizedRegions | None = None,
    ) -> None:
        self._recipe, self._regions = recipe, regions
        self._device = content.device
        self._features = Features(network, content.device)
        self._painting_features = Features(painting_network or network, content.device)
        self._content = Content(recipe.content_layers, self._features)
        self._style = self._make_style(layer_loss)
        self._variation = self._make_variation()
        self._more = tuple(terms)
        self.terms: tuple[Term, ...] = (self._content, self._style, self._variation, *terms)
        self._needed = needed(self.terms)
        with torch.no_grad():
            paintings = self._study_paintings(styles, targets)
            self.targets = [each.statistics for each in paintings]
            target = Target(content, paintings)
            for term in self.terms:
                term.prepare(target)
            self.weights = self._resolve_weights(*self._study(content))

    def evaluate(self, image: Tensor) -> Evaluation:
        """Losses at a picture ``(1, 3, H, W)`` in [0, 1], and the gradient of the total loss."""
        image = image.contiguous()
        with torch.enable_grad():
            x = image.detach().requires_grad_()
            maps, sums = self._features.computed(
                x, self._needed.maps, self._needed.sums, self._masks
            )
            activations = Activations(maps, {}, self._photograph, dict.fromkeys(maps, EVERYWHERE))
            losses = {
                term.name: term.loss(activations) for term in self.terms if term.needs == "maps"
            }
            weighted = [self._weight_of(t) * losses[t.name] for t in self.terms if t.name in losses]
            outputs = [(each, torch.ones_like(each)) for each in weighted]
            of_sums, slopes = self._losses_of_sums(sums)
            for layer, slope in slopes.items():
                outputs += zip((sums[layer].total, sums[layer].second_moments), slope, strict=True)
            roots, derivatives = zip(
                *(each for each in outputs if each[0].requires_grad), strict=True
            )
            (gradient,) = torch.autograd.grad(roots, x, derivatives)
            gradient = gradient.contiguous()
        losses |= of_sums
        values = torch.stack([self._weighted(losses), *losses.values()])
        whole, *each = values.detach().tolist()
        return self._with_pixels(image, whole, dict(zip(losses, each, strict=True)), gradient)

    def _weighted(self, losses: Mapping[str, Tensor]) -> Tensor:
        """The sum of some terms' losses with their weights."""
        parts = [
            self._weight_of(term) * losses[term.name].to(self._device)
            for term in self.terms
            if term.name in losses
        ]
        return sum(parts[1:], parts[0])

    def _weight_of(self, term: Term) -> float:
        if term is self._content:
            return self.weights.alpha
        if term is self._style:
            return self.weights.beta
        return term.weight if term is self._variation else self.weights.unit * term.weight

    def _with_pixels(
        self, image: Tensor, total: float, losses: dict[str, float], gradient: Tensor
    ) -> Evaluation:
        """With the terms that need pixels added to losses and gradient."""
        for term in self.terms:
            if term.needs == "pixels":
                weight = self._weight_of(term)
                value = _add(term, image, gradient if weight else None, weight)
                losses[term.name], total = value, total + weight * value
        return Evaluation(image, Losses.of(total, losses), gradient)

    @property
    def _masks(self) -> Masks | None:
        """Where the picture's regions are."""
        return self._regions.picture if self._regions else None

    def _make_style(self, layer_loss: StatisticsLoss | None) -> Style | RegionalStyle:
        if self._regions is None:
            return Style(self._recipe, self._features, layer_loss)
        return RegionalStyle(self._recipe, self._regions, self._features, layer_loss)

    def _make_variation(self) -> Variation:
        return Variation(self._recipe)

    def _study_paintings(
        self, styles: Sequence[Tensor], targets: StyleTargets | None
    ) -> list[Painting]:
        """The paintings by their statistics, each the mixture of those at its sizes."""
        scales = len(self._recipe.style_scales)
        starts = range(0, len(styles), scales)
        paintings = [styles[i : i + scales] for i in starts]
        parts = self._regions.parts if self._regions else [None] * len(styles)
        measured = targets or [
            self._measure_sizes(styles[i : i + scales], parts[i : i + scales], i // scales)
            for i in starts
        ]
        blend = self._recipe.blend_for(len(paintings))
        return [
            Painting(share, statistics, partial(self._painting_map, sizes[0]))
            for share, statistics, sizes in zip(blend, measured, paintings, strict=True)
        ]

    def _measure_sizes(
        self, sizes: Sequence[Tensor], parts: Sequence[Masks | None], painting: int
    ) -> dict[str, Statistics]:
        """Of the whole painting; of its parts where it has some."""
        names = [*dict.fromkeys(map(layer_of, self._needed.sums))]
        if self._regions and parts[0] is not None:
            own = [r for r, shares in enumerate(self._regions.shares) if shares[painting]]
            names += [regional(layer, r) for r in own for layer in self._recipe.style_layers]
        measured = [
            self._measure_style(each, names, part) for each, part in zip(sizes, parts, strict=True)
        ]
        return {layer: mixture([each[layer] for each in measured]) for layer in measured[0]}

    def _measure_style(
        self, painting: Tensor, names: Sequence[str], parts: Masks | None
    ) -> dict[str, Statistics]:
        return self._painting_features.measure(painting, (), names, parts)[1]

    def _painting_map(self, painting: Tensor, layer: str) -> Tensor:
        with torch.no_grad():
            return self._painting_features.measure(painting, (layer,), ())[0][layer]

    def _study(self, photograph: Tensor) -> tuple[float, float]:
        """C0 and S0; remembers the photograph's maps."""
        maps, sums = self._features.measure(
            photograph, self._needed.maps, self._needed.sums, self._masks
        )
        self._photograph = maps
        return self._content.unit_of_maps(maps), self._style.unit(sums)

    def _losses_of_sums(self, sums: Mapping[str, Statistics]) -> tuple[dict[str, Tensor], Slopes]:
        """Losses of the terms that need sums, and the sum of their weighted derivatives."""
        losses, slopes = dict[str, Tensor](), Slopes()
        for term in self.terms:
            if term.needs != "sums":
                continue
            own = {name: sums[name] for name in term.layers}
            losses[term.name], more = self._differentiated(term, own)
            for name, each in more.items():
                before = slopes.get(name)
                slopes[name] = _added(before, each) if before else each
        return losses, slopes

    def _differentiated(self, term: Term, sums: Mapping[str, Statistics]) -> tuple[Tensor, Slopes]:
        """The loss of a term that needs sums, and its weighted derivatives by the sums."""
        weight = self._weight_of(term)
        if isinstance(term, Sums):
            return term.differentiated(sums, weight)
        leaves = {name: leaves_of(each) for name, each in sums.items()}
        with on_threads(1), torch.enable_grad():  # small matrices: threads wait for each other
            mapped = {name: self._features.mapped(name, each) for name, each in leaves.items()}
            loss = term.loss(Activations(sums=mapped))
            derivatives = torch.autograd.grad(
                weight * loss,
                [each for s in leaves.values() for each in (s.total, s.second_moments)],
                allow_unused=True,
                materialize_grads=True,
            )
        slopes = zip(derivatives[::2], derivatives[1::2], strict=True)
        return loss.detach(), dict(zip(sums, slopes, strict=True))

    def _resolve_weights(self, content_unit: float, style_unit: float) -> LossWeights:
        if self._recipe.uses_alpha_beta:
            alpha = 1.0 if self._recipe.alpha is None else self._recipe.alpha
            beta = 1.0 if self._recipe.beta is None else self._recipe.beta
        else:
            share = self._recipe.style_share
            alpha, beta = (1 - share) / content_unit, share / style_unit
        return LossWeights(alpha, beta, content_unit, style_unit)


def _add(term: Term, image: Tensor, gradient: Tensor | None, slope: float) -> float:
    """The loss of a term that needs pixels; its derivative goes to the gradient."""
    if isinstance(term, Pixels):
        return term.add(image, gradient, slope)
    with torch.enable_grad():
        x = image.detach().requires_grad_()
        loss = term.loss(Activations(picture=x)).sum()
        if gradient is not None:
            (derivative,) = torch.autograd.grad(loss, x)
            gradient.add_(derivative, alpha=slope)
    return float(loss.detach())


def _added(one: tuple[Tensor, Tensor], other: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    return one[0] + other[0], one[1] + other[1]
