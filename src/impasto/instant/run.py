"""A picture at once: coarse to fine, each size matched and painted in one go.

At each size, every position of the photograph, and from the second size on of the coarser result
too, takes the features and pixels of one of the paintings' positions (:mod:`impasto.instant.bank`),
and the decoder paints them.
Large sizes are painted in tiles: what all positions share (their mean, the prices) is found first.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from types import EllipsisType

import torch
from torch import Tensor

from impasto.engine.framing import asked, made
from impasto.engine.planning.forecast import Forecast
from impasto.engine.planning.plan import Plan
from impasto.engine.planning.stages import Stage
from impasto.engine.run import Pictures, placed, recolored
from impasto.engine.state import Checkpoint, Losses, LossWeights, State
from impasto.engine.threads import on_threads
from impasto.errors import RecipeError, RecordError
from impasto.instant.bank import Bank
from impasto.instant.decoder import Decoder, cells_of
from impasto.instant.hypercolumns import CELL, LAYERS, Hypercolumns
from impasto.instant.matching import SAMPLE
from impasto.nets.network import ConvNetwork, Network
from impasto.ops.color import with_luma_of
from impasto.ops.inits import resize
from impasto.recipe.still import Recipe

PHOTOGRAPH = 0.75  # of what is looked for; the rest is the coarser result
TILE, HALO = 1024, 128  # pixels; multiples of 16; the halo is more than a match depends on
SECONDS = {"bf16": 2.5e-6, "fp32": 5e-6}  # for a pixel of photograph and paintings together
BYTES = 1_000  # for a pixel of a tile
PROGRAM = 0.45e9  # bytes of Python, torch and the network


@dataclass(frozen=True)
class Painter:
    """The decoder as its file has it.

    Attributes:
        decoder: in float32.
        scales: what each layer of the hypercolumns is divided by.
        sha256: of its file.

    """

    decoder: Decoder
    scales: tuple[float, ...]
    sha256: str


def forecast(plan: Plan) -> Forecast:
    """What :func:`run_instant` will take, by rates that were measured, without a trial."""
    seconds = tuple(
        SECONDS[stage.precision] * (stage.pixels + sum(h * w for h, w in stage.styles))
        for stage in plan.stages
    )
    side = TILE + 2 * HALO
    pixels = plan.stages[-1].pixels
    return Forecast(PROGRAM + 60 * pixels + BYTES * min(pixels, side**2), seconds)


def check_network(network: Network) -> ConvNetwork:
    """The same network.

    Raises:
        RecipeError: the decoder was not trained on its features.

    """
    if not isinstance(network, ConvNetwork) or not set(LAYERS) <= set(network.heads):
        raise RecipeError(
            "--quality instant works with the bundled network: leave out --network and --weights."
        )
    return network


def run_instant(
    recipe: Recipe, plan: Plan, pictures: Pictures, network: Network, painter: Painter
) -> Iterator[State]:
    """Make the picture; yield a state for every size.

    Args:
        recipe: strength, shares, seed and colours count.
        plan: of one step at each size.
        pictures: photograph and paintings.
        network: ``compact``.
        painter: the decoder.

    Raises:
        RecipeError: the network is another one, or the blend does not match the paintings.

    """
    own = check_network(network)
    recipe.blend_for(len(pictures.styles))
    return _states(recipe, plan, pictures, own, painter)


def _states(
    recipe: Recipe, plan: Plan, pictures: Pictures, network: ConvNetwork, painter: Painter
) -> Iterator[State]:
    pictures = recolored(recipe, pictures)
    coarser: Tensor | None = None
    for index, stage in enumerate(plan.stages):
        with on_threads(plan.threads), torch.no_grad():
            content = made(pictures.content, stage)
            size = _Size(recipe, plan, stage, pictures.styles, network, painter)
            before = None if coarser is None else made(coarser, stage)
            image = size.paint(content.to(plan.device), before)
            coarser = asked(image, stage)
        keeps_luminance = recipe.preserve_color == "luminance"
        photograph = asked(content, stage).to(plan.device)
        unknown = math.nan
        yield State(
            step=plan.steps_before(index) + 1,
            steps=plan.steps,
            stage=index,
            progress=plan.progress(index, 1),
            losses=Losses(unknown, unknown, unknown, unknown),
            weights=LossWeights(unknown, unknown, unknown, unknown),
            image=coarser,
            finish=partial(with_luma_of, photograph) if keeps_luminance else _unchanged,
            checkpoint=_no_checkpoint,
            is_whole=bool,  # False: there is nothing to go on from
        )


class _Size:
    """One size: the paintings' positions as a bank, and the network and decoder in its precision.

    Args:
        recipe: strength, shares and seed.
        plan: the device.
        stage: sizes and precision.
        styles: the paintings, as they were read.
        network: gives the features.
        painter: the decoder.

    """

    def __init__(
        self,
        recipe: Recipe,
        plan: Plan,
        stage: Stage,
        styles: Sequence[Tensor],
        network: ConvNetwork,
        painter: Painter,
    ) -> None:
        dtype = torch.bfloat16 if stage.precision == "bf16" else torch.float32
        moved = placed(network, plan, stage)
        assert isinstance(moved, ConvNetwork)
        self._see = Hypercolumns(moved, painter.scales)
        decoder = copy.deepcopy(painter.decoder).to(plan.device, dtype)
        self._decoder = decoder.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        # From nothing but the photograph to nothing but matches at half of the strength; from
        # there on the whole painting is used more and more alike.
        self._matched = min(1.0, 2 * recipe.strength)
        self._balance = max(0.0, 2 * recipe.strength - 1)
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
        )

    def paint(self, content: Tensor, before: Tensor | None) -> Tensor:
        """The picture of this size, ``(1, 3, H, W)`` in [0, 1], sides in multiples of 16.

        Args:
            content: the photograph at this size.
            before: the coarser result at this size.

        """
        tiles = tiles_of(*content.shape[-2:])
        if len(tiles) == 1:
            query = self._looked(content, before, tiles[0])
            return self._painted(content, query, *self._shared([_rows(query)]))
        mean, price = self._shared(
            [_rows(self._looked(content, before, tile)[tile.cells]) for tile in tiles]
        )
        image = torch.empty_like(content)
        for tile in tiles:
            query = self._looked(content, before, tile)
            painted = self._painted(content[tile.outer], query, mean, price)
            image[tile.core] = painted[tile.inner]
        return image

    def _shared(self, rows: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """What all tiles share: the mean of what is looked for, and the prices."""
        count = sum(map(len, rows))
        mean = torch.stack([each.sum(0) for each in rows]).sum(0) / count
        sample = torch.cat([each[:: -(-count // SAMPLE)] for each in rows])
        return mean, self._bank.prices(sample, mean, self._balance)

    def _looked(self, content: Tensor, before: Tensor | None, tile: Tile) -> Tensor:
        """What is looked for in a tile, ``(1, D, h, w)``."""
        columns = self._see.columns(content[tile.outer])
        if before is None:
            return columns
        return torch.lerp(self._see.columns(before[tile.outer]), columns, PHOTOGRAPH)

    def _painted(self, content: Tensor, query: Tensor, mean: Tensor, price: Tensor) -> Tensor:
        """A tile, matched and decoded."""
        size = (query.shape[-2], query.shape[-1])
        taken = self._bank.take(self._bank.match(_rows(query), mean, price, size), size)
        if self._matched < 1:
            taken = torch.lerp(self._channels(content).to(taken.dtype), taken, self._matched)
        layout = torch.channels_last
        parts = torch.split(taken, self._split, 1)
        image: Tensor = self._decoder(*(each.contiguous(memory_format=layout) for each in parts))
        return image.float()

    def _channels(self, picture: Tensor) -> Tensor:
        """Features, texture and pixels of a picture's positions, ``(1, C, H / 4, W / 4)``."""
        return torch.cat([*self._see(picture), cells_of(picture)], 1)


