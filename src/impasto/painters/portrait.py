"""Portraits: strokes that follow templates of the parts of a face (report, section 1.1).

In the spirit of Zhao and Zhu 2011, *Portrait Painting Using Active Templates*: each part of a face
(brows, eyes, nose, mouth, cheeks, forehead, jaw) has a template of lines along which strokes run,
which is moved and scaled until it lies on the photograph's edges. What differs: their templates
are strokes that artists have laid on portraits, and are fitted by an active appearance model;
ours are lines drawn for this purpose, fitted by the strength of gradients across them within the
square in which the face was found. The strokes themselves are those of
:mod:`impasto.painters.strokes`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol

import torch
from torch import Tensor

from impasto.ops.color import rgb_to_luma
from impasto.painters.strokes import Guide, Manner
from impasto.painters.structure import blurred, gradients

Line = tuple[tuple[float, float], ...]
SHIFTS = torch.linspace(-0.08, 0.08, 9)  # of a part, in sides of the face's square
SCALES = (0.85, 1.0, 1.15)
STILL = 0.5  # how much a shift of a whole side costs, where a clear edge is worth 1
SCALED = 0.05  # and a scale of twice the size
CLEAR = 4.0  # of an edge that is worth a half, in units of the mean gradient
LOOSE, CAREFUL = 4.0, 0.3  # how far the canvas may be off: away from faces; at eyes and mouth
REACH = 0.09  # deviation over which a line is followed, in sides
SPACING = 0.02  # of points along a line, in sides


class Square(Protocol):
    """Where a face is: a square from brows to chin, in pixels."""

    @property
    def top(self) -> float:
        """The row of its upper edge."""

    @property
    def left(self) -> float:
        """The column of its left edge."""

    @property
    def side(self) -> float:
        """Its length."""


@dataclass(frozen=True)
class Part:
    """A template: lines in units of the face's square, x to the right and y down.

    Attributes:
        lines: along which strokes run.
        careful: how closely it is painted; 1 is the finest.
        is_edge: whether the lines lie on edges, to which the part is fitted.

    """

    lines: tuple[Line, ...]
    careful: float = 0.0
    is_edge: bool = False


def _mirrored(part: Part) -> Part:
    return replace(part, lines=tuple(tuple((1 - x, y) for x, y in each) for each in part.lines))


_BROW = Part((((0.14, 0.29), (0.22, 0.25), (0.32, 0.25), (0.42, 0.29)),), 0.5, True)
_EYE = Part(
    (
        ((0.18, 0.38), (0.24, 0.34), (0.31, 0.335), (0.40, 0.38)),
        ((0.18, 0.38), (0.25, 0.41), (0.33, 0.41), (0.40, 0.38)),
    ),
    1.0,
    True,
)
_CHEEK = Part(
    (
        ((0.12, 0.48), (0.24, 0.55), (0.33, 0.64), (0.32, 0.76)),
        ((0.08, 0.60), (0.18, 0.70), (0.25, 0.82), (0.27, 0.95)),
    )
)
_JAW = Part((((0.03, 0.55), (0.07, 0.80), (0.20, 1.02), (0.38, 1.13), (0.5, 1.15)),), 0.0, True)
_MOUTHS = (
    Part(  # closed
        (
            ((0.33, 0.83), (0.43, 0.79), (0.50, 0.80), (0.57, 0.79), (0.67, 0.83)),
            ((0.33, 0.83), (0.50, 0.835), (0.67, 0.83)),
            ((0.33, 0.83), (0.43, 0.89), (0.57, 0.89), (0.67, 0.83)),
        ),
        0.9,
        True,
    ),
    Part(  # smiling, teeth shown
        (
            ((0.30, 0.76), (0.42, 0.78), (0.50, 0.785), (0.58, 0.78), (0.70, 0.76)),
            ((0.30, 0.76), (0.40, 0.84), (0.50, 0.86), (0.60, 0.84), (0.70, 0.76)),
            ((0.30, 0.76), (0.40, 0.88), (0.50, 0.91), (0.60, 0.88), (0.70, 0.76)),
        ),
        0.9,
        True,
    ),
)
PARTS: Mapping[str, tuple[Part, ...]] = {
    "left brow": (_BROW,),
    "right brow": (_mirrored(_BROW),),
    "left eye": (_EYE,),
    "right eye": (_mirrored(_EYE),),
    "nose": (
        Part(
            (
                ((0.46, 0.36), (0.45, 0.50), (0.43, 0.60)),
                ((0.54, 0.36), (0.55, 0.50), (0.57, 0.60)),
                ((0.39, 0.64), (0.45, 0.68), (0.50, 0.69), (0.55, 0.68), (0.61, 0.64)),
            ),
            0.4,
            True,
        ),
    ),
    "mouth": _MOUTHS,
    "left cheek": (_CHEEK,),
    "right cheek": (_mirrored(_CHEEK),),
    "forehead": (
        Part(
            (
                ((0.15, 0.14), (0.35, 0.09), (0.50, 0.08), (0.65, 0.09), (0.85, 0.14)),
                ((0.12, 0.22), (0.35, 0.17), (0.50, 0.16), (0.65, 0.17), (0.88, 0.22)),
            )
        ),
    ),
    "left jaw": (_JAW,),
    "right jaw": (_mirrored(_JAW),),
}
"""Name to the templates of a part; of several, the one that fits best is taken."""


def manner_for(side: float, longest: int) -> Manner:
    """Brushes by the size of a face: the finest is about the width of an eyelid.

    Args:
        side: of the face's square, in pixels.
        longest: of the photograph's sides.

    """
    share = 512 * side / longest  # in the units of radii
    radii = tuple(max(1.0, share * each) for each in (0.09, 0.045, 0.022, 0.009))
    return Manner(radii=radii, threshold=28, longest=12, value=0.12)


def guide_for(photograph: Tensor, faces: Sequence[Square]) -> Guide:
    """What strokes keep to.

    Args:
        photograph: ``(1, 3, H, W)`` in [0, 1].
        faces: in it; at least one.

    """
    height, width = photograph.shape[-2:]
    pull = _Pull(height, width)
    loose = torch.full((height, width), LOOSE)
    for face in faces:
        loose = torch.minimum(loose, pull.looseness(face))
        for part in fitted(photograph, face):
            near = pull.towards(part, face)
            closely = 1 + (CAREFUL - 1) * part.careful * near
            loose = torch.where(near * part.careful > 0.05, torch.minimum(loose, closely), loose)
    return Guide(*pull.direction(), loose)


class _Pull:
    """What the lines of all parts, each fading away from it, say about the direction of strokes."""

    def __init__(self, height: int, width: int) -> None:
        rows, columns = torch.arange(height) + 0.5, torch.arange(width) + 0.5
        self._y, self._x = torch.meshgrid(rows, columns, indexing="ij")
        # Directions have no sense of forwards: they are added up as doubled angles.
        self._doubled = torch.zeros(2, height, width)
        self._weight = torch.zeros(height, width)

    def looseness(self, face: Square) -> Tensor:
        """1 on the face, more towards the outside of an ellipse around the whole head."""
        right = (self._x - face.left - face.side / 2) / (0.75 * face.side)
        down = (self._y - face.top - 0.55 * face.side) / (0.95 * face.side)
        inside = (2 - 1.4 * (right.square() + down.square()).sqrt()).clamp(0, 1)
        return LOOSE + (1 - LOOSE) * inside

    def towards(self, part: Part, face: Square) -> Tensor:
        """Add a part's lines; how near each pixel is to them, in [0, 1], ``(H, W)``."""
        near = torch.zeros_like(self._weight)
        reach = REACH * face.side
        for points, angles in map(_sampled, part.lines):
            places = points * face.side + torch.tensor([face.left, face.top])
            for (x, y), angle in zip(places.tolist(), (2 * angles).tolist(), strict=True):
                box = self._around(x, y, 3 * reach)
                distance = (self._x[box] - x).square() + (self._y[box] - y).square()
                own = torch.exp(-distance / reach**2)
                self._doubled[0][box] += math.cos(angle) * own
                self._doubled[1][box] += math.sin(angle) * own
                self._weight[box] += own
                near[box] = torch.maximum(near[box], own)
        return near

    def direction(self) -> tuple[Tensor, Tensor]:
        """Angle, and how much it counts: less where lines disagree, or are far."""
        agreed = self._doubled.square().sum(0).sqrt() / self._weight.clamp_min(1e-6)
        angle = torch.atan2(self._doubled[1], self._doubled[0]) / 2
        return angle, agreed.clamp_max(1) * self._weight.clamp(0, 1)

    def _around(self, x: float, y: float, reach: float) -> tuple[slice, slice]:
        """The pixels about a place; none where it lies outside."""
        return tuple(
            slice(max(0, math.floor(at - reach)), max(0, math.ceil(at + reach))) for at in (y, x)
        )  # type: ignore[return-value]


