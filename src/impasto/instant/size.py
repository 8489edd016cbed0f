"""A picture of one size: every position matched, and all of them decoded."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.engine.planning.plan import Plan
from impasto.engine.planning.stages import Stage
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
        shares = [share / scales for share in recipe.blend_for(len(styles)) for _ in range(scales)]
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
        )

    def paint(
        self,
        content: Tensor,
        before: Tensor | None,
        *,
        photograph: float = PHOTOGRAPH,
        protect: Tensor | None = None,
    ) -> Tensor:
        """The picture of this size, ``(1, 3, H, W)`` in [0, 1], sides in multiples of 16.

        Args:
            content: the photograph at this size.
            before: an earlier result at this size: the coarser one, or the last frame's.
            photograph: its share of the features that are matched, divided by a style scale above
                1; the rest is ``before``'s.
            protect: how far the photograph is left alone, ``(1, 1, H, W)`` in [0, 1].

        """
        return self.paint_and_match(content, before, photograph=photograph, protect=protect)[0]

    def paint_and_match(
        self,
        content: Tensor,
        before: Tensor | None,
        *,
        photograph: float = PHOTOGRAPH,
        protect: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """The picture, and the index of each position's match in the bank, ``(H / 4, W / 4)``."""
        image = torch.empty_like(content)
        height, width = (side // CELL for side in content.shape[-2:])
        matches = torch.empty(height, width, dtype=torch.long, device=content.device)
        for tile, own in self._by_tile(content, before, photograph):
            kept = None if protect is None else protect[tile.outer].to(content.device)
            image[tile.core] = self._painted(content[tile.outer], own, kept)[tile.inner]
            rows, columns = (slice(each.start // CELL, each.stop // CELL) for each in tile.core[1:])
            matches[rows, columns] = own[tile.cells[1:]]
        return image, matches

    def _by_tile(
        self, content: Tensor, before: Tensor | None, photograph: float
    ) -> Iterator[tuple[Tile, Tensor]]:
        """Each tile and the matches of its positions, halo included, ``(h, w)``."""
        if before is None:
            before, photograph = content, 1.0
        tiles = tiles_of(*content.shape[-2:])
        share = photograph if before is content else photograph * self._detail
        query = partial(self._query, content, before, share)
        # Of several tiles the queries are computed twice: all of them together are too large.
        only = query(tiles[0]) if len(tiles) == 1 else None
        inner = (_rows((query(t) if only is None else only)[t.cells]) for t in tiles)
        mean, price = self._shared(inner, content.shape[-2] * content.shape[-1] // CELL**2)
        for tile in tiles:
            own = query(tile) if only is None else only
            size = (own.shape[-2], own.shape[-1])
            yield tile, self._bank.match(_rows(own), mean, price, size).view(size)

    def _shared(self, rows: Iterable[Tensor], count: int) -> tuple[Tensor, Tensor]:
        """What all tiles share: the mean of the queries, and the prices set on a sample of them."""
        sums, sample = [], []
        for each in rows:
            sums.append(each.sum(0))
            sample.append(each[:: -(-count // self._effort.queries)].clone())
        mean = torch.stack(sums).sum(0) / count
        return mean, self._bank.prices(torch.cat(sample), mean, self._balance)

    def _query(self, content: Tensor, before: Tensor, photograph: float, tile: Tile) -> Tensor:
        """The features that are matched in a tile, ``(1, D, h, w)``."""
        columns = self._see.columns(content[tile.outer])
        if photograph == 1:
            return columns
        return torch.lerp(self._see.columns(before[tile.outer]), columns, photograph)

    def _painted(self, content: Tensor, matches: Tensor, protect: Tensor | None) -> Tensor:
        """A tile, decoded; where it is protected, of the photograph's own features."""
        decoded = slice(sum(self._split))
        taken = self._bank.take(matches, decoded)
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

    def _channels(self, picture: Tensor) -> Tensor:
        """Features, texture and pixels of a picture's positions, ``(1, C, H / 4, W / 4)``.

        What follows these, in a subclass, is not decoded.
        """
        return torch.cat([*self._see(picture), cells_of(picture)], 1)


def _rows(maps: Tensor) -> Tensor:
    """``(1, C, h, w)`` as ``(h w, C)``."""
    return maps[0].flatten(1).T
