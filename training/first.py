"""Fitting ``conv1_1`` alone: it has 3x3 inputs, so this takes only seconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from .student import MEAN, STD


def patches(pictures: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """``(B, count, 27)`` random 3x3 windows of ``pictures`` ``(B, 3, H, W)``, unpadded."""
    height, width = pictures.shape[2:]
    centres = torch.randint((height - 2) * (width - 2), (count,), generator=generator)
    rows, cols = centres // (width - 2), centres % (width - 2)
    taps = [pictures[:, :, rows + dy, cols + dx] for dy in range(3) for dx in range(3)]
    return torch.stack(taps, -1).permute(0, 2, 1, 3).flatten(2)


def gram(rows: Tensor) -> Tensor:
    """``(B, C, C)`` mean outer product of ``rows`` ``(B, n, C)``."""
    return rows.transpose(1, 2) @ rows / rows.shape[1]


def fit(
    pictures: Tensor,
    target: Callable[[Tensor], Tensor],
    weights: Mapping[str, Tensor],
    *,
    steps: int,
    seed: int,
    lr: float = 0.01,
    gram_weight: float = 0.5,
) -> tuple[dict[str, Tensor], float]:
    """Fit ``conv1_1`` and its head to ``target`` (patches ``(B, n, 27)`` -> ``(B, n, 64)``).

    Starts from ``weights`` and returns the four tensors with the loss of the last 50 steps.
    """
    gen = torch.Generator().manual_seed(seed)
    bank = patches(pictures, 1024, gen)
    width = weights["conv1_1.weight"].shape[0]
    conv = weights["conv1_1.weight"].flatten(1).clone().requires_grad_()
    bias = weights["conv1_1.bias"].clone().requires_grad_()
    head = weights["conv1_1_head.weight"].flatten(1).clone().requires_grad_()
    head_bias = weights["conv1_1_head.bias"].clone().requires_grad_()
    with torch.no_grad():
        known = target(bank[:256])
        centre, grams = known.mean((0, 1)), gram(known)
        spread = (known - centre).square().sum(-1).mean()
        gram_spread = (grams - grams.mean(0)).square().sum((1, 2)).mean()
    adam = torch.optim.Adam([conv, bias, head, head_bias], lr=lr, betas=(0.9, 0.99))
    recent: list[float] = []
    for step in range(steps):
        adam.param_groups[0]["lr"] = lr * min(1, step / 50) * (1 - step / steps)
        which = torch.randint(len(bank), (24,), generator=gen)
        some = torch.randint(bank.shape[1], (512,), generator=gen)
        rows = bank[which][:, some]
        with torch.no_grad():
            goal = target(rows)
        given = F.linear(F.relu(F.linear((rows - MEAN) / STD, conv, bias)), head, head_bias)
        feature = (given - goal).square().sum(-1).mean() / spread
        grams = (gram(given) - gram(goal)).square().sum((1, 2)).mean() / gram_spread
        loss = feature + gram_weight * grams
        adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        adam.step()
        if step >= steps - 50:
            recent.append(float(feature.detach()))
    tensors = {
        "conv1_1.weight": conv.detach().view(width, 3, 3, 3),
        "conv1_1.bias": bias.detach(),
        "conv1_1_head.weight": head.detach()[:, :, None, None],
        "conv1_1_head.bias": head_bias.detach(),
    }
    return tensors, sum(recent) / max(1, len(recent))


def refit(before: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Weight and bias of a 3x3 convolution of ``before`` ``(B, c, H, W)`` closest to ``target``.

    ``target`` ``(B, C, H, W)`` are pre-activations; ordinary least squares with a small ridge.
    """
    rows = F.unfold(before, 3, padding=1).transpose(1, 2).flatten(0, 1)[::3].double()
    rows = torch.cat([rows, torch.ones_like(rows[:, :1])], 1)
    goal = target.permute(0, 2, 3, 1).flatten(0, 2)[::3].double()
    normal = rows.T @ rows
    normal += 1e-6 * normal.diagonal().mean() * torch.eye(len(normal), dtype=normal.dtype)
    solved = torch.linalg.solve(normal, rows.T @ goal).float()
    shape = (target.shape[1], before.shape[1], 3, 3)
    return solved[:-1].T.reshape(shape).contiguous(), solved[-1].clone()
