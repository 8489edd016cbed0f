"""Region masks along the photograph's own edges, at any size."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from impasto.ops.inits import resize
from impasto.photoreal.local import SMALL, Local, Rows, at_most, box

RADIUS = 1 / 50  # of the shorter side
SMOOTHNESS = 2e-4  # variance of colour below which nothing is an edge
STEEP = 1.6


@dataclass(frozen=True)
class EdgeMasks:
    """Masks whose edges follow the photograph's.

    Attributes:
        functions: of its colours, one for each region.
        steep: how much steeper edges become: the filter leaves a veil on both sides.

    """

    functions: Local
    steep: float

    def at(self, image: Tensor, rows: Rows | None = None) -> Tensor:
        """Of some rows of the photograph: ``(1, R, H, W)``, not negative, of sum 1."""
        made = ((self.functions.at(image, rows) - 0.5) * self.steep + 0.5).clamp(0, 1) + 1e-6
        return made / made.sum(1, keepdim=True)


def refined(
    regions: Tensor,
    photograph: Tensor,
    believed: Tensor | None = None,
    *,
    radius: float = RADIUS,
    steep: float = STEEP,
) -> EdgeMasks:
    """Masks along the photograph's edges, by the guided filter with a colour guide (eq. 19).

    Drawn masks miss an edge by some pixels; a change of colours that follows them leaves a rim.

    Args:
        regions: ``(1, R, h, w)``, of sum 1, at any size.
        photograph: ``(1, 3, H, W)`` in [0, 1].
        believed: what each position counts for in the filter, ``(1, 1, h, w)``; None for all alike.
        radius: of the filter's windows, in shorter sides.
        steep: as of :class:`EdgeMasks`.

    """
    guide = at_most(photograph, SMALL)
    size = guide.shape[-2], guide.shape[-1]
    reach = max(1, round(min(size) * radius))
    weights = torch.ones(1, 1, *size) if believed is None else resize(believed, *size)
    masks = resize(regions, *size)
    slopes, offset = guided(masks, guide, weights.clamp_min(1e-3), reach, SMOOTHNESS)
    return EdgeMasks(Local(slopes, offset), steep)


def guided(
    masks: Tensor, guide: Tensor, weights: Tensor, radius: int, smoothness: float
) -> tuple[Tensor, Tensor]:
    """The guided filter's linear functions of a guide's colours, averaged over their windows.

    Args:
        masks: ``(1, R, H, W)``.
        guide: ``(1, 3, H, W)``.
        weights: what each pixel counts for, ``(1, 1, H, W)``, positive.
        radius: of the windows, in pixels.
        smoothness: variance of colour that is smoothed away.

    Returns:
        slopes ``(R, 3, H, W)`` and offsets ``(1, R, H, W)``.

    """
    total = box(weights, radius)

    def averaged(image: Tensor) -> Tensor:
        return box(image * weights, radius) / total

    mean, own = averaged(guide), averaged(masks)
    products = averaged((guide[:, :, None] * guide[:, None]).flatten(1, 2))
    spread = products - (mean[:, :, None] * mean[:, None]).flatten(1, 2)
    matrices = spread[0].view(3, 3, -1).permute(2, 0, 1).double()
    matrices = matrices + smoothness * torch.eye(3, dtype=torch.float64)
    shared = averaged((masks[:, :, None] * guide[:, None]).flatten(1, 2))
    shared = shared - (own[:, :, None] * mean[:, None]).flatten(1, 2)
    right = shared[0].view(masks.shape[1], 3, -1).permute(2, 1, 0).double()
    slopes = torch.linalg.solve(matrices, right).permute(2, 1, 0).to(masks.dtype)
    slopes = slopes.reshape(masks.shape[1], 3, *masks.shape[-2:])
    offset = own - (slopes * mean).sum(1)[None]
    return averaged(slopes), averaged(offset)
