"""A first guess in closed form: transport of colours, brightness first.

The map of Knothe and Rosenblatt between two distributions of colour: luma by its histogram, then
chroma among pixels of like luma, as Gaussians (the linear map of Monge and Kantorovich; Pitie and
Kokaram 2007, *The linear Monge-Kantorovitch linear colour mapping*). It is a grid of one cell, and
smooth: the curves are least-squares fits with a penalty on their bends, and neither contrast nor
saturation may grow without bound, unlike in Reinhard et al. 2001 or Pitie et al. 2005.
"""

from __future__ import annotations

import torch
from torch import Tensor

from impasto.photoreal.grid import CHANNELS
from impasto.photoreal.tone import rising

BINS = 256
BEND = 0.002  # penalty on second differences of the tone curve, against pixels' shares
WIDTH = 0.1  # of luma: what counts as like
PRIOR = 0.1  # share of all pixels that vouch for the chroma of all, at each luma
NARROW = 4e-5  # variance of chroma below which there is none to scale
SMALLEST, LARGEST = 0.4, 2.5  # factors of saturation


def transport(
    photograph: Tensor, style: Tensor, weights: Tensor, style_weights: Tensor, depth: int
) -> Tensor:
    """The change of colours that gives a photograph the style picture's.

    Args:
        photograph: luma and chroma of its pixels, ``(3, N)``.
        style: likewise, ``(3, M)``.
        weights: what each pixel of the photograph counts, ``(N)``.
        style_weights: likewise, ``(M)``.
        depth: D, steps of luma from 0 to 1.

    Returns:
        numbers of a cell along luma, ``(7, D)``.

    """
    weights, style_weights = weights / weights.sum(), style_weights / style_weights.sum()
    numbers = photograph.new_zeros(CHANNELS, depth)
    numbers[0] = _tone(photograph[0], style[0], weights, style_weights, depth)
    at = torch.linspace(0, 1, depth, dtype=photograph.dtype)
    mean, covariance = _chroma(photograph, weights, at)
    wanted, target = _chroma(style, style_weights, at + numbers[0])
    matrix = _monge(covariance, target)
    numbers[1:3] = (wanted - (matrix @ mean[..., None])[..., 0]).T
    numbers[3:] = (matrix - torch.eye(2, dtype=matrix.dtype)).flatten(1).T
    return numbers


def _tone(
    luma: Tensor, wanted: Tensor, weights: Tensor, wanted_weights: Tensor, depth: int
) -> Tensor:
    """Histogram matching with a curve of few nodes, whose bends cost; what luma gains ``(D)``."""
    centres = (torch.arange(BINS, dtype=torch.float64) + 0.5) / BINS
    shares, wanted_shares = (
        _histogram(each, own) for each, own in ((luma, weights), (wanted, wanted_weights))
    )
    ranks = shares.cumsum(0) - shares / 2
    cumulated = wanted_shares.cumsum(0)
    above = torch.searchsorted(cumulated, ranks).clamp_max(BINS - 1)
    below = cumulated[above] - wanted_shares[above]
    inside = ((ranks - below) / wanted_shares[above].clamp_min(1e-12)).clamp(0, 1)
    targets = (above + inside) / BINS
    hats = (1 - (centres[:, None] * (depth - 1) - torch.arange(depth)).abs()).clamp_min(0)
    bends = torch.eye(depth, dtype=torch.float64).diff(dim=0).diff(dim=0) * (depth - 1) ** 1.5
    weighted = hats * shares[:, None]
    steady = BEND * bends.mT @ bends / depth + 1e-6 * torch.eye(depth, dtype=torch.float64)
    gain = torch.linalg.solve(weighted.mT @ hats + steady, weighted.mT @ (targets - centres))
    return rising(gain.to(luma.dtype))


def _histogram(luma: Tensor, weights: Tensor) -> Tensor:
    places = (luma * BINS).long().clamp(0, BINS - 1)
    counts = torch.zeros(BINS, dtype=torch.float64).index_add_(0, places, weights.double())
    return counts / counts.sum()


def _chroma(colors: Tensor, weights: Tensor, at: Tensor) -> tuple[Tensor, Tensor]:
    """Mean ``(D, 2)`` and covariance ``(D, 2, 2)`` of chroma among pixels near each luma."""
    near = torch.exp(-((colors[0] - at[:, None]) / WIDTH).square() / 2) * weights
    near = near + PRIOR * weights * (1 - near.sum(1, keepdim=True)).clamp(0, 1)
    near = near / near.sum(1, keepdim=True)
    mean = near @ colors[1:].T
    apart = colors[1:] - mean[..., None]
    return mean, torch.einsum("dn,dcn,den->dce", near, apart, apart)


def _monge(covariance: Tensor, target: Tensor) -> Tensor:
    """The symmetric matrices that make one covariance the other, their factors bounded."""
    floor = NARROW * torch.eye(2, dtype=covariance.dtype)
    root, inverse = _powers(covariance + floor)
    middle, _ = _powers(root @ (target + floor) @ root)
    values, vectors = torch.linalg.eigh(inverse @ middle @ inverse)
    matrices: Tensor = (vectors * values.clamp(SMALLEST, LARGEST)[..., None, :]) @ vectors.mT
    return matrices


def _powers(symmetric: Tensor) -> tuple[Tensor, Tensor]:
    values, vectors = torch.linalg.eigh(symmetric)
    roots = values.clamp_min(1e-12).sqrt()[..., None, :]
    return (vectors * roots) @ vectors.mT, (vectors / roots) @ vectors.mT
