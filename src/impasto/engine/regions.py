"""Regions: which painting, or which part of one, each part of the picture takes after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.engine.framing import made
from impasto.engine.objective.regions import Masks, SizedRegions
from impasto.engine.planning.stages import Stage
from impasto.ops.masks import softened

NOWHERE = 255  # the label of what belongs to no region; a picture has fewer regions


@dataclass(frozen=True)
class Regions:
    """Regions as they were given, at any size.

    Attributes:
        labels: the region of each pixel of the picture, ``(1, 1, H, W)`` uint8.
        shares: by region, the share of each painting; they add up to 1.
        parts: by painting, the region whose part each of its pixels is, ``(1, 1, h, w)`` uint8, or
            :data:`NOWHERE`; None for one that is taken as a whole.

    """

    labels: Tensor
    shares: tuple[tuple[float, ...], ...]
    parts: tuple[Tensor | None, ...]

    def masks(self, stage: Stage, *, wrap: bool = False) -> Tensor:
        """How far each pixel of a stage's picture belongs to each region: ``(1, R, H, W)`` float32.

        Soft at the borders; they add up to 1 at every pixel.
        """
        labels = made(self.labels, stage, wrap=wrap, resize=nearest)
        return softened(one_hot(labels, len(self.shares)))

    def masks_of(self, height: int, width: int) -> Tensor:
        """The same of a picture of a size, without a soft border: ``(1, R, H, W)`` of 0 and 1."""
        return one_hot(nearest(self.labels, height, width), len(self.shares))

    def parts_at(self, sizes: Sequence[tuple[int, int]]) -> list[Tensor | None]:
        """The paintings' parts at their sizes, each ``(1, R, h, w)`` float32 of zeros and ones.

        Args:
            sizes: of the paintings, one after the other at every style scale.

        """
        scales = len(sizes) // len(self.parts)
        paintings = [part for part in self.parts for _ in range(scales)]
        return [
            None if part is None else one_hot(nearest(part, *size), len(self.shares))
            for part, size in zip(paintings, sizes, strict=True)
        ]

    def at(self, stage: Stage, *, wrap: bool = False) -> SizedRegions:
        """All of them at a stage's sizes."""
        parts = [None if each is None else Masks(each) for each in self.parts_at(stage.styles)]
        return SizedRegions(Masks(self.masks(stage, wrap=wrap)), self.shares, parts)

    def in_window(self, stage: Stage) -> Regions:
        """Those of a stage's window."""
        if stage.window is None:
            return self
        top, left, height, width = stage.window
        labels = nearest(self.labels, stage.height, stage.width)
        return replace(self, labels=labels[..., top : top + height, left : left + width])


def nearest(labels: Tensor, height: int, width: int, *, wrap: bool = False) -> Tensor:
    """Labels ``(1, 1, H, W)`` at another size."""
    del wrap  # a label is taken over as it is, whatever lies beside it
    if labels.shape[-2:] == (height, width):
        return labels
    return F.interpolate(labels, (height, width), mode="nearest-exact")


def one_hot(labels: Tensor, count: int) -> Tensor:
    """``(1, 1, H, W)`` as ``(1, count, H, W)`` float32 of zeros and ones."""
    numbers = torch.arange(count, dtype=labels.dtype, device=labels.device).view(1, -1, 1, 1)
    return (labels == numbers).float()
