"""Centroidal Voronoi diagrams: places spread over a picture, denser where it weighs more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

ROUNDS = 20  # of Lloyd's method
NEAR = (2, 1)  # steps of the search for the nearest place, once cells are known


@dataclass(frozen=True)
class Sites:
    """Places and their cells.

    Attributes:
        places: row and column of each, ``(N, 2)`` float32, in pixels.
        cells: index of each pixel's place, ``(H, W)``.
        mass: what each place's cell weighs, ``(N,)``.

    """

    places: Tensor
    cells: Tensor
    mass: Tensor


def spread(
    weights: Tensor, count: int, rng: torch.Generator, *, angle: Tensor | None = None
) -> Sites:
    """Places at the centroids of their own cells: Lloyd's method, weighted (Secord 2002).

    Cells are found by jump flooding (Rong and Tan 2006, *Jump flooding in GPU with applications to
    Voronoi diagram and distance transform*), from the cells of the round before.

    Args:
        weights: how dense places are to be, ``(H, W)``, not negative.
        count: of places.
        rng: of where they begin.
        angle: of squares that stand for the cells' circles, in radians from x towards y,
            ``(H, W)``: distance is then the larger of those along and across it at a place
            (Hausner 2001, *Simulating Decorative Mosaics*, section 4).

    """
    height, width = weights.shape
    flat = weights.flatten().clamp_min(0) + 1e-6
    began = torch.multinomial(flat, min(count, flat.numel()), generator=rng)
    jitter = torch.rand(len(began), 2, generator=rng) - 0.5
    places = torch.stack([began // width, began % width], 1) + jitter
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    at = torch.stack([rows, columns], -1).float()
    cells = torch.zeros(height, width, dtype=torch.long)
    farthest = 1 << (max(height, width) - 1).bit_length()
    steps = [farthest >> each for each in range(1, farthest.bit_length())]
    for number in range(ROUNDS + 1):
        pixel = places.round().long().clamp_min(0)
        pixel = torch.minimum(pixel, torch.tensor([height - 1, width - 1]))
        turned = None if angle is None else angle[pixel[:, 0], pixel[:, 1]]
        cells[pixel[:, 0], pixel[:, 1]] = torch.arange(len(places))
        cells = _flooded(cells, at, places, turned, NEAR if number else steps)
        mass = _summed(flat, cells, len(places))
        if number == ROUNDS:
            break
        centre = torch.stack(
            [_summed(flat * each.flatten(), cells, len(places)) for each in (rows, columns)], 1
        )
        owns = mass > 0
        places = torch.where(owns[:, None], centre / mass.clamp_min(1e-12)[:, None], places)
    return Sites(places, cells, mass)


def _flooded(
    cells: Tensor, at: Tensor, places: Tensor, turned: Tensor | None, steps: Sequence[int]
) -> Tensor:
    """Each pixel takes the nearest of the places that pixels so many steps away have."""
    nearest = _distance(at, places, turned, cells)
    for step in steps:
        for down in (-step, 0, step):
            for right in (-step, 0, step):
                other = torch.roll(cells, (down, right), (0, 1))
                distance = _distance(at, places, turned, other)
                cells = torch.where(distance < nearest, other, cells)
                nearest = torch.minimum(distance, nearest)
    return cells


def _distance(at: Tensor, places: Tensor, turned: Tensor | None, cells: Tensor) -> Tensor:
    down, right = (at - places[cells]).unbind(-1)
    if turned is None:
        return down.square() + right.square()
    cosine, sine = turned.cos()[cells], turned.sin()[cells]
    along, across = right * cosine + down * sine, down * cosine - right * sine
    return torch.maximum(along.abs(), across.abs())


def _summed(values: Tensor, cells: Tensor, count: int) -> Tensor:
    return torch.zeros(count).index_add_(0, cells.flatten(), values)
