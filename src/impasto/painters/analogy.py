"""Example-based rendering: a filter learnt from one pair of pictures (report, reference 14).

Hertzmann, Jacobs, Oliver, Curless and Salesin 2001, *Image Analogies*: given A and A', which was
made of it, find B' that is to B as A' is to A. Every pixel of B' is one of A', chosen so that its
neighbourhood in A is like that in B, and its neighbourhood in A' like what is there of B', coarse
to fine; a place beside a neighbour's is preferred even where it is not quite as near (coherent
search, section 3.2). Departures: places are
searched for by PatchMatch (Barnes et al. 2009, *PatchMatch: A Randomized Correspondence Algorithm
for Structural Image Editing*), all pixels at once, instead of by a kd-tree and a scan;
neighbourhoods are compared by their principal components.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.ops.color import match_color_statistics, rgb_to_luma, with_luma_of
from impasto.ops.inits import resize
from impasto.painters.structure import blurred

PATCH = 5  # side of a neighbourhood
COMPONENTS = 24  # of neighbourhoods, by which they are compared
COARSEST = 40  # pixels of the shorter side of the coarsest size
ROUNDS = 2  # at each size: search, then paint anew
PASSES = 3  # of propagation and random search in each round
KAPPA = 2.0  # how much farther than the nearest place one beside a neighbour's may be
PAINTED = 0.3  # weight of what is painted, beside the photograph's
SIDES = ((1, 0), (0, 1), (-1, 0), (0, -1))
SMOOTH = 4.0  # deviation of the blur that stands for A where only A' is known, in 512ths


def analogy(photograph: Tensor, example: Tensor, original: Tensor | None = None) -> Tensor:
    """What is to the photograph as the example is to its original.

    Args:
        photograph: B, ``(1, 3, H, W)`` float32 in [0, 1].
        example: A', ``(1, 3, h, w)``.
        original: A, of the example's size. Its brightness is compared, and the result has the
            photograph's colours, as in the paper's section 3.4. Where it is not known, a blurred
            A' stands for it (the paper's section 4.4), colours are compared too, and the result
            has the example's.

    Returns:
        B', ``(1, 3, H, W)``.

    """
    if original is None:
        scale = max(example.shape[-2:]) / 512
        source = match_color_statistics(photograph, example).clamp(0, 1)
        pair = _Pair(blurred(example, SMOOTH * scale), example)
        return _coarse_to_fine(blurred(source, SMOOTH * scale / 2), pair)
    luma, known = rgb_to_luma(photograph), rgb_to_luma(original)
    # Its equation of section 3.4: A and A' are given the mean and deviation of B's brightness.
    ratio = luma.std() / known.std().clamp_min(1e-4)
    shifted = (
        ratio * (each - known.mean()) + luma.mean() for each in (known, rgb_to_luma(example))
    )
    painted = _coarse_to_fine(luma, _Pair(*shifted))
    return with_luma_of(photograph, painted.expand(-1, 3, -1, -1).clamp(0, 1)).clamp(0, 1)


@dataclass(frozen=True)
class _Pair:
    """A and A', ``(1, C, h, w)`` each."""

    original: Tensor
    example: Tensor

    def at(self, height: int, width: int) -> _Pair:
        return _Pair(resize(self.original, height, width), resize(self.example, height, width))


