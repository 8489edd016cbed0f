"""Style losses of one layer, as functions of statistics: the choices of ``--style-loss``.

All are zero for the painting's own statistics, of the same unit as eq. (5) (features to the fourth
power) or a fixed power of it, and divided by the number of channels as it is.
"""

from __future__ import annotations

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
    energy = target.outer.diagonal().sum() / (channels * target.count)
    floor = _smallest(target.variance)
    deviation, wanted = ((s.variance.clamp_min(0) + floor).sqrt() for s in (statistics, target))
    moments = (statistics.mean - target.mean).square().sum() + (deviation - wanted).square().sum()
    return gram_loss(statistics, target, channels) + energy * moments / channels


def wasserstein_loss(statistics: Statistics, target: Statistics, channels: int) -> Tensor:
    """Squared 2-Wasserstein distance between the Gaussians of both layers' features, over N.

    Both covariances are widened a little, so that the loss stays smooth where a filter is silent,
    and by more than the rounding of float32 sums. In float64 on the CPU: the matrices are small.
    """
    (mean, covariance), (target_mean, target_covariance) = map(_gaussian, (statistics, target))
    both = torch.stack([covariance, target_covariance])
    if not both.isfinite().all():  # eigenvalues of such a matrix are an error, not a number
        return statistics.outer.sum() * torch.nan
    energy = target_covariance.trace() + target_mean.square().sum()
    rounding = 4 * torch.finfo(torch.float32).eps * energy
    floor = _smallest(target_covariance.diagonal()) + rounding
    widening = floor * torch.eye(len(mean), dtype=mean.dtype)
    try:
        squared = squared_wasserstein(
            mean, covariance + widening, target_mean, target_covariance + widening
        )
    except torch.linalg.LinAlgError:  # type: ignore[attr-defined]  # rounding outdid the widening
        return statistics.outer.sum() * torch.nan
    return (squared / channels).to(statistics.total)


def _smallest(variances: Tensor) -> Tensor:
    return SMALLEST_VARIANCE * variances.mean().clamp_min(1e-8)


def _gaussian(statistics: Statistics) -> tuple[Tensor, Tensor]:
    total, outer = (x.to("cpu", torch.float64) for x in (statistics.total, statistics.outer))
    wide = Statistics(statistics.count, total, outer)
    return wide.mean, wide.covariance


STYLE_LOSSES: dict[str, StatisticsLoss] = {
    "gram": gram_loss,
    "gram+mean-std": gram_mean_std_loss,
    "w2": wasserstein_loss,
}
