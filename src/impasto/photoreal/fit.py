"""Fit a grid of colour changes to a photograph and the pictures whose look it shall have.

First comes transport of colours in closed form, for each region by itself. Then the statistics of
deep features (as in Luan et al. 2017, *Deep Photo Style Transfer*, whose affine term the grid makes
true by construction) move the grid from there, as far as smoothness allows: L-BFGS at a small size.
The same grid changes the photograph at any size.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from impasto.nets.network import Network
from impasto.ops.inits import resize
from impasto.photoreal.change import Change
from impasto.photoreal.grid import CHANNELS, Grid
from impasto.photoreal.local import at_most, base_of
from impasto.photoreal.meaning import alike
from impasto.photoreal.regions import refined
from impasto.photoreal.smooth import Smooth
from impasto.photoreal.space import to_opponent
from impasto.photoreal.style import StyleDistance, masks_of, present
from impasto.photoreal.tone import falls, rising
from impasto.photoreal.transfer import transport

# What a number of each channel may move, in units of luma: matrices move more for as much colour.
UNITS = (1.0, 0.5, 0.5, 3.0, 3.0, 3.0, 3.0)
OUT_OF_BOUNDS = 10.0  # weight of slopes out of bounds
FOUND = 1 / 20  # of the shorter side: the reach of edges for regions that were found


@dataclass(frozen=True)
class Settings:
    """How a grid is fitted.

    Attributes:
        size: longer side that photograph and style pictures are looked at, in pixels.
        depth: D, steps of luma.
        across: cells along each side of the picture.
        bend: what a grid's bends cost, against its deviation from transport.
        pull: what a deviation costs, against the style distance.
        parts: regions to find by meaning where none are given; 1 for none.

    """

    size: int = 384
    depth: int = 12
    across: int = 8
    bend: float = 1.0
    pull: float = 10.0
    parts: int = 3


@dataclass(frozen=True)
class State:
    """What is there after a step.

    Attributes:
        step: 0 for transport alone.
        steps: how many there will be.
        loss: the style distance, in units of the photograph's own, and what deviation costs.
        image: the picture so far, at the size that it is fitted at, ``(1, 3, h, w)`` in [0, 1].
        change: the change of colours at the strength asked for, for the photograph at any size.

    """

    step: int
    steps: int
    loss: float
    image: Tensor
    change: Change


def fit_grid(
    photograph: Tensor,
    styles: Sequence[Tensor],
    network: Network,
    *,
    regions: Tensor | None = None,
    style_regions: Sequence[Tensor | None] | None = None,
    shares: Sequence[Sequence[float]] | None = None,
    strength: float = 1.0,
    steps: int = 30,
    settings: Settings | None = None,
) -> Iterator[State]:
    """Fit a grid step by step; the same numbers give the same picture.

    Args:
        photograph: ``(1, 3, H, W)`` float32 in [0, 1].
        styles: pictures to take the look of, ``(1, 3, h, w)`` each.
        network: computes features; ``compact``.
        regions: how far each pixel of the photograph is in each region, ``(1, R, H, W)``, sum 1.
        style_regions: of each style picture, ``(1, R, h, w)``, or None where all of it serves each.
        shares: what each style picture counts for, of sum 1: one row for each region, or one for
            all; alike when not given.
        strength: in [0, 1]; 0 leaves the photograph as it is, bit for bit.
        steps: of the optimiser.
        settings: :class:`Settings`; the defaults where not given.

    Yields:
        a state for transport alone, then one after each step.

    """
    settings = settings or Settings()
    small = at_most(photograph, settings.size, 16)
    seen = [at_most(style, settings.size, 16) for style in styles]
    masks: list[Tensor | None] = list(style_regions or [None] * len(styles))
    if regions is not None:
        along = refined(regions, photograph)
    else:
        found, believed, parts = alike(small, seen, network, parts=settings.parts)
        along, masks = refined(found, photograph, believed, radius=FOUND, steep=1.0), list(parts)
    base = base_of(photograph)
    own, low = along.at(small), base.at(small)
    rows = shares or [[1 / len(styles)] * len(styles)]
    rows = rows if len(rows) == own.shape[1] else [rows[0]] * own.shape[1]
    seen_masks = [
        None if m is None else _shares(m, each) for m, each in zip(masks, seen, strict=True)
    ]
    first = _transported(small, own, seen, seen_masks, rows, settings)
    if regions is None:
        whole = _transported(small, None, seen, [None] * len(seen), rows[:1], settings)
        first = _where_known(first, whole, small, own)
    distance = StyleDistance(network, small, own, seen, seen_masks, rows)
    smooth = Smooth(settings.depth, settings.across, settings.across, bend=settings.bend)
    units = torch.tensor(UNITS).view(1, CHANNELS, 1, 1, 1)
    coefficients = torch.zeros_like(first.nodes, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [coefficients], max_iter=1, history_size=10, line_search_fn="strong_wolfe"
    )

    def grid() -> Grid:
        return Grid(first.nodes + units * smooth.grid(coefficients))

    def loss() -> Tensor:
        optimizer.zero_grad()
        with torch.enable_grad():
            nodes = first.nodes + units * smooth.grid(coefficients)
            value = distance(Grid(nodes).changed(small, own, base=low))
            value = value + settings.pull * coefficients.square().sum() / len(nodes)
            value = value + OUT_OF_BOUNDS * falls(nodes[:, 0], 1)
            value.backward()  # type: ignore[no-untyped-call]
        return value.detach()

    value = float("nan")
    for step in range(steps + 1):
        if step:
            value = float(optimizer.step(loss))  # type: ignore[no-untyped-call]
        with torch.no_grad():
            change = Change(risen(grid()), base, along).scaled(strength)
            yield State(step, steps, value, change.changed(small), change)


def risen(grid: Grid) -> Grid:
    """The grid with each cell's tone curve rising."""
    nodes = grid.nodes.clone()
    nodes[:, 0] = rising(nodes[:, 0], 1)
    return replace(grid, nodes=nodes)


