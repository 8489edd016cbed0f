"""The style loss by region: each takes after its own paintings, or parts of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from impasto.engine.objective.features import Features
from impasto.engine.objective.regions import SizedRegions, regional
from impasto.engine.objective.terms.statistics import Style
from impasto.engine.objective.terms.term import Activations, Needs, Slopes, Target
from impasto.ops.statistics import Statistics, StatisticsLoss
from impasto.recipe.still import Recipe


class RegionalStyle:
    """The mean of the regions' style losses, eq. (3), each by its share of the picture.

    Gatys et al. 2017, *Controlling Perceptual Factors in Neural Style Transfer*, eq. (6), where the
    weights of the regions are free. With a region's share as its weight, every position is pulled
    as much, in a small region as in a large one.

    Args:
        recipe: the style layers and their weights, and the loss of one layer.
        regions: at the current size.
        features: the network through its heads.
        layer_loss: style loss of one layer, a function of statistics; the recipe's when not given.

    """

    name = "style"
    needs: Needs = "sums"
    weight = 1.0

    def __init__(
        self,
        recipe: Recipe,
        regions: SizedRegions,
        features: Features,
        layer_loss: StatisticsLoss | None = None,
    ) -> None:
        self._regions = regions
        areas = regions.areas
        present = sum(areas[region] for region in regions.present)
        self._areas = {region: areas[region] / present for region in regions.present}
        self._styles = {each: Style(recipe, features, layer_loss) for each in regions.present}
        self._layers = recipe.style_layers
        self.layers: tuple[str, ...] = tuple(
            regional(layer, region) for region in regions.present for layer in self._layers
        )

    def prepare(self, target: Target) -> None:
        """The statistics of each region's paintings, or of their parts."""
        for region, style in self._styles.items():
            shares = self._regions.shares[region]
            own = [
                replace(each, share=share, statistics=self._of_part(each.statistics, region))
                for each, share in zip(target.paintings, shares, strict=True)
                if share
            ]
            style.prepare(Target(target.photograph, own))

    def loss(self, activations: Activations) -> Tensor:
        """The mean of the regions' losses."""
        losses = [
            area * self._styles[region].loss(Activations(sums=self._own(activations.sums, region)))
            for region, area in self._areas.items()
        ]
        return torch.stack(losses).sum()

    def unit(self, photograph: Mapping[str, Statistics]) -> float:
        """S0, the photograph's own style loss."""
        own = self._own
        return sum(
            area * self._styles[region].unit(own(photograph, region))
            for region, area in self._areas.items()
        )

    def differentiated(self, sums: Mapping[str, Statistics], slope: float) -> tuple[Tensor, Slopes]:
        """The loss, and ``slope`` times its derivatives with respect to the regions' sums."""
        losses, slopes = [], Slopes()
        for region, area in self._areas.items():
            own = self._own(sums, region)
            loss, of_layers = self._styles[region].differentiated(own, slope * area)
            losses.append(area * loss)
            slopes |= {regional(layer, region): each for layer, each in of_layers.items()}
        return torch.stack(losses).sum(), slopes

    def _own(self, sums: Mapping[str, Statistics], region: int) -> dict[str, Statistics]:
        """A region's, by layer."""
        return {layer: sums[regional(layer, region)] for layer in self._layers}

    def _of_part(self, sums: Mapping[str, Statistics], region: int) -> dict[str, Statistics]:
        """A painting's, by layer: of the region's part where it has parts, else of the whole."""
        names = {layer: regional(layer, region) for layer in self._layers}
        return {layer: sums[name if name in sums else layer] for layer, name in names.items()}
