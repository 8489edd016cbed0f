"""Sums over positions: all that a style loss is computed from.

Gram matrices, means and covariances depend on a feature map only through sum f, sum f f^T and the
number of positions. Sums add up, over tiles as over machines; so whatever is a function of
:class:`Statistics` can be computed piece by piece, exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from impasto import native
from impasto.ops.losses import style_layer_loss


@dataclass(frozen=True)
class Statistics:
    """Sums of the features f of one layer over its positions, in float32 or better.

    Attributes:
        count: M, the number of positions; the sum of their weights where they have some.
        total: sum of f, ``(N,)``.
        second_moments: sum of f f^T, ``(N, N)``: the Gram matrix of eq. (4).
        frame: Q, ``(channels, N)`` with orthonormal columns, where f stands for Q f; None where f
            are the channels themselves.
        derived: what a style loss has made of a painting's sums, by name, kept for the next step.

    """

    count: float
    total: Tensor
    second_moments: Tensor
    frame: Tensor | None = None
    derived: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __add__(self, other: Statistics) -> Statistics:
        """Statistics of both sets of positions together."""
        return Statistics(
            self.count + other.count,
            self.total + other.total,
            self.second_moments + other.second_moments,
            self.frame,
        )

    @property
    def mean(self) -> Tensor:
        """Mean of f, ``(N,)``."""
        return self.total / self.count

    @property
    def covariance(self) -> Tensor:
        """Covariance of f, ``(N, N)``, with 1/M."""
        return self.second_moments / self.count - torch.outer(self.mean, self.mean)

    @property
    def variance(self) -> Tensor:
        """Variance of each channel, ``(channels,)``: the one thing that depends on the axes."""
        if self.frame is None:
            return self.covariance.diagonal()
        frame = self.frame.to(self.second_moments)
        return ((frame @ self.covariance) * frame).sum(1)

    def mapped(self, weight: Tensor, bias: Tensor, frame: Tensor | None = None) -> Statistics:
        """Statistics of A f + b, for A ``(K, N)`` and b ``(K,)``, without touching a position.

        Differentiable once, with respect to the sums.
        """
        total, second_moments = _Mapped.apply(  # type: ignore[no-untyped-call]
            self.total, self.second_moments, self.count, weight, bias
        )
        return Statistics(self.count, total, second_moments, frame)

    def double(self) -> Statistics:
        """The same in float64, on the CPU: where sums over many tiles are taken."""
        return Statistics(self.count, self.total.cpu().double(), self.second_moments.cpu().double())

    def detach(self) -> Statistics:
        """The same numbers, cut off from the graph."""
        return Statistics(self.count, self.total.detach(), self.second_moments.detach(), self.frame)


def mixture(parts: Sequence[Statistics]) -> Statistics:
    """Statistics of several maps with equal shares, whatever their sizes; the first one's count."""
    first = parts[0]
    shares = [first.count / part.count / len(parts) for part in parts]
    scaled = [
        (s * part.total, s * part.second_moments) for s, part in zip(shares, parts, strict=True)
    ]
    totals, moments = zip(*scaled, strict=True)
    return replace(
        first, total=torch.stack(totals).sum(0), second_moments=torch.stack(moments).sum(0)
    )


StatisticsLoss = Callable[[Statistics, Statistics, int], Tensor]
"""A style loss of one layer: (picture's statistics, painting's statistics, N) to a scalar."""


def gram_loss(statistics: Statistics, target: Statistics, channels: int) -> Tensor:
    """The report's style loss of one layer, eq. (5), on statistics."""
    return style_layer_loss(
        statistics.second_moments,
        target.second_moments,
        channels=channels,
        positions=statistics.count,
        target_positions=target.count,
    )


