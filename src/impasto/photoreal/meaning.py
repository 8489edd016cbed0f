"""Regions found by meaning: parts of a style picture, and where the photograph has their like.

Without masks, colours are transported between parts that look alike to a network, as Luan et al.
2017 do between classes and Xia et al. 2020 between deep features. The style picture is parted into
a few clusters; each position of the photograph is shared out among its positions by entropic
transport (Cuturi 2013), with the style picture's side relaxed (Chizat et al. 2018): a sky takes
colours of sky even where it is three times as large. Shares are soft, and where nothing is alike
they are even, which is transport without regions.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.nets.network import Network
from impasto.ops.color import rgb_to_luma

LAYERS = ("conv3_1", "conv4_1")
PARTS = 3
CELLS = 48  # positions along the longer side
MARGIN = 32  # pixels mirrored around: else a picture's own edge is a part of it by itself
FEATURES = 0.6
HEIGHT, LUMA, CHROMA = 0.4, 0.25, 0.4  # weights of place, brightness and colour beside features'
SOFTNESS = 0.08  # of the transport, in units of squared distance
CONTRAST = 0.05  # deviation of luma among neighbours at which a position is half believed
RELAXED = 0.5  # 1: all of the style picture is used alike; 0: each position takes the nearest
ROUNDS = 30


@torch.no_grad()
def alike(
    photograph: Tensor, styles: Sequence[Tensor], network: Network, *, parts: int = PARTS
) -> tuple[Tensor, Tensor, list[Tensor]]:
    """Soft regions of a photograph and of style pictures that belong together.

    Args:
        photograph: ``(1, 3, H, W)`` in [0, 1], at the size that it is looked at.
        styles: likewise.
        network: computes features.
        parts: R.

    Returns:
        ``(1, R, h, w)`` of sum 1 for the photograph, at a coarser size; how far each of these
        positions is to be believed, ``(1, 1, h, w)``: less where it lies on an edge; and regions
        of each style picture, of sum 1.

    """
    own, believed = _described(photograph, network)
    described = [_described(style, network) for style in styles]
    offered = torch.cat([rows for rows, _ in described])
    trust = torch.cat([each.flatten() for _, each in described])
    members = _parted(offered, trust, parts)
    shares = (_plan(own, offered, trust) @ members).T.reshape(1, parts, *believed.shape[-2:])
    split = torch.split(members, [len(rows) for rows, _ in described])
    return (
        shares,
        believed,
        [
            part.T.reshape(1, parts, *each.shape[-2:])
            for part, (_, each) in zip(split, described, strict=True)
        ],
    )


def _described(image: Tensor, network: Network) -> tuple[Tensor, Tensor]:
    """What each position looks like ``(N, D)``, and how far it is believed ``(1, 1, h, w)``."""
    height, width = image.shape[-2:]
    scale = CELLS / max(height, width)
    size = max(2, round(height * scale)), max(2, round(width * scale))
    columns = []
    maps = _maps(image, network)
    for each in maps:
        rows = F.adaptive_avg_pool2d(each.float(), size)[0].flatten(1).T
        columns.append(F.normalize(rows - rows.mean(0), dim=1) * (FEATURES / len(maps) ** 0.5))
    small = F.adaptive_avg_pool2d(image, size)
    luma = rgb_to_luma(small)[0].flatten(1).T
    chroma = small[0].flatten(1).T - luma
    down = torch.linspace(-1, 1, size[0])[:, None].expand(size).reshape(-1, 1)
    spread = (luma - luma.mean()) / luma.std().clamp_min(0.02)
    colour = (chroma - chroma.mean(0)) / chroma.std(0).norm().clamp_min(0.02)
    return torch.cat([*columns, HEIGHT * down, LUMA * spread, CHROMA * colour], 1), _belief(
        image, size
    )


def _maps(image: Tensor, network: Network) -> list[Tensor]:
    """Features of some layers, as if the picture went on, mirrored, beyond its edges."""
    height, width = image.shape[-2:]
    top, left = min(MARGIN, height - 1), min(MARGIN, width - 1)
    around = F.pad(image, (left, left, top, top), mode="reflect")
    maps = network.features(around, [layer for layer in LAYERS if layer in network.layers])
    inside = []
    for each in maps.values():
        down, across = (
            each.shape[-2] / around.shape[-2],
            each.shape[-1] / around.shape[-1],
        )
        y, x = round(top * down), round(left * across)
        inside.append(each[..., y : each.shape[-2] - y, x : each.shape[-1] - x])
    return inside


def _belief(image: Tensor, size: tuple[int, int]) -> Tensor:
    """Near 1 where neighbours are alike, in units of the picture's own busiest positions."""
    luma = rgb_to_luma(image)
    mean, square = (F.adaptive_avg_pool2d(each, size) for each in (luma, luma.square()))
    near, near_square = (F.avg_pool2d(x, 3, 1, 1, count_include_pad=False) for x in (mean, square))
    variance = (near_square - near.square()).clamp_min(0)
    return 1 / (1 + variance / CONTRAST**2) + 0.02


def _plan(asked: Tensor, offered: Tensor, trust: Tensor) -> Tensor:
    """Each row's shares among the positions offered ``(N, M)``, of sum 1."""
    distance = torch.cdist(asked, offered).square()
    kernel = ((distance.amin(1, keepdim=True) - distance) / SOFTNESS).exp() * trust
    used, fair = torch.ones(len(offered)), len(offered) / len(asked)
    for _ in range(ROUNDS):
        given = 1 / (kernel @ used).clamp_min(1e-20)
        used = (1 / ((kernel.T @ given) * fair).clamp_min(1e-6)) ** RELAXED
    plan = kernel * used
    return plan / plan.sum(1, keepdim=True).clamp_min(1e-20)


def _parted(rows: Tensor, trust: Tensor, parts: int) -> Tensor:
    """Memberships ``(M, R)`` by k-means from centres far apart: no chance is involved."""
    centres = rows.mean(0, keepdim=True)
    for _ in range(parts):
        nearest = torch.cdist(rows, centres).amin(1) * trust
        centres = torch.cat([centres, rows[nearest.argmax()][None]])
    centres = centres[1:]
    for _ in range(25):
        members = F.one_hot(torch.cdist(rows, centres).argmin(1), parts).to(rows)
        members = members * trust[:, None]
        centres = (members.T @ rows) / members.sum(0).clamp_min(1e-3)[:, None]
    return (-(torch.cdist(rows, centres).square()) / SOFTNESS / 2).softmax(1)
