"""Stroke-based rendering: curved brush strokes, large ones first (report, reference 13, figure 2).

Hertzmann 1998, *Painterly Rendering with Curved Brush Strokes of Multiple Sizes*. For each brush,
from large to small, strokes are laid where the canvas differs from the photograph blurred to the
brush's size; each follows the normals of the gradient and takes one colour. Departures: radii go by
the picture's size, so that a picture of any size has the same strokes; the first layer's canvas is
one colour that counts as different everywhere, as in the paper, but is the photograph's mean.
"""

from __future__ import annotations

import colorsys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from impasto.ops.color import match_color_statistics, rgb_to_luma
from impasto.painters.raster import Canvas
from impasto.painters.structure import blurred, gradients

Floats = npt.NDArray[np.floating[Any]]
USUAL = 512.0  # longer side at which radii are in pixels
EDGE = 0.03  # slope of luma, per pixel, at which a guide counts half
COLORS = 64  # of a palette


def _spline(each: int) -> Floats:
    """Weights of four control points at places between two knots, ``(each, 4)``."""
    t = np.linspace(0, 1, each, endpoint=False, dtype=np.float32)
    return (
        np.stack(
            [(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3], -1
        )
        / 6
    )


SPLINE = _spline(3)


@dataclass(frozen=True)
class Manner:
    """How strokes are laid: the paper's style parameters (its section 3).

    Attributes:
        radii: R_i of the brushes, from large to small, in 512ths of the longer side.
        threshold: T, how far the canvas may be from the photograph, in units of values times 255.
        blur: f_sigma, deviation of the reference's blur, in radii.
        grid: f_g, distance between strokes, in radii.
        shortest: least length of a stroke, in radii.
        longest: greatest length.
        follow: f_c; 1 follows the picture, less is straighter.
        opacity: alpha.
        hue: j_h, random changes of colour, as the next ones.
        saturation: j_s.
        value: j_v.
        rgb: j_r, j_g and j_b.

    """

    radii: tuple[float, ...] = (8.0, 4.0, 2.0)
    threshold: float = 100.0
    blur: float = 0.5
    grid: float = 1.0
    shortest: int = 4
    longest: int = 16
    follow: float = 1.0
    opacity: float = 1.0
    hue: float = 0.0
    saturation: float = 0.0
    value: float = 0.0
    rgb: float = 0.0


# The paper's section 4. Departures: thresholds are a third to a half of its, so that the finest
# brush is used at all on photographs of today; impressionist strokes differ a little in value, so
# that they are seen where their colours are one.
MANNERS: Mapping[str, Manner] = {
    "impressionist": Manner(threshold=35, value=0.15),
    "expressionist": Manner(threshold=30, shortest=10, follow=0.25, opacity=0.7, value=0.5),
    "wash": Manner(threshold=70, opacity=0.5, rgb=0.3),
    "pointillist": Manner(
        radii=(4.0, 2.0), threshold=35, grid=0.5, shortest=0, longest=0, hue=0.3, value=1.0
    ),
}


@dataclass(frozen=True)
class Guide:
    """Where strokes run and how closely they are laid, beyond what the photograph says.

    Attributes:
        angle: of their direction, in radians from x towards y, ``(H, W)``.
        trust: how much it counts beside the normals of gradients, in [0, 1], ``(H, W)``.
        loose: what the threshold is multiplied by, ``(H, W)``; below 1 is closer.

    """

    angle: Tensor
    trust: Tensor
    loose: Tensor


@dataclass(frozen=True)
class Stroke:
    """One stroke.

    Attributes:
        points: its line, ``(N, 2)``, x and y in units of the picture's width.
        radius: likewise.
        color: ``(3,)`` in [0, 1].
        opacity: in [0, 1].
        is_square: a tile: the line ends as it is, without the round brush's ends.

    """

    points: Floats
    radius: float
    color: tuple[float, float, float]
    opacity: float = 1.0
    is_square: bool = False


@dataclass(frozen=True)
class Painting:
    """Strokes on a ground, in the order in which they are laid: a picture of any size.

    Attributes:
        aspect: height over width.
        ground: the ground's colour.
        strokes: in order.

    """

    aspect: float
    ground: tuple[float, float, float]
    strokes: tuple[Stroke, ...] = field(repr=False)

    def drawn(self, width: int, height: int | None = None) -> Tensor:
        """The painting at a size, ``(1, 3, H, W)`` in [0, 1]."""
        canvas = Canvas(width, height or round(self.aspect * width), self.ground)
        canvas.lay(self.strokes)
        return canvas.picture()

    def unfolding(self, width: int, height: int, frames: int) -> Iterator[Tensor]:
        """The painting while it is made: the ground, then so many pictures ``(1, 3, H, W)``.

        Each brush takes the same number of pictures, however many strokes it has.
        """
        canvas = Canvas(width, height, self.ground)
        yield canvas.picture()
        brushes = [list(each) for _, each in groupby(self.strokes, lambda stroke: stroke.radius)]
        waiting: list[Stroke] = []
        for number, brush in enumerate(brushes):
            first, last = (frames * each // len(brushes) for each in (number, number + 1))
            strokes = waiting + brush
            waiting = strokes if first == last else []  # more brushes than pictures
            for index in range(last - first):
                begin, end = (len(strokes) * each // (last - first) for each in (index, index + 1))
                canvas.lay(strokes[begin:end])
                yield canvas.picture()


@dataclass(frozen=True)
class Laid:
    """A painting that is gone on with.

    Attributes:
        painting: its strokes.
        off: how far from the photograph it may be at each brush beyond the threshold, as
            :func:`off_by` has it, ``(H, W)`` each: what has not become worse is left alone.

    """

    painting: Painting
    off: Sequence[Tensor]


def paint(
    photograph: Tensor,
    manner: Manner,
    *,
    palette: Tensor | None = None,
    seed: int = 0,
    guide: Guide | None = None,
    onto: Laid | None = None,
) -> Iterator[Painting]:
    """Paint a photograph; yield the painting after each brush.

    Args:
        photograph: ``(1, 3, H, W)`` float32 in [0, 1].
        manner: how.
        palette: a painting ``(1, 3, h, w)`` whose colours the strokes take; the photograph's own
            when not given.
        seed: of the order of strokes and of random changes of colour.
        guide: of the photograph's size.
        onto: what lies there already, as in a film; more is laid where that has come to differ.

    """
    rng = np.random.default_rng(seed)
    height, width = photograph.shape[-2:]
    source = _in_colors_of(photograph, palette)
    colors = None if palette is None else palette_of(palette)
    if onto is None:
        mean = source.mean((0, 2, 3)).tolist()
        painting = Painting(height / width, (mean[0], mean[1], mean[2]), ())
    else:
        painting = onto.painting
    canvas = Canvas(width, height, painting.ground)
    canvas.lay(painting.strokes)
    for number, (radius, reference) in enumerate(_references(source, manner)):
        if onto is not None:
            # As coarse as the reference is: what lies there is finer than this brush.
            difference = _difference(reference, blurred(canvas.picture(), manner.blur * radius))
        elif number:
            difference = _difference(reference, canvas.picture())
        else:
            difference = torch.full((height, width), np.inf)
        counted = difference if guide is None else difference / guide.loose
        if onto is not None:
            counted = counted - onto.off[number]
        made = _layer(reference, difference.numpy(), counted.numpy(), radius, manner, rng, guide)
        order = rng.permutation(len(made))
        strokes = [_colored(made[index], manner, colors, rng) for index in order]
        canvas.lay(strokes)
        painting = replace(painting, strokes=painting.strokes + tuple(strokes))
        yield painting


def off_by(
    photograph: Tensor, drawn: Tensor, manner: Manner, palette: Tensor | None = None
) -> list[Tensor]:
    """How far a finished painting is from the photograph at each brush, ``(H, W)`` each.

    Args:
        photograph: ``(1, 3, H, W)``.
        drawn: the painting, of that size.
        manner: that it was painted in.
        palette: likewise.

    """
    return [
        _difference(reference, blurred(drawn, manner.blur * radius))
        for radius, reference in _references(_in_colors_of(photograph, palette), manner)
    ]


def _in_colors_of(photograph: Tensor, palette: Tensor | None) -> Tensor:
    if palette is None:
        return photograph
    return match_color_statistics(photograph, palette).clamp(0, 1)


def _references(source: Tensor, manner: Manner) -> Iterator[tuple[float, Tensor]]:
    """Each brush's radius in pixels, and the picture blurred to it."""
    scale = max(source.shape[-2:]) / USUAL
    for size in manner.radii:
        radius = max(0.5, size * scale)
        yield radius, blurred(source, manner.blur * radius)


def _difference(reference: Tensor, canvas: Tensor) -> Tensor:
    """In units of values times 255, ``(H, W)``."""
    return (reference - canvas).square().sum(1).sqrt()[0] * 255


def palette_of(painting: Tensor, count: int = COLORS) -> Floats:
    """A painting's main colours, ``(count, 3)`` at most, by k-means from colours far apart."""
    pixels = painting[0].flatten(1).T
    pixels = pixels[:: max(1, len(pixels) // 20_000)]
    centres = pixels[torch.cdist(pixels, pixels.mean(0, keepdim=True)).argmin()][None]
    for _ in range(count - 1):
        farthest = torch.cdist(pixels, centres).amin(1).argmax()
        centres = torch.cat([centres, pixels[farthest][None]])
    for _ in range(10):
        nearest = torch.cdist(pixels, centres).argmin(1)
        sums = torch.zeros_like(centres).index_add_(0, nearest, pixels)
        counts = torch.bincount(nearest, minlength=len(centres))[:, None]
        centres = torch.where(counts > 0, sums / counts.clamp_min(1), centres)
    present: Floats = centres[torch.bincount(nearest, minlength=count) > 0].numpy()
    return present


def nearest_color(color: Floats, palette: Floats) -> Floats:
    """The colour ``(3,)`` of a palette ``(N, 3)`` that is nearest."""
    nearest: Floats = palette[np.square(palette - color).sum(-1).argmin()]
    return nearest


def _layer(
    reference: Tensor,
    difference: Floats,
    counted: Floats,
    radius: float,
    manner: Manner,
    rng: np.random.Generator,
    guide: Guide | None,
) -> list[Stroke]:
    """The strokes of one brush, where the canvas is far from the reference: ``paintLayer``."""
    width = reference.shape[-1]
    step = max(1, round(manner.grid * radius))
    starts = _starts(counted, step, manner.threshold, rng)
    lines, counts, colors = _traced(reference, difference, starts, radius, manner, guide)
    return [
        Stroke(
            curved(line[:count]) / width,
            radius / width,
            (float(color[0]), float(color[1]), float(color[2])),
            manner.opacity,
        )
        for line, count, color in zip(lines, counts, colors, strict=True)
    ]


def _starts(
    difference: Floats, step: int, threshold: float, rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    """The worst pixel of each cell of a grid whose mean difference is above the threshold."""
    height, width = difference.shape
    rows, columns = -(-height // step), -(-width // step)
    padded = np.full((rows * step, columns * step), -1.0, np.float32)
    padded[:height, :width] = np.minimum(difference, 1e6)
    cells = padded.reshape(rows, step, columns, step).swapaxes(1, 2).reshape(rows, columns, -1)
    inside = cells >= 0
    mean = (cells * inside).sum(-1) / np.maximum(inside.sum(-1), 1)
    # Alike everywhere, as before the first layer: any pixel of the cell.
    worst = (cells + rng.random(cells.shape, np.float32) * inside * 1e-3).argmax(-1)
    if not np.isfinite(difference).all():
        worst = (rng.random(cells.shape, np.float32) * inside).argmax(-1)
    chosen = np.argwhere(mean > threshold)
    at = worst[chosen[:, 0], chosen[:, 1]]
    return np.stack([chosen[:, 1] * step + at % step, chosen[:, 0] * step + at // step], -1)


def _traced(
    reference: Tensor,
    difference: Floats,
    starts: npt.NDArray[np.int64],
    radius: float,
    manner: Manner,
    guide: Guide | None,
) -> tuple[Floats, npt.NDArray[np.int64], Floats]:
    """Control points of all strokes at once: ``makeSplineStroke``, its figure 3.

    Returns:
        points ``(K, longest + 1, 2)``, how many of each count, and colours ``(K, 3)``.

    """
    values = reference[0].permute(1, 2, 0).contiguous().numpy()
    slope_x, slope_y = (each[0, 0].numpy() for each in gradients(rgb_to_luma(reference)))
    run_x, run_y = _directions(-slope_y, slope_x, guide)
    height, width = difference.shape
    colors = values[starts[:, 1], starts[:, 0]]
    places = starts.astype(np.float32)
    lines = np.repeat(places[:, None], manner.longest + 1, axis=1)
    counts = np.ones(len(starts), np.int64)
    going = np.ones(len(starts), bool)
    before = np.zeros_like(places)
    for step in range(1, manner.longest + 1):
        x = places[:, 0].round().astype(int).clip(0, width - 1)
        y = places[:, 1].round().astype(int).clip(0, height - 1)
        if step > manner.shortest:
            own = 255 * np.linalg.norm(values[y, x] - colors, axis=-1)
            going &= difference[y, x] >= own
        normal = np.stack([run_x[y, x], run_y[y, x]], -1)
        length = np.linalg.norm(normal, axis=-1, keepdims=True)
        # No gradient, no normal: straight on; the paper ends the stroke.
        direction = np.where(length > 1e-6, normal / np.maximum(length, 1e-6), before)
        turned = (direction * before).sum(-1, keepdims=True) < 0
        direction = np.where(turned, -direction, direction)
        if step > 1:
            direction = manner.follow * direction + (1 - manner.follow) * before
        length = np.linalg.norm(direction, axis=-1, keepdims=True)
        going &= length[:, 0] > 1e-6
        before = np.where(length > 1e-6, direction / np.maximum(length, 1e-6), before)
        places = np.where(going[:, None], places + radius * before, places)
        going &= (places[:, 0] > -radius) & (places[:, 0] < width + radius)
        going &= (places[:, 1] > -radius) & (places[:, 1] < height + radius)
        lines[going, step] = places[going]
        counts += going
        if not going.any():
            break
    return lines + 0.5, counts, colors


def _directions(x: Floats, y: Floats, guide: Guide | None) -> tuple[Floats, Floats]:
    """The normals of gradients, of any length, turned towards the guide's but on clear edges."""
    if guide is None:
        return x, y
    length = np.maximum(np.hypot(x, y), 1e-6)
    x, y = x / length, y / length
    along_x, along_y = guide.angle.cos().numpy(), guide.angle.sin().numpy()
    trust = guide.trust.numpy() / (1 + (length / EDGE) ** 2)
    sign = np.where(x * along_x + y * along_y < 0, -1.0, 1.0) * trust
    return (1 - trust) * x + sign * along_x, (1 - trust) * y + sign * along_y


def curved(points: Floats) -> Floats:
    """Points on the cubic B-spline of some control points, from the first to the last.

    Args:
        points: ``(N, 2)``.

    Returns:
        three points between every two knots, ``(3 (N + 1) + 1, 2)``; fewer than three control
        points stay as they are.

    """
    if len(points) < 3:
        return points
    knots = np.concatenate([points[:1], points[:1], points, points[-1:], points[-1:]])
    around = np.stack([knots[i : len(knots) - 3 + i] for i in range(4)], 1)
    curve: Floats = np.concatenate([(SPLINE @ around).reshape(-1, 2), points[-1:]])
    return curve.astype(np.float32)


def _colored(
    stroke: Stroke, manner: Manner, palette: Floats | None, rng: np.random.Generator
) -> Stroke:
    """The stroke in a colour of the palette, changed at random as the manner has it."""
    color = np.asarray(stroke.color)
    if palette is not None:
        color = nearest_color(color, palette)
    shifts = rng.uniform(-0.5, 0.5, 6)
    if manner.rgb:
        color = color + manner.rgb * shifts[:3]
    if manner.hue or manner.saturation or manner.value:
        hue, saturation, value = colorsys.rgb_to_hsv(*color.clip(0, 1))
        hue = (hue + manner.hue * shifts[3] / 4) % 1.0
        saturation = min(1.0, max(0.0, saturation * (1 + manner.saturation * shifts[4])))
        value = min(1.0, max(0.0, value * (1 + manner.value * shifts[5] / 2)))
        color = np.asarray(colorsys.hsv_to_rgb(hue, saturation, value))
    red, green, blue = color.clip(0, 1).tolist()
    return replace(stroke, color=(red, green, blue))
