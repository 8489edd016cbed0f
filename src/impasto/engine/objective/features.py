"""A network with its heads: feature maps, and statistics after the heads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from impasto.engine.objective.regions import Masks, layer_of, layers_by_region, whole
from impasto.nets.network import ConvNetwork, Head, Network
from impasto.ops.losses import content_loss, mapped_content_loss
from impasto.ops.statistics import Statistics, statistics_of


class Features:
    """A network seen through its heads: content features, and statistics of the style layers."""

    def __init__(self, network: Network, device: torch.device) -> None:
        self._network = network
        heads: Mapping[str, Head] = getattr(network, "heads", {})
        self._heads = {layer: head.to(device) for layer, head in heads.items()}
        self._grams: dict[tuple[str, torch.dtype], Tensor] = {}

    def measure(
        self,
        image: Tensor,
        map_layers: Sequence[str],
        sum_names: Sequence[str],
        masks: Masks | None = None,
    ) -> tuple[dict[str, Tensor], dict[str, Statistics]]:
        """Maps of some layers, as they are, and statistics of others, through the heads."""
        maps, sums = self.computed(image, map_layers, sum_names, masks)
        return maps, {name: self.mapped(name, sums[name]) for name in sum_names}

    def computed(
        self,
        image: Tensor,
        map_layers: Sequence[str],
        sum_names: Sequence[str],
        masks: Masks | None = None,
    ) -> tuple[dict[str, Tensor], dict[str, Statistics]]:
        """Maps of some layers, and sums over the maps of others, before any head.

        With masks the names of sums may be those of :func:`.regions.regional`.
        """
        layers = dict.fromkeys([*map_layers, *layers_by_region(sum_names)])
        maps, sums = _measured(self._network, image, [*layers], whole(sum_names))
        by_region = masks.sums(sum_names, maps) if masks else {}
        sums = {**sums, **by_region}
        return {n: maps[n] for n in map_layers}, {n: sums[n] for n in sum_names}

    def channels(self, layer: str, statistics: Statistics) -> int:
        """N of eq. (5): the number of channels that the layer stands for."""
        head = self._heads.get(layer)
        return head.channels if head else statistics.total.numel()

    def content_loss(self, layer: str, features: Tensor, target: Tensor) -> Tensor:
        """Eq. (1) from two maps ``(1, N, h, w)`` of a layer; ``(1)``, in float32 or better."""
        head = self._heads.get(layer)
        if head is None:
            return content_loss(*(widened(each) for each in (features, target)))
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
        return sums.mapped(
            head.weight.to(sums.second_moments), torch.zeros_like(head.bias.to(sums.second_moments))
        )

    def mapped(self, name: str, sums: Statistics) -> Statistics:
        """Style statistics from the sums over a layer's map, or over a region of it."""
        head = self._heads.get(layer_of(name))
        if head is None:
            return sums
        return sums.mapped(
            head.weight.to(sums.second_moments), head.bias.to(sums.second_moments), head.frame
        )


def widened(features: Tensor) -> Tensor:
    """In float32 or better."""
    return features if features.dtype == torch.float64 else features.float()


def _measured(
    network: Network, image: Tensor, maps: Sequence[str], sums: Sequence[str]
) -> tuple[Mapping[str, Tensor], Mapping[str, Statistics]]:
    """Feature maps of some layers and statistics of others; at once where the network can."""
    if isinstance(network, ConvNetwork):
        return network.measured(image, maps, sums)
    all_maps = network.features(image, [*maps, *sums])
    return all_maps, {layer: statistics_of(all_maps[layer]) for layer in sums}