def fitted(photograph: Tensor, face: Square) -> list[Part]:
    """The templates, each where the gradients across its lines are strongest."""
    luma = rgb_to_luma(photograph)
    across = gradients(blurred(luma, 0.012 * face.side))
    slope = torch.cat(across, 1)[0]
    strength = slope.square().sum(0, keepdim=True).sqrt()
    # Any clear edge counts about as much as any other: teeth are no better than lips.
    slope = slope / (strength + CLEAR * strength.mean() + 1e-6)
    found = []
    for templates in PARTS.values():
        tried = [_fitted(slope, part, face) for part in templates]
        found.append(max(tried, key=lambda each: each[0])[1])
    return found


def _fitted(slope: Tensor, part: Part, face: Square) -> tuple[float, Part]:
    """How well a template fits at best, and the template there."""
    if not part.is_edge:
        return 0.0, part
    points, angles = (torch.cat(each) for each in zip(*map(_sampled, part.lines), strict=True))
    normals = torch.stack([-angles.sin(), angles.cos()])
    shifts = torch.cartesian_prod(SHIFTS, SHIFTS)
    centre = points.mean(0)
    limits = torch.tensor([slope.shape[2] - 1, slope.shape[1] - 1])
    best, chosen = -math.inf, part
    for scale in SCALES:
        scaled = centre + scale * (points - centre)
        at = (scaled + shifts[:, None]) * face.side + torch.tensor([face.left, face.top])
        column, row = torch.minimum(at.long().clamp_min(0), limits).unbind(-1)
        across = (slope[:, row, column] * normals[:, None]).sum(0).abs().mean(-1)
        scores = across - STILL * shifts.norm(dim=1) - SCALED * abs(scale - 1)
        index = int(scores.argmax())
        if float(scores[index]) > best:
            best, chosen = float(scores[index]), _moved(part, centre, scale, shifts[index])
    return best, chosen


def _moved(part: Part, centre: Tensor, scale: float, shift: Tensor) -> Part:
    lines = (centre + scale * (torch.tensor(line) - centre) + shift for line in part.lines)
    moved = tuple(tuple((x, y) for x, y in line.tolist()) for line in lines)
    return replace(part, lines=moved)


def _sampled(line: Line) -> tuple[Tensor, Tensor]:
    """Points along a line ``(N, 2)``, and its direction at each in radians."""
    points, angles = [], []
    corners = torch.tensor(line)
    for start, end in pairwise(corners):
        step = end - start
        count = max(2, round(float(step.norm()) / SPACING))
        share = (torch.arange(count) + 0.5)[:, None] / count
        points.append(start + share * step)
        angles.append(torch.atan2(step[1], step[0]).expand(count))
    return torch.cat(points), torch.cat(angles)
