"""Hypercolumns: what several layers see at each position, at a quarter of the picture's size."""

from __future__ import annotations

from collections.abc import Sequence

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
        height, width = pictures.shape[-2] // CELL, pictures.shape[-1] // CELL
        maps = mapped(self._network, pictures)
        columns = [
            F.interpolate(f, (height, width), mode="bilinear", align_corners=False) / scale
            for f, scale in zip(maps, self._scales, strict=True)
        ]
        found = dict(zip(LAYERS, maps, strict=True))
        texture = [
            F.avg_pool2d(found[layer].square(), CELL).add(1e-6).sqrt() / scale
            for layer, scale in zip(LAYERS, self._scales, strict=True)
            if layer in TEXTURE_LAYERS
        ]
        return torch.cat(columns, 1), torch.cat(texture, 1)


def mapped(network: ConvNetwork, pictures: Tensor) -> list[Tensor]:
    """The layers' maps through their heads, float32, ``(B, K, h, w)`` each."""
    dtype = next(network.parameters()).dtype
    maps = network.features(pictures.to(dtype), LAYERS)
    out = []
    for layer in LAYERS:
        head = network.heads[layer]
        weight = head.weight.to(maps[layer].dtype)[:, :, None, None]
        out.append(F.conv2d(maps[layer], weight, head.bias.to(weight.dtype)).float())
    return out


def measure_scales(network: ConvNetwork, pictures: Tensor) -> list[float]:
    """The root mean square length of each layer's features over some pictures."""
    return [float(f.square().sum(1).mean().sqrt()) for f in mapped(network, pictures)]
