"""Stipples and tiles: pictures of one mark, spread by a centroidal Voronoi diagram.

They are paintings of strokes like any other: drawn at any size, as SVG, or while they are made.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from impasto.ops.color import match_color_statistics, rgb_to_luma
from impasto.painters.sites import spread
from impasto.painters.strokes import Floats, Painting, Stroke, nearest_color, palette_of
from impasto.painters.structure import flow_of

LOOKED_AT = 640  # longest side at which places are found
DOTS = 9000
TILES = 2600
GROUT = 0.12  # share of a tile's side that is left open
JOINT = (0.24, 0.23, 0.22)  # colour of what is left open
PAPER, INK = (0.98, 0.97, 0.95), (0.07, 0.07, 0.09)


def stippled(photograph: Tensor, palette: Tensor | None = None, seed: int = 0) -> Painting:
    """Dots of ink whose density is the photograph's darkness.

    Secord 2002, *Weighted Voronoi Stippling*. Each dot covers as much as its cell is dark, so that
    tone is right also where the dots could not be spread evenly.

    Args:
        photograph: ``(1, 3, H, W)`` in [0, 1], not much larger than :data:`LOOKED_AT`.
        palette: a painting ``(1, 3, h, w)``, whose lightest colour is the paper and whose darkest
            is the ink.
        seed: of where dots begin, and of their order.

    """
    rng = torch.Generator().manual_seed(seed % 2**63)
    height, width = photograph.shape[-2:]
    luma = rgb_to_luma(photograph)[0, 0]
    some = luma.flatten()[:: max(1, luma.numel() // 100_000)]
    low, high = torch.quantile(some, torch.tensor([0.01, 0.99]))
    dark = 1 - ((luma - low) / (high - low).clamp_min(1e-3)).clamp(0, 1)
    # Values are encoded for the eye; how much ink covers is linear in light.
    covered = 1 - (1 - dark) ** 2.2
    sites = spread(covered, min(DOTS, height * width // 6), rng)
    paper, ink = PAPER, INK
    if palette is not None:
        ink, *_, paper = sorted(map(_triple, palette_of(palette)), key=sum)
    order = torch.randperm(len(sites.places), generator=rng).tolist()
    radii = (sites.mass / math.pi).sqrt().tolist()
    dots = tuple(
        Stroke(_scaled(sites.places[index][None], width), radii[index] / width, ink)
        for index in order
        if radii[index] > 0.15
    )
    return Painting(height / width, paper, dots)


def tiled(photograph: Tensor, palette: Tensor | None = None, seed: int = 0) -> Painting:
    """A mosaic: square tiles that run along the photograph's lines.

    Hausner 2001, *Simulating Decorative Mosaics*: a centroidal Voronoi diagram whose cells are
    squares along a field of directions. Departures: the field is that of the structure tensor, not
    of the distance from lines drawn by hand, and tiles may lie across an edge.

    Args:
        photograph: as for :func:`stippled`.
        palette: a painting whose colours the tiles take; the photograph's own when not given.
        seed: of where tiles begin, and of their order.

    """
    rng = torch.Generator().manual_seed(seed % 2**63)
    height, width = photograph.shape[-2:]
    count = min(TILES, height * width // 12)
    side = math.sqrt(height * width / count)
    source, colors = photograph, None
    if palette is not None:
        source = match_color_statistics(photograph, palette).clamp(0, 1)
        colors = palette_of(palette)
    angle = flow_of(photograph, side / 2).angle
    sites = spread(torch.ones(height, width), count, rng, angle=angle)
    sums = torch.zeros(len(sites.places), 3)
    sums.index_add_(0, sites.cells.flatten(), source[0].flatten(1).T)
    means = (sums / sites.mass.clamp_min(1e-6)[:, None]).clamp(0, 1).numpy()
    tiles = []
    for index in torch.randperm(len(sites.places), generator=rng).tolist():
        row, column = sites.places[index].tolist()
        turned = float(angle[min(height - 1, round(row)), min(width - 1, round(column))])
        half = (1 - GROUT) * min(side, math.sqrt(float(sites.mass[index]))) / 2
        ends = torch.tensor([[math.sin(turned), math.cos(turned)]]) * half
        line = torch.cat([sites.places[index] - ends, sites.places[index] + ends])
        color = means[index] if colors is None else nearest_color(means[index], colors)
        shape = _scaled(line, width), half / width
        tiles.append(Stroke(*shape, _triple(color), is_square=True))
    return Painting(height / width, JOINT, tuple(tiles))


def _triple(color: Floats) -> tuple[float, float, float]:
    red, green, blue = color.tolist()
    return red, green, blue


def _scaled(places: Tensor, width: int) -> Floats:
    """Rows and columns of pixels as x and y in units of the width."""
    scaled: Floats = (places.flip(1).numpy() + 0.5).astype(np.float32) / width
    return scaled