def _coarse_to_fine(source: Tensor, pair: _Pair) -> Tensor:
    """B' by a pyramid; at each size a field of places in A' is found and read."""
    rng = torch.Generator().manual_seed(0)
    shortest = min(*source.shape[-2:], *pair.example.shape[-2:])
    levels = max(0, (shortest // COARSEST).bit_length() - 1)
    field: Tensor | None = None
    for level in reversed(range(levels + 1)):
        height, width = (max(PATCH, each >> level) for each in source.shape[-2:])
        small = pair.at(*(max(PATCH, each >> level) for each in pair.example.shape[-2:]))
        here = resize(source, height, width)
        size = small.example.shape[-2:]
        if field is None:
            field = _anywhere((height, width), size, rng)
            painted = here
        else:
            field = _finer(field, (height, width), size)
            painted = _read(small.example, field)
        for _ in range(ROUNDS):
            queries, keys = _described(here, painted, small)
            field = coherent(queries, keys, search(queries, keys, field, rng))
            painted = _read(small.example, field)
    return painted


def _described(source: Tensor, painted: Tensor, pair: _Pair) -> tuple[Tensor, Tensor]:
    """Neighbourhoods in B and B', and those in A and A', ``(H, W, D)`` each."""
    queries = torch.cat([_patches(source), PAINTED**0.5 * _patches(painted)])
    keys = torch.cat([_patches(pair.original), PAINTED**0.5 * _patches(pair.example)])
    flat = keys.flatten(1)
    mean = flat.mean(1, keepdim=True)
    centred = flat - mean
    _, vectors = torch.linalg.eigh(centred @ centred.T)  # ascending
    basis = vectors[:, -COMPONENTS:].T
    parts = [
        (basis @ (each.flatten(1) - mean)).T.reshape(*each.shape[1:], -1).contiguous()
        for each in (queries, keys)
    ]
    return parts[0], parts[1]


def _patches(image: Tensor) -> Tensor:
    """Every pixel's neighbourhood, ``(C * 25, H, W)``, the edges repeated."""
    around = PATCH // 2
    wide = F.pad(image, (around,) * 4, mode="replicate")
    return F.unfold(wide, PATCH).reshape(-1, *image.shape[-2:])


def search(queries: Tensor, keys: Tensor, field: Tensor, rng: torch.Generator) -> Tensor:
    """PatchMatch: better places for every pixel, from its neighbours' and at random.

    Args:
        queries: ``(H, W, D)``.
        keys: ``(h, w, D)``.
        field: ``(H, W, 2)``, rows and columns in ``keys`` to begin with.
        rng: of the random search.

    Returns:
        such a field, nowhere worse.

    """
    height, width = keys.shape[:2]
    distance = _distance(queries, keys, field)
    for _ in range(PASSES):
        for step in (8, 4, 2, 1):
            for down, right in SIDES:
                near = _beside(field, step * down, step * right, keys)
                field, distance = _better(queries, keys, field, distance, near)
        reach = max(height, width)
        while reach >= 1:
            shift = (2 * torch.rand(field.shape, generator=rng) - 1) * reach
            other = _inside(field + shift.long(), keys)
            field, distance = _better(queries, keys, field, distance, other)
            reach //= 3
    return field


def coherent(queries: Tensor, keys: Tensor, field: Tensor) -> Tensor:
    """A field whose neighbours lie side by side in the keys where that is hardly farther.

    Args:
        queries: as for :func:`search`.
        keys: likewise.
        field: likewise.

    Returns:
        such a field; no place is farther than ``1 + KAPPA`` times the one before.

    """
    most = (1 + KAPPA) * _distance(queries, keys, field)
    for down, right in 2 * SIDES:
        near = _beside(field, down, right, keys)
        allowed = _distance(queries, keys, near) <= most
        field = torch.where(allowed[..., None], near, field)
    return field


def _beside(field: Tensor, down: int, right: int, keys: Tensor) -> Tensor:
    """For every pixel, where it would lie in the keys beside another's place."""
    return _inside(torch.roll(field, (down, right), (0, 1)) + torch.tensor([down, right]), keys)


def _inside(field: Tensor, keys: Tensor) -> Tensor:
    most = torch.tensor([keys.shape[0] - 1, keys.shape[1] - 1])
    return torch.minimum(field.clamp_min(0), most)


def _better(
    queries: Tensor, keys: Tensor, field: Tensor, distance: Tensor, other: Tensor
) -> tuple[Tensor, Tensor]:
    found = _distance(queries, keys, other)
    nearer = found < distance
    return torch.where(nearer[..., None], other, field), torch.minimum(found, distance)


def _distance(queries: Tensor, keys: Tensor, field: Tensor) -> Tensor:
    index = (field[..., 0] * keys.shape[1] + field[..., 1]).flatten()
    near = keys.flatten(0, 1).index_select(0, index)
    return (near - queries.flatten(0, 1)).square().sum(1).reshape(field.shape[:2])


def _anywhere(size: tuple[int, int], within: torch.Size, rng: torch.Generator) -> Tensor:
    places = torch.rand(*size, 2, generator=rng) * torch.tensor([within[0], within[1]])
    return places.long()


def _finer(field: Tensor, size: tuple[int, int], within: torch.Size) -> Tensor:
    """A field of half the size, for a larger picture and example."""
    # By halves, not in proportion: of 341 rows from 170, every pair would come out swapped.
    rows, columns = (
        (torch.arange(new) // 2).clamp_max(old - 1)
        for new, old in zip(size, field.shape[:2], strict=True)
    )
    twice = 2 * field[rows][:, columns]
    twice[..., 0] += (torch.arange(size[0]) % 2)[:, None]
    twice[..., 1] += torch.arange(size[1]) % 2
    return torch.minimum(twice, torch.tensor([within[0] - 1, within[1] - 1]))


def _read(example: Tensor, field: Tensor) -> Tensor:
    """A' at the places of a field, ``(1, C, H, W)``."""
    return example[:, :, field[..., 0], field[..., 1]]
