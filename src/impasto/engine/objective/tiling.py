"""Exact tiling: losses and gradient of a picture that is never in the network as a whole.

A style loss knows a layer by sums over positions alone, so two passes give the gradient of the
whole picture (the idea: Galerne, Raad, Lezama and Morel, *Scaling Painting Style Transfer*, EGSR
2024, arXiv 2212.13459). The first goes forward, tile by tile, and adds up the sums in float64;
autograd differentiates the losses with respect to these few numbers. The second goes forward and
backward from that derivative, tile by tile, and adds up the tiles' gradients where they overlap.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import cast

import torch
from torch import Tensor

from impasto.engine.objective.objective import Evaluation, Objective, StyleTargets
from impasto.engine.objective.regions import (
    Masks,
    SizedRegions,
    layer_of,
    layers_by_region,
    whole,
)
from impasto.engine.objective.terms import Activations, Term
from impasto.engine.objective.terms.term import Slopes
from impasto.engine.objective.terms.variation import Variation
from impasto.engine.objective.tiles import Tile, halos, tiles
from impasto.errors import RecipeError
from impasto.nets.network import ConvNetwork, Network
from impasto.nets.passes import Passage
from impasto.ops.statistics import Statistics, StatisticsLoss
from impasto.recipe.still import Recipe


class TiledObjective(Objective):
    """:class:`Objective` in tiles: the same losses, weights and gradient, but for rounding.

    The photograph's content features are kept between evaluations where they take no more memory
    than the picture, and else computed again tile by tile; the numbers are the same.

    Args:
        recipe: layers, weights, blend.
        network: gives the features.
        content: the photograph, ``(1, 3, H, W)`` in [0, 1].
        styles: the paintings, ``(1, 3, h, w)`` in [0, 1] each, one after the other at every style
            scale of the recipe.
        tile: largest side of a tile without its halo, in pixels.
        layer_loss: style loss of one layer, a function of statistics; the recipe's when not given.
        painting_network: gives the features of the paintings, where they differ in padding.
        targets: the paintings' statistics, where they are known already.
        terms: more terms, of one's own or a film's.
        regions: where the picture takes after which painting; everywhere alike when not given.

    """

    def __init__(
        self,
        recipe: Recipe,
        network: ConvNetwork,
        content: Tensor,
        styles: Sequence[Tensor],
        *,
        tile: int,
        layer_loss: StatisticsLoss | None = None,
        painting_network: ConvNetwork | None = None,
        targets: StyleTargets | None = None,
        terms: Sequence[Term] = (),
        regions: SizedRegions | None = None,
    ) -> None:
        self._tiled = _Tiled(network, tile)
        self._tiled_painting = _Tiled(painting_network or network, tile)
        self._kept: list[dict[str, Tensor]] = []
        super().__init__(
            recipe,
            network,
            content,
            styles,
            layer_loss=layer_loss,
            painting_network=painting_network,
            targets=targets,
            terms=terms,
            regions=regions,
        )

    def evaluate(self, image: Tensor) -> Evaluation:
        """Losses at a picture ``(1, 3, H, W)`` in [0, 1], and the gradient of the total loss."""
        image = image.contiguous()
        sums, slopes = self._go_forward(image)
        gradient = torch.zeros_like(image)
        losses = {term.name: 0.0 for term in self._terms("maps")} | sums
        for index, tile in enumerate(self._tiled.tiles(image, self._needed.layers)):
            for name, value in self._go_back(index, tile, image, slopes, gradient).items():
                losses[name] += value
        parts = [self._weight_of(t) * losses[t.name] for t in self.terms if t.name in losses]
        return self._with_pixels(image, sum(parts[1:], parts[0]), losses, gradient)

    def _terms(self, needs: str) -> list[Term]:
        return [term for term in self.terms if term.needs == needs]

    def _make_variation(self) -> Variation:
        return Variation(self._recipe, in_bands=True)

    def _measure_style(
        self, painting: Tensor, names: Sequence[str], parts: Masks | None
    ) -> dict[str, Statistics]:
        sums = self._tiled_painting.sums(painting, names, parts)
        return {name: self._painting_features.mapped(name, s) for name, s in sums.items()}

    def _study(self, photograph: Tensor) -> tuple[float, float]:
        self._picture = photograph
        layers, sums = self._needed.maps, dict[str, Statistics]()
        for tile in self._tiled.tiles(photograph, self._needed.layers):
            names = [*dict.fromkeys([*layers, *self._needed.sums])]
            maps, more = self._tiled.measured(tile, photograph, layers, names, self._masks)
            _add(more, sums)
            if self._tiled.is_small(layers):
                compact = torch.contiguous_format  # the core alone, not the map that it lies in
                kept = {name: f.clone(memory_format=compact) for name, f in maps.items()}
                self._kept.append(kept)
        style = {name: self._features.mapped(name, sums[name]) for name in self._needed.sums}
        return self._content.unit_of_sums(sums), self._style.unit(style)

    def _go_forward(self, image: Tensor) -> tuple[dict[str, float], Slopes]:
        """The first pass: losses of statistics, and their weighted derivatives by the sums."""
        with torch.no_grad():
            sums = self._tiled.sums(image, self._needed.sums, self._masks)
        losses, slopes = self._losses_of_sums(sums)
        return {name: float(loss) for name, loss in losses.items()}, slopes

    def _go_back(
        self, index: int, tile: Tile, image: Tensor, slopes: Slopes, gradient: Tensor
    ) -> dict[str, float]:
        """The second pass over one tile: adds its gradient; its core's losses of maps."""
        photograph = self._photograph_of(index, tile)
        of_whole = {name: slopes[name] for name in whole(slopes)}
        masked = layers_by_region(slopes)
        passage = self._tiled.passage(tile, image, {*photograph, *masked}, of_whole)
        maps = {name: passage.maps[name].detach().requires_grad_() for name in photograph}
        where = {name: self._tiled.place(tile, name) for name in photograph}
        derivatives: tuple[Tensor, ...] = ()
        losses: dict[str, Tensor] = {}
        if maps:
            with torch.enable_grad():
                activations = Activations(maps, {}, photograph, where)
                losses = {term.name: term.loss(activations) for term in self._terms("maps")}
                derivatives = torch.autograd.grad(self._weighted(losses), [*maps.values()])
        of_maps = dict(zip(maps, derivatives, strict=True))
        if self._masks is not None:
            own = {name: passage.maps[name] for name in masked}
            for name, more in self._tiled.pulled_back(tile, self._masks, slopes, own).items():
                of_maps[name] = of_maps[name] + more if name in of_maps else more
        tile.add(passage.backward(of_maps, of_whole), gradient)
        return {name: float(each.detach()) for name, each in losses.items()}

    def _photograph_of(self, index: int, tile: Tile) -> dict[str, Tensor]:
        """The photograph's maps in a tile's core."""
        layers = self._needed.maps
        if self._kept or not layers:
            return self._kept[index] if layers else {}
        nearer = replace(tile, halos=self._tiled.halos(layers))
        with torch.no_grad():
            return self._tiled.measured(nearer, self._picture, layers, ())[0]


