"""A photograph's noise: how large it is at each brightness, and holding it down.

The level is read off the flattest patches of each brightness; values are stretched until noise is
alike everywhere (Bartlett 1936), and there positions are averaged whose surroundings are alike
(non-local means: Buades, Coll and Morel 2005), all shifts at once.
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor

LEVELS = 12
FLATTEST = 0.2  # the quantile of patches that are taken for flat
SURE = 0.8  # what that quantile is of the true variance, for patches of 7 x 7
STEP = 1 / 255
FEWEST = 50  # patches of a brightness that say anything
SEARCH, PATCH = 5, 2  # reach in pixels
SOFT = 0.7  # deviations by which surroundings may differ beyond what noise explains


def noise_levels(image: Tensor) -> Tensor:
    """Deviation of noise at each of :data:`LEVELS` + 1 even values from 0 to 1.

    Args:
        image: ``(1, 3, H, W)`` in [0, 1].

    Returns:
        ``(LEVELS + 1)``, at least what 8 bits round off.

    """
    planes = image[0][:, None]
    mask = image.new_tensor([[1.0, -2, 1], [-2, 4, -2], [1, -2, 1]]) / 6  # Immerkaer 1996
    response = F.conv2d(F.pad(planes, (1, 1, 1, 1), mode="reflect"), mask[None, None])
    variance = F.avg_pool2d(response.square(), 7, 4).flatten()
    value = F.avg_pool2d(planes, 7, 4).flatten()
    floor = STEP / 12**0.5
    edges = torch.quantile(value[:: max(1, len(value) // 100000)], torch.linspace(0, 1, 13))
    at, found = [], []
    for low, high in pairwise(edges.tolist()):
        inside = variance[(value >= low) & (value <= high)]
        if len(inside) >= FEWEST:
            at.append((low + high) / 2)
            found.append(float((torch.quantile(inside, FLATTEST) / SURE).sqrt()))
    levels = torch.linspace(0, 1, LEVELS + 1)
    if not found:
        return torch.full_like(levels, floor)
    return _interpolated(levels, torch.tensor(at), torch.tensor(found)).clamp_min(floor)


def denoised(image: Tensor, *, strength: float = 1.0) -> Tensor:
    """The picture with its noise held down.

    Args:
        image: ``(1, 3, H, W)`` in [0, 1].
        strength: 0 leaves it as it is.

    """
    if not strength:
        return image
    levels = noise_levels(image)
    fine = torch.linspace(0, 1, 1025)
    deviation = _interpolated(fine, torch.linspace(0, 1, LEVELS + 1), levels)
    steps = (2 / (deviation[1:] + deviation[:-1])) / 1024
    stretch = torch.cat([torch.zeros(1), steps.cumsum(0)])
    alike = _interpolated(image, fine, stretch)
    averaged = _non_local_means(alike)
    return torch.lerp(image, _interpolated(averaged, stretch, fine), strength)


def _non_local_means(image: Tensor) -> Tensor:
    """Averages of like positions, of a picture whose noise has deviation 1 in each channel."""
    reach, radius = SEARCH, PATCH
    height, width = image.shape[-2:]
    padded = F.pad(image, (reach,) * 4, mode="reflect")
    total, weights = torch.zeros_like(image), torch.zeros_like(image[:, :1])
    most = torch.zeros_like(weights)
    for down in range(2 * reach + 1):
        for across in range(2 * reach + 1):
            if (down, across) == (reach, reach):
                continue
            other = padded[..., down : down + height, across : across + width]
            apart = (other - image).square().mean(1, keepdim=True)
            apart = F.avg_pool2d(apart, 2 * radius + 1, 1, radius, count_include_pad=False)
            weight = (-(apart - 2).clamp_min(0) / (2 * SOFT**2)).exp()
            total.addcmul_(weight, other)
            weights += weight
            most = torch.maximum(most, weight)
    most = most.clamp_min(1e-6)
    return (total + most * image) / (weights + most)


def _interpolated(at: Tensor, places: Tensor, values: Tensor) -> Tensor:
    """Linear interpolation between places that rise; beyond them the end's value."""
    if len(places) == 1:
        return values.expand(at.shape).clone()
    above = torch.searchsorted(places, at.contiguous()).clamp(1, len(places) - 1)
    low, high = places[above - 1], places[above]
    share = ((at - low) / (high - low).clamp_min(1e-12)).clamp(0, 1)
    return torch.lerp(values[above - 1], values[above], share)
