"""How far a picture's style is from others', region by region, through a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.engine.objective.features import Features, widened
from impasto.nets.network import Network
from impasto.ops.statistics import Statistics
from impasto.ops.style_losses import wasserstein_loss

LAYERS: Mapping[str, float] = {"conv1_1": 0.5, "conv2_1": 1.0, "conv3_1": 1.0, "conv4_1": 0.5}
FEW = 0.002  # of a picture: the share below which a region is not there


class StyleDistance:
    """Squared W2 distances of the layers' statistics, each in units of the photograph's own.

    Args:
        network: computes the features.
        photograph: ``(1, 3, H, W)`` in [0, 1].
        regions: of the photograph, ``(1, R, H, W)`` of sum 1, or None.
        styles: style pictures at the size to measure them at.
        shares: by region, what each style picture counts for; their sum is 1.
        style_regions: of each, ``(1, R, h, w)``, or None where all of it counts for each region.

    """

    def __init__(
        self,
        network: Network,
        photograph: Tensor,
        regions: Tensor | None,
        styles: Sequence[Tensor],
        style_regions: Sequence[Tensor | None],
        shares: Sequence[Sequence[float]],
    ) -> None:
        self._network = network
        self._features = Features(network, photograph.device)
        self._layers = [layer for layer in LAYERS if layer in network.layers]
        self._masks = masks_of(regions)
        self._of_region = shares
        self._shares = [1.0 if mask is None else float(mask.mean()) for mask in self._masks]
        with torch.no_grad():
            self._targets = self._of_styles(styles, style_regions)
            own = self._distances(photograph)
        self._scales = {key: max(float(value), 1e-8) for key, value in own.items()}

    def __call__(self, picture: Tensor) -> Tensor:
        """The distance of a picture of the photograph's size: the photograph's own is 1."""
        total = picture.new_zeros(())
        for (index, layer), distance in self._distances(picture).items():
            weight = LAYERS[layer] * self._shares[index]
            total = total + weight * distance / self._scales[index, layer]
        return total / sum(LAYERS[layer] for layer in self._layers)

    def _of_styles(
        self, styles: Sequence[Tensor], style_regions: Sequence[Tensor | None]
    ) -> list[dict[str, Statistics]]:
        targets = []
        for index in range(len(self._masks)):
            parts = []
            for style, mask, share in zip(
                styles, style_regions, self._of_region[index], strict=True
            ):
                if not share:
                    continue
                own = None if mask is None else mask[:, index : index + 1]
                parts.append((share, self._statistics(style, [present(own)])[0]))
            targets.append({n: _mixed([(s, part[n]) for s, part in parts]) for n in self._layers})
        return targets

    def _distances(self, picture: Tensor) -> dict[tuple[int, str], Tensor]:
        found = {}
        for index, seen in enumerate(self._statistics(picture, self._masks)):
            for layer, sums in seen.items():
                channels = self._features.channels(layer, sums)
                target = self._targets[index][layer]
                found[index, layer] = wasserstein_loss(sums, target, channels)
        return found

    def _statistics(
        self, picture: Tensor, masks: Sequence[Tensor | None]
    ) -> list[dict[str, Statistics]]:
        maps = self._network.features(picture, self._layers)
        return [
            {n: self._features.mapped(n, weighted(widened(maps[n]), mask)) for n in self._layers}
            for mask in masks
        ]


def _mixed(parts: Sequence[tuple[float, Statistics]]) -> Statistics:
    """Statistics of one position, of several pictures by their shares."""
    totals = torch.stack([share * each.total for share, each in parts]).sum(0)
    return Statistics(
        1, totals, torch.stack([share * each.second_moments for share, each in parts]).sum(0)
    )


def masks_of(regions: Tensor | None) -> list[Tensor | None]:
    """Each region's mask ``(1, 1, H, W)``; one None where there are no regions."""
    return [None] if regions is None else list(torch.split(regions, 1, 1))


def present(mask: Tensor | None) -> Tensor | None:
    """The mask, or None, which means everywhere, where it covers next to nothing."""
    return mask if mask is not None and float(mask.mean()) > FEW else None


def weighted(features: Tensor, mask: Tensor | None) -> Statistics:
    """Means over positions, weighted: the statistics of one position.

    Args:
        features: ``(1, N, h, w)``; differentiable.
        mask: ``(1, 1, H, W)``, not negative; None for even weights.

    """
    flat = features[0].flatten(1)
    if mask is None:
        return Statistics(1, flat.mean(1), flat @ flat.mT / flat.shape[1])
    shares = (
        F.adaptive_avg_pool2d(mask, (features.shape[-2], features.shape[-1])).flatten().to(flat)
    )
    shares = (shares + 1e-6) / (shares + 1e-6).sum()
    mean, moments = flat @ shares, (flat * shares) @ flat.mT
    return Statistics(1, mean, moments)
