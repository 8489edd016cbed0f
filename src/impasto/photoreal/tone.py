"""Tone curves that rise: luma out as a function of luma in, at even steps of luma."""

from __future__ import annotations

import torch
from torch import Tensor

LEAST, MOST = 0.25, 2.5  # slopes: below, shadows are crushed; above, skies band and grain shows


def rising(change: Tensor, dim: int = 0, *, least: float = LEAST, most: float = MOST) -> Tensor:
    """The nearest rising curve, roughly: its steps are bounded, and its mean is kept.

    Args:
        change: what luma gains at even steps of luma from 0 to 1, along ``dim``.
        dim: the axis of luma.
        least: the smallest slope of luma out over luma in.
        most: the largest.

    Returns:
        likewise; luma in plus this lies in [0, 1] and never falls.

    """
    change = change.movedim(dim, -1)
    depth = change.shape[-1]
    at = torch.linspace(0, 1, depth, dtype=change.dtype, device=change.device)
    curve = at + change
    steps = curve.diff(dim=-1).clamp(least / (depth - 1), most / (depth - 1))
    risen = torch.cat([torch.zeros_like(curve[..., :1]), steps.cumsum(-1)], -1)
    risen = (risen + (curve - risen).mean(-1, keepdim=True)).clamp(0, 1)
    return (risen - at).movedim(-1, dim)


def falls(change: Tensor, dim: int = 0, *, least: float = LEAST, most: float = MOST) -> Tensor:
    """How much a curve's slopes are out of bounds: the mean square, a scalar; differentiable."""
    depth = change.shape[dim]
    slopes = 1 + change.diff(dim=dim) * (depth - 1)
    return ((least - slopes).clamp_min(0) + (slopes - most).clamp_min(0)).square().mean()
