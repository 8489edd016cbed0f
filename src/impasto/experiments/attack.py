"""An attack on the starting picture: projected gradient ascent (Madry et al. 2018).

It maximises the loss after a few steps of plain gradient descent from the start. With
x_{k+1} = x_k - r g(x_k), the derivative of L(x_K) with respect to x_0 is the product of
I - r H(x_k) applied to the last gradient, where H v is a central difference of two gradients.
"""

from __future__ import annotations

import torch
from torch import Tensor

from impasto.engine.objective.objective import Objective

UNROLLED = 4  # steps of gradient descent that the attack simulates
CHANGE = 0.02  # mean change of a channel by the first of them, in picture units
PROBE = 1e-2  # step of the central difference, in picture units


def attack(objective: Objective, start: Tensor, *, bound: float, steps: int) -> Tensor:
    """Find a start within ``bound`` of another from which gradient descent reaches a higher loss.

    Args:
        objective: what gradient descent minimises.
        start: ``(1, 3, H, W)`` in [0, 1].
        bound: largest change of any channel, in picture units.
        steps: of gradient ascent; each moves every channel by a quarter of the bound.

    """
    worst, highest = start, -torch.inf
    at = start
    for _ in range(steps + 1):
        loss, slope = looked_ahead(objective, at)
        if loss > highest:
            worst, highest = at, loss
        moved = at + bound / 4 * slope.sign()
        at = moved.clamp(start - bound, start + bound).clamp(0, 1)
    return worst


def looked_ahead(objective: Objective, start: Tensor) -> tuple[float, Tensor]:
    """Loss after a few steps of gradient descent, and its gradient with respect to the start."""
    path, rate = [objective.evaluate(start)], 0.0
    for _ in range(UNROLLED):
        gradient = path[-1].gradient
        rate = rate or CHANGE / float(gradient.abs().mean().clamp_min(1e-30))
        path.append(objective.evaluate(path[-1].image - rate * gradient))
    slope = path[-1].gradient
    for each in reversed(path[:-1]):
        slope = slope - rate * _curvature(objective, each.image, slope)
    return path[-1].losses.total, slope


def _curvature(objective: Objective, image: Tensor, along: Tensor) -> Tensor:
    """H v by a central difference of gradients."""
    length = PROBE / float(along.abs().max().clamp_min(1e-30))
    ahead, behind = (objective.evaluate(image + sign * length * along).gradient for sign in (1, -1))
    return (ahead - behind) / (2 * length)