def make_objective(
    recipe: Recipe,
    network: Network,
    content: Tensor,
    styles: Sequence[Tensor],
    layer_loss: StatisticsLoss | None,
    tile: int | None,
    *,
    targets: StyleTargets | None = None,
    terms: Sequence[Term] = (),
    regions: SizedRegions | None = None,
) -> Objective:
    """The objective of a stage, in tiles or not; see :class:`TiledObjective`.

    Raises:
        RecipeError: tiles are requested of a network that is not impasto's own.

    """
    own, paintings = _padded(network) if recipe.tileable else (network, network)
    if tile is None:
        return Objective(
            recipe,
            own,
            content,
            styles,
            layer_loss=layer_loss,
            painting_network=paintings,
            targets=targets,
            terms=terms,
            regions=regions,
        )
    return TiledObjective(
        recipe,
        check_can_tile(own),
        content,
        styles,
        tile=tile,
        layer_loss=layer_loss,
        painting_network=check_can_tile(paintings),
        targets=targets,
        terms=terms,
        regions=regions,
    )


def check_can_tile(network: Network) -> ConvNetwork:
    """The same network.

    Raises:
        RecipeError: it is not one of impasto's own, so nobody knows how far its features see.

    """
    if not isinstance(network, ConvNetwork):
        raise RecipeError(
            "Only impasto's own networks can be computed in tiles: leave out --tile, or ask for a "
            "smaller --size."
        )
    return network


