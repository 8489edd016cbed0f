"""Smooth deviations of a grid: sums of cosines, of which the finer ones cost more.

Cosines are the modes of a grid whose borders reflect, and a bend's cost is known for each: with a
mode's coefficient in units of what it may cost, regularisation is the plain sum of squares. The
optimiser then moves all cells together, so that none that few pixels fall in drifts by itself.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

ALONG_LUMA = 0.5  # of a bend along brightness, in units of one across the picture


class Smooth:
    """Grids as sums of cosines.

    Args:
        depth: D.
        height: rows of the grid.
        width: its columns.
        bend: what second differences cost, against the deviation itself.

    """

    def __init__(self, depth: int, height: int, width: int, *, bend: float) -> None:
        self._modes = [_cosines(count) for count in (depth, height, width)]
        along, down, across = (_bends(count) for count in (depth, height, width))
        cost = ALONG_LUMA * along[:, None, None] + down[:, None] + across
        self._scale = (1 + bend * cost.square()).rsqrt()

    def grid(self, coefficients: Tensor) -> Tensor:
        """The deviation ``(R, C, D, h, w)`` of coefficients of the same shape."""
        luma, rows, columns = self._modes
        scaled = coefficients * self._scale
        return torch.einsum("rcdhw,da,hb,wx->rcabx", scaled, luma, rows, columns)


def _cosines(count: int) -> Tensor:
    """Modes by nodes ``(count, count)``, each of mean square one."""
    order, at = torch.arange(count).double()[:, None], torch.arange(count).double()
    modes = torch.cos(math.pi * order * (at + 0.5) / count)
    return (modes / modes.square().mean(1, keepdim=True).sqrt()).float()


def _bends(count: int) -> Tensor:
    """The squared wave number of each mode, in half waves over the axis."""
    return torch.arange(count).float().square()
