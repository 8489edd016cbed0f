"""The bilateral grid: colour changes over place and brightness.

Chen, Paris and Durand 2007, *Real-time edge-aware image processing with the bilateral grid*; Gharbi
et al. 2017 (HDRNet), a grid of affine colour matrices, which Xia et al. 2020, *Joint Bilateral
Learning for Real-time Universal Photorealistic Style Transfer*, predict from deep features. A cell
holds how the affine change differs from none, in luma and chroma: one number that luma gains, two
that chroma gains, and a 2 x 2 matrix that it is multiplied by. Luma depends on luma only, along the
grid's third axis, so a tone curve that rises in each cell rises everywhere: no order of brightness
is turned round, and with it no edge. Departure from both: the third axis is brightness without its
fine detail, so that detail keeps its contrast, whatever the curve.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.photoreal.local import Rows
from impasto.photoreal.space import in_gamut, to_opponent, to_rgb

CHANNELS = 7  # luma; two of chroma; chroma's matrix, row by row
FAINTEST = 0.9  # of its contrast that fine detail keeps at least
LITTLE = 1e-3  # of luma


@dataclass(frozen=True)
class Grid:
    """Changes of colour, one grid for each region.

    Attributes:
        nodes: ``(R, 7, D, h, w)``: region, numbers of a cell, brightness 0 to 1, rows, columns.
            All zeros leave the photograph as it is, bit for bit.

    """

    nodes: Tensor

    @classmethod
    def identity(cls, regions: int, depth: int, height: int, width: int) -> Grid:
        """The grid that changes nothing."""
        return cls(torch.zeros(regions, CHANNELS, depth, height, width))

    def scaled(self, strength: float) -> Grid:
        """The same change at part of its strength: 0 is none, 1 is all of it."""
        return replace(self, nodes=self.nodes * strength)

    def changed(
        self,
        image: Tensor,
        regions: Tensor | None = None,
        *,
        base: Tensor | None = None,
        rows: Rows | None = None,
    ) -> Tensor:
        """Change the colours of some rows of a photograph; differentiable.

        The grid is looked up by the base of brightness, and moves the base; fine detail lies on it
        as before, or fainter where the base comes near black or white, so that it is not cut off.

        Args:
            image: ``(1, 3, H, W)`` in [0, 1].
            regions: how far each pixel is in each region, ``(1, R, H, W)``, their sum 1; None for
                a grid of one region.
            base: brightness without detail, ``(1, 1, H, W)``; None for luma itself.
            rows: which rows these are; None for a whole photograph.

        Returns:
            ``(1, 3, H, W)`` in [0, 1].

        """
        first, height = rows or (0, image.shape[-2])
        opponent = to_opponent(image)
        guide = opponent[0, 0] if base is None else base[0, 0].clamp(0, 1)
        change = image.new_zeros(())
        for index, nodes in enumerate(self.nodes.to(image.dtype)):
            own = change_of(sliced(nodes, guide, first, height), opponent[0])
            change = change + (own if regions is None else regions[0, index] * own)
        if base is not None:
            fainter = (_room(guide + change[0], guide) - 1) * (opponent[0, 0] - guide)
            change = torch.cat([change[:1] + fainter, change[1:]])
        return in_gamut(image + to_rgb(change)[None])


def _room(luma: Tensor, before: Tensor) -> Tensor:
    """How much of its detail a base keeps that moves towards black or white; 1 where it does not
    move.
    """
    after, before = (each.clamp(LITTLE, 1 - LITTLE) for each in (luma, before))
    return torch.minimum(after / before, (1 - after) / (1 - before)).clamp(FAINTEST, 1)


def sliced(nodes: Tensor, guide: Tensor, first: int, height: int) -> Tensor:
    """Numbers of each pixel by trilinear interpolation of a grid.

    Args:
        nodes: ``(C, D, h, w)``.
        guide: luma of some rows of the photograph, ``(H, W)`` in [0, 1].
        first: the first of these rows.
        height: of the whole photograph.

    Returns:
        ``(C, H, W)``.

    """
    many, width = guide.shape
    down = ((torch.arange(first, first + many, device=guide.device) + 0.5) * 2 / height - 1).to(
        guide.dtype
    )
    across = ((torch.arange(width, device=guide.device) + 0.5) * 2 / width - 1).to(guide.dtype)
    places = torch.stack(
        [across.expand(many, width), down[:, None].expand(many, width), guide * 2 - 1], -1
    )
    found = F.grid_sample(nodes[None], places[None, None], "bilinear", "border", align_corners=True)
    return found[0, :, 0]


def change_of(numbers: Tensor, opponent: Tensor) -> Tensor:
    """What luma and chroma ``(3, H, W)`` gain by a cell's numbers ``(7, H, W)``."""
    _, first, second = opponent
    return torch.stack(
        [
            numbers[0],
            numbers[1] + numbers[3] * first + numbers[4] * second,
            numbers[2] + numbers[5] * first + numbers[6] * second,
        ]
    )
