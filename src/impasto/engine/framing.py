"""The margin around a picture: added before it is made, cut off afterwards.

Next to the zeros of a network's padding a picture comes out lighter or darker than it should, two
to ten pixels deep. So it is made with a margin, in which the photograph is mirrored, and
the margin is cut off again. A departure from the report; ``margin=0`` is its method. A tile has no
edge: it is made in whole cells and resized.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from impasto.engine.planning.stages import Stage
from impasto.ops.inits import interpolate, resize

Resize = Callable[..., Tensor]


def made(picture: Tensor, stage: Stage, *, wrap: bool = False, resize: Resize = resize) -> Tensor:
    """A picture of any size at the size at which a stage is made.

    Args:
        picture: ``(1, C, H, W)``.
        stage: has the sizes.
        wrap: the picture is a tile.
        resize: :func:`impasto.ops.inits.resize`, or ``interpolate`` for values beyond [0, 1].

    """
    if not stage.margin:
        return resize(picture, *stage.size, wrap=wrap)
    return surrounded(resize(picture, *_asked(stage)), stage)


def surrounded(picture: Tensor, stage: Stage) -> Tensor:
    """A picture of the requested size, mirrored into the margin where there is one."""
    if not stage.margin:
        return picture
    for dim, side in zip((-2, -1), stage.size, strict=True):
        lines = _mirrored(picture.shape[dim], side, stage.margin)
        picture = picture.index_select(dim, lines.to(picture.device))
    return picture


def asked(picture: Tensor, stage: Stage, *, wrap: bool = False) -> Tensor:
    """A picture of the size at which a stage is made, at the requested size.

    A view where there is only a margin to be cut off. Of a tile one side after the other, as the
    copies around it take less room then.
    """
    height, width = _asked(stage)
    if stage.margin:
        start = stage.margin
        return picture[..., start : start + height, start : start + width]
    if picture.shape[-2:] == (height, width):
        return picture
    high = interpolate(picture, height, picture.shape[-1], wrap=wrap)
    return resize(high, height, width, wrap=wrap).clamp_(0, 1)


def _asked(stage: Stage) -> tuple[int, int]:
    return stage.window[2:] if stage.window else (stage.height, stage.width)


def _mirrored(length: int, side: int, margin: int) -> Tensor:
    """The line of a picture of ``length`` that each of ``side`` lines repeats, mirrored."""
    turn = max(1, length - 1)
    lines = turn - ((torch.arange(side) - margin) % (2 * turn) - turn).abs()
    return lines.clamp(max=length - 1)
