"""A curve that gives a dark photograph the exposure of a bright one.

Light times a gain, to a power: what a longer exposure and another paper would have done. Two
numbers cannot copy another picture's histogram, and must not: it is another scene's. They are
fitted to a few quantiles, of which those of the bright picture are half, those of photographs in
general the other half.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from impasto.ops.color import rgb_to_luma
from impasto.photoreal.light import to_light, to_values

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95, 0.995)
USUAL = (0.07, 0.22, 0.42, 0.62, 0.87, 0.98)  # of luma, in photographs that are well exposed
WEIGHTS = (0.5, 1.0, 1.0, 1.0, 1.0, 2.0)  # white is where photographs agree most
SHARE = 0.5  # of the bright picture's quantiles
STIFF = 0.02  # what a power other than 1 costs
POWERS = torch.linspace(-1.1, 0.3, 141).exp()
GAINS = torch.linspace(0.0, 3.6, 181).exp()


@dataclass(frozen=True)
class Curve:
    """Light out is ``(gain * light) ** power``, at most 1.

    Attributes:
        gain: how many times the light.
        power: below 1 shadows are raised.

    """

    gain: float
    power: float

    def __call__(self, image: Tensor) -> Tensor:
        """Values of a picture in [0, 1] by the curve, each channel by itself; never falling."""
        light = (self.gain * to_light(image)).clamp(0, 1) ** self.power
        return to_values(light).clamp(0, 1)

    def at(self, strength: float) -> Curve:
        """The curve at part of its strength; at 0 it changes nothing."""
        return Curve(self.gain**strength, self.power**strength)


def exposure(dark: Tensor, bright: Sequence[Tensor], *, share: float = SHARE) -> Curve:
    """The curve for a dark photograph.

    Args:
        dark: ``(1, 3, H, W)`` in [0, 1].
        bright: pictures whose exposure is wanted, likewise.
        share: of their quantiles; the rest is what photographs usually have.

    """
    own = _quantiles(dark)
    usual = torch.tensor(USUAL)
    wanted = torch.stack([_quantiles(each) for each in bright]).mean(0)
    target = share * wanted + (1 - share) * usual
    light = to_light(own)
    tried = (GAINS[:, None, None] * light).clamp(1e-8, 1) ** POWERS[:, None]
    missed = (to_values(tried) - target).square() * torch.tensor(WEIGHTS)
    cost = missed.mean(-1) + STIFF * POWERS.log().square()
    gain, power = divmod(int(cost.argmin()), len(POWERS))
    return Curve(float(GAINS[gain]), float(POWERS[power]))


def _quantiles(image: Tensor) -> Tensor:
    luma = rgb_to_luma(image).flatten().sort().values
    places = (torch.tensor(QUANTILES) * (len(luma) - 1)).round().long()
    return luma[places]
