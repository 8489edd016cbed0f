"""Figures of merit: how near a result is to its photograph and its painting, and its faults.

None of them needs a download, and none is what the optimiser minimises. Pictures are RGB in [0, 1];
statistics of layers are :class:`impasto.ops.statistics.Statistics`. docs/measuring.md says how each
is read.
"""

from __future__ import annotations

from itertools import product

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.errors import PictureError
from impasto.ops.color import rgb_to_luma
from impasto.ops.statistics import Statistics

WINDOW, SIGMA = 11, 1.5  # of SSIM's Gaussian
C1, C2 = 0.01**2, 0.03**2  # (K L)^2 with L = 1
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
HISTOGRAM_BINS = 1024  # along each direction of colour_distance
COLOR_BINS = 8  # a channel, of style_color_share
FRAME_WIDTHS = (2, 3, 4, 6, 8, 10)  # lines that a frame may be wide
OUTSIDE = 16  # lines beside an edge that count as neither edge nor inside
FRAMED_FROM = 100  # pixels of the shorter side: lines enough inside to compare edges with
PATCH, FLAT = 16, 0.02  # side in pixels; deviation below which a patch is flat (5 levels of 255)
_BINOMIAL = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)


def psnr(image: Tensor, reference: Tensor) -> Tensor:
    """Peak signal-to-noise ratio in dB: -10 log10 of the mean squared difference.

    Args:
        image: ``(*, C, H, W)`` in [0, 1].
        reference: of the same shape.

    Returns:
        ``(*)``; infinite for equal pictures.

    """
    return -10 * (image - reference).square().mean((-3, -2, -1)).log10()


def ssim(image: Tensor, reference: Tensor) -> Tensor:
    """Structural similarity: Wang et al. 2004, eq. (13), Gaussian window 11 x 11, K = 0.01, 0.03.

    The mean over channels and over the positions at which the window fits.

    Args:
        image: ``(*, C, H, W)`` in [0, 1], at least 11 x 11.
        reference: of the same shape.

    Returns:
        ``(*)``, at most 1.

    Raises:
        PictureError: the pictures are smaller than the window.

    """
    similarity, _ = _ssim_maps(image, reference)
    return similarity.mean((-3, -2, -1))


def multiscale_ssim(image: Tensor, reference: Tensor) -> Tensor:
    """Multi-scale structural similarity: Wang, Simoncelli and Bovik 2003, eq. (7).

    A departure for small pictures: five scales need 176 pixels; below that there are as many as the
    window fits in, their exponents scaled to the same sum. A negative mean counts as 0.

    Args:
        image: ``(*, C, H, W)`` in [0, 1], at least 11 x 11. For the usual figure, luma.
        reference: of the same shape.

    Returns:
        ``(*)`` in [0, 1].

    Raises:
        PictureError: the pictures are smaller than the window.

    """
    smaller = min(image.shape[-2:])
    scales = max(1, sum(smaller >> scale >= WINDOW for scale in range(len(SCALE_WEIGHTS))))
    weights = image.new_tensor(SCALE_WEIGHTS[:scales])
    weights = weights * (sum(SCALE_WEIGHTS) / weights.sum())
    factors = []
    for scale in range(scales):
        if scale:
            image, reference = _pooled(image, 2), _pooled(reference, 2)
        similarity, structure = _ssim_maps(image, reference)
        factor = similarity if scale == scales - 1 else structure
        factors.append(factor.mean((-3, -2, -1)).clamp_min(0))
    return (torch.stack(factors, -1) ** weights).prod(-1)


def color_distance(image: Tensor, reference: Tensor) -> Tensor:
    """Earth mover's distance between two colour histograms, sliced.

    The mean, over 13 directions of the colour cube (axes, diagonals of faces and of the cube), of
    the distance W1 between the histograms of the colours along that direction; Bonneel et al. 2015
    take random directions. Where colours sit in the picture plays no part.

    Args:
        image: ``(1, 3, H, W)`` in [0, 1].
        reference: ``(1, 3, h, w)`` in [0, 1].

    Returns:
        a scalar in units of colour: black to white are 0.82 apart.

    """
    distances = [_along(direction, image, reference) for direction in _directions()]
    return torch.stack(distances).mean()


def style_color_share(image: Tensor, content: Tensor, style: Tensor) -> Tensor:
    """How far a picture's colours have gone from the photograph's (0) to the painting's (1).

    With histograms h of 8 x 8 x 8 bins, each colour b counts as the painting's to the degree
    r_b = s_b / (s_b + c_b); the share is the mean of r under the picture's colours, scaled so that
    the photograph's own is 0 and the painting's own 1. Above 1 the colours that tell the painting
    from the photograph are over-represented: more frequent than in the painting itself.

    Args:
        image: ``(1, 3, H, W)`` in [0, 1].
        content: the photograph, ``(1, 3, *, *)`` in [0, 1].
        style: the painting, ``(1, 3, *, *)`` in [0, 1].

    Returns:
        a scalar; not a number where photograph and painting have the same histogram.

    """
    result, photograph, painting = (_color_histogram(each) for each in (image, content, style))
    degree = torch.where(painting > 0, painting / (painting + photograph), 0)
    own = (photograph * degree).sum()
    return ((result * degree).sum() - own) / ((painting * degree).sum() - own)


