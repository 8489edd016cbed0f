"""The filters of non-photorealistic rendering that the report's section 1.1 names (reference 9).

Each is true to its paper but for what its docstring marks as a departure. Pictures are
``(1, 3, H, W)`` float32 in [0, 1]. Sizes are in 512ths of the longer side, so that a picture of any
size is filtered alike.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.errors import RecipeError
from impasto.ops.color import rgb_to_luma
from impasto.painters.structure import blurred, flow_of

USUAL = 512.0  # longer side that the numbers below are meant for
SECTORS = 8


def scale_of(image: Tensor) -> float:
    """How many times larger a picture is than what the usual numbers are meant for."""
    return max(image.shape[-2:]) / USUAL


def oil(image: Tensor, *, radius: float = 6.0, sharpness: float = 8.0) -> Tensor:
    """The anisotropic Kuwahara filter: an oil painting's patches along the picture's lines.

    Kyprianidis, Kang and Doellner 2009, *Image and Video Abstraction by Anisotropic Kuwahara
    Filtering*, with the polynomial weights of Kyprianidis, Semmo, Kang and Doellner 2010,
    *Anisotropic Kuwahara Filtering with Polynomial Weighting Functions*: an ellipse along the flow
    is divided into eight sectors that overlap; each sector's mean counts by its variance to the
    power of minus half the sharpness.

    Args:
        image: a picture.
        radius: of the circle that the ellipse has the area of, in 512ths of the longer side.
        sharpness: q; 8 in the paper.

    """
    flow = flow_of(image, 2.0 * scale_of(image) ** 0.5)
    stretch = 1 + flow.anisotropy  # alpha = 1: the ellipse is up to twice as long as a circle
    cosine, sine = flow.angle.cos(), flow.angle.sin()
    radius = radius * scale_of(image)
    stride = max(1, round(scale_of(image)))  # in large pictures not every pixel is looked at
    reach = stride * math.ceil(2 * radius / stride)
    wide = F.pad(image, (reach,) * 4, mode="replicate")
    height, width = image.shape[-2:]
    total = image.new_zeros(SECTORS, 3, height, width)
    squares = image.new_zeros(SECTORS, height, width)
    weights = image.new_zeros(SECTORS, height, width)
    for down in range(-reach, reach + 1, stride):
        for right in range(-reach, reach + 1, stride):
            if math.hypot(down, right) > 2 * radius:
                continue
            # Place in the ellipse, as in a disc of radius 1.
            along = (right * cosine + down * sine) / (radius * stretch)
            across = (down * cosine - right * sine) * stretch / radius
            own = _sector_weights(along, across)
            if own is None:
                continue
            pixel = wide[0, :, reach + down :, reach + right :][:, :height, :width]
            weights += own
            total += own[:, None] * pixel
            squares += own * pixel.square().sum(0)
    means = total / weights[:, None].clamp_min(1e-9)
    variance = (squares / weights.clamp_min(1e-9) - means.square().sum(1)).clamp_min(0)
    # 255: the paper's variances are of values up to 255.
    trust = 1 / (1 + (255 * variance.sqrt()) ** (sharpness / 2))
    trust = trust / trust.sum(0)
    return (trust[:, None] * means).sum(0)[None].clamp(0, 1)


def _sector_weights(along: Tensor, across: Tensor) -> Tensor | None:
    """Each sector's weight of one offset at all pixels, ``(8, H, W)``; None where it is outside.

    Equation 6 of the paper of 2010: a sector's weight is ``((x + zeta) - eta y^2)^2`` where that is
    positive, turned by the sector's angle, times a Gaussian.
    """
    distance = along.square() + across.square()
    inside = distance <= 1
    if not bool(inside.any()):
        return None
    zeta = 1 / 3
    eta = (zeta + math.cos(math.pi / SECTORS)) / math.sin(math.pi / SECTORS) ** 2
    parts = []
    for index in range(SECTORS):
        angle = 2 * math.pi * index / SECTORS
        x = along * math.cos(angle) + across * math.sin(angle)
        y = across * math.cos(angle) - along * math.sin(angle)
        parts.append((x + zeta - eta * y.square()).clamp_min(0).square())
    own = torch.stack(parts)
    own = own / own.sum(0).clamp_min(1e-9)
    return own * (torch.exp(-3.125 * distance) * inside)


def ink(
    image: Tensor,
    *,
    sigma: float = 1.0,
    weight: float = 20.0,
    level: float | None = None,
    slope: float = 8.0,
) -> Tensor:
    """Black ink: the extended difference of Gaussians (XDoG).

    Winnemoeller, Kyprianidis and Olsen 2012, *XDoG: an eXtended difference-of-Gaussians
    compendium*, equations 5 and 7: ``D = (1 + p) G_s - p G_ks``; white where D is above a level,
    below it ``1 + tanh(slope (D - level))``. Departure: the Gaussians are round, not along lines.

    Args:
        image: a picture.
        sigma: s, of the finer Gaussian, in 512ths; the other's is 1.6 times that.
        weight: p, how much edges count beside tone.
        level: epsilon, of luma; eight tenths of the picture's median when not given.
        slope: phi; higher is harder.

    Returns:
        a picture of greys.

    """
    luma, sigma = rgb_to_luma(image), sigma * scale_of(image)
    level = 0.8 * float(luma.median()) if level is None else level
    sharpened = (1 + weight) * blurred(luma, sigma) - weight * blurred(luma, 1.6 * sigma)
    drawn = 1 + torch.tanh(slope * (sharpened - level).clamp_max(0))
    return drawn.clamp(0, 1).expand(-1, 3, -1, -1).contiguous()


def cartoon(
    image: Tensor, *, passes: int = 3, radius: int = 5, steps: int = 8, lines: float = 0.98
) -> Tensor:
    """A cartoon: bilateral smoothing, steps of luma, and dark lines on edges.

    Winnemoeller, Olsen and Gooch 2006, *Real-Time Video Abstraction*: equations 1 (bilateral), 4
    (difference of Gaussians) and 6 (soft quantisation of luma). Departure: in RGB and luma, not in
    CIELAB.

    Args:
        image: a picture.
        passes: of the bilateral filter.
        radius: of it, in 512ths of the longer side.
        steps: of luma; 0 for none.
        lines: tau, how dark an edge has to be; 1 draws most.

    """
    flat = image
    reach = max(1, round(radius * scale_of(image)))
    for _ in range(passes):
        flat = bilateral(flat, radius=reach)
    luma = rgb_to_luma(flat)
    scale = scale_of(image)
    edges = blurred(luma, scale) - lines * blurred(luma, 1.6 * scale)
    drawn = torch.where(edges > 0, torch.ones(()), 1 + torch.tanh(60 * edges))
    if steps:
        nearest = (luma * steps).round() / steps
        stepped = nearest + torch.tanh(12 * (luma - nearest) * steps / 4) / (2 * steps)
        flat = (flat + stepped - luma).clamp(0, 1)
    return (flat * drawn).clamp(0, 1)


def pencil(image: Tensor) -> Tensor:
    """A drawing in pencil: OpenCV's, where it is installed.

    Gastal and Oliveira 2011, *Domain Transform for Edge-Aware Image and Video Processing*, its
    section on pencil drawing.

    Args:
        image: a picture.

    Returns:
        a picture of greys.

    Raises:
        RecipeError: OpenCV is not installed.

    """
    try:
        import cv2
    except ImportError as error:
        raise RecipeError("The pencil needs OpenCV: pip install 'impasto[video]'.") from error
    levels = (255 * image[0].permute(1, 2, 0).clamp(0, 1)).round().byte().numpy()
    # Its deviation over places is in pixels, and at most 200.
    reach = min(200.0, 40 * scale_of(image))
    grey, _ = cv2.pencilSketch(levels[..., ::-1].copy(), None, None, reach, 0.07, 0.05)
    drawn = torch.from_numpy(grey).float() / 255
    return drawn.expand(1, 3, -1, -1).contiguous()


def bilateral(image: Tensor, *, radius: int = 5, tone: float = 0.06) -> Tensor:
    """Tomasi and Manduchi 1998, *Bilateral filtering for gray and color images*.

    Args:
        image: a picture.
        radius: the filter reaches this far; its Gaussian's deviation is half that.
        tone: standard deviation over colours, in units of values.

    """
    height, width = image.shape[-2:]
    wide = F.pad(image, (radius,) * 4, mode="replicate")
    total, weights = torch.zeros_like(image), torch.zeros_like(image[:, :1])
    for down in range(-radius, radius + 1):
        for right in range(-radius, radius + 1):
            near = wide[..., radius + down :, radius + right :][..., :height, :width]
            place = (down**2 + right**2) / (2 * (radius / 2) ** 2)
            unlike = (near - image).square().sum(1, keepdim=True) / (2 * tone**2)
            own = torch.exp(-unlike - place)
            total += own * near
            weights += own
    return total / weights
