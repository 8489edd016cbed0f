"""Strokes as pixels: Pillow's lines, on a canvas of twice the size."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageDraw
from torch import Tensor

Ints = npt.NDArray[np.integer[Any]]
FINER = 2  # times the size, for smooth edges
NOTCH = 0.6  # pixels of the larger canvas that a turn may leave open on its outer side


class Line(Protocol):
    """What is drawn: a line of round brush."""

    @property
    def points(self) -> npt.NDArray[np.floating[Any]]:
        """``(N, 2)``, in units of the canvas's width."""

    @property
    def radius(self) -> float:
        """Likewise."""

    @property
    def color(self) -> tuple[float, float, float]:
        """In [0, 1]."""

    @property
    def opacity(self) -> float:
        """In [0, 1]."""

    @property
    def is_square(self) -> bool:
        """Whether its ends are not round."""


class Canvas:
    """A canvas that strokes are laid on.

    Args:
        width: in pixels.
        height: likewise.
        ground: its colour, in [0, 1].

    """

    def __init__(self, width: int, height: int, ground: tuple[float, float, float]) -> None:
        self._size = width, height
        self._image = Image.new("RGB", (FINER * width, FINER * height), _levels(ground))

    def lay(self, strokes: Iterable[Line]) -> None:
        """Lay strokes, each over the ones before."""
        draw = ImageDraw.Draw(self._image)
        for stroke in strokes:
            scale = FINER * self._size[0]
            points, radius = stroke.points * scale, max(0.5, stroke.radius * scale)
            if stroke.opacity >= 1:
                ends = not stroke.is_square
                _line(draw, points, radius, _levels(stroke.color), has_round_ends=ends)
            else:
                self._blend(points, radius, stroke)

    def picture(self) -> Tensor:
        """What the canvas looks like, ``(1, 3, H, W)`` in [0, 1]."""
        small = self._image.reduce(FINER)
        values = torch.from_numpy(np.array(small)).permute(2, 0, 1)[None]
        return values.float() / 255

    def _blend(self, points: npt.NDArray[np.floating[Any]], radius: float, stroke: Line) -> None:
        """A stroke that is not opaque: each of its pixels once, however it crosses itself."""
        low = np.floor(points.min(0) - radius - 1).astype(int)
        high = np.ceil(points.max(0) + radius + 2).astype(int)
        width, height = (high - low).tolist()
        mask = Image.new("L", (width, height), 0)
        _line(ImageDraw.Draw(mask), points - low, radius, round(255 * stroke.opacity))
        corner = int(low[0]), int(low[1])
        box = (*corner, corner[0] + width, corner[1] + height)
        self._image.paste(_levels(stroke.color), box, mask)


def topmost(strokes: Iterable[Line], width: int, height: int, count: int) -> Ints:
    """On how many pixels each of so many strokes is the uppermost, ``(count,)``."""
    image = Image.new("I", (width, height), 0)
    draw = ImageDraw.Draw(image)
    for number, stroke in enumerate(strokes, start=1):
        radius = max(0.5, stroke.radius * width)
        _line(draw, stroke.points * width, radius, number, has_round_ends=not stroke.is_square)
    return np.bincount(np.asarray(image).ravel(), minlength=count + 1)[1:]


def _line(
    draw: ImageDraw.ImageDraw,
    points: npt.NDArray[np.floating[Any]],
    radius: float,
    fill: int | tuple[int, int, int],
    *,
    has_round_ends: bool = True,
) -> None:
    if len(points) > 1:
        draw.line(points.ravel().tolist(), fill=fill, width=max(1, round(2 * radius)))
    ends = points[[0, -1]].tolist() if has_round_ends else []
    for x, y in ends + _bends(points, radius):
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill)


def _bends(points: npt.NDArray[np.floating[Any]], radius: float) -> list[list[float]]:
    """Where a line turns so far that its outer side would show a notch: these joints are round."""
    if len(points) < 3:
        return []
    x, y = (points[1:] - points[:-1]).T
    along = x[:-1] * x[1:] + y[:-1] * y[1:]
    turned = np.abs(x[:-1] * y[1:] - y[:-1] * x[1:])
    bends: list[list[float]] = points[1:-1][turned * radius > NOTCH * along].tolist()
    return bends


def _levels(color: tuple[float, float, float]) -> tuple[int, int, int]:
    red, green, blue = (round(255 * min(1.0, max(0.0, each))) for each in color)
    return red, green, blue
