"""Synthetic films with known motion: a camera move over a photograph, an object in front."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

Motion = Callable[[int], Tensor]
"""From a frame's number to the 2 x 3 matrix from its pixels to the photograph's, both centred."""


@dataclass(frozen=True)
class Truth:
    """The displacement of one frame's pixels in another.

    Attributes:
        flow: ``(1, 2, H, W)`` in pixels.
        seen: ``(1, 1, H, W)``: 1 where the same point is visible in the other frame.

    """

    flow: Tensor
    seen: Tensor


@dataclass(frozen=True)
class Disc:
    """A disc with another photograph's texture that crosses the picture.

    Attributes:
        texture: ``(1, 3, h, w)`` in [0, 1].
        radius: in pixels.
        start: centre in the first frame, x and y from the frame's centre.
        step: pixels a frame.

    """

    texture: Tensor
    radius: float
    start: tuple[float, float]
    step: tuple[float, float]

    def middle(self, frame: int) -> Tensor:
        """The centre's position: x and y from the frame's centre."""
        return torch.tensor(self.start) + frame * torch.tensor(self.step)


class Synthetic:
    """A synthetic film.

    Args:
        photograph: ``(1, 3, h, w)`` in [0, 1]; mirrored beyond its edges.
        size: height and width of the film.
        motion: the camera's.
        disc: an object in front.

    """

    def __init__(
        self, photograph: Tensor, size: tuple[int, int], motion: Motion, disc: Disc | None = None
    ) -> None:
        self._photograph = photograph
        self._motion = motion
        self._disc = disc
        height, width = size
        x = torch.arange(width) - (width - 1) / 2
        y = torch.arange(height) - (height - 1) / 2
        self._points = torch.stack([x.expand(height, width), y[:, None].expand(height, width)])

    def frame(self, number: int) -> Tensor:
        """``(1, 3, H, W)`` in [0, 1]."""
        ground = _look_up(self._photograph, _mapped(self._motion(number), self._points))
        if self._disc is None:
            return ground
        place = self._points - self._disc.middle(number)[:, None, None]
        object_ = _look_up(self._disc.texture, place)
        cover = (self._disc.radius - place.norm(dim=0) + 0.5).clamp(0, 1)
        return torch.lerp(ground, object_, cover)

    def frames(self, count: int) -> Iterator[Tensor]:
        """The first frames."""
        return map(self.frame, range(count))

    def truth(self, number: int, other: int) -> Truth:
        """The displacement of one frame's pixels in another, and their visibility there."""
        back = _inverse(self._motion(other))
        target = _mapped(back, _mapped(self._motion(number), self._points))
        seen = torch.ones(self._points.shape[1:])
        if self._disc is not None:
            shift = self._disc.middle(other) - self._disc.middle(number)
            here = self._covers(self._points, number)
            target = torch.where(here, self._points + shift[:, None, None], target)
            seen = (self._covers(target, other) == here).float()
            seen = seen * (1 - self._rim(self._points, number)) * (1 - self._rim(target, other))
        reach = self._points.abs().amax((1, 2))[:, None, None]
        seen = seen * (target.abs() <= reach).all(0)
        return Truth((target - self._points)[None], seen[None, None])

    def _covers(self, points: Tensor, number: int) -> Tensor:
        assert self._disc is not None
        return self._distance(points, number) < self._disc.radius

    def _rim(self, points: Tensor, number: int) -> Tensor:
        """Pixels on the disc's edge, which show both photographs."""
        assert self._disc is not None
        return ((self._distance(points, number) - self._disc.radius).abs() < 1.5).float()

    def _distance(self, points: Tensor, number: int) -> Tensor:
        assert self._disc is not None
        place = points - self._disc.middle(number)[:, None, None]
        return place.square().sum(0).sqrt()


def camera(
    *,
    pan: tuple[float, float] = (0.0, 0.0),
    zoom: float = 1.0,
    turn: float = 0.0,
    scale: float = 1.0,
    start: tuple[float, float] = (0.0, 0.0),
) -> Motion:
    """A uniform camera move: pixels, degrees and zoom factor for each frame.

    ``scale`` is the photograph's pixels per pixel of the first frame; ``start`` its centre.
    """
    return partial(_camera, pan=pan, zoom=zoom, turn=turn, scale=scale, start=start)


def _camera(
    frame: int,
    *,
    pan: tuple[float, float],
    zoom: float,
    turn: float,
    scale: float,
    start: tuple[float, float],
) -> Tensor:
    factor, angle = scale / zoom**frame, math.radians(turn * frame)
    cos, sin = factor * math.cos(angle), factor * math.sin(angle)
    x, y = (first + frame * step * scale for first, step in zip(start, pan, strict=True))
    return torch.tensor([[cos, -sin, x], [sin, cos, y]])


def _mapped(matrix: Tensor, points: Tensor) -> Tensor:
    return torch.einsum("ij,jhw->ihw", matrix[:, :2], points) + matrix[:, 2, None, None]


def _inverse(matrix: Tensor) -> Tensor:
    turned = torch.linalg.inv(matrix[:, :2])
    return torch.cat([turned, -turned @ matrix[:, 2:]], dim=1)


def _look_up(picture: Tensor, points: Tensor) -> Tensor:
    """Sample a picture at points relative to its centre; mirrored beyond its edges."""
    height, width = picture.shape[-2:]
    half = torch.tensor([(width - 1) / 2, (height - 1) / 2])[:, None, None]
    grid = (points / half).permute(1, 2, 0)[None]
    sampled = F.grid_sample(
        picture, grid, mode="bicubic", padding_mode="reflection", align_corners=True
    )
    return sampled.clamp(0, 1)
