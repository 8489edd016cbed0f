"""Pictures with the statistics of photographs, made from a seed: no photograph is needed.

Objects that hide one another, their sizes spread by a power law ("dead leaves": Lee, Mumford and
Huang, IJCV 2001), shaded, textured with 1/f noise and lit unevenly, in the correlated colours of
photographs: edges at every scale, and a spectrum that falls off as photographs' do.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

LEAVES = 220
LIGHTNESS, OPPONENT = 0.22, 0.07  # spread of a leaf's grey level and of its colours around it
SMALLEST, LARGEST = 0.015, 0.45  # radii, as a share of the picture's longer side


def natural_picture(height: int, width: int, *, seed: int) -> Tensor:
    """An RGB picture ``(1, 3, height, width)`` float32 in [0, 1]; the same for the same seed."""
    generator = torch.Generator().manual_seed(seed)
    leaves = _leaves(height, width, generator)
    texture = _fractal(height, width, generator)
    light = 1 + 0.2 * _fractal(height, width, generator, exponent=2.0)
    picture = (leaves + _amount(generator, 0.02, 0.08) * texture) * light
    return picture.clamp(0, 1)[None]


def _leaves(height: int, width: int, generator: torch.Generator) -> Tensor:
    """Shaded, partly striped ellipses and rounded rectangles over one another, ``(3, H, W)``."""
    rows = torch.arange(height, dtype=torch.float32)[:, None]
    columns = torch.arange(width, dtype=torch.float32)[None, :]
    picture = _color(generator)[:, None, None].expand(3, height, width).clone()
    for _ in range(LEAVES):
        y, x = _uniform(generator) * height, _uniform(generator) * width
        turn = _uniform(generator) * math.pi
        u = (columns - x) * math.cos(turn) + (rows - y) * math.sin(turn)
        v = (rows - y) * math.cos(turn) - (columns - x) * math.sin(turn)
        radius = _radius(generator) * max(height, width)
        across = radius * _amount(generator, 0.15, 1.0)
        corner = 2.0 if _uniform(generator) < 0.5 else 12.0
        inside = (u / radius).abs() ** corner + (v / across).abs() ** corner
        cover = ((1 - inside) * across / corner).clamp(0, 1)  # about a pixel of soft edge
        color = _color(generator)[:, None, None] * _shading(u, v, radius, generator)
        picture += cover * (color - picture)
    return picture


def _shading(u: Tensor, v: Tensor, radius: float, generator: torch.Generator) -> Tensor:
    """Light from one side and, on every third leaf, stripes or checks of a random fineness."""
    shade = 1 + 0.25 * (u / radius).clamp(-1, 1) * (2 * _uniform(generator) - 1)
    kind, depth = _uniform(generator), _amount(generator, 0.1, 0.8)
    pace = 2 * math.pi / (2.5 * 8 ** _uniform(generator))  # 2.5 to 20 pixels a period
    if kind < 0.2:
        shade = shade * (1 + depth * (pace * u).sin())
    elif kind < 0.33:
        shade = shade * (1 + depth * (pace * u).sin() * (pace * v).sin())
    return shade


def _fractal(
    height: int, width: int, generator: torch.Generator, *, exponent: float = 1.0
) -> Tensor:
    """Noise with amplitudes 1/f^exponent, mean 0 and deviation 1, ``(H, W)``."""
    rows = torch.fft.fftfreq(height)[:, None]
    columns = torch.fft.rfftfreq(width)[None, :]
    frequency = (rows**2 + columns**2).sqrt().clamp_min(1 / max(height, width))
    white = torch.fft.rfft2(torch.randn(height, width, generator=generator))
    noise = torch.fft.irfft2(white / frequency**exponent, s=(height, width))
    noise = noise - noise.mean()
    scaled: Tensor = noise / noise.std()
    return scaled


def _color(generator: torch.Generator) -> Tensor:
    """Mostly grey level, some blue-yellow, less red-green, as in photographs; ``(3,)``."""
    grey, blue, red = torch.randn(3, generator=generator).tolist()
    level = 0.45 + LIGHTNESS * grey
    warm, green = OPPONENT * blue, 0.5 * OPPONENT * red
    return torch.tensor([level + warm + green, level - green, level - warm]).clamp(0.02, 0.98)


def _radius(generator: torch.Generator) -> float:
    """Sizes with density r^-3, which makes the picture alike at every scale."""
    low, high = SMALLEST**-2, LARGEST**-2
    return 1 / math.sqrt(low + _uniform(generator) * (high - low))


def _uniform(generator: torch.Generator) -> float:
    return float(torch.rand((), generator=generator))


def _amount(generator: torch.Generator, low: float, high: float) -> float:
    return low + (high - low) * _uniform(generator)