def high_frequency_energy(image: Tensor) -> Tensor:
    """Energy of the finest detail: mean square of luma less its 5 x 5 binomial blur.

    Detail of two pixels' period passes whole, of four pixels' at three quarters, of sixteen pixels'
    at a thirteenth. Noise, ringing and the grid that pooling leaves live there.

    Args:
        image: ``(*, 3, H, W)`` in [0, 1], at least 5 x 5.

    Returns:
        ``(*)``.

    """
    luma = rgb_to_luma(image)
    inside = luma[..., 2:-2, 2:-2]
    return (inside - _filtered(luma, luma.new_tensor(_BINOMIAL))).square().mean((-3, -2, -1))


def flat_patch_ratio(image: Tensor, *, patch: int = PATCH, flat: float = FLAT) -> Tensor:
    """Share of patches without texture.

    Args:
        image: ``(*, 3, H, W)`` in [0, 1], at least ``patch`` wide and high.
        patch: side of the squares that the picture is cut into; what is left over is not seen.
        flat: a patch is flat where its colours deviate less than this from their mean (root mean
            square over positions, of the largest channel).

    Returns:
        ``(*)`` in [0, 1].

    """
    mean, square = _pooled(image, patch), _pooled(image.square(), patch)
    deviation = (square - mean.square()).clamp_min(0).sqrt().amax(-3)
    return (deviation < flat).to(image.dtype).mean((-2, -1))


def gram_distance(statistics: Statistics, target: Statistics) -> Tensor:
    """Frobenius distance between two Gram matrices, each divided by its number of positions."""
    difference = statistics.second_moments / statistics.count - target.second_moments / target.count
    return difference.square().sum().sqrt()


def wasserstein_distance(statistics: Statistics, target: Statistics) -> Tensor:
    """Distance W2 between the Gaussians of two layers' features, in float64.

    W2^2 = |m - n|^2 + tr(C + D - 2 (C^1/2 D C^1/2)^1/2) for means m, n and covariances C, D
    (Dowson and Landau 1982); the second part is the squared Bures distance. Silent filters may make
    either covariance singular; what is to be differentiated is
    :func:`impasto.ops.losses.squared_wasserstein`.
    """
    covariance, wanted = statistics.covariance.double(), target.covariance.double()
    root = _square_root(covariance)
    cross = torch.linalg.eigvalsh(root @ wanted @ root).clamp_min(0).sqrt().sum()
    bures: Tensor = covariance.trace() + wanted.trace() - 2 * cross
    means = (statistics.mean.double() - target.mean.double()).square().sum()
    return (means + bures).clamp_min(0).sqrt()


def patch_distance(
    maps: Tensor, reference: Tensor, *, side: int = 3, most: tuple[int, int] = (2048, 8192)
) -> Tensor:
    """Mean centred cosine distance from each patch of some maps to the reference's nearest.

    With the result's maps and the painting's this is *patch fidelity*, the other way round
    *coverage*: near 0 where every patch of the one is found in the other. The distance is the one
    that Kolkin et al. 2022 (arXiv 2203.13215) match by: 1 less the cosine, each side less its mean.

    Args:
        maps: ``(1, N, H, W)``, at least ``side`` wide and high.
        reference: ``(1, N, h, w)``.
        side: of a patch, in positions.
        most: patches of the maps and of the reference; of more, every so many are taken.

    Returns:
        A scalar in [0, 2].

    """
    patches, others = (
        _directions_of_patches(each, side, count)
        for each, count in zip((maps, reference), most, strict=True)
    )
    nearest = [(block @ others.T).amax(1) for block in torch.split(patches, 512)]
    return 1 - torch.cat(nearest).mean()