def _padded(network: Network) -> tuple[Network, Network]:
    """The same network twice: the picture's padding circular, the paintings' edges replicated."""
    tile, edgeless = (copy.copy(cast("ConvNetwork", network)) for _ in range(2))
    tile.padding, edgeless.padding = "circular", "replicate"
    return tile, edgeless


class _Tiled:
    """A network that sees pictures tile by tile."""

    def __init__(self, network: ConvNetwork, side: int) -> None:
        self._network = network
        self._side = side
        self._layers = {layer.name: layer for layer in network.table}

    def halos(self, layers: Collection[str]) -> tuple[int, ...]:
        """What these layers need around a tile."""
        return halos(self._network.table, layers)

    def tiles(self, image: Tensor, layers: Collection[str]) -> list[Tile]:
        """Tiles of ``(1, 3, H, W)`` with the halo that these layers need."""
        height, width = image.shape[-2:]
        wraps = self._network.padding == "circular"
        return tiles(height, width, self._side, self.halos(layers), wraps=wraps)

    def measured(
        self,
        tile: Tile,
        image: Tensor,
        maps: Collection[str],
        sums: Collection[str],
        masks: Masks | None = None,
    ) -> tuple[dict[str, Tensor], dict[str, Statistics]]:
        """Maps and statistics of a tile's core; with masks, of regions too."""
        layers = dict.fromkeys([*maps, *layers_by_region(sums)])
        part = tile.cut(image)
        known, added = self._network.measured(part, [*layers], whole(sums), part=tile)
        if masks is not None:
            added |= masks.sums(sums, known, *self._places(tile, masks, known))
        return {name: known[name] for name in maps}, added

    def pulled_back(
        self, tile: Tile, masks: Masks, slopes: Slopes, maps: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        """Derivatives with respect to a tile's maps, from those by the regions' sums."""
        with torch.no_grad():
            return masks.pulled_back(slopes, maps, *self._places(tile, masks, maps))

    def _places(
        self, tile: Tile, masks: Masks, layers: Collection[str]
    ) -> tuple[dict[str, tuple[int, int]], dict[str, tuple[slice, slice]]]:
        """By layer: the size of the whole map, and the tile's part of it."""
        height, width = masks.size
        cells = {name: 2 ** (self._layers[name].block - 1) for name in layers}
        sizes = {name: (height // cell, width // cell) for name, cell in cells.items()}
        return sizes, {name: self.place(tile, name) for name in layers}

    def passage(
        self, tile: Tile, image: Tensor, maps: Collection[str], sums: Collection[str]
    ) -> Passage:
        """A tile's forward and backward pass."""
        return self._network.passage(tile.cut(image), maps, sums, part=tile)

    def place(self, tile: Tile, layer: str) -> tuple[slice, slice]:
        """Where a tile's core lies in a layer's whole map."""
        return tile.place(self._layers[layer])

    def sums(
        self, image: Tensor, names: Collection[str], masks: Masks | None = None
    ) -> dict[str, Statistics]:
        """Statistics of the whole picture, in float64, by name as asked."""
        sums: dict[str, Statistics] = {}
        for tile in self.tiles(image, {layer_of(name) for name in names}):
            _add(self.measured(tile, image, (), names, masks)[1], sums)
        return {name: sums[name] for name in names}

    def is_small(self, layers: Collection[str]) -> bool:
        """Whether the features of these layers take no more memory than a float32 picture."""
        size = next(self._network.parameters()).element_size()
        seen = [self._layers[name] for name in layers]
        bytes_a_pixel = sum(each.out_channels * size / 4.0 ** (each.block - 1) for each in seen)
        return bytes_a_pixel <= 3 * 4


def _add(measured: Mapping[str, Statistics], sums: dict[str, Statistics]) -> None:
    for layer, more in measured.items():
        sums[layer] = sums[layer] + more.double() if layer in sums else more.double()