def statistics_of(features: Tensor) -> Statistics:
    """Reduce one feature map to its statistics.

    Args:
        features: ``(1, N, H, W)``, any floating type and memory format. Half-precision features
            are summed in float32.

    Returns:
        Statistics in float32, or float64 for float64 features; differentiable once.

    """
    is_plain = not (torch.is_grad_enabled() and features.requires_grad)
    if is_plain and native.can_sum(features):
        return Statistics(features.shape[-2:].numel(), *native.sums(features))
    rows = features.permute(0, 2, 3, 1).reshape(-1, features.shape[1])
    total, second_moments = _Sums.apply(rows)  # type: ignore[no-untyped-call]
    return Statistics(rows.shape[0], total, second_moments)


def weighted_statistics(features: Tensor, weights: Tensor) -> Statistics:
    """Statistics in which each position counts as much as its weight: sum w f and sum w f f^T.

    Args:
        features: ``(1, N, H, W)``, as of :func:`statistics_of`.
        weights: ``(H, W)`` in [0, 1].

    """
    rows = features.permute(0, 2, 3, 1).reshape(-1, features.shape[1])
    column = weights.reshape(-1, 1)
    total, second_moments = _WeightedSums.apply(rows, column)  # type: ignore[no-untyped-call]
    return Statistics(float(weights.double().sum()), total, second_moments)


def statistics_gradient(features: Tensor, total: Tensor, second_moments: Tensor) -> Tensor:
    """What autograd would bring through :func:`statistics_of`, without the sums being taken.

    Args:
        features: f, ``(1, N, H, W)``.
        total: derivative with respect to sum f, ``(N,)``.
        second_moments: derivative with respect to sum f f^T, ``(N, N)``.

    Returns:
        of the shape and type of ``features``.

    """
    _, channels, height, width = features.shape
    rows = features.permute(0, 2, 3, 1).reshape(-1, channels)
    pulled = _pulled_back(rows, total, second_moments)
    return pulled.view(1, height, width, channels).permute(0, 3, 1, 2)


def add_statistics_gradient(
    gradient: Tensor, features: Tensor, total: Tensor | None, second_moments: Tensor
) -> None:
    """Add :func:`statistics_gradient` to a gradient where it lies, rounded once."""
    lines = gradient.permute(0, 2, 3, 1)
    if not lines.is_contiguous():
        nothing = second_moments.new_zeros(len(second_moments))
        gradient += statistics_gradient(
            features, nothing if total is None else total, second_moments
        )
        return
    rows = features.permute(0, 2, 3, 1).reshape(-1, features.shape[1])
    lines.view(-1, features.shape[1]).addmm_(rows, _doubled(second_moments).to(rows))
    if total is not None:
        lines += total.to(lines)


# Rows a block: small enough for the second-level cache, large enough for the matrix unit.
_CHUNK = 4096
_NARROW = 64  # channels; below, the matrix unit gains less than rounding twice costs
_FEW = 1 << 20  # values; likewise
_WIDENED = 1 << 18  # values at a time, so that their float32 copy stays in the cache


