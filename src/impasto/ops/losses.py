"""The report's losses, equations (1) and (3) to (7), as plain functions on tensors.

Notation of the report: a layer has N filters ("channels") and M positions (height times width);
its feature map F is read as an N x M matrix. Every function takes any number of leading batch
dimensions ``*`` and keeps them. All are differentiable; the derivatives that the report states in
closed form, eqs. (2) and (6), are what autograd gives through ``loss(relu(z))`` with respect to the
pre-activation z (the tests prove it). The report writes the left side of eq. (6) as dL_style/dE_l
where dE_l/dF_ij is meant.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


def gram_matrix(features: Tensor) -> Tensor:
    """Gram matrix, eq. (4): G_ij = sum over positions of F_i F_j. Not normalised.

    Args:
        features: ``(*, N, H, W)``.

    Returns:
        ``(*, N, N)``, symmetric and positive semi-definite.

    """
    flat = features.flatten(-2)
    return flat @ flat.mT


def content_loss(features: Tensor, target: Tensor) -> Tensor:
    """Content loss, eq. (1): half the sum of squared differences. A sum, so it grows with size.

    Args:
        features: F, ``(*, N, H, W)``.
        target: P, of the same shape.

    Returns:
        ``(*)``.

    """
    return (features - target).square().sum((-3, -2, -1)) / 2


def mapped_content_loss(features: Tensor, target: Tensor, gram: Tensor) -> Tensor:
    """Content loss, eq. (1), of A F against A P, from F, P and the small matrix A^T A.

    It is half the sum of (f - p)^T A^T A (f - p) over positions, and its derivative A^T A (f - p)
    is on the way to it: one product of matrices in place of four.

    Args:
        features: F, ``(1, N, H, W)``, of any floating type; differentiable once.
        target: P, of the same shape.
        gram: A^T A, ``(N, N)``, in float32 or better, which the sums are then taken in.

    Returns:
        ``(1)``.

    """
    return _MappedContent.apply(features, target, gram)  # type: ignore[no-any-return, no-untyped-call]


def style_layer_loss(
    gram: Tensor,
    target_gram: Tensor,
    *,
    channels: int,
    positions: float,
    target_positions: float | None = None,
) -> Tensor:
    """Style loss of one layer, eq. (5): E = sum (G - A)^2 / (4 N^2 M^2).

    A departure where the report is silent: when the painting has another number of positions, its
    Gram matrix A is rescaled by M / M_target, so that a painting tiled 2 x 2 has the same style.

    Args:
        gram: G, ``(*, N, N)``, of the picture that is being made.
        target_gram: A, ``(*, N, N)``, of the painting.
        channels: N; given, since G may be a smaller matrix that stands for an N x N one.
        positions: M of the picture that is being made.
        target_positions: M of the painting; ``positions`` when not given.

    Returns:
        ``(*)``.

    """
    rescale = positions / (target_positions or positions)
    difference = torch.sub(gram, target_gram, alpha=rescale)
    share = 1 / (4.0 * channels**2 * positions**2)
    return _SumOfSquares.apply(difference, share)  # type: ignore[no-any-return, no-untyped-call]


def style_loss(layer_losses: Sequence[Tensor], weights: Sequence[float] | None = None) -> Tensor:
    """Style loss, eq. (3): sum over layers of w_l E_l, with w_l = 1/L when not given."""
    weights = weights or [1 / len(layer_losses)] * len(layer_losses)
    if len(weights) != len(layer_losses):
        raise ValueError(f"{len(layer_losses)} layers need as many weights, not {len(weights)}")
    losses = torch.stack(tuple(layer_losses), dim=-1)
    return (losses * losses.new_tensor(weights)).sum(-1)


def squared_wasserstein(
    mean: Tensor, covariance: Tensor, target_mean: Tensor, target_root: Tensor
) -> Tensor:
    """Squared 2-Wasserstein distance of two Gaussians (Dowson and Landau 1982).

    |m - m'|^2 + tr(C) + tr(C') - 2 tr((C'^1/2 C C'^1/2)^1/2). Not in the report. With C' = L L^T
    the matrix under the root has the eigenvalues of L^T C L, and its trace needs nothing else.

    Args:
        mean: ``(*, N)``; differentiable once, as the next is.
        covariance: C, ``(*, N, N)``, symmetric and positive semi-definite.
        target_mean: ``(*, N)``.
        target_root: L, ``(*, N, N)``, such as the Cholesky factor of C'.

    Returns:
        ``(*)``. Rounding grows with the condition of C': float64 is advised.

    """
    distance: Tensor = _SquaredWasserstein.apply(  # type: ignore[no-untyped-call]
        mean, covariance, target_mean, target_root
    )
    return distance


def total_loss(content: Tensor, style: Tensor, *, alpha: float, beta: float) -> Tensor:
    """Total loss, eq. (7): alpha L_content + beta L_style."""
    return alpha * content + beta * style


def total_variation(image: Tensor) -> Tensor:
    """Total variation: the mean squared difference between neighbours, across and down.

    Not in the report; Mahendran and Vedaldi 2015, eq. (5) with exponent 2, here as a mean over
    positions and channels, so that it does not grow with size.

    Args:
        image: ``(*, C, H, W)``, at least 2 x 2.

    Returns:
        ``(*)``.

    """
    return _Variation.apply(image)  # type: ignore[no-any-return, no-untyped-call]


def temporal_loss(image: Tensor, target: Tensor, weights: Tensor) -> Tensor:
    """How far a frame is from what it should look like: weighted mean squared difference.

    Ruder et al. 2016, *Artistic style transfer for videos*, eq. (7): 1/D sum c_k (x_k - w_k)^2, D
    being the number of all values, weighted or not.

    Args:
        image: x, ``(*, C, H, W)``.
        target: w, an earlier frame warped to this one, of the same shape.
        weights: c, ``(*, 1, H, W)``: 1 where the flow may be believed, else 0.

    Returns:
        ``(*)``.

    """
    return ((image - target).square() * weights).mean((-3, -2, -1))


class _MappedContent(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, features: Tensor, target: Tensor, gram: Tensor) -> Tensor:
        # Channels last, as maps mostly are: no copy, then.
        f, p = features.permute(0, 2, 3, 1), target.permute(0, 2, 3, 1)
        difference = (f.to(gram.dtype) - p).reshape(-1, gram.shape[0]).contiguous()
        slope = difference @ gram
        ctx.save_for_backward(slope)
        ctx.shape, ctx.dtype = f.shape, features.dtype
        return torch.dot(difference.view(-1), slope.view(-1)).div(2).view(1)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None, None]:
        (slope,) = ctx.saved_tensors
        lines = (upstream * slope).to(ctx.dtype).view(ctx.shape)
        return lines.permute(0, 3, 1, 2), None, None


class _SumOfSquares(torch.autograd.Function):
    """Of ``(*, K, N)`` and times a factor; of such small matrices every operation counts."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, factor: float) -> Tensor:
        ctx.save_for_backward(x)
        ctx.factor = factor
        return factor * _squared(x.flatten(-2))

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        return x * (2 * ctx.factor * upstream)[..., None, None], None


