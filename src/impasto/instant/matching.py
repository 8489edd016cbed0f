"""Balanced matching: each position of a photograph takes one of a painting's.

Plain matching takes the nearest under centred cosine distance (Kolkin et al. 2022, arXiv
2203.13215), which leaves flat regions bare: they all take the same few positions. Balanced, every
position of the painting has a price, raised where it is used too often (a few steps of the dual of
entropic optimal transport with an even use of the painting, Cuturi 2013).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

SOFTNESS = 0.04  # of the assignment that sets the prices, in units of cosine distance
ROUNDS = 12
BLOCK = 2048  # positions matched at a time
POWERS, TURNS = 4, 14  # rounds of the search for principal directions


def cheapest(asked: Tensor, offered: Tensor, price: Tensor) -> Tensor:
    """Indices of the matches of ``asked`` ``(N, D)`` among ``offered`` ``(M, D)`` at its prices."""
    indices = [(block @ offered.T).sub_(price).argmax(1) for block in torch.split(asked, BLOCK)]
    return torch.cat(indices)


def directions(features: Tensor, mean: Tensor | None = None) -> Tensor:
    """Features ``(N, D)`` less their mean, or less the one that is given, each of length one."""
    return F.normalize(features - (features.mean(0) if mean is None else mean), dim=1)


def prices(asked: Tensor, offered: Tensor, balance: float) -> Tensor:
    """What each of the bank's positions costs, ``(M)``; their mean is zero.

    With the likeness of a query and a position as exponentials once, a round is two products of a
    matrix and a vector: Sinkhorn's form of the softmax over ``(likeness - price) / SOFTNESS``.
    """
    price = offered.new_zeros(len(offered))
    likeness = asked @ offered.T
    kernel = likeness.sub_(likeness.amax(1, keepdim=True)).div_(SOFTNESS).exp_()
    fair = len(offered) / len(kernel)
    for _ in range(ROUNDS):
        cheap = torch.exp(-price / SOFTNESS)
        shares = 1 / (kernel @ cheap).clamp_min(1e-30)
        use = cheap * (kernel.T @ shares) * fair
        price = price + balance * SOFTNESS * use.clamp_min(1e-3).log()
        price = price - price.mean()
    return price


def principal(seen: Tensor, count: int) -> Tensor:
    """Orthonormal directions in which directions ``(N, D)`` differ most, ``(D, count)``.

    Of fewer than ``count`` rows some of the columns are zero. By powers of the matrix of second
    moments, which hold a tenth of a percent less of it than its eigenvectors do, in products of
    matrices alone, which every device and file format knows.
    """
    moments = seen.T @ seen / len(seen)
    found = _orthonormal(seen[evenly(len(seen), count, seen.device)].T)
    for _ in range(POWERS):
        found = _orthonormal(moments @ found)
    return found


def _orthonormal(columns: Tensor) -> Tensor:
    """The nearest orthonormal columns, by Newton and Schulz's iteration of fifth order."""
    columns = F.normalize(columns, dim=0)
    columns = columns / (columns.T @ columns).square().sum().sqrt().sqrt().clamp_min(1e-6)
    eye = torch.eye(columns.shape[1], dtype=columns.dtype, device=columns.device)
    for _ in range(TURNS):
        products = columns.T @ columns
        columns = columns @ (1.875 * eye - 1.25 * products + 0.375 * products @ products)
    return columns


def evenly(length: int, count: int, device: torch.device) -> Tensor:
    """Indices ``(count,)`` below ``length``, evenly spaced; each repeated if there are fewer."""
    return (2 * torch.arange(count, device=device) + 1) * length // (2 * count)


def around(values: Tensor, reach: int) -> Tensor:
    """The sum of values ``(h, w)`` over the square around each, as far as ``reach``."""
    down, across = (_band(side, reach, values) for side in values.shape)
    return down @ values @ across


def _band(side: int, reach: int, like: Tensor) -> Tensor:
    """The matrix whose row i has ones from ``i - reach`` to ``i + reach``."""
    lines = torch.arange(side, device=like.device)
    return ((lines[:, None] - lines).abs() <= reach).to(like.dtype)