Part = tuple[EllipsisType, slice, slice]


@dataclass(frozen=True)
class Tile:
    """A part of a picture.

    Attributes:
        core: what is made of it, in pixels of the picture.
        outer: that with its halo.
        inner: the core in pixels of ``outer``.
        cells: the core in positions of ``outer``.

    """

    core: Part
    outer: Part
    inner: Part
    cells: Part


def tiles_of(height: int, width: int, side: int = TILE) -> list[Tile]:
    """Tiles of a picture whose sides are multiples of 16; one for a picture hardly larger."""
    if height * width <= 2 * side**2:
        side = max(height, width)
    lines = [
        [(start, min(start + side, total)) for start in range(0, total, side)]
        for total in (height, width)
    ]
    return [_tile((*rows, height), (*columns, width)) for rows in lines[0] for columns in lines[1]]


def _tile(rows: tuple[int, int, int], columns: tuple[int, int, int]) -> Tile:
    lines = (rows, columns)
    lows = [max(0, start - HALO) for start, _, _ in lines]
    highs = [min(total, stop + HALO) for _, stop, total in lines]
    starts = [start - low for (start, _, _), low in zip(lines, lows, strict=True)]
    stops = [stop - low for (_, stop, _), low in zip(lines, lows, strict=True)]

    def part(low: Sequence[int], high: Sequence[int], unit: int = 1) -> Part:
        down, across = (slice(a // unit, b // unit) for a, b in zip(low, high, strict=True))
        return ..., down, across

    core = part([rows[0], columns[0]], [rows[1], columns[1]])
    return Tile(core, part(lows, highs), part(starts, stops), part(starts, stops, CELL))


def _rows(maps: Tensor) -> Tensor:
    """``(1, C, h, w)`` as ``(h w, C)``."""
    return maps[0].flatten(1).T


def _unchanged(image: Tensor) -> Tensor:
    return image


def _no_checkpoint() -> Checkpoint:
    raise RecordError("An instant picture has no checkpoints: make it anew.")
