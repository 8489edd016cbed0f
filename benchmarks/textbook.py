"""The baseline: a plain implementation of Gatys et al. without impasto's code.

NCHW, float32, one scale, Gram matrices by autograd, torch's own L-BFGS (one iteration a step,
no line search). The weights are random: a timing does not depend on them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

BLOCKS = (2, 2, 4, 4, 1)  # convolutions of VGG-19 up to conv5_1
STYLE, CONTENT = (0, 2, 4, 8, 12), 9  # conv1_1, conv2_1, ... conv5_1; conv4_2
BETA = 1e3


def gatys(
    widths: Sequence[int], content: Tensor, style: Tensor, *, history: int = 20, average: bool
) -> Iterator[float]:
    """Yield the loss of each step; from the third step on the history is full."""
    weights = _random_weights(widths)
    with torch.no_grad():
        grams = [_gram(_features(style, weights, average)[i]) for i in STYLE]
        target = _features(content, weights, average)[CONTENT]
    x = content.clone().requires_grad_()
    optimizer = torch.optim.LBFGS(
        [x], max_iter=1, history_size=history, tolerance_grad=0, tolerance_change=0
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        maps = _features(x, weights, average)
        loss = F.mse_loss(maps[CONTENT], target)
        for i, gram in zip(STYLE, grams, strict=True):
            loss = loss + BETA / len(STYLE) * F.mse_loss(_gram(maps[i]), gram)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    while True:
        yield float(optimizer.step(closure).detach())  # type: ignore[no-untyped-call]
        _fill_history(optimizer.state[x], history)


def _random_weights(widths: Sequence[int]) -> list[Tensor]:
    torch.manual_seed(0)
    shapes, channels = [], 3
    for count, width in zip(BLOCKS, widths, strict=True):
        for _ in range(count):
            shapes.append((width, channels, 3, 3))
            channels = width
    return [torch.randn(shape) * (2 / (9 * shape[1])) ** 0.5 for shape in shapes]


def _features(image: Tensor, weights: Sequence[Tensor], average: bool) -> list[Tensor]:
    maps: list[Tensor] = []
    x = image - 0.5
    for block, count in enumerate(BLOCKS):
        if block:
            x = F.avg_pool2d(x, 2) if average else F.max_pool2d(x, 2)
        for _ in range(count):
            x = F.relu(F.conv2d(x, weights[len(maps)], padding=1))
            maps.append(x)
    return maps


def _gram(features: Tensor) -> Tensor:
    rows = features.flatten(2)[0]
    return rows @ rows.t() / rows.numel()


def _fill_history(state: dict[str, list[Tensor]], history: int) -> None:
    """Repeat the only pair: the same inverse Hessian, in the time of a full history."""
    if len(state.get("old_dirs", [])) == 1:
        for name in ("old_dirs", "old_stps", "ro"):
            state[name] = [state[name][0].clone() for _ in range(history)]
