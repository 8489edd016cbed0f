"""Colour: luminance and chrominance, and matching one picture's colours to another's."""

from __future__ import annotations

import torch
from torch import Tensor

# ITU-R BT.601 luma; the chroma axes are blue and red minus luma. The matrix is invertible, and
# luma of a grey is the grey.
_LUMA = (0.299, 0.587, 0.114)


def rgb_to_luma(image: Tensor) -> Tensor:
    """Luma Y = .299 R + .587 G + .114 B of ``(*, 3, H, W)``, as ``(*, 1, H, W)``."""
    weights = image.new_tensor(_LUMA).view(3, 1, 1)
    return (image * weights).sum(-3, keepdim=True)


def with_luma_of(colors: Tensor, luma_from: Tensor) -> Tensor:
    """The chrominance of one picture under the luma of another.

    Gatys et al. 2016, *Preserving Color in Neural Artistic Style Transfer*, section 4. Where the
    pair leaves the RGB cube the chrominance is shrunk towards grey, which keeps luma and hue;
    clipping channels would change both.

    Args:
        colors: ``(*, 3, H, W)`` in [0, 1]; gives the chrominance.
        luma_from: of the same shape; gives the luma.

    Returns:
        ``(*, 3, H, W)`` in [0, 1].

    """
    luma = rgb_to_luma(luma_from)
    chroma = colors - rgb_to_luma(colors)
    limit = torch.where(chroma > 0, 1 - luma, luma) / chroma.abs().clamp_min(1e-6)
    shrink = limit.amin(-3, keepdim=True).clamp(0, 1)
    return (luma + shrink * chroma).clamp(0, 1)


def match_color_statistics(image: Tensor, reference: Tensor) -> Tensor:
    """Recolour a picture so that its mean colour and colour covariance become the reference's.

    Gatys et al. 2016 (as above), section 3: x -> A x + b with A = sqrt(S_ref) sqrt(S)^-1, here with
    the symmetric square roots ("image analogies" form).

    Args:
        image: ``(1, 3, H, W)`` in [0, 1].
        reference: ``(1, 3, h, w)`` in [0, 1].

    Returns:
        ``(1, 3, H, W)``, clipped to [0, 1].

    """
    mean, covariance = _color_moments(image)
    target_mean, target_covariance = _color_moments(reference)
    matrix = _matrix_power(target_covariance, 0.5) @ _matrix_power(covariance, -0.5)
    flat = image.double().flatten(-2)
    moved = matrix @ (flat - mean[:, None]) + target_mean[:, None]
    return moved.view(image.shape).to(image.dtype).clamp(0, 1)


def match_color_map(image: Tensor, source: Tensor, made: Tensor, weights: Tensor) -> Tensor:
    """Give a picture the colours that another one was given: a least-squares affine map.

    Args:
        image: ``(1, 3, H, W)`` in [0, 1].
        source: ``(1, 3, h, w)`` in [0, 1], which was made into ``made``.
        made: of the same shape.
        weights: ``(1, 1, h, w)``: what each pixel counts for.

    Returns:
        Of the shape of ``image``, clipped to [0, 1]; ``image`` itself where no pixel counts.

    """
    if not weights.any():
        return image

    def rows(picture: Tensor) -> Tensor:
        flat = picture[0].flatten(1).double()
        return torch.cat([flat, torch.ones_like(flat[:1])])

    known = rows(source)
    weighted = known * weights.flatten()
    steady = 1e-4 * weights.sum() * torch.eye(4, dtype=known.dtype, device=known.device)
    mapping: Tensor = torch.linalg.solve(weighted @ known.mT + steady, weighted @ rows(made)[:3].mT)
    return (mapping.mT @ rows(image)).reshape(image.shape).clamp_(0, 1).to(image.dtype)


def match_histogram(image: Tensor, reference: Tensor) -> Tensor:
    """Recolour a picture so that each channel has the reference's histogram, values in order.

    Equal values stay equal: each becomes the reference's quantile at the share of values that do
    not exceed it (Gonzalez and Woods, *Digital Image Processing*, section 3.3).

    Args:
        image: ``(1, 3, H, W)`` in [0, 1].
        reference: ``(1, 3, h, w)`` in [0, 1].

    Returns:
        ``(1, 3, H, W)`` in [0, 1].

    """
    channels = [
        _matched(channel, wanted) for channel, wanted in zip(image[0], reference[0], strict=True)
    ]
    return torch.stack(channels)[None]


def _matched(channel: Tensor, wanted: Tensor) -> Tensor:
    _, places, counts = torch.unique(channel, return_inverse=True, return_counts=True)
    ordered = wanted.flatten().sort().values
    ranks = (counts.cumsum(0) * ordered.numel() + channel.numel() - 1) // channel.numel()
    values: Tensor = ordered[ranks - 1][places]
    return values


def _color_moments(image: Tensor) -> tuple[Tensor, Tensor]:
    flat = image.double().flatten(-2)[0]
    covariance = torch.cov(flat, correction=0)
    return flat.mean(1), covariance + 1e-6 * torch.eye(3, dtype=torch.float64, device=flat.device)


def _matrix_power(symmetric: Tensor, power: float) -> Tensor:
    values, vectors = torch.linalg.eigh(symmetric)
    scaled: Tensor = (vectors * values.clamp_min(1e-12) ** power) @ vectors.mT
    return scaled
