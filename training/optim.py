"""Muon for the convolutions: the momentum matrix is made nearly orthogonal before each step.

After Jordan et al., *Muon: an optimizer for hidden layers in neural networks* (2024); the quintic
Newton-Schulz coefficients are theirs. Everything else (norms, biases, heads) is trained by Adam.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

COEFFICIENTS = (3.4445, -4.7750, 2.0315)


def orthogonal(matrix: Tensor, steps: int = 5) -> Tensor:
    """A matrix with the singular vectors of ``matrix`` ``(m, n)`` and singular values near one."""
    a, b, c = COEFFICIENTS
    x: Tensor = matrix / (matrix.norm() + 1e-12)
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    for _ in range(steps):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return x.T if tall else x


class Muon(torch.optim.Optimizer):
    """``w <- w - lr * orthogonal(momentum)`` on parameters flattened to ``(out, rest)``."""

    def __init__(self, params: Iterable[Tensor], lr: float, momentum: float = 0.95):
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]  # noqa: ARG002
        """Make one update from the present gradients; ``closure`` is not used."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                velocity = state.setdefault("velocity", torch.zeros_like(weight.grad))
                velocity.mul_(group["momentum"]).add_(weight.grad)
                ahead = weight.grad + group["momentum"] * velocity
                move = orthogonal(ahead.flatten(1)).view_as(weight)
                weight.add_(move, alpha=-group["lr"])
