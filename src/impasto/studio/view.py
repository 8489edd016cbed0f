"""What a page shows of a picture in the making, and how pictures and numbers are put for it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from torch import Tensor

from impasto.files.pictures.encoding import rounded
from impasto.files.records.read import Record

NOTHING_YET = "Drop a photograph and a painting."
Pixels = npt.NDArray[np.uint8]
Losses = tuple[int, float, float, float]
"""Step, and the losses total, content and style."""


@dataclass(frozen=True)
class View:
    """What a page shows.

    Attributes:
        version: changes with anything else.
        picture: ``(H, W, 3)``; None for none yet.
        text: how far it is.
        is_running: whether it goes on.
        is_live: whether the next state is a step of the optimiser away.
        losses: so far.
        history: changes with the album's entries.
        form: changes where the form is to show the options again.

    """

    version: int = 0
    picture: Pixels | None = field(default=None, repr=False)
    text: str = NOTHING_YET
    is_running: bool = False
    is_live: bool = False
    losses: tuple[Losses, ...] = field(default=(), repr=False)
    history: int = 0
    form: int = 0


def small(picture: Tensor, side: int = 640) -> Pixels:
    """A picture ``(1, 3, H, W)`` in [0, 1] as a page shows it, ``(h, w, 3)``, no larger than it is.

    Args:
        picture: the tensor.
        side: pixels of the longer side, at most.

    """
    levels: Pixels = rounded(picture, None, np.uint8)
    if max(levels.shape[:2]) <= side:
        return levels
    image = Image.fromarray(levels)
    image.thumbnail((side, side))
    return np.asarray(image)


def curve(record: Record) -> tuple[Losses, ...]:
    """The losses of a record, without the steps that nobody has measured."""
    return tuple(
        (each.step, each.total, each.content, each.style)
        for each in record.losses
        if each.total is not None and each.content is not None and each.style is not None
    )


def with_step(losses: tuple[Losses, ...], more: Losses) -> tuple[Losses, ...]:
    """The curve with one more step, if it is measured."""
    return (*losses, more) if math.isfinite(more[1]) else losses


def told(options: Mapping[str, Any], before: Mapping[str, Any]) -> str:
    """What is other than before, in a few words."""
    names = [name for name in {**before, **options} if options.get(name) != before.get(name)]
    return ", ".join(f"{name.replace('_', ' ')} {_put(options.get(name))}" for name in names[:3])


def _put(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.2g}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(_put, value))
    return "as usual" if value is None else str(value)
