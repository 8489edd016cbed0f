"""The paintings' positions that a picture takes its matches from, and the choice among them."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from impasto.instant.coherence import coherent, continuations
from impasto.instant.hypercolumns import CELL
from impasto.instant.matching import (
    around,
    cheapest,
    directions,
    evenly,
    prices,
    principal,
)

POSITIONS = 65_536  # of the paintings, at most: a painting of 1024 x 1024 pixels
PIECE = 64  # positions along each side of the pieces that a larger painting is seen in
# Directions in feature space that likeness is measured in: with these 64 of 487 it orders the
# positions as well as with all, in an eighth of the time.
PRINCIPAL = 64
TASTE, PARTS = 0.12, 5  # how dear a seed makes parts of a painting, in cosine; parts along a side
RIM = 2  # positions at the edge of a piece that the network's padding has spoiled

See = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Effort:
    """How matches are searched for.

    Attributes:
        first: of the bank's positions, evenly spaced, so many are first matches, and have prices
            set.
        queries: of the picture's positions, so many at most set the prices.
        rounds: of coherent matching.
        coherence: cosine similarity that agreement with all eight neighbours is worth.

    """

    first: int = 4096
    queries: int = 2048
    rounds: int = 8
    coherence: float = 0.6


DEFAULT = Effort()


class Bank:
    """All channels of the paintings' positions, and the directions of their features.

    Args:
        paintings: each ``(1, 3, H, W)`` in [0, 1], at the size at which it is used.
        shares: of each in the picture; their sum is 1. A painting with none is left out.
        see: all channels of a picture's positions, ``(1, C, H / 4, W / 4)``.
        features: how many of the channels, the first ones, are matched.
        dtype: that the channels are kept in.
        seed: of the choice of pieces. Any but 0 also likes some parts of the paintings better than
            others, and so gives another picture.
        effort: how many those are, and how often matches are revised.
        parts: by painting, ``(1, R, H, W)`` in [0, 1]: how far each pixel belongs to the part that
            each of R regions takes after; None for one that is taken as a whole.

    """

    def __init__(
        self,
        paintings: Sequence[Tensor],
        shares: Sequence[float],
        see: See,
        *,
        features: int,
        dtype: torch.dtype,
        seed: int,
        effort: Effort = DEFAULT,
        parts: Sequence[Tensor | None] = (),
    ) -> None:
        generator = Generator().manual_seed(seed)
        self._sizes: list[tuple[int, int]] = []
        rows, sample, start = [], [], 0
        self._belongs: list[Tensor | None] = []  # by painting, (R, positions)
        self._starts: list[int] = []
        given = parts or [None] * len(paintings)
        for painting, share, part in zip(paintings, shares, given, strict=True):
            self._starts.append(start)
            self._belongs.append(None)
            if not share:
                continue
            marked = painting if part is None else torch.cat([painting, part.to(painting)], 1)
            pieces = _pieces(marked, share, generator)
            maps = [_inner(see(piece[:, :3])) for piece in pieces]
            self._sizes += [(each.shape[-2], each.shape[-1]) for each in maps]
            rows += [each[0].flatten(1).T for each in maps]
            if part is not None:
                cells = [_inner(F.avg_pool2d(piece[:, 3:], CELL)) for piece in pieces]
                self._belongs[-1] = torch.cat([each[0].flatten(1) for each in cells], 1)
            count = sum(map(len, rows)) - start
            most = min(count, math.ceil(effort.first * share))
            sample.append(start + evenly(count, most, maps[0].device))
            start += count
        bank = torch.cat(rows)
        self._table = continuations(self._sizes).to(bank.device)
        self._sample = torch.cat(sample)
        self._taste = self._liking(generator).to(bank.device) if seed else None
        seen = directions(bank[:, :features])
        self._principal = principal(seen[self._sample], PRINCIPAL)
        self._offered = seen @ self._principal
        self._channels = bank.to(dtype)
        self._effort = effort
        self._starts.append(start)
        self._allowed: Tensor | None = None

    def within(self, region: int, shares: Sequence[float]) -> Bank:
        """The same bank for a region of the picture, which takes after some of it alone.

        Args:
            region: which.
            shares: of each painting in it; their sum is 1.

        """
        own = copy.copy(self)
        device = self._sample.device
        own._allowed = torch.zeros(len(self), dtype=torch.bool, device=device)
        sample = []
        for share, start, stop, belongs in zip(
            shares, self._starts[:-1], self._starts[1:], self._belongs, strict=True
        ):
            if not share or start == stop:
                continue
            here = torch.ones(stop - start, dtype=torch.bool, device=device)
            if belongs is not None:
                here = _belonging(belongs[region])
            own._allowed[start:stop] = here
            places = start + here.nonzero()[:, 0]
            most = min(len(places), math.ceil(self._effort.first * share))
            sample.append(places[evenly(len(places), most, device)])
        own._sample = torch.cat(sample)
        return own

    def __len__(self) -> int:
        return len(self._channels)

    def prices(self, queries: Tensor, mean: Tensor, balance: float) -> Tensor:
        """Of the bank's positions, ``(M)``, set on a sample of queries ``(N, D)``.

        Args:
            queries: features of the picture's positions.
            mean: of the features of all of them.
            balance: 0 for prices of zero, 1 for an even use of the paintings.

        """
        price = prices(self._directions(queries, mean), self._offered[self._sample], balance)
        full, known = price.new_zeros(2, len(self)).unbind()
        full[self._sample] = price
        known[self._sample] = 1
        near = self._around(full) / self._around(known).clamp_min(1)
        price = torch.where(known > 0, full, near)
        price = price if self._taste is None else price + self._taste
        return price if self._allowed is None else price.masked_fill(~self._allowed, torch.inf)

    def match(self, queries: Tensor, mean: Tensor, price: Tensor, size: tuple[int, int]) -> Tensor:
        """The index of each position's match, ``(N)``.

        Args:
            queries: features of the picture's positions ``(N, D)``.
            mean: of the features of all of the picture.
            price: from :meth:`prices`.
            size: height and width of the picture, in positions; their product is N.

        """
        asked = self._directions(queries, mean)
        first = cheapest(asked, self._offered[self._sample], price[self._sample])
        return coherent(
            asked,
            self._offered,
            price,
            self._sample[first],
            self._table,
            size=size,
            weight=self._effort.coherence,
            rounds=self._effort.rounds,
        )

    def channels(self, part: slice) -> Tensor:
        """Some channels of all positions, ``(M, n)``."""
        return self._channels[:, part]

    def take(self, matches: Tensor, part: slice = slice(None)) -> Tensor:
        """All channels, or some, at the matches ``(h, w)``: ``(1, C, h, w)``."""
        return self.channels(part)[matches.flatten()].T.reshape(1, -1, *matches.shape)

    def _directions(self, queries: Tensor, mean: Tensor) -> Tensor:
        return directions(queries, mean) @ self._principal

    def _liking(self, generator: Generator) -> Tensor:
        """A smooth random price of each position, ``(M)``."""
        parts = [
            F.interpolate(
                torch.randn(1, 1, PARTS, PARTS, generator=generator),
                size,
                mode="bicubic",
                align_corners=True,
            )
            for size in self._sizes
        ]
        return TASTE * torch.cat([part.flatten() for part in parts])

    def _around(self, values: Tensor) -> Tensor:
        """The sum around each position, over so many that some are in the sample."""
        reach = max(2, math.ceil(math.sqrt(len(self) / len(self._sample))))
        parts = torch.split(values, [height * width for height, width in self._sizes])
        return torch.cat(
            [
                around(part.view(size), reach).flatten()
                for part, size in zip(parts, self._sizes, strict=True)
            ]
        )


def _pieces(painting: Tensor, share: float, generator: Generator) -> list[Tensor]:
    """The whole painting, or as many pieces of it, at random, as its share of the bank allows.

    Of channels beyond the first three, each has the piece that is fullest of it among them.
    """
    height, width = (side // CELL for side in painting.shape[-2:])
    if height * width <= max(PIECE**2, POSITIONS * share):
        return [painting[..., : height * CELL, : width * CELL]]
    lines = [_starts(height), _starts(width)]
    places = [(down, right) for down in lines[0] for right in lines[1]]
    most = max(1, int(POSITIONS * share) // PIECE**2)
    side = (PIECE + 2 * RIM) * CELL
    pieces = [
        painting[..., CELL * down : CELL * down + side, CELL * right : CELL * right + side]
        for down, right in places
    ]
    order = torch.randperm(len(places), generator=generator).tolist()
    if painting.shape[1] > 3:
        fullest = torch.stack([each[0, 3:].mean((1, 2)) for each in pieces]).argmax(0).tolist()
        order = [*dict.fromkeys([*fullest, *order])]
        most = max(most, len(set(fullest)))
    return [pieces[each] for each in sorted(order[:most])]


def _belonging(shares: Tensor) -> Tensor:
    """The positions that are in a part, ``(M)``; of a part without one, those that have most."""
    here: Tensor = shares >= 0.5
    return here if here.any() else shares >= shares.max()


def _starts(length: int) -> list[int]:
    """Where pieces side by side start along a line of positions; the last one ends with it."""
    last = max(0, length - PIECE - 2 * RIM)
    return sorted({*range(0, last, PIECE), last})


def _inner(maps: Tensor) -> Tensor:
    """Without the rim, but for a piece that hardly has an inside."""
    return maps[..., RIM:-RIM, RIM:-RIM] if min(maps.shape[-2:]) > 4 * RIM else maps
