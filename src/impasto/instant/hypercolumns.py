"""Hypercolumns: what several layers see at each position, at a quarter of the picture's size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.nets.network import ConvNetwork

CELL = 4  # pixels of the picture to a position, along each side
LAYERS = (
    *("conv1_1", "conv1_2", "conv2_1", "conv2_2"),
    *("conv3_1", "conv3_2", "conv4_1", "conv4_2"),
)
TEXTURE_LAYERS = ("conv1_1", "conv1_2")


class Hypercolumns:
    """The features of some layers through their heads, joined, each layer divided by its scale.

    Args:
        network: ``compact``, or another :class:`ConvNetwork` with heads.
        scales: one divisor a layer of :data:`LAYERS`; from :meth:`measure_scales`.

    """

    def __init__(self, network: ConvNetwork, scales: Sequence[float]) -> None:
        self._network = network
        self._scales = scales

    def __call__(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Hypercolumns and texture of RGB pictures ``(B, 3, H, W)`` in [0, 1].

        Returns:
            Hypercolumns ``(B, D, H / 4, W / 4)``, and the root mean square of each channel of the
            two finest layers within each 4 x 4 cell ``(B, E, H / 4, W / 4)``, which sees what a
            sampled feature misses, a pattern of two pixels above all. Both in float32.

        """
        return self.with_maps(pictures)[:2]

    def with_maps(self, pictures: Tensor) -> tuple[Tensor, Tensor, Mapping[str, Tensor]]:
        """The same two, and the layers' own maps that they are made of."""
        maps = self._maps(pictures)
        texture = [
            F.avg_pool2d(self._mapped(layer, maps[layer]).float().square(), CELL)
            .add(1e-6 / scale**2)
            .sqrt()
            for layer, scale in zip(LAYERS, self._scales, strict=True)
            if layer in TEXTURE_LAYERS
        ]
        return self._joined(maps, pictures), torch.cat(texture, 1), maps

    def columns(self, pictures: Tensor) -> Tensor:
        """The hypercolumns alone, in half of the time."""
        return self._joined(self._maps(pictures), pictures)

    def _maps(self, pictures: Tensor) -> Mapping[str, Tensor]:
        dtype = next(self._network.parameters()).dtype
        return self._network.features(pictures.to(dtype), LAYERS)

    def _joined(self, maps: Mapping[str, Tensor], pictures: Tensor) -> Tensor:
        """All layers at a quarter of the size; each goes through its head where it is smaller."""
        size = pictures.shape[-2] // CELL, pictures.shape[-1] // CELL
        columns = []
        for layer in LAYERS:
            own = maps[layer]
            if own.shape[-1] > size[1]:
                columns.append(self._mapped(layer, _resized(own, size)))
            else:
                columns.append(_resized(self._mapped(layer, own), size))
        return torch.cat(columns, 1).float()

    def _mapped(self, layer: str, maps: Tensor) -> Tensor:
        """Through the layer's head, in units of its scale."""
        head, scale = self._network.heads[layer], self._scales[LAYERS.index(layer)]
        weight = (head.weight.float() / scale)[:, :, None, None]
        return F.conv2d(maps, weight.to(maps.dtype), (head.bias.float() / scale).to(maps.dtype))


def _resized(maps: Tensor, size: tuple[int, int]) -> Tensor:
    if maps.shape[-2:] == size:
        return maps
    return F.interpolate(maps, size, mode="bilinear", align_corners=False)


def measure_scales(network: ConvNetwork, pictures: Tensor) -> list[float]:
    """The root mean square length of each layer's features over some pictures."""
    see = Hypercolumns(network, [1.0] * len(LAYERS))
    maps = see._maps(pictures)
    mapped = [see._mapped(layer, maps[layer]).float() for layer in LAYERS]
    return [float(each.square().sum(1).mean().sqrt()) for each in mapped]
