"""A change of colours as a whole: what it takes to apply it to the photograph at any size."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from impasto.photoreal.grid import Grid
from impasto.photoreal.local import Local, Rows
from impasto.photoreal.regions import EdgeMasks

ROWS = 128  # of a band


@dataclass(frozen=True)
class Change:
    """A grid, and the functions of the photograph that it is looked up by.

    Attributes:
        grid: the changes of colour, region by region.
        base: the photograph's brightness without fine detail.
        masks: the regions.

    """

    grid: Grid
    base: Local
    masks: EdgeMasks

    def apply(self, photograph: Tensor, *, rows: int = ROWS) -> Tensor:
        """Change the photograph ``(1, 3, H, W)`` in [0, 1], at any size, in bands of rows."""
        result, height = torch.empty_like(photograph), photograph.shape[-2]
        for top in range(0, height, rows):
            band = photograph[..., top : top + rows, :]
            result[..., top : top + rows, :] = self.changed(band, (top, height))
        return result

    def changed(self, image: Tensor, rows: Rows | None = None) -> Tensor:
        """Some rows of the photograph, changed."""
        base = self.base.at(image, rows)
        return self.grid.changed(image, self.masks.at(image, rows), base=base, rows=rows)

    def scaled(self, strength: float) -> Change:
        """The same change at part of its strength: 0 is none, 1 is all of it."""
        return replace(self, grid=self.grid.scaled(strength))
