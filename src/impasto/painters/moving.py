"""Strokes that follow a film: carried along its motion, and laid anew only where they must be.

After Litwinowicz 1997, *Processing images and video for an impressionist effect*, and Hays and Essa
2004, *Image and video based painterly animation*: a stroke moves with what it shows, so that the
painting does not boil; it is dropped where that is hidden or leaves the frame; and new strokes
are laid where the canvas has come to differ from the frame, by Hertzmann's rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from torch import Tensor

from impasto.ops.warp import reliable, warp
from impasto.painters.raster import topmost
from impasto.painters.strokes import Floats, Laid, Painting

KEPT = 0.25  # share of a stroke's points whose motion must be known


def followed(painting: Painting, off: Sequence[Tensor], flows: tuple[Tensor, Tensor]) -> Laid:
    """What one frame's painting is in the next, to go on with.

    Args:
        painting: of the frame before.
        off: how far it was from that frame, at each brush (:func:`~.strokes.off_by`).
        flows: from that frame to this one and back, ``(1, 2, H, W)`` in pixels.

    """
    forth, back = flows
    known = reliable(back, forth)[0, 0]
    # Where nothing is known of before, nothing is forgiven.
    moved = [warp(each[None, None], back)[0, 0].clamp_min(0) * known for each in off]
    return Laid(carried(painting, forth, reliable(forth, back)), moved)


def carried(painting: Painting, flow: Tensor, known: Tensor) -> Painting:
    """The strokes of one frame as they lie in the next.

    Args:
        painting: of the frame before.
        flow: from that frame to this one, ``(1, 2, H, W)`` in pixels.
        known: where the flow may be believed, ``(1, 1, H, W)`` of zeros and ones.

    Returns:
        a painting of those that are still to be seen, in order.

    """
    height, width = flow.shape[-2:]
    if not painting.strokes:
        return painting
    counts = np.array([len(each.points) for each in painting.strokes])
    points = np.concatenate([each.points for each in painting.strokes]) * width
    moved = points + _sampled(flow[0].numpy(), points)
    trusted = _sampled(known[0].numpy(), points)[:, 0]
    ends = np.cumsum(counts)
    shares = np.add.reduceat(trusted, ends - counts) / counts
    strokes = [
        replace(stroke, points=(moved[end - count : end] / width).astype(np.float32))
        for stroke, count, end, share in zip(painting.strokes, counts, ends, shares, strict=True)
        if share >= KEPT and _is_inside(moved[end - count : end], width, height)
    ]
    return replace(painting, strokes=tuple(strokes))


def without_covered(painting: Painting, width: int, height: int) -> Painting:
    """A painting without the strokes of which others leave nothing to be seen.

    Strokes that are not opaque count as if they were: what lies wholly under others goes.
    """
    seen = topmost(painting.strokes, width, height, len(painting.strokes))
    strokes = zip(painting.strokes, seen, strict=True)
    return replace(painting, strokes=tuple(stroke for stroke, pixels in strokes if pixels))


def _sampled(maps: Floats, points: Floats) -> Floats:
    """Maps ``(C, H, W)`` at the pixels that points ``(N, 2)`` lie in, ``(N, C)``."""
    height, width = maps.shape[1:]
    x = np.floor(points[:, 0]).astype(int).clip(0, width - 1)
    y = np.floor(points[:, 1]).astype(int).clip(0, height - 1)
    values: Floats = maps[:, y, x].T
    return values


def _is_inside(points: Floats, width: int, height: int) -> bool:
    x, y = points.T
    inside = (x >= 0) & (x <= width) & (y >= 0) & (y <= height)
    return bool(inside.any())
