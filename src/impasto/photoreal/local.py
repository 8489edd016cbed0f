"""Functions that are linear in the colours near each pixel: the guided filter's, at any size.

He, Sun and Tang 2010, *Guided Image Filtering*; computed small and applied at full size (He and Sun
2015, *Fast Guided Filter*), some rows at a time.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.ops.color import rgb_to_luma
from impasto.ops.inits import resize

SMALL = 512  # longer side, in pixels, that they are computed at
BASE_RADIUS = 1 / 20  # of the shorter side: reach of the base of brightness
BASE_SMOOTHNESS = 0.01  # variance of luma that is no part of it

Rows = tuple[int, int]
"""The first of some rows, and the height of the whole picture."""


@dataclass(frozen=True)
class Local:
    """K functions of a picture's colours, each with coefficients that change over the picture.

    Attributes:
        slopes: ``(K, 3, h, w)``, at a size of their own.
        offset: ``(1, K, h, w)``.

    """

    slopes: Tensor
    offset: Tensor

    def at(self, image: Tensor, rows: Rows | None = None) -> Tensor:
        """Their values at some rows of a picture ``(1, 3, H, W)``: ``(1, K, H, W)``."""
        offset = enlarged(self.offset, image, rows)
        parts = [
            (enlarged(each[None], image, rows) * image).sum(1, keepdim=True) for each in self.slopes
        ]
        return torch.cat(parts, 1) + offset


def base_of(photograph: Tensor) -> Local:
    """Its brightness without fine detail, along its edges, as a function of its colours."""
    small = at_most(photograph, SMALL)
    radius = max(1, round(min(small.shape[-2:]) * BASE_RADIUS))
    luma = rgb_to_luma(small)
    mean = box(luma, radius)
    variance = (box(luma.square(), radius) - mean.square()).clamp_min(0)
    slope = variance / (variance + BASE_SMOOTHNESS)
    weights = rgb_to_luma(torch.eye(3).view(3, 3, 1, 1)).view(1, 3, 1, 1)
    return Local(box(slope, radius) * weights.to(slope), box(mean - slope * mean, radius))


def enlarged(values: Tensor, image: Tensor, rows: Rows | None = None) -> Tensor:
    """Values ``(1, C, h, w)`` of a whole picture at the pixels of some of its rows, bilinear."""
    many, width = image.shape[-2:]
    first, height = rows or (0, many)
    down = (torch.arange(first, first + many, device=image.device) + 0.5) * 2 / height - 1
    across = (torch.arange(width, device=image.device) + 0.5) * 2 / width - 1
    places = torch.stack([across.expand(many, width), down[:, None].expand(many, width)], -1)
    return F.grid_sample(values, places[None].to(values), "bilinear", "border", align_corners=False)


def box(image: Tensor, radius: int) -> Tensor:
    """Means of squares of ``2 radius + 1`` pixels, of those of them that there are."""
    return F.avg_pool2d(image, 2 * radius + 1, 1, radius, count_include_pad=False)


def at_most(image: Tensor, longest: int, least: int = 8) -> Tensor:
    """A picture whose longer side is at most so many pixels, its shorter one at least ``least``."""
    height, width = image.shape[-2:]
    scale = min(1.0, longest / max(height, width))
    return resize(image, max(least, round(height * scale)), max(least, round(width * scale)))
