"""The content loss, eq. (1): squared distance to the photograph's features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from impasto.engine.objective.features import Features, widened
from impasto.engine.objective.terms.term import Activations, Needs, Target
from impasto.ops.statistics import Statistics


class Content:
    """Eq. (1), summed over the content layers.

    Args:
        layers: the content layers.
        features: the network through its heads; None to ask what it needs only.

    """

    name = "content"
    needs: Needs = "maps"
    weight = 1.0

    def __init__(self, layers: Sequence[str], features: Features | None = None) -> None:
        self.layers = tuple(layers)
        self._features = features

    def prepare(self, target: Target) -> None:
        """Nothing to do: the photograph's maps come with each loss."""

    def loss(self, activations: Activations) -> Tensor:
        """Eq. (1); zero, a float, without a content layer."""
        terms = self.by_layer(activations.maps, activations.photograph)
        return torch.cat(terms).sum() if terms else torch.zeros(())

    def by_layer(
        self, maps: Mapping[str, Tensor], photograph: Mapping[str, Tensor]
    ) -> list[Tensor]:
        """Of each layer, ``(1)``."""
        assert self._features is not None
        content_loss = self._features.content_loss
        return [content_loss(name, maps[name], photograph[name]) for name in self.layers]

    def unit_of_maps(self, maps: Mapping[str, Tensor]) -> float:
        """C0 from the photograph's maps: half the squared deviations from their mean."""
        assert self._features is not None
        deviation, energy = 0.0, 0.0
        for name in self.layers:
            wide = widened(maps[name])
            mean, nothing = wide.mean((-2, -1), keepdim=True).expand_as(wide), wide.new_zeros(())
            deviation += float(self._features.content_loss(name, wide, mean))
            energy += float(self._features.content_loss(name, wide, nothing.expand_as(wide)))
        return _unit(deviation, energy)

    def unit_of_sums(self, sums: Mapping[str, Statistics]) -> float:
        """C0 from the sums over the photograph's maps, for a picture in tiles."""
        assert self._features is not None
        deviation, energy = 0.0, 0.0
        for name in self.layers:
            statistics = self._features.content_sums(name, sums[name])
            energy += float(statistics.second_moments.trace()) / 2
            deviation += float(statistics.covariance.trace()) * statistics.count / 2
        return _unit(deviation, energy)


def _unit(deviation: float, energy: float) -> float:
    """Away from zero for a photograph without any detail."""
    return max(deviation, 1e-3 * energy, 1e-12)