def _directions_of_patches(maps: Tensor, side: int, most: int) -> Tensor:
    """Patches ``(P, N side side)`` less the mean of all, each of length one, evenly drawn."""
    height, width = (each - side + 1 for each in maps.shape[-2:])
    count = min(most, height * width)
    chosen = torch.linspace(0, height * width - 1, count, device=maps.device).round().long()
    shifted = [maps[0, :, y : y + height, x : x + width] for y in range(side) for x in range(side)]
    drawn = [
        each[:, chosen // width, chosen % width] - each.mean((1, 2))[:, None] for each in shifted
    ]
    return F.normalize(torch.cat(drawn).T, dim=1)


def _ssim_maps(image: Tensor, reference: Tensor) -> tuple[Tensor, Tensor]:
    """SSIM, and its factor without luminance, at each position."""
    if min(image.shape[-2:]) < WINDOW:
        raise PictureError(f"SSIM needs pictures of at least {WINDOW} x {WINDOW} pixels.")
    offsets = torch.arange(WINDOW, dtype=image.dtype, device=image.device) - WINDOW // 2
    kernel = (-offsets.square() / (2 * SIGMA**2)).exp()
    kernel = kernel / kernel.sum()
    products = (image, reference, image.square(), reference.square(), image * reference)
    x, y, xx, yy, xy = (_filtered(each, kernel) for each in products)
    structure = (2 * (xy - x * y) + C2) / (xx - x * x + yy - y * y + C2)
    return (2 * x * y + C1) / (x * x + y * y + C1) * structure, structure


def _filtered(image: Tensor, kernel: Tensor) -> Tensor:
    """Every channel by a separable kernel, where it fits."""
    planes = image.reshape(-1, 1, *image.shape[-2:])
    rows = F.conv2d(planes, kernel.view(1, 1, -1, 1))
    filtered = F.conv2d(rows, kernel.view(1, 1, 1, -1))
    return filtered.view(*image.shape[:-2], *filtered.shape[-2:])


def _pooled(image: Tensor, side: int) -> Tensor:
    """Means of squares of ``side``, over any number of leading dimensions."""
    pooled = F.avg_pool2d(image.reshape(-1, 1, *image.shape[-2:]), side)
    return pooled.view(*image.shape[:-2], *pooled.shape[-2:])


def _directions() -> list[tuple[int, ...]]:
    """Lattice directions of the cube, each once: the first coordinate that is not 0 is 1."""
    signs = product((1, 0, -1), repeat=3)
    return [d for d in signs if next((s for s in d if s), -1) == 1]


def _along(direction: tuple[int, ...], image: Tensor, reference: Tensor) -> Tensor:
    low = sum(min(0, s) for s in direction)
    high = sum(max(0, s) for s in direction)
    axis = image.new_tensor(direction)
    shares = []
    for picture in (image, reference):
        values = torch.einsum("c,bchw->bhw", axis, picture)
        counts = torch.histc(values, HISTOGRAM_BINS, low, high)
        shares.append(counts / counts.sum())
    apart = (shares[0] - shares[1]).cumsum(0).abs().sum() * (high - low) / HISTOGRAM_BINS
    return apart / axis.square().sum().sqrt()


def _color_histogram(image: Tensor) -> Tensor:
    levels = (image[0].flatten(1) * COLOR_BINS).long().clamp(0, COLOR_BINS - 1)
    places = (levels[0] * COLOR_BINS + levels[1]) * COLOR_BINS + levels[2]
    return torch.bincount(places, minlength=COLOR_BINS**3).double() / places.numel()


def _square_root(symmetric: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(symmetric)
    root: Tensor = (vectors * values.clamp_min(0).sqrt()) @ vectors.mT
    return root


def frame_share(image: Tensor) -> Tensor:
    """How many of the lines inside a picture are as much of a step as its four edges are.

    The step at a line, of a width k, is the difference between the mean colour of k lines and that
    of the k lines beyond the next, averaged along the line, over its root mean square along it: 1
    where it is the same all along, near 0 where it is now this way and now that, as paint is. An
    edge's share is that of the lines inside whose step is at least the edge's. The geometric mean
    of the four, for the width that makes it smallest: about 0.2 for a picture without a frame.

    Args:
        image: ``(1, 3, H, W)`` in [0, 1], at least 100 x 100.

    Returns:
        a scalar in (0, 1].

    Raises:
        PictureError: the picture is smaller.

    """
    if min(image.shape[-2:]) < FRAMED_FROM:
        raise PictureError(f"A frame is told in pictures of {FRAMED_FROM} x {FRAMED_FROM} and up.")
    shares = [
        torch.cat([_edge_shares(image, width), _edge_shares(image.mT, width)])
        for width in FRAME_WIDTHS
    ]
    return torch.stack(shares).log().mean(-1).exp().min()


def _edge_shares(image: Tensor, width: int) -> Tensor:
    """For the left and the right edge: the share of columns with a step like theirs; ``(2,)``."""
    means = F.avg_pool2d(image, (1, width), 1)
    differences = means[..., : -width - 1] - means[..., width + 1 :]
    common = differences.mean(-2).square().sum(-2)
    steps = (common / differences.square().mean(-2).sum(-2).clamp_min(1e-12))[0]
    inside, edges = steps[OUTSIDE:-OUTSIDE], steps[[0, -1]]
    return (1 + (inside >= edges[:, None]).sum(-1)) / (1 + inside.numel())
