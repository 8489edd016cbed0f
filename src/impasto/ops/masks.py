"""Masks: where, and how far, something holds."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.ops.inits import resize

WORKING = 256  # pixels of the longer side that :func:`filled` works at
ROUNDS = 96  # of filling: as many pixels at that size
ALIKE = 0.04  # difference of colours, as root mean square, that still passes a value on
EDGE = 1 / 100  # of the shorter side: half the width over which a hard edge becomes a soft one


def softened(mask: Tensor) -> Tensor:
    """A mask whose hard edges rise over two hundredths of the shorter side.

    A box twice, one after the other; beyond the picture's edge the mask goes on as it is there.

    Args:
        mask: ``(1, 1, H, W)`` in [0, 1].

    """
    radius = max(1, round(min(mask.shape[-2:]) * EDGE / 2))
    for _ in range(2):
        padded = F.pad(mask, (radius,) * 4, mode="replicate")
        mask = F.avg_pool2d(padded, 2 * radius + 1, stride=1)
    return mask


def filled(values: Tensor, known: Tensor, picture: Tensor) -> Tensor:
    """Values where they are known, and elsewhere those of what is near in place and in colour.

    From pixel to pixel, as far as the picture has no edge there (Perona and Malik 1990); worked out
    at a small size.

    Args:
        values: ``(1, C, H, W)`` in [0, 1].
        known: ``(1, 1, H, W)``, 1 where they are known, else 0.
        picture: ``(1, 3, H, W)`` in [0, 1], of what they belong to.

    """
    if known.all():
        return values
    height, width = picture.shape[-2:]
    ratio = min(1.0, WORKING / max(height, width))
    size = max(1, round(height * ratio)), max(1, round(width * ratio))
    small, trust = resize(picture, *size), resize(known, *size)
    passes = [_likeness(small, dim, step) for dim, step in _SIDES]
    # Where nothing is known, what is near counts; where something is, hardly.
    own = trust.clamp_min(1e-4)
    sums = resize(values * known, *size)
    guess = sums / resize(known, *size).clamp_min(1e-4)
    for _ in range(ROUNDS):
        near = sum(p * torch.roll(guess, s, d) for p, (d, s) in zip(passes, _SIDES, strict=True))
        weight = sum(passes, torch.zeros_like(passes[0]))
        guess = torch.where(trust > 0.5, guess, (own * guess + near) / (own + weight))
    whole = resize(guess.clamp(0, 1), height, width)
    return torch.where(known > 0, values, whole)


_SIDES = ((-2, 1), (-2, -1), (-1, 1), (-1, -1))


def _likeness(picture: Tensor, dim: int, step: int) -> Tensor:
    """How much of its value a pixel takes from its neighbour on one side; nothing over the edge."""
    apart = (picture - torch.roll(picture, step, dim)).square().mean(1, keepdim=True)
    likeness = torch.exp(-apart / (2 * ALIKE**2)) + 1e-6
    likeness.select(dim, 0 if step > 0 else -1).zero_()
    return likeness