class _SquaredWasserstein(torch.autograd.Function):
    """The distance, and its derivatives from the same eigenvectors.

    That of tr((L^T C L)^1/2) with respect to C is L (L^T C L)^-1/2 L^T / 2: stable where
    eigenvalues coincide, and in place of a dozen small operations.
    """

    @staticmethod
    def forward(
        ctx: Any, mean: Tensor, covariance: Tensor, target_mean: Tensor, root: Tensor
    ) -> Tensor:
        difference = mean - target_mean
        values, vectors = torch.linalg.eigh(root.mT @ covariance @ root)
        tiny = torch.finfo(values.dtype).eps * values[..., -1:]
        roots = torch.maximum(values, tiny).sqrt()
        slopes = torch.where(values > tiny, -1 / roots, 0)
        brought = root @ vectors
        slope = (brought * slopes[..., None, :]) @ brought.mT
        slope.diagonal(dim1=-2, dim2=-1).add_(1)
        ctx.save_for_backward(2 * difference, slope)
        traces = covariance.diagonal(dim1=-2, dim2=-1).sum(-1) + root.square().sum((-2, -1))
        return difference.square().sum(-1) + traces - 2 * roots.sum(-1)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, Tensor, None, None]:
        of_mean, of_covariance = ctx.saved_tensors
        by_row = upstream[..., None]
        return by_row * of_mean, by_row[..., None] * of_covariance, None, None


class _Variation(torch.autograd.Function):
    """Total variation; autograd's own version goes over the picture three times as often."""

    @staticmethod
    def forward(ctx: Any, image: Tensor) -> Tensor:
        differences = [_framed_differences(image, dim) for dim in (-1, -2)]
        counts = [image[..., 1:].shape[-3:].numel(), image[..., 1:, :].shape[-3:].numel()]
        ctx.save_for_backward(*differences)
        ctx.counts = counts
        across, down = (d.flatten(-3) for d in differences)
        return _squared(across) / counts[0] + _squared(down) / counts[1]

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> Tensor:
        across, down = ctx.saved_tensors
        slopes = [2 * upstream[..., None, None, None] / count for count in ctx.counts]
        gradient: Tensor = (across[..., :-1] - across[..., 1:]).mul_(slopes[0])
        return gradient.addcmul_(down[..., :-1, :] - down[..., 1:, :], slopes[1])


def _framed_differences(image: Tensor, dim: int) -> Tensor:
    """Differences of neighbours along a dimension, with zeros at both ends."""
    size = image.shape[dim]
    shape = list(image.shape)
    shape[dim] += 1
    framed = image.new_empty(shape)
    torch.sub(
        image.narrow(dim, 1, size - 1),
        image.narrow(dim, 0, size - 1),
        out=framed.narrow(dim, 1, size - 1),
    )
    framed.select(dim, 0).zero_()
    framed.select(dim, size).zero_()
    return framed


def _squared(rows: Tensor) -> Tensor:
    """Squared lengths of ``(*, K)``."""
    if rows.dim() == 1:
        return torch.dot(rows, rows)
    return (rows[..., None, :] @ rows[..., :, None])[..., 0, 0]
