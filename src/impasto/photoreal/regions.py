"""Region masks along the photograph's own edges, at any size."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.ops.inits import resize

RADIUS = 1 / 50  # of the shorter side
SMOOTHNESS = 2e-4  # variance of colour below which nothing is an edge
SMALL = 512  # longer side, in pixels, that the masks are refined at
STEEP = 1.6


def refined(
    regions: Tensor,
    photograph: Tensor,
    believed: Tensor | None = None,
    *,
    radius: float = RADIUS,
    steep: float = STEEP,
) -> Tensor:
    """Masks whose edges follow the photograph's.

    Drawn masks miss an edge by some pixels; a change of colours that follows them leaves a rim. The
    guided filter (He, Sun and Tang 2010, eq. 19, with a colour guide) makes a mask a linear
    function of the colours near each pixel; it is computed small and applied at full size (He and
    Sun 2015, *Fast Guided Filter*).

    Args:
        regions: ``(1, R, h, w)``, of sum 1, at any size.
        photograph: ``(1, 3, H, W)`` in [0, 1].
        believed: what each position counts for in the filter, ``(1, 1, h, w)``; None for all alike.
        radius: of the filter's windows, in shorter sides.
        steep: how much steeper edges become: the filter leaves a veil on both sides.

    Returns:
        ``(1, R, H, W)``, not negative, of sum 1.

    """
    height, width = photograph.shape[-2:]
    scale = min(1.0, SMALL / max(height, width))
    size = max(8, round(height * scale)), max(8, round(width * scale))
    reach = max(1, round(min(size) * radius))
    weights = torch.ones(1, 1, *size) if believed is None else resize(believed, *size)
    masks, guide = resize(regions, *size), resize(photograph, *size)
    slopes, offset = guided(masks, guide, weights.clamp_min(1e-3), reach, SMOOTHNESS)
    parts = [
        _enlarged(offset[:, at : at + 1], height, width)
        + (_enlarged(slopes[at][None], height, width) * photograph).sum(1, keepdim=True)
        for at in range(regions.shape[1])
    ]
    made = ((torch.cat(parts, 1) - 0.5) * steep + 0.5).clamp(0, 1) + 1e-6
    return made / made.sum(1, keepdim=True)


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


def box(image: Tensor, radius: int) -> Tensor:
    """Means of squares of ``2 radius + 1`` pixels, of those of them that there are."""
    return F.avg_pool2d(image, 2 * radius + 1, 1, radius, count_include_pad=False)


def _enlarged(image: Tensor, height: int, width: int) -> Tensor:
    return F.interpolate(image, (height, width), mode="bilinear", align_corners=False)
