"""A picture of one size: every position matched, and all of them decoded."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.engine.planning.plan import Plan
from impasto.engine.planning.stages import Stage
from impasto.engine.regions import Regions
from impasto.engine.run import placed
from impasto.instant.bank import DEFAULT, Bank, Effort
from impasto.instant.decoder import Painter, cells_of
from impasto.instant.hypercolumns import CELL, Hypercolumns
from impasto.instant.tiles import Tile, tiles_of
from impasto.nets.network import ConvNetwork
from impasto.ops.inits import resize
from impasto.recipe.still import Recipe

PHOTOGRAPH = 0.75  # of the features that are matched; the rest is the coarser result's


class SizePainter:
    """Paints pictures of one size.

    Holds the paintings' positions at that size, and the network and decoder in its precision.

    Args:
        recipe: strength, shares and seed.
        plan: the device.
        stage: sizes and precision.
        styles: the paintings, as they were read.
        network: gives the features.
        painter: the decoder.
        effort: of the search for matches.
        regions: what takes after which painting; all of the picture after all of them when None.

    """

    def __init__(
        self,
        recipe: Recipe,
        plan: Plan,
        stage: Stage,
        styles: Sequence[Tensor],
        network: ConvNetwork,
        painter: Painter,
        *,
        effort: Effort = DEFAULT,
        regions: Regions | None = None,
    ) -> None:
        dtype = torch.bfloat16 if stage.precision == "bf16" else torch.float32
        moved = placed(network, plan, stage)
        assert isinstance(moved, ConvNetwork)
        self._see = Hypercolumns(moved, painter.scales)
        decoder = copy.deepcopy(painter.decoder).to(plan.device, dtype)
        self._decoder = decoder.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        # From nothing but the photograph to nothing but matches at half of the strength; from
        # there on the painting is used more and more alike, the whole of it at three quarters.
        self._matched = min(1.0, 2 * recipe.strength)
        self._balance = min(1.0, max(0.0, 4 * recipe.strength - 2))
        # A place that follows the photograph alone takes the finest of a large painting's detail;
        # one that follows the coarser result keeps its strokes, which are as wide as was asked.
        self._detail = 1 / max(1.0, min(recipe.style_scales))
        self._effort = effort
        self._split = [*painter.decoder.channels, 3 * CELL**2]
        scales = len(stage.styles) // len(styles)
        paintings = [style for style in styles for _ in range(scales)]
        by_region = regions.shares if regions else [recipe.blend_for(len(styles))]
        spread = [[share / scales for share in each for _ in range(scales)] for each in by_region]
        shares = [sum(each) / len(spread) for each in zip(*spread, strict=True)]
        self._bank = Bank(
            [
                resize(each, *size).to(plan.device)
                for each, size in zip(paintings, stage.styles, strict=True)
            ],
            shares,
            self._channels,
            features=self._split[0],
            dtype=dtype,
            seed=recipe.seed,
            effort=effort,
            parts=regions.parts_at(stage.styles) if regions else (),
        )
        self._banks = [self._bank]
        if regions:
            self._banks = [self._bank.within(*each) for each in enumerate(spread)]

    def paint(
        self,
        content: Tensor,
        before: Tensor | None,
        *,
        photograph: float = PHOTOGRAPH,
        protect: Tensor | None = None,
        regions: Tensor | None = None,
    ) -> Tensor:
        """The picture of this size, ``(1, 3, H, W)`` in [0, 1], sides in multiples of 16.

        Args:
            content: the photograph at this size.
            before: an earlier result at this size: the coarser one, or the last frame's.
            photograph: its share of the features that are matched, divided by a style scale above
                1; the rest is ``before``'s.
            protect: how far the photograph is left alone, ``(1, 1, H, W)`` in [0, 1].
            regions: how far each pixel belongs to each region, ``(1, R, H, W)`` in [0, 1].

        """
        return self.paint_and_match(
            content, before, photograph=photograph, protect=protect, regions=regions
        )[0]

    def paint_and_match(
        self,
        content: Tensor,
        before: Tensor | None,
        *,
        photograph: float = PHOTOGRAPH,
        protect: Tensor | None = None,
        regions: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """The picture, and the index of each position's match in the bank, ``(H / 4, W / 4)``."""
        image = torch.empty_like(content)
        height, width = (side // CELL for side in content.shape[-2:])
        matches = torch.empty(height, width, dtype=torch.long, device=content.device)
        if regions is None:
            regions = content.new_ones(1, 1, 1, 1).expand(1, 1, *content.shape[-2:])
        belongs = F.avg_pool2d(regions.to(content.device), CELL)
        for tile, own in self._by_tile(content, before, photograph, belongs):
            kept = None if protect is None else protect[tile.outer].to(content.device)
            image[tile.core] = self._painted(content[tile.outer], own, kept)[tile.inner]
            matches[tile.positions[1:]] = own.best[tile.cells[1:]]
        return image, matches

    def _by_tile(
        self, content: Tensor, before: Tensor | None, photograph: float, belongs: Tensor
    ) -> Iterator[tuple[Tile, _Matches]]:
        """Each tile and the matches of its positions, halo included."""
        if before is None:
            before, photograph = content, 1.0
        tiles = tiles_of(*content.shape[-2:])
        share = photograph if before is content else photograph * self._detail
        query = partial(self._query, content, before, share)
        # Of several tiles the queries are computed twice: all of them together are too large.
        only = query(tiles[0]) if len(tiles) == 1 else None
        inner = ((query(t) if only is None else only)[t.cells] for t in tiles)
        belonging = (belongs[t.positions] for t in tiles)
        shared = self._shared(zip(inner, belonging, strict=True), belongs)
        for tile in tiles:
            own = query(tile) if only is None else only
            yield tile, self._matched_in(own, shared, belongs[tile.outer_positions])

    def _shared(
        self, parts: Iterable[tuple[Tensor, Tensor]], belongs: Tensor
    ) -> list[tuple[Tensor, Tensor] | None]:
        """What all tiles share, by region: the mean of its queries, and the prices set on some.

        None for a region that is not in the picture.
        """
        labels = belongs.argmax(1)
        counts = [int((labels == region).sum()) for region in range(len(self._banks))]
        sums: list[list[Tensor]] = [[] for _ in counts]
        samples: list[list[Tensor]] = [[] for _ in counts]
        for queries, own in parts:
            rows, here = _rows(queries), own.argmax(1).flatten()
            for region, count in enumerate(counts):
                mine = rows if len(counts) == 1 else rows[here == region]
                if len(mine):
                    sums[region].append(mine.sum(0))
                    samples[region].append(mine[:: -(-count // self._effort.queries)].clone())
        shared: list[tuple[Tensor, Tensor] | None] = []
        for bank, count, own_sums, sample in zip(self._banks, counts, sums, samples, strict=True):
            if not count:
                shared.append(None)
                continue
            mean = torch.stack(own_sums).sum(0) / count
            shared.append((mean, bank.prices(torch.cat(sample), mean, self._balance)))
        return shared

    def _matched_in(
        self, queries: Tensor, shared: Sequence[tuple[Tensor, Tensor] | None], belongs: Tensor
    ) -> _Matches:
        """The matches of a tile: each region by itself, where it is."""
        size = (queries.shape[-2], queries.shape[-1])
        if len(self._banks) == 1 and shared[0] is not None:
            return _Matches(self._banks[0].match(_rows(queries), *shared[0], size).view(size))
        best = torch.zeros(size, dtype=torch.long, device=queries.device)
        labels, parts = belongs[0].argmax(0), []
        for region, (bank, own) in enumerate(zip(self._banks, shared, strict=True)):
            where = _around(belongs[0, region] > 0)
            if own is None or where is None:
                continue
            piece = queries[(..., *where)]
            shape = (piece.shape[-2], piece.shape[-1])
            found = bank.match(_rows(piece), *own, shape).view(shape)
            best[where] = torch.where(labels[where] == region, found, best[where])
            parts.append((where, belongs[0, region][where], found))
        return _Matches(best, parts)

    def _query(self, content: Tensor, before: Tensor, photograph: float, tile: Tile) -> Tensor:
        """The features that are matched in a tile, ``(1, D, h, w)``."""
        columns = self._see.columns(content[tile.outer])
        if photograph == 1:
            return columns
        return torch.lerp(self._see.columns(before[tile.outer]), columns, photograph)

    def _painted(self, content: Tensor, matches: _Matches, protect: Tensor | None) -> Tensor:
        """A tile, decoded; where it is protected, of the photograph's own features."""
        decoded = slice(sum(self._split))
        taken = self._taken(matches, decoded)
        if self._matched < 1 or protect is not None:
            own = self._channels(content)[:, decoded].to(taken.dtype)
            matched = torch.tensor(self._matched, dtype=taken.dtype, device=taken.device)
            if protect is not None:
                matched = matched * (1 - F.avg_pool2d(protect, CELL)).to(taken.dtype)
            taken = torch.lerp(own, taken, matched)
        layout = torch.channels_last
        parts = torch.split(taken, self._split, 1)
        image: Tensor = self._decoder(*(each.contiguous(memory_format=layout) for each in parts))
        image = image.float()
        return image if protect is None else torch.lerp(image, content, protect)

    def _taken(self, matches: _Matches, channels: slice) -> Tensor:
        """Channels at the matches; at the border of two regions a mixture of both."""
        taken = self._bank.take(matches.best, channels)
        if not matches.parts:
            return taken
        mixed = torch.zeros_like(taken)
        for where, belongs, found in matches.parts:
            own = self._bank.take(found, channels)
            mixed[(..., *where)] += belongs.to(own.dtype) * own
        return mixed

    def _channels(self, picture: Tensor) -> Tensor:
        """Features, texture and pixels of a picture's positions, ``(1, C, H / 4, W / 4)``.

        What follows these, in a subclass, is not decoded.
        """
        return torch.cat([*self._see(picture), cells_of(picture)], 1)


@dataclass(frozen=True)
class _Matches:
    """Indices of the bank's positions.

    Attributes:
        best: of each position of the picture, ``(h, w)``.
        parts: by region: its rows and columns, how far each position there belongs to it, and the
            match that it has there.

    """

    best: Tensor
    parts: Sequence[tuple[tuple[slice, slice], Tensor, Tensor]] = ()


def _around(mask: Tensor) -> tuple[slice, slice] | None:
    """The rows and columns of the smallest rectangle that holds a mask ``(h, w)``."""
    lines = [mask.any(1).nonzero(), mask.any(0).nonzero()]
    if not len(lines[0]):
        return None
    rows, columns = (slice(int(each[0]), int(each[-1]) + 1) for each in lines)
    return rows, columns


def _rows(maps: Tensor) -> Tensor:
    """``(1, C, h, w)`` as ``(h w, C)``."""
    return maps[0].flatten(1).T