def _transported(
    photograph: Tensor,
    regions: Tensor | None,
    styles: Sequence[Tensor],
    style_regions: Sequence[Tensor | None],
    rows: Sequence[Sequence[float]],
    settings: Settings,
) -> Grid:
    """Transport of colours, for each region by itself, alike in all of its cells."""
    pixels = to_opponent(photograph)[0].flatten(1)
    wanted = torch.cat([to_opponent(style)[0].flatten(1) for style in styles], 1)
    grids = []
    for index, mask in enumerate(masks_of(regions)):
        weights = pixels.new_ones(pixels.shape[1]) if mask is None else mask.flatten()
        shares = []
        for style, masks, share in zip(styles, style_regions, rows[index], strict=True):
            own = present(None if masks is None else masks[:, index : index + 1])
            counts = style.new_ones(style.shape[-2:].numel()) if own is None else own.flatten()
            shares.append(share * counts / counts.sum())
        grids.append(
            transport(pixels, wanted, weights + 1e-9, torch.cat(shares) + 1e-12, settings.depth)
        )
    nodes = torch.stack(grids)[..., None, None]
    return Grid(nodes.expand(*nodes.shape[:3], settings.across, settings.across).contiguous())


def _where_known(first: Grid, whole: Grid, photograph: Tensor, regions: Tensor) -> Grid:
    """Each found region's change, at each luma as far as the pixels of that luma are the region's.

    What a region hardly has, such as black in a bright wall, is changed as in the whole picture:
    regions that were found have mistakes, and these would be seen.

    Args:
        first: changes by region, ``(R, 7, D, S, S)``.
        whole: of the whole picture, ``(1, 7, D, S, S)``.
        photograph: ``(1, 3, H, W)``.
        regions: of sum 1, ``(1, R, H, W)``.

    """
    count, depth = regions.shape[1], first.nodes.shape[2]
    luma = to_opponent(photograph)[0, 0].flatten() * (depth - 1)
    near = (-(luma - torch.arange(depth)[:, None]).square() / 2).exp() + 1e-6
    share = (near @ regions[0].flatten(1).T / near.sum(1, keepdim=True)).T
    known = (count * share / (1 + (count - 1) * share))[:, None, :, None, None]
    return risen(Grid(whole.nodes + known * (first.nodes - whole.nodes)))


def _shares(regions: Tensor, image: Tensor) -> Tensor:
    """Regions at a picture's size, of sum 1."""
    small = resize(regions, *image.shape[-2:]).clamp_min(0)
    return small / small.sum(1, keepdim=True).clamp_min(1e-6)
