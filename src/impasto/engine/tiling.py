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

from impasto.config import Recipe
from impasto.engine.objective import (
    Evaluation,
    Objective,
    Slopes,
    StyleTargets,
    content_unit,
)
from impasto.engine.state import Losses
from impasto.engine.tiles import Tile, add, cut, halos, tiles
from impasto.errors import RecipeError
from impasto.nets.network import ConvNetwork, Network
from impasto.nets.passes import Passage
from impasto.ops.statistics import Statistics, StatisticsLoss

BAND = 256  # rows at a time for what needs no network


class TiledObjective(Objective):
    """:class:`Objective` in tiles: the same losses, weights and gradient, but for rounding.

    The photograph's content features are kept between evaluations where they take no more memory
    than the picture, and else computed anew tile by tile; the numbers are the same.

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
    ) -> None:
        self._layers = (*recipe.content_layers, *recipe.style_layers)
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
        )

    def evaluate(self, image: Tensor) -> Evaluation:
        """Losses at a picture ``(1, 3, H, W)`` in [0, 1], and the gradient of the total loss."""
        image = image.contiguous()
        style, slopes = self._go_forward(image)
        gradient = torch.zeros_like(image)
        content = 0.0
        for index, tile in enumerate(self._tiled.tiles(image, self._layers)):
            content += self._go_back(index, tile, image, slopes, gradient)
        total = self.weights.alpha * content + self.weights.beta * style
        return self._smoothed(Evaluation(image, Losses(total, content, style, 0.0), gradient))

    def _measure_style(self, painting: Tensor) -> dict[str, Statistics]:
        sums = self._tiled_painting.sums(painting, self._recipe.style_layers)
        return {layer: self._painting_features.mapped(layer, s) for layer, s in sums.items()}

    def _study(self, photograph: Tensor) -> tuple[float, dict[str, Statistics]]:
        self._content = photograph
        content_layers, sums = self._recipe.content_layers, dict[str, Statistics]()
        for tile in self._tiled.tiles(photograph, self._layers):
            maps, more = self._tiled.measured(tile, photograph, content_layers, self._layers)
            _add(more, sums)
            if self._tiled.is_small(content_layers):
                compact = torch.contiguous_format  # the core alone, not the map that it lies in
                kept = {name: f.clone(memory_format=compact) for name, f in maps.items()}
                self._kept.append(kept)
        deviation = energy = 0.0
        for layer in content_layers:
            found = self._features.content_sums(layer, sums[layer])
            energy += float(found.outer.trace()) / 2
            deviation += float(found.covariance.trace()) * found.count / 2
        style = {
            name: self._features.mapped(name, sums[name]) for name in self._recipe.style_layers
        }
        return content_unit(deviation, energy), style

    def _go_forward(self, image: Tensor) -> tuple[float, Slopes]:
        """The first pass: eq. (3), and beta times its derivatives with respect to the sums."""
        with torch.no_grad():
            sums = self._tiled.sums(image, self._recipe.style_layers)
        style, slopes = self._style_and_slopes(sums)
        return float(style), slopes

    def _go_back(
        self, index: int, tile: Tile, image: Tensor, slopes: Slopes, gradient: Tensor
    ) -> float:
        """The second pass over one tile: adds its gradient; its core's content loss."""
        targets = self._targets(index, tile)
        passage = self._tiled.passage(tile, image, targets, slopes)
        maps = {name: passage.maps[name].detach().requires_grad_() for name in targets}
        with torch.enable_grad():
            content = [
                self._features.content_loss(name, maps[name], p) for name, p in targets.items()
            ]
            roots = [self.weights.alpha * each for each in content]
            found = torch.autograd.grad(roots, [*maps.values()]) if roots else ()
        tile.add(passage.back(dict(zip(maps, found, strict=True)), slopes), gradient)
        return sum(float(each.detach()) for each in content)

    def _targets(self, index: int, tile: Tile) -> dict[str, Tensor]:
        """The photograph's content features in a tile's core."""
        layers = self._recipe.content_layers
        if self._kept or not layers:
            return self._kept[index] if layers else {}
        nearer = replace(tile, halos=self._tiled.halos(layers))
        with torch.no_grad():
            return self._tiled.measured(nearer, self._content, layers, ())[0]

    def _add_variation_by_torch(
        self, image: Tensor, gradient: Tensor | None, slope: float
    ) -> float:
        """Band by band."""
        height, width = (side + self._recipe.tileable for side in image.shape[-2:])
        channels, columns, value = image.shape[1], range(width), 0.0
        for top in range(0, height, BAND):
            rows = range(top, min(top + BAND + 1, height))
            with torch.enable_grad():
                band = cut(image, rows, columns).detach().requires_grad_()
                across = band[..., :BAND, :].diff(dim=-1).square().sum()
                down = band.diff(dim=-2).square().sum()
                term = across / (channels * height * (width - 1))
                term = term + down / (channels * (height - 1) * width)
                if gradient is not None:
                    (found,) = torch.autograd.grad(slope * term, band)
                    add(found, gradient, rows, columns)
            value += float(term.detach())
        return value


def make_objective(
    recipe: Recipe,
    network: Network,
    content: Tensor,
    styles: Sequence[Tensor],
    layer_loss: StatisticsLoss | None,
    tile: int | None,
    *,
    targets: StyleTargets | None = None,
) -> Objective:
    """The objective of a stage, in tiles or not; see :class:`TiledObjective`.

    Raises:
        RecipeError: tiles are asked of a network that is not impasto's own.

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
    """The same network twice: the picture seen as a tile, the paintings without an edge."""
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
        self, tile: Tile, image: Tensor, maps: Collection[str], sums: Collection[str]
    ) -> tuple[dict[str, Tensor], dict[str, Statistics]]:
        """Maps and statistics of a tile's core."""
        return self._network.measured(tile.cut(image), maps, sums, part=tile)

    def passage(
        self, tile: Tile, image: Tensor, maps: Collection[str], sums: Collection[str]
    ) -> Passage:
        """A tile's way through the network."""
        return self._network.passage(tile.cut(image), maps, sums, part=tile)

    def sums(self, image: Tensor, layers: Collection[str]) -> dict[str, Statistics]:
        """Statistics of the whole picture, in float64, by layer as asked."""
        sums: dict[str, Statistics] = {}
        for tile in self.tiles(image, layers):
            _add(self.measured(tile, image, (), layers)[1], sums)
        return {layer: sums[layer] for layer in layers}

    def is_small(self, layers: Collection[str]) -> bool:
        """Whether the features of these layers take no more memory than a float32 picture."""
        size = next(self._network.parameters()).element_size()
        found = [self._layers[name] for name in layers]
        bytes_a_pixel = sum(each.out_channels * size / 4.0 ** (each.block - 1) for each in found)
        return bytes_a_pixel <= 3 * 4


def _add(found: Mapping[str, Statistics], sums: dict[str, Statistics]) -> None:
    for layer, more in found.items():
        sums[layer] = sums[layer] + more.double() if layer in sums else more.double()
