"""Statistics by region: each position counts as far as it belongs to a region.

After Gatys, Ecker, Bethge, Hertzmann and Shechtman, *Controlling Perceptual Factors in Neural Style
Transfer* (CVPR 2017), section 4.1: guided Gram matrices. A departure: their guidance scales the
features, so that the mask occurs squared; here it weights the positions, so that the regions' sums
add up to the whole's, and a region's mean and covariance are those of its features.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.ops.statistics import Statistics, statistics_gradient, weighted_statistics

FAINTEST = 1e-4  # share of a picture below which a region is not there

Place = tuple[slice, slice]
EVERYWHERE: Place = (slice(None), slice(None))


def regional(layer: str, region: int) -> str:
    """The name of a layer's statistics in a region."""
    return f"{layer}@{region}"


def layer_of(name: str) -> str:
    """The layer of statistics, whether they are a region's or the whole's."""
    return name.partition("@")[0]


def region_of(name: str) -> int | None:
    """The region of statistics; None for the whole's."""
    region = name.partition("@")[2]
    return int(region) if region else None


def whole(names: Collection[str]) -> list[str]:
    """Those of the names that are of the whole."""
    return [name for name in names if region_of(name) is None]


def layers_by_region(names: Collection[str]) -> list[str]:
    """The layers of those names that are of regions, each once."""
    return list(dict.fromkeys(layer_of(name) for name in names if region_of(name) is not None))


@dataclass(frozen=True)
class Masks:
    """How far each pixel of a picture belongs to each region.

    Attributes:
        masks: ``(1, R, H, W)`` float32 in [0, 1].

    """

    masks: Tensor
    _sized: dict[tuple[int, int], Tensor] = field(default_factory=dict, init=False, repr=False)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the picture."""
        return self.masks.shape[-2], self.masks.shape[-1]

    def at(self, size: tuple[int, int]) -> Tensor:
        """The mean over what a position of a map of that size stands for, ``(R, h, w)``."""
        if size not in self._sized:
            self._sized[size] = F.adaptive_avg_pool2d(self.masks, size)[0]
        return self._sized[size]

    def sums(
        self,
        names: Collection[str],
        maps: Mapping[str, Tensor],
        sizes: Mapping[str, tuple[int, int]] | None = None,
        where: Mapping[str, Place] | None = None,
    ) -> dict[str, Statistics]:
        """Statistics by name, of those names that are of regions.

        Args:
            names: of statistics.
            maps: of their layers, ``(1, N, h, w)``; differentiable once.
            sizes: by layer, height and width of the whole map, where these are parts of it.
            where: by layer, which rows and columns these are then.

        """
        sums = {}
        for name in names:
            region, layer = region_of(name), layer_of(name)
            if region is not None:
                weights = self._weights(layer, maps[layer], sizes, where)[region]
                sums[name] = weighted_statistics(maps[layer], weights)
        return sums

    def pulled_back(
        self,
        slopes: Mapping[str, tuple[Tensor, Tensor]],
        maps: Mapping[str, Tensor],
        sizes: Mapping[str, tuple[int, int]],
        where: Mapping[str, Place],
    ) -> dict[str, Tensor]:
        """Derivatives with respect to the maps, from those with respect to the regions' sums."""
        pulled: dict[str, Tensor] = {}
        for name, (total, second_moments) in slopes.items():
            region, layer = region_of(name), layer_of(name)
            if region is None:
                continue
            weights = self._weights(layer, maps[layer], sizes, where)[region]
            if not weights.any():
                continue
            own = statistics_gradient(maps[layer], total, second_moments) * weights.to(maps[layer])
            pulled[layer] = pulled[layer] + own if layer in pulled else own
        return pulled

    def _weights(
        self,
        layer: str,
        features: Tensor,
        sizes: Mapping[str, tuple[int, int]] | None,
        where: Mapping[str, Place] | None,
    ) -> Tensor:
        if sizes is None or where is None:
            return self.at((features.shape[-2], features.shape[-1]))
        rows, columns = where[layer]
        return self.at(sizes[layer])[:, rows, columns]


@dataclass(frozen=True)
class SizedRegions:
    """Regions of a picture at one size, and what each takes after.

    Attributes:
        picture: where the regions are.
        shares: by region, the share of each painting; they add up to 1.
        parts: by painting and style scale, as the paintings are listed, where its parts are; None
            for one that is taken as a whole.

    """

    picture: Masks
    shares: Sequence[Sequence[float]]
    parts: Sequence[Masks | None]

    @property
    def areas(self) -> list[float]:
        """The share of the picture that each region has."""
        means: list[float] = self.picture.masks.mean((0, 2, 3)).tolist()
        return means

    @property
    def present(self) -> list[int]:
        """The regions that are in the picture: a part of a larger one may lack some."""
        return [region for region, area in enumerate(self.areas) if area > FAINTEST]

    def to(self, device: torch.device | str) -> SizedRegions:
        """The same on a device."""
        parts = [None if each is None else Masks(each.masks.to(device)) for each in self.parts]
        return SizedRegions(Masks(self.picture.masks.to(device)), self.shares, parts)
