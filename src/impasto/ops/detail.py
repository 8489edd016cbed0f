"""Where a picture has most to see."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.ops.inits import resize

LOOKED_AT = 256  # longest side at which detail is measured: coarse enough to overlook grain
CENTRING = 0.3  # what a window in a corner loses against one in the middle


def most_detailed(image: Tensor, *, height: float, width: float) -> tuple[float, float]:
    """Centre of the window with the most detail, the middle of the picture being preferred.

    Detail is the mean absolute difference between neighbours' brightness.

    Args:
        image: ``(1, 3, H, W)`` in [0, 1].
        height: of the window, as a share of the picture's, in (0, 1].
        width: the same across.

    Returns:
        how far down and how far to the right the centre lies, in (0, 1).

    """
    ratio = min(1.0, LOOKED_AT / max(image.shape[-2:]))
    rows, columns = (max(2, round(side * ratio)) for side in image.shape[-2:])
    grey = resize(image, rows, columns).mean(1, keepdim=True)
    down = F.pad((grey[..., 1:, :] - grey[..., :-1, :]).abs(), (0, 0, 0, 1))
    across = F.pad((grey[..., :, 1:] - grey[..., :, :-1]).abs(), (0, 1))
    window = (max(1, round(rows * height)), max(1, round(columns * width)))
    detail = F.avg_pool2d(down + across, window, stride=1)[0, 0] + 1e-6
    y = (torch.arange(detail.shape[0]) + window[0] / 2) / rows
    x = (torch.arange(detail.shape[1]) + window[1] / 2) / columns
    distance = (2 * y - 1)[:, None].square() + (2 * x - 1).square()
    best = int((detail * (1 - CENTRING * distance / 2)).argmax())
    return float(y[best // detail.shape[1]]), float(x[best % detail.shape[1]])
