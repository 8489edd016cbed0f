"""Gaussian blur, gradients and the structure tensor: what strokes and filters follow."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

REACH = 3.0  # standard deviations that a Gaussian is cut off at


def blurred(image: Tensor, sigma: float) -> Tensor:
    """A Gaussian blur, the edges mirrored.

    Args:
        image: ``(1, C, H, W)``.
        sigma: standard deviation in pixels; 0 leaves the picture as it is.

    """
    radius = min(round(REACH * sigma), min(image.shape[-2:]) - 1)
    if sigma <= 0 or radius < 1:
        return image
    offsets = torch.arange(-radius, radius + 1, dtype=image.dtype)
    kernel = (-offsets.square() / (2 * sigma**2)).exp()
    kernel = (kernel / kernel.sum()).expand(image.shape[1], 1, -1)
    wide = F.pad(image, (radius, radius, radius, radius), mode="reflect")
    wide = F.conv2d(wide, kernel[:, :, None, :], groups=image.shape[1])
    return F.conv2d(wide, kernel[:, :, :, None], groups=image.shape[1])


def gradients(maps: Tensor) -> tuple[Tensor, Tensor]:
    """Derivatives along x and y by Scharr's operator, per pixel, ``(1, C, H, W)`` each."""
    smooth = torch.tensor([3.0, 10.0, 3.0], dtype=maps.dtype) / 16
    differ = torch.tensor([-0.5, 0.0, 0.5], dtype=maps.dtype)
    channels = maps.shape[1]
    wide = F.pad(maps, (1, 1, 1, 1), mode="replicate")
    along_x, along_y = (
        (down[:, None] * across).expand(channels, 1, 3, 3)
        for down, across in ((smooth, differ), (differ, smooth))
    )
    return F.conv2d(wide, along_x, groups=channels), F.conv2d(wide, along_y, groups=channels)


@dataclass(frozen=True)
class Flow:
    """Where lines run, from the eigenvectors of the smoothed structure tensor.

    Attributes:
        angle: of the direction in which colours change least, in radians from x towards y,
            ``(H, W)``.
        anisotropy: 0 where no direction stands out, 1 on a clean line, ``(H, W)``.

    """

    angle: Tensor
    anisotropy: Tensor


def flow_of(image: Tensor, sigma: float) -> Flow:
    """The flow of a picture: Kyprianidis and Kang 2011, *Image and Video Abstraction by Coherence-
    Enhancing Filtering*, section 3.

    Args:
        image: ``(1, 3, H, W)`` in [0, 1].
        sigma: standard deviation of the tensor's blur, in pixels.

    """
    x, y = gradients(image)
    products = torch.cat([(x * x).sum(1), (x * y).sum(1), (y * y).sum(1)])[None]
    xx, xy, yy = blurred(products, sigma)[0]
    # Half the difference and half the sum of the eigenvalues.
    apart = (((xx - yy) / 2).square() + xy.square()).sqrt()
    both = (xx + yy) / 2
    across = torch.atan2(2 * xy, xx - yy) / 2  # of the larger eigenvalue: across the line
    return Flow(across + torch.pi / 2, apart / both.clamp_min(1e-12))
