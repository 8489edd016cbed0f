"""Style losses of one layer, as functions of statistics: the choices of ``--style-loss``.

All are zero for the painting's own statistics, of the same unit as eq. (5) (features to the fourth
power) or a fixed power of it, and divided by the number of channels as it is.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor

from impasto.ops.losses import squared_wasserstein
from impasto.ops.statistics import Statistics, StatisticsLoss, gram_loss

SMALLEST_VARIANCE = 1e-4  # relative to the painting's mean one; roots are steep at nothing


def gram_mean_std_loss(statistics: Statistics, target: Statistics, channels: int) -> Tensor:
    """Eq. (5), and squared distances of means and of standard deviations (Galerne et al. 2024).

    The two terms are weighted by the painting's mean energy e = tr(A) / (N M): then a change of the
    means costs as much here as, at most, through the Gram matrix, at any scale of the features.
    """
    energy = target.second_moments.diagonal().sum() / (channels * target.count)
    floor = _smallest(target.variance)
    deviation, wanted = ((s.variance.clamp_min(0) + floor).sqrt() for s in (statistics, target))
    moments = (statistics.mean - target.mean).square().sum() + (deviation - wanted).square().sum()
    return gram_loss(statistics, target, channels) + energy * moments / channels


def wasserstein_loss(statistics: Statistics, target: Statistics, channels: int) -> Tensor:
    """Squared 2-Wasserstein distance between the Gaussians of both layers' features, over N.

    Both covariances are widened a little, so that the loss stays smooth where a filter is silent,
    and by more than the rounding of float32 sums. In float64 on the CPU: the matrices are small.
    """
    (mean, covariance), wanted = _gaussian(statistics), _widened(target)
    wide = covariance + wanted.widening
    if not (wanted.is_known and math.isfinite(wide.detach().sum())):  # no eigenvalues, an error
        return statistics.second_moments.sum() * torch.nan
    squared = squared_wasserstein(mean, wide, wanted.mean, wanted.root)
    return (squared / channels).to(statistics.total)


class _Widened(NamedTuple):
    """What is the same at every step: the painting's Gaussian, and by how much both are widened."""

    mean: Tensor
    root: Tensor
    widening: Tensor
    is_known: bool


def _widened(target: Statistics) -> _Widened:
    """Made once for a painting."""
    if "w2" not in target.derived:
        mean, covariance = _gaussian(target)
        energy = covariance.trace() + mean.square().sum()
        rounding = 4 * torch.finfo(torch.float32).eps * energy
        floor = _smallest(covariance.diagonal()) + rounding
        widening = floor * torch.eye(len(mean), dtype=mean.dtype)
        root, failure = torch.linalg.cholesky_ex(covariance + widening)
        is_known = not failure  # it is where it is not finite, or rounding beyond the widening
        target.derived["w2"] = _Widened(mean, root, widening, is_known)
    result: _Widened = target.derived["w2"]
    return result


def _smallest(variances: Tensor) -> Tensor:
    return SMALLEST_VARIANCE * variances.mean().clamp_min(1e-8)


def _gaussian(statistics: Statistics) -> tuple[Tensor, Tensor]:
    result: tuple[Tensor, Tensor] = _Gaussian.apply(  # type: ignore[no-untyped-call]
        statistics.total, statistics.second_moments, statistics.count
    )
    return result


class _Gaussian(torch.autograd.Function):
    """Mean and covariance in float64 on the CPU; autograd would make three matrices for one."""

    @staticmethod
    def forward(
        ctx: Any, total: Tensor, second_moments: Tensor, count: float
    ) -> tuple[Tensor, Tensor]:
        mean, covariance = (x.to("cpu", torch.float64) / count for x in (total, second_moments))
        ctx.save_for_backward(mean)
        ctx.count, ctx.like = count, total.new_empty(0)
        return mean, covariance.addr_(mean, mean, alpha=-1)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, of_mean: Tensor, of_covariance: Tensor) -> tuple[Tensor, Tensor, None]:
        (mean,) = ctx.saved_tensors
        both = of_covariance + of_covariance.mT
        of_total = torch.addmv(of_mean, both, mean, alpha=-1)
        return (of_total / ctx.count).to(ctx.like), (of_covariance / ctx.count).to(ctx.like), None


STYLE_LOSSES: dict[str, StatisticsLoss] = {
    "gram": gram_loss,
    "gram+mean-std": gram_mean_std_loss,
    "w2": wasserstein_loss,
}
