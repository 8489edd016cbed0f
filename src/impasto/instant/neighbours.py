"""Matched features as a term: the drawing of the painting, at every position of the picture.

At the start of each size it is decided which of the paintings' positions each of the picture's
takes, and the decoder of instant pictures paints them: from there the optimiser sets out. From then
on the picture is held to their features, layer by layer (Kolkin et al. 2022, *Neural Neighbor Style
Transfer*, arXiv 2203.13215, section 3.3, whose matches are found again at every step; here they
stay, so that the term is one of positions, each by itself).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.engine.crop import windows_like
from impasto.engine.objective.regions import SizedRegions
from impasto.engine.objective.terms import Activations, Target
from impasto.engine.objective.terms.term import Needs
from impasto.engine.planning.forecast import Forecast
from impasto.engine.planning.plan import Plan, make_plan
from impasto.engine.planning.stages import Stage
from impasto.engine.run import Pictures, recolored
from impasto.engine.state import State
from impasto.instant.bank import Effort
from impasto.instant.decoder import Painter, cells_of
from impasto.instant.hypercolumns import CELL
from impasto.instant.run import check_network, forecast, run_instant
from impasto.instant.size import SizePainter
from impasto.nets.convolution import layout_of
from impasto.nets.network import Network
from impasto.ops.inits import resize
from impasto.recipe.still import Recipe, options_not_for

MATCHED = ("conv2_2", "conv3_2", "conv4_2")  # with conv1_2 as well it takes half as long again
PHOTOGRAPH = 0.5  # of the features that are matched; the rest is the instant picture's
EFFORT = Effort(coherence=1.2)  # what this costs a face, the content loss gives back
STEPS = 1.6  # times the seconds of steps without matched features
BANK = 0.25e9  # bytes of the paintings' positions, and of matching
TINY = 1e-8  # squared length of features that point nowhere


def instant_states(
    recipe: Recipe, plan: Plan, pictures: Pictures, network: Network, painter: Painter
) -> Iterator[State]:
    """The states of the instant picture from which an optimised one can start.

    Args:
        recipe: of the optimised picture.
        plan: its plan; the instant one has its last stage's size, device and precision.
        pictures: photograph and paintings.
        network: ``compact``.
        painter: the decoder.

    Raises:
        RecipeError: the network is another one.

    """
    instant = _instant_recipe(recipe, plan, plan.stages[-1])
    height, width = plan.stages[-1].height, plan.stages[-1].width
    sizes = [(style.shape[-2], style.shape[-1]) for style in pictures.styles]
    own = windows_like(make_plan(instant, (height, width), sizes, network=network), plan.stages[-1])
    photograph = resize(pictures.content, height, width)
    return run_instant(instant, own, replace(pictures, content=photograph), network, painter)


def forecast_matched(statistics: Forecast, plan: Plan) -> Forecast:
    """What a run with matched features will take, by rates that were measured.

    Args:
        statistics: the forecast of the other terms.
        plan: of the run.

    """
    painted = forecast(plan)
    seconds = tuple(
        STEPS * own + 2 * matched
        for own, matched in zip(statistics.seconds, painted.seconds, strict=True)
    )
    memory = None if statistics.memory is None else statistics.memory + BANK
    return Forecast(memory, seconds)


class Neighbours:
    """The mean cosine distance to the matched features, over the positions and the layers.

    Args:
        recipe: of the picture; ``neighbours`` is the weight beside the style's own.
        plan: of the picture; says which device.
        pictures: photograph and paintings.
        network: ``compact``.
        painter: has the decoder.

    Raises:
        RecipeError: the network is another one.

    """

    name = "neighbours"
    needs: Needs = "maps"
    layers: tuple[str, ...] = MATCHED

    def __init__(
        self, recipe: Recipe, plan: Plan, pictures: Pictures, network: Network, painter: Painter
    ) -> None:
        self.weight = recipe.neighbours * recipe.style_share
        self._recipe, self._plan = recipe, plan
        self._styles, self._regions = recolored(recipe, pictures).styles, pictures.regions
        self._network, self._painter = check_network(network), painter

    @torch.no_grad()
    def start(
        self,
        stage: Stage,
        photograph: Tensor,
        picture: Tensor,
        regions: SizedRegions | None = None,
    ) -> Tensor:
        """Decide the matches of a size; returns the picture that the decoder paints of them.

        Each position is matched by features of the photograph and of what the size would start
        from, half and half: what has become a stroke at a coarser size stays one.
        """
        height, width = photograph.shape[-2:]
        self._matcher = _LayerMatcher(
            self._recipe, self._plan, stage, self._styles, self._network, self._painter,
            effort=EFFORT, regions=self._regions,
        )  # fmt: skip
        masks = None if regions is None else _whole_cells(regions.picture.masks)
        image, self._matches = self._matcher.paint_and_match(
            *(_whole_cells(each) for each in (photograph, picture)),
            photograph=PHOTOGRAPH,
            regions=masks,
        )
        self._positions = {
            layer: (height // _stride(layer)) * (width // _stride(layer)) for layer in MATCHED
        }
        self._means = {layer: self._matcher.mean(layer) for layer in MATCHED}
        self._kept: dict[str, Tensor] = {}
        return image[..., :height, :width].contiguous()

    def prepare(self, target: Target) -> None:
        """Nothing: :meth:`start` has decided everything."""

    def loss(self, activations: Activations) -> Tensor:
        """A sum over positions, so that tiles add up to the whole."""
        losses = []
        for layer in MATCHED:
            maps = activations.maps[layer]
            centred = maps.float() - self._means[layer]
            matched = self._matched(layer, activations.where[layer], maps)
            # Six times as fast as torch's cosine similarity.
            likeness = (centred * matched).sum(1) * (centred.square().sum(1) + TINY).rsqrt()
            losses.append((1 - likeness).sum() / self._positions[layer])
        return torch.stack(losses).mean()

    def _matched(self, layer: str, where: tuple[slice, slice], maps: Tensor) -> Tensor:
        """Directions of the matched features at a part of a layer's map, in float32."""
        is_whole = maps.shape[-2] * maps.shape[-1] == self._positions[layer]
        if is_whole and layer in self._kept:
            return self._kept[layer]
        lines = [
            slice(*each.indices(count * CELL // _stride(layer))[:2])
            for each, count in zip(where, self._matches.shape, strict=True)
        ]
        lines = [slice(e.start, e.start + n) for e, n in zip(lines, maps.shape[-2:], strict=True)]
        with torch.no_grad():
            matched = self._matcher.layer(layer, self._matches, lines)
            matched = F.normalize(matched.float() - self._means[layer], dim=1)
            matched = matched.contiguous(memory_format=layout_of(maps))
        if is_whole:
            self._kept[layer] = matched
        return matched


class _LayerMatcher(SizePainter):
    """A size whose paintings' positions also hold the layers' maps."""

    def mean(self, layer: str) -> Tensor:
        """Of a layer's features over the paintings, ``(1, N, 1, 1)``."""
        rows = self._bank.channels(self._part(layer)).float()
        return rows.view(len(rows), -1, _cells(layer)).mean((0, 2)).view(1, -1, 1, 1)

    def layer(self, layer: str, matches: Tensor, lines: Sequence[slice]) -> Tensor:
        """A layer's map at the matches ``(h, w)``, in some of its rows and columns."""
        stride = _stride(layer)
        first = [each.start * stride // CELL for each in lines]
        last = [-(-each.stop * stride // CELL) for each in lines]
        near = matches[first[0] : last[0], first[1] : last[1]]
        taken = self._bank.take(near, self._part(layer))
        if stride < CELL:
            taken = F.pixel_shuffle(taken, CELL // stride)
        elif stride > CELL:
            taken = F.avg_pool2d(taken.float(), stride // CELL)
        inner = [
            slice(each.start - start * CELL // stride, each.stop - start * CELL // stride)
            for each, start in zip(lines, first, strict=True)
        ]
        return taken[..., inner[0], inner[1]]

    def _part(self, layer: str) -> slice:
        """Which of the bank's channels are the layer's."""
        start = sum(self._split)
        for each in MATCHED[: MATCHED.index(layer)]:
            start += self._widths[each] * _cells(each)
        return slice(start, start + self._widths[layer] * _cells(layer))

    def _channels(self, picture: Tensor) -> Tensor:
        """What is decoded, and the layers' maps cell by cell, ``(1, C, H / 4, W / 4)``."""
        columns, texture, maps = self._see.with_maps(picture)
        self._widths = {layer: maps[layer].shape[1] for layer in MATCHED}
        cells = [_by_cell(maps[layer].float(), columns.shape[-2:]) for layer in MATCHED]
        return torch.cat([columns, texture, cells_of(picture), *cells], 1)


def _by_cell(maps: Tensor, size: torch.Size) -> Tensor:
    """A layer's map with all that lies in a cell as channels."""
    times = maps.shape[-1] // size[1]
    if times > 1:
        return F.pixel_unshuffle(maps, times)
    if maps.shape[-2:] == size:
        return maps
    return F.interpolate(maps, size, mode="bilinear", align_corners=False)


def _stride(layer: str) -> int:
    """Pixels of the picture to a position of a layer."""
    return int(2 ** (int(layer[4]) - 1))


def _cells(layer: str) -> int:
    """Positions of a layer in a cell."""
    return max(1, CELL // _stride(layer)) ** 2


def _whole_cells(picture: Tensor) -> Tensor:
    """With its last rows and columns repeated up to the next multiples of 16."""
    down, right = (-side % 16 for side in picture.shape[-2:])
    return F.pad(picture, (0, right, 0, down), mode="replicate") if down or right else picture


def _instant_recipe(recipe: Recipe, plan: Plan, stage: Stage) -> Recipe:
    """The options that an instant picture knows, on the same device and in the same precision."""
    unknown = {*options_not_for("instant"), "size", "print", "dpi", "scales", "steps", "quality"}
    own = {each.name: getattr(recipe, each.name) for each in fields(Recipe)}
    known = {name: value for name, value in own.items() if name not in unknown}
    settled = {"quality": "instant", "size": "full", "fit": "inside", "threads": plan.threads}
    return Recipe(**{**known, **settled, "device": plan.device, "precision": stage.precision})
