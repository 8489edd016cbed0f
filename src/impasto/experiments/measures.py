"""Measurements that several experiments share, on pictures ``(1, 3, H, W)`` in [0, 1]."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from itertools import combinations

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.ops.color import rgb_to_luma

WINDOW = 8  # pixels of a side, for local measurements
HARDLY_LIKE = 0.5  # correlation below which a window counts as unlike
NEIGHBOURS = 6  # frequencies on either side with which a peak is compared
OUTLIER = 5.0  # median absolute deviations above the median


def difference(image: Tensor, other: Tensor) -> float:
    """Root of the mean squared difference, in picture units."""
    return float((image - other).square().mean().sqrt())


def mean_difference(images: Sequence[Tensor]) -> float:
    """Mean of :func:`difference` over all pairs."""
    return statistics.fmean(difference(a, b) for a, b in combinations(images, 2))


def fine(image: Tensor) -> Tensor:
    """The picture minus its 5 x 5 blur, channel by channel; of the same shape."""
    return image - F.avg_pool2d(image, 5, stride=1, padding=2, count_include_pad=False)


def correlation(a: Tensor, b: Tensor) -> float:
    """Pearson's correlation of all values; 0 if one of them is constant."""
    a, b = a.double() - a.double().mean(), b.double() - b.double().mean()
    scale = float(a.norm() * b.norm())
    return float((a * b).sum()) / scale if scale > 0 else 0.0


def detail_kept(image: Tensor, photograph: Tensor) -> float:
    """Correlation of the two pictures' fine detail in luma; 1 for the photograph itself."""
    return correlation(fine(rgb_to_luma(image)), fine(rgb_to_luma(photograph)))


def noise_left(image: Tensor, start: Tensor) -> float:
    """Correlation of a result's fine detail with that of its starting picture, in all channels."""
    return correlation(fine(image), fine(start))


def unlike_share(image: Tensor, photograph: Tensor) -> float:
    """Share of the photograph's textured windows whose luma correlates by less than a half."""
    similar, deviation = _local_correlation(rgb_to_luma(image), rgb_to_luma(photograph))
    textured = deviation > deviation.median()
    return float((similar[textured] < HARDLY_LIKE).double().mean())


def texture_scale(image: Tensor) -> float:
    """Size of the texture in pixels: the inverse of luma's mean frequency, weighted by power."""
    luma = rgb_to_luma(image)[0, 0].double()
    power = torch.fft.rfft2(luma - luma.mean()).abs().square()
    rows = torch.fft.fftfreq(luma.shape[0], dtype=torch.float64)[:, None]
    columns = torch.fft.rfftfreq(luma.shape[1], dtype=torch.float64)[None, :]
    mean = float((power * (rows**2 + columns**2).sqrt()).sum() / power.sum().clamp_min(1e-30))
    return 1 / mean if mean > 0 else math.inf


def stripe_contrast(image: Tensor, *, count: int = 16) -> float:
    """Amplitude of ``count`` vertical stripes, over that of neighbouring frequencies.

    About 1 without stripes. From each row's spectrum of luma: the power at ``count`` periods a
    row over the mean of the six frequencies on either side, both averaged over rows; its root.
    """
    luma = rgb_to_luma(image)[0, 0].double()
    power = torch.fft.rfft(luma, dim=1).abs().square().mean(0)
    around = [*range(count - NEIGHBOURS, count), *range(count + 1, count + 1 + NEIGHBOURS)]
    beside = power[[k for k in around if 0 < k < len(power)]].mean()
    return math.sqrt(float(power[count] / beside.clamp_min(1e-30)))


def ranks(values: Sequence[float]) -> list[float]:
    """Rank of each value from 1, equal ones get their mean rank."""
    return [
        sum(other < value for other in values) + (1 + sum(other == value for other in values)) / 2
        for value in values
    ]


def rank_agreement(a: Sequence[float], b: Sequence[float]) -> float:
    """Spearman's rank correlation; NaN if one side is constant."""
    first, second = torch.tensor(ranks(a)), torch.tensor(ranks(b))
    if len(set(a)) < 2 or len(set(b)) < 2:
        return math.nan
    return correlation(first, second)


def outlier_limit(values: Sequence[float]) -> float:
    """Median plus five median absolute deviations; values above have failed."""
    middle = statistics.median(values)
    return middle + OUTLIER * statistics.median(abs(value - middle) for value in values)


def failure_rate(failures: int, trials: int) -> float:
    """Share of failures; without any, the bound 3/n (95%: Hanley, Lippman-Hand 1983)."""
    return failures / trials if failures else 3 / trials


def _local_correlation(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """In adjacent windows: correlation of two planes, and the second's standard deviation."""
    a, b = a.double(), b.double()
    mean_a, mean_b = F.avg_pool2d(a, WINDOW), F.avg_pool2d(b, WINDOW)
    variance_a = (F.avg_pool2d(a * a, WINDOW) - mean_a**2).clamp_min(0)
    variance_b = (F.avg_pool2d(b * b, WINDOW) - mean_b**2).clamp_min(0)
    covariance = F.avg_pool2d(a * b, WINDOW) - mean_a * mean_b
    similar = covariance / (variance_a * variance_b).sqrt().clamp_min(1e-12)
    return similar, variance_b.sqrt()