class _Sums(torch.autograd.Function):
    """Sum and second moments of the rows of an (M, N) matrix, accumulated in float32 or better.

    Autograd's own version would keep a float32 copy of half-precision features for the backward
    pass, and multiply one very tall matrix; this one keeps the features as they are and adds up
    blocks that fit the cache.
    """

    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> tuple[Tensor, Tensor]:
        ctx.save_for_backward(rows)
        if rows.dtype in (torch.float32, torch.float64) or _is_for_the_matrix_unit(rows):
            return _added_up(rows)
        length = len(rows)
        if rows.device.type == "cpu":
            length = max(_CHUNK, _WIDENED // rows.shape[1] // _CHUNK * _CHUNK)
        parts = torch.split(rows, length)
        totals, moments = zip(*(_added_up(part.float()) for part in parts), strict=True)
        return torch.stack(totals).sum(0), torch.stack(moments).sum(0)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        (rows,) = ctx.saved_tensors
        return _pulled_back(rows, *grads)


class _WeightedSums(torch.autograd.Function):
    """Weighted sum and second moments of the rows of an (M, N) matrix, in float32 or better."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        ctx.save_for_backward(rows, weights)
        exact = torch.float64 if rows.dtype == torch.float64 else torch.float32
        channels = rows.shape[1]
        total = rows.new_zeros(channels, dtype=exact)
        second_moments = rows.new_zeros(channels, channels, dtype=exact)
        for part, own in zip(torch.split(rows, _CHUNK), torch.split(weights, _CHUNK), strict=True):
            if own.any():
                wide = part.to(exact)
                weighted = wide * own.to(exact)
                total += weighted.sum(0)
                second_moments.addmm_(weighted.mT, wide)
        return total, second_moments

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        rows, weights = ctx.saved_tensors
        return _pulled_back(rows, *grads) * weights.to(rows), None


class _Mapped(torch.autograd.Function):
    """Both sums of A f + b: A t + M b, and A S A^T + A t b^T + b (A t + M b)^T."""

    @staticmethod
    def forward(
        ctx: Any, total: Tensor, second_moments: Tensor, count: float, weight: Tensor, bias: Tensor
    ) -> tuple[Tensor, Tensor]:
        ctx.save_for_backward(weight, bias)
        moved = weight @ total
        shifted = torch.add(moved, bias, alpha=count)
        return shifted, (weight @ second_moments @ weight.mT).addr_(moved, bias).addr_(
            bias, shifted
        )

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(
        ctx: Any, of_total: Tensor, of_second_moments: Tensor
    ) -> tuple[Tensor, Tensor, None, None, None]:
        weight, bias = ctx.saved_tensors
        of_moved = torch.addmv(of_total, of_second_moments + of_second_moments.mT, bias)
        return weight.mT @ of_moved, weight.mT @ of_second_moments @ weight, None, None, None


def _pulled_back(rows: Tensor, grad_total: Tensor, grad_second_moments: Tensor) -> Tensor:
    """Derivatives with respect to both sums, brought to the rows."""
    matrix, offset = _doubled(grad_second_moments).to(rows), grad_total.to(rows)
    if rows.dtype == torch.bfloat16 and rows.device.type == "cpu" and _has_linear():
        # The same numbers without a copy of the offset for each row; the matrix is symmetric.
        product: Tensor = torch.ops.mkldnn._linear_pointwise(rows, matrix, offset, "none", [], "")
        return product
    return torch.addmm(offset, rows, matrix)


def _is_for_the_matrix_unit(rows: Tensor) -> bool:
    is_large = rows.shape[1] >= _NARROW and rows.numel() >= _FEW
    return rows.dtype == torch.bfloat16 and is_large


def _added_up(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Sum and second moments, block by block; what does not fill a block in float32 or better."""
    whole = len(rows) // _CHUNK * _CHUNK
    tail = rows[whole:].float() if rows.dtype == torch.bfloat16 else rows[whole:]
    total, second_moments = tail.sum(0), tail.mT @ tail
    if whole:
        blocks = rows[:whole].view(-1, _CHUNK, rows.shape[1])
        ones = blocks.new_ones(1, 1, _CHUNK).expand(len(blocks), -1, -1)
        total = total + _summed(ones, blocks)[0]
        second_moments = second_moments + _summed(blocks.mT, blocks)
    return total, second_moments


def _doubled(second_moments: Tensor) -> Tensor:
    """What a row is multiplied by: f occurs twice in f f^T."""
    return second_moments + second_moments.mT


def _has_linear() -> bool:
    """Whether oneDNN multiplies bfloat16: not on a processor without AVX-512."""
    has_call = hasattr(torch.ops.mkldnn, "_linear_pointwise")
    return has_call and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def _summed(left: Tensor, right: Tensor) -> Tensor:
    """Sum over blocks of the products of two stacks of matrices, in float32 or better.

    The matrix unit adds up products of bfloat16 in float32 but rounds what it returns; a second
    product, less the first, returns what was rounded away.
    """
    high = torch.bmm(left, right)
    if high.dtype != torch.bfloat16:
        return high.sum(0)
    low = torch.baddbmm(high, left, right, beta=-1)
    return high.sum(0, dtype=torch.float32) + low.sum(0, dtype=torch.float32)
