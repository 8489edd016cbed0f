"""Training pictures: photographs, and pictures as they occur during a transfer.

Every batch is a function of ``(seed, step)`` and of the pool of half-optimised pictures, so a
resumed run gets the same batches.
Pictures are float RGB ``(B, 3, S, S)`` in [0, 1].
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Generator, Tensor

PHOTOS = Path("../shared/images/train")
SUFFIXES = (".jpg", ".jpeg", ".png")
HELD_OUT_ONE_IN = 50


def held_out(name: str) -> bool:
    """Whether the photograph ``name`` is held out of training: one in fifty, by its SHA-256."""
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % HELD_OUT_ONE_IN == 0


def photo_paths(folder: Path, *, held: bool) -> list[Path]:
    """The photographs of ``folder`` for training (with ``held`` those for testing), sorted."""
    files = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES)
    return [p for p in files if held_out(p.name) == held]


def load(path: Path, side: int | None = None) -> Tensor:
    """A picture as uint8 ``(3, H, W)``; ``side`` reduces its longer side to at most that."""
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    if side is not None and max(picture.size) > side:
        scale = side / max(picture.size)
        size = (round(picture.width * scale), round(picture.height * scale))
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1).contiguous()


def uniform(gen: Generator, low: float, high: float) -> float:
    """One number from [low, high)."""
    return low + (high - low) * float(torch.rand((), generator=gen))


def pick(gen: Generator, count: int) -> int:
    """One index below ``count``."""
    return int(torch.randint(count, (), generator=gen))


def smooth(gen: Generator, size: int, cells: int, channels: int = 1) -> Tensor:
    """Smooth noise ``(channels, size, size)``, of unit variance at ``cells`` x ``cells`` nodes."""
    coarse = torch.randn(1, channels, cells, cells, generator=gen)
    return F.interpolate(coarse, (size, size), mode="bilinear", align_corners=False)[0]


def crop(gen: Generator, photo: Tensor, size: int) -> Tensor:
    """A random square of ``photo`` at a random scale, mirrored or not: ``(3, size, size)``."""
    height, width = photo.shape[1:]
    side = round(size * math.exp(uniform(gen, math.log(0.5), math.log(1.8))))
    side = min(side, height, width)
    top, left = pick(gen, height - side + 1), pick(gen, width - side + 1)
    piece = photo[:, top : top + side, left : left + side].float().div(255)[None]
    if side != size:
        piece = F.interpolate(piece, (size, size), mode="bilinear", antialias=side > size)
    return (piece.flip(3) if pick(gen, 2) else piece)[0]


def recolour(gen: Generator, picture: Tensor) -> Tensor:
    """Random contrast, brightness, saturation and white balance, strong for a fifth of them."""
    strong = 2.5 if pick(gen, 5) == 0 else 1.0
    contrast = math.exp(uniform(gen, -0.35, 0.4) * strong)
    saturation = math.exp(uniform(gen, -0.5, 0.5) * strong)
    if pick(gen, 16) == 0:
        saturation = 0.0
    grey = picture.mean(0, keepdim=True)
    gains = torch.exp(0.1 * strong * torch.randn(3, 1, 1, generator=gen))
    out = (grey + (picture - grey) * saturation - 0.45) * contrast * gains
    return (out + 0.45 + uniform(gen, -0.12, 0.12) * strong).clamp(0, 1)


def noise(gen: Generator, size: int) -> Tensor:
    """Coloured noise ``(3, size, size)``, zero mean: white, or a sum over scales."""
    if pick(gen, 3) == 0:
        return torch.randn(3, size, size, generator=gen)
    power, total = uniform(gen, -0.3, 1.2), torch.zeros(3, size, size)
    for level in range(1, 8):
        cells = min(size, 2**level + 1)
        total += smooth(gen, size, cells, 3) * 2.0 ** (-power * level)
    mixed = torch.tensordot(torch.randn(3, 3, generator=gen), total, 1)
    scaled: Tensor = mixed / mixed.std().clamp(min=1e-3)
    return scaled


def palette(gen: Generator, count: int) -> Tensor:
    """``(count, 3)`` colours, often similar, sometimes saturated."""
    spread = uniform(gen, 0.1, 0.6)
    base = torch.rand(1, 3, generator=gen)
    return (base + spread * torch.randn(count, 3, generator=gen)).clamp(0, 1)


def strokes(gen: Generator, size: int) -> Tensor:
    """Curved stripes of random width, sharpness and colours."""
    axis = torch.linspace(0, 1, size)
    angle = uniform(gen, 0, math.pi)
    line = axis[:, None] * math.sin(angle) + axis[None, :] * math.cos(angle)
    line = line + uniform(gen, 0, 0.25) * smooth(gen, size, 3 + pick(gen, 8))[0]
    phase = 2 * math.pi * line * math.exp(uniform(gen, math.log(4), math.log(size / 4)))
    wave = torch.tanh(torch.sin(phase) * math.exp(uniform(gen, -1, 2.5))) * 0.5 + 0.5
    place = smooth(gen, size, 3 + pick(gen, 20))[0].sigmoid()
    colours = palette(gen, 4).view(4, 3, 1, 1)
    light = colours[0] * place + colours[1] * (1 - place)
    dark = colours[2] * place + colours[3] * (1 - place)
    return light * wave + dark * (1 - wave)


def cells(gen: Generator, size: int) -> Tensor:
    """Flat cells around random points, some with dark seams."""
    count = 8 + pick(gen, 60)
    points = torch.rand(count, 2, generator=gen)
    axis = torch.linspace(0, 1, size)
    grid = torch.stack(torch.meshgrid(axis, axis, indexing="ij"), -1).view(-1, 2)
    grid = grid + 0.02 * smooth(gen, size, 12, 2).flatten(1).T * pick(gen, 2)
    near, which = torch.cdist(grid, points).topk(2, largest=False)
    picture = palette(gen, count)[which[:, 0]].T.reshape(3, size, size)
    seam = ((near[:, 1] - near[:, 0]) * size / uniform(gen, 1, 4)).clamp(0, 1)
    return picture * seam.view(1, size, size) if pick(gen, 2) else picture


def procedural(gen: Generator, size: int) -> Tensor:
    """A procedural texture: strokes, cells or coloured noise."""
    kind = pick(gen, 3)
    if kind == 0:
        picture = strokes(gen, size)
    elif kind == 1:
        picture = cells(gen, size)
    else:
        picture = 0.5 + uniform(gen, 0.05, 0.35) * noise(gen, size)
    if pick(gen, 2):
        picture = picture + uniform(gen, 0, 0.12) * noise(gen, size)
    return picture.clamp(0, 1)


def blur(picture: Tensor, factor: int) -> Tensor:
    """``picture`` without the detail that is lost in a reduction by ``factor``."""
    size = picture.shape[-1]
    small = F.interpolate(picture[None], (max(2, size // factor),) * 2, mode="area")
    return F.interpolate(small, (size, size), mode="bilinear")[0]


def spoilt(gen: Generator, picture: Tensor, other: Tensor) -> Tensor:
    """``picture`` with defects as in an optimisation: blur, noise, foreign detail, ripples."""
    kind, size = pick(gen, 5), picture.shape[-1]
    if kind == 0:
        return blur(picture, 2 + pick(gen, 7))
    if kind == 1:
        return (picture + uniform(gen, 0.02, 0.3) * noise(gen, size)).clamp(0, 1)
    if kind == 2:
        factor = 2 + pick(gen, 12)
        detail = other - blur(other, factor)
        base = blur(picture, factor) if pick(gen, 2) else picture
        return (base + uniform(gen, 0.4, 1.5) * detail).clamp(0, 1)
    if kind == 3:
        sign = torch.ones(size, size)
        if pick(gen, 2):
            sign[::2] *= -1
        sign[:, ::2] *= -1
        tint = torch.randn(3, 1, 1, generator=gen)
        ripple = tint * sign * smooth(gen, size, 2 + pick(gen, 12))
        return (picture + uniform(gen, 0.02, 0.15) * ripple).clamp(0, 1)
    sharp = picture + uniform(gen, 0.5, 2.5) * (picture - blur(picture, 2 + pick(gen, 3)))
    return sharp.clamp(0, 1)


def batch(
    photos: Sequence[Tensor], *, seed: int, step: int, count: int, size: int, pool: Tensor | None
) -> Tensor:
    """The batch of one step: photographs, and spoilt, procedural or half-optimised pictures.

    ``photos`` are uint8 ``(3, H, W)``; ``pool`` ``(P, 3, S, S)`` holds half-optimised pictures as
    uint8; with None the batch has none of them. Returns ``(count, 3, size, size)``, channels-last.
    """
    gen = Generator().manual_seed(seed * 1_000_003 + step)
    out = []
    for _ in range(count):
        kind = uniform(gen, 0, 1)
        if kind < 0.12:
            picture = recolour(gen, procedural(gen, size))
        elif kind < 0.44 and pool is not None and pool.shape[-1] >= size:
            picture = pool[pick(gen, len(pool)), :, :size, :size].float() / 255
            picture = picture.flip(2) if pick(gen, 2) else picture
        else:
            picture = crop(gen, photos[pick(gen, len(photos))], size)
            picture = recolour(gen, picture) if pick(gen, 4) else picture
            if kind < 0.57:
                other = crop(gen, photos[pick(gen, len(photos))], size)
                picture = spoilt(gen, picture, recolour(gen, other))
        out.append(picture)
    return torch.stack(out).contiguous(memory_format=torch.channels_last)
