"""Painting with a trained network: at once, or in tiles where the picture is large.

Instance norm needs statistics of the whole picture. For tiles they are taken from parts at full
scale, spread over it; the tiles themselves overlap by the network's reach, so no seam can be seen.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from impasto.nets.feedforward import Painter

LARGEST_AT_ONCE = 3_000_000  # pixels; about 1.5 GB in float32
TILE = 1024
PARTS, PART = 4, 320  # parts that the statistics are taken from: 4 x 4, each of so many pixels


def paint(
    painter: Painter,
    photograph: Tensor,
    shares: Tensor,
    *,
    largest: int = LARGEST_AT_ONCE,
    tile: int = TILE,
    part: int = PART,
) -> Iterator[tuple[float, Tensor]]:
    """Paint a photograph; yields how much of it is done, and the picture, whole when that is 1.

    Args:
        painter: in the type and on the device that it shall compute with.
        photograph: ``(1, 3, H, W)`` in [0, 1], on the CPU.
        shares: of each painting, adding up to 1.
        largest: pixels of a picture that is painted at once.
        tile: side of the tiles of a larger one, a multiple of 4.
        part: side of the parts that such a one's statistics are taken from.

    """
    device = painter.kept.device
    shares = shares.to(device)
    height, width = photograph.shape[-2:]
    if height * width <= largest:
        with torch.no_grad():
            picture = painter(_laid_out(photograph.to(device)), shares).cpu()
        yield 1.0, picture
        return
    picture = torch.empty_like(photograph)
    parts = _laid_out(_parts(photograph, part).to(device))
    corners = [(y, x) for y in range(0, height, tile) for x in range(0, width, tile)]
    with painter.with_statistics_of(parts, shares):
        for number, (top, left) in enumerate(corners, 1):
            with torch.no_grad():
                _paint_tile(painter, photograph, picture, shares, top, left, tile)
            yield number / len(corners), picture


def _paint_tile(
    painter: Painter,
    photograph: Tensor,
    picture: Tensor,
    shares: Tensor,
    top: int,
    left: int,
    tile: int,
) -> None:
    height, width = photograph.shape[-2:]
    reach = painter.reach
    above, before = max(0, top - reach), max(0, left - reach)
    below, after = min(height, top + tile + reach), min(width, left + tile + reach)
    piece = photograph[..., above:below, before:after].to(painter.kept.device)
    made = painter(_laid_out(piece), shares)
    end, side = min(height, top + tile), min(width, left + tile)
    picture[..., top:end, left:side] = made[
        ..., top - above : end - above, left - before : side - before
    ].cpu()


def _parts(photograph: Tensor, part: int) -> Tensor:
    """Squares in even distances, from edge to edge, ``(16, 3, S, S)``."""
    height, width = photograph.shape[-2:]
    side = min(part, height, width)
    tops = [round(i * (height - side) / (PARTS - 1)) for i in range(PARTS)]
    lefts = [round(i * (width - side) / (PARTS - 1)) for i in range(PARTS)]
    return torch.cat([photograph[..., y : y + side, x : x + side] for y in tops for x in lefts])


def _laid_out(picture: Tensor) -> Tensor:
    return picture.contiguous(memory_format=torch.channels_last)
