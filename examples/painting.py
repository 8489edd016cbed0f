"""Generate the example style picture: a swirling landscape of thick brush strokes.

The picture is made by this program alone, so it can be shown and shared freely with every result
made from it. A flow field gives the direction of the brush, a tonal sketch the lightness of each
place, and five layers of strokes, coarse to fine, apply the paint. Each stroke has
bristles with their own colour and thickness; light from the upper left shades the relief.

    python examples/painting.py --out painting.jpg --seed 3 --size 900x700

Coordinates in the sketch are in units of the picture's height: ``y`` runs from 0 to 1, ``x`` from
0 to the aspect ratio. Paths are in pixels, as (x, y).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter

Array = NDArray[np.float32]
Ints = NDArray[np.intp]

SKY, FIRE, EARTH, TREE = range(4)

QUALITY = 90  # of the JPEG
FINENESS = 1.5  # the canvas is larger by this factor, for smooth edges
REFERENCE_HEIGHT = 700  # picture height at which bristles and relief are defined

# Each ramp goes from the darkest to the lightest paint; strokes interpolate along it.
PIGMENTS: tuple[tuple[tuple[int, int, int], ...], ...] = (
    (
        (9, 13, 44),  # prussian blue, nearly black
        (17, 28, 96),  # ultramarine
        (24, 56, 152),  # ultramarine, lighter
        (30, 96, 184),  # cobalt
        (40, 150, 190),  # cerulean
        (84, 194, 184),  # turquoise
        (188, 222, 176),  # turquoise into cream
        (250, 240, 200),  # cream
    ),
    (
        (92, 10, 36),  # crimson lake
        (176, 24, 40),  # crimson
        (226, 78, 22),  # cadmium orange, deep
        (247, 146, 16),  # cadmium orange
        (253, 204, 36),  # cadmium yellow
        (255, 243, 196),  # cream
    ),
    (
        (8, 12, 34),  # prussian blue, nearly black
        (10, 34, 62),  # indigo
        (12, 70, 74),  # viridian, deep
        (44, 112, 74),  # viridian
        (146, 150, 48),  # olive
        (240, 190, 52),  # yellow ochre
    ),
    (
        (7, 8, 24),  # blue black
        (12, 24, 40),  # indigo
        (18, 52, 48),  # deep green
        (66, 88, 40),  # moss
        (186, 104, 28),  # raw sienna
    ),
)


@dataclass(frozen=True)
class Whorl:
    """A vortex in the sky; with ``light`` it is a sun or a star with a core ``radius``."""

    x: float
    y: float
    reach: float
    spin: float
    inward: float = 0.0
    radius: float = 0.0
    light: float = 0.0


WHORLS = (
    Whorl(0.725, 0.240, 0.200, 1.0, radius=0.066, light=1.0),  # the sun
    Whorl(0.245, 0.150, 0.110, -1.0, radius=0.030, light=0.85),  # its companion
    Whorl(0.440, 0.345, 0.165, -1.1, inward=0.35),  # the great whorl
    Whorl(0.590, 0.480, 0.090, 1.0, inward=0.35),  # its echo, turning back
    Whorl(0.930, 0.440, 0.090, -0.9, inward=0.30),
    Whorl(0.470, 0.085, 0.060, 1.0, radius=0.017, light=0.75),
    Whorl(0.945, 0.090, 0.065, -1.0, radius=0.019, light=0.75),
    Whorl(0.035, 0.230, 0.065, 1.0, radius=0.018, light=0.75),
    Whorl(0.300, 0.520, 0.050, 1.0, radius=0.013, light=0.70),
)


@dataclass(frozen=True)
class Sketch:
    """The plan for each pixel, made before the strokes."""

    flow_x: Array
    flow_y: Array
    tone: Array
    fire: Array
    region: Ints
    detail: Array


@dataclass(frozen=True)
class Layer:
    """One pass of strokes; lengths are in picture heights, ``cover`` in layers of paint."""

    width: float
    length: float
    cover: float
    thickness: float
    jitter: float
    accents: float = 0.0


LAYERS = (
    Layer(0.052, 0.26, 3.4, 0.6, 0.03),
    Layer(0.030, 0.22, 2.2, 0.8, 0.06),
    Layer(0.018, 0.17, 1.6, 1.0, 0.09),
    Layer(0.0115, 0.125, 1.0, 1.1, 0.12, accents=0.4),
    Layer(0.0065, 0.075, 0.45, 1.1, 0.13, accents=1.0),
)


@dataclass
class Canvas:
    """The paint: its colour (0 to 255) and its thickness."""

    colour: Array
    height: Array


def as_array(values: NDArray[Any]) -> Array:
    """The values in single precision."""
    return np.asarray(values, dtype=np.float32)


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int], cell: float) -> Array:
    """Smooth noise with features about ``cell`` pixels wide, mean 0 and standard deviation 1."""
    rows, cols = (max(2, round(n / cell) + 1) for n in shape)
    grid = Image.fromarray(rng.standard_normal((rows, cols)).astype(np.float32))
    big = np.asarray(grid.resize(shape[::-1], Image.Resampling.BICUBIC), dtype=np.float32)
    return as_array((big - big.mean()) / (big.std() + 1e-6))


def pixel_grid(shape: tuple[int, int]) -> tuple[Array, Array]:
    """The sketch coordinates (x, y) of every pixel centre."""
    rows, cols = np.indices(shape, dtype=np.float32)
    return as_array((cols + 0.5) / shape[0]), as_array((rows + 0.5) / shape[0])


def sky_flow(x: Array, y: Array, noise: Array, aspect: float) -> tuple[Array, Array]:
    """The brush direction in the sky: a wavy wind, curl noise and the whorls."""
    curl_y, curl_x = np.gradient(noise)
    curl = 0.55 / (np.hypot(curl_x, curl_y).mean() + 1e-9)
    flow_x = 1.0 + curl * curl_y
    flow_y = 0.5 * np.sin(5.5 * x / aspect * 1.3 + 3.0 * y) - curl * curl_x
    for whorl in WHORLS:
        dx, dy = x - whorl.x * aspect, y - whorl.y
        r = np.hypot(dx, dy) + 1e-6
        pull = 7.0 * np.exp(-((r / whorl.reach) ** 2)) / r
        flow_x = flow_x + pull * (-whorl.spin * dy - whorl.inward * dx)
        flow_y = flow_y + pull * (whorl.spin * dx - whorl.inward * dy)
    return as_array(flow_x), as_array(flow_y)


def sky_light(x: Array, y: Array, aspect: float) -> tuple[Array, Array]:
    """The light of the suns in the sky, and the probability of a fire-coloured stroke."""
    tone, fire = np.zeros_like(x), np.zeros_like(x)
    for whorl in WHORLS:
        if whorl.light == 0.0:
            continue
        r = np.hypot(x - whorl.x * aspect, y - whorl.y) / whorl.radius
        core = 1.0 / (1.0 + np.exp(np.clip(9.0 * (r - 1.0), -40.0, 40.0)))
        rings = np.exp(-0.40 * np.maximum(r - 1.0, 0.0)) * (0.76 + 0.24 * np.cos(3.4 * r))
        tone = np.maximum(tone, whorl.light * np.maximum(core, 0.94 * rings))
        fire = np.maximum(fire, np.maximum(core, np.exp(-0.7 * np.maximum(r - 1.5, 0.0))))
    return as_array(tone), as_array(np.clip(fire, 0.0, 1.0))


def ridges(x: Array, aspect: float) -> list[Array]:
    """The crests of the hills, far to near, as heights ``y`` over ``x``."""
    s = x / aspect
    return [
        0.645 + 0.030 * np.sin(6.0 * s + 0.6) + 0.012 * np.sin(17.0 * s),
        0.715 + 0.045 * np.sin(4.4 * s + 2.6) + 0.010 * np.sin(13.0 * s + 1.0),
        0.800 + 0.050 * np.sin(3.6 * s + 5.2),
        0.905 + 0.040 * np.sin(4.0 * s + 0.9),
    ]


def paint_ground(
    sketch: dict[str, Array], region: Ints, x: Array, y: Array, aspect: float, wander: Array
) -> None:
    """Add the hills to the sketch: lit crests, dark folds, one fire-coloured field."""
    for number, crest in enumerate(ridges(x, aspect)):
        below = y > crest
        depth = np.clip((y - crest) / 0.10, 0.0, 1.6)
        slope = np.gradient(crest, axis=1) * x.shape[0]
        dip = (0.9, -0.8, 1.0, -0.5)[number] * np.minimum(depth, 1.0) + 0.25 * wander
        angle = np.arctan(slope) + dip
        crest_light = np.exp(-depth / 0.16) * (0.55 + 0.35 * np.sin(5.0 * x / aspect + number))
        folds = 0.12 * np.sin(40.0 * depth * (0.12 + 0.03 * number) + 3.0 * x + number)
        tone = 0.27 + 0.05 * (2 - number) + crest_light + folds + 0.08 * wander
        burning = 0.75 * np.exp(-(((depth - 0.55) / 0.4) ** 2)) if number == 2 else 0.10
        sun_side = np.exp(-(((x / aspect - 0.72) / 0.30) ** 2))
        fire = burning * (0.3 + 0.7 * sun_side) + 0.35 * np.exp(-depth / 0.12) * sun_side
        region[below] = EARTH
        for name, value in (
            ("flow_x", np.cos(angle)),
            ("flow_y", np.sin(angle)),
            ("tone", tone + 0.14 * sun_side * np.exp(-depth / 0.5)),
            ("fire", fire),
        ):
            sketch[name][below] = np.broadcast_to(value, x.shape)[below]


def paint_trees(
    sketch: dict[str, Array], region: Ints, x: Array, y: Array, aspect: float, wander: Array
) -> None:
    """Add three dark, flame-shaped trees to the sketch, on the side away from the sun."""
    for centre, top, half in ((0.212, 0.46, 0.036), (0.034, 0.52, 0.030), (0.118, 0.13, 0.060)):
        down = np.clip((y - top) / (1.04 - top), 0.0, 1.0)
        spine = centre * aspect + 0.022 * np.sin(8.0 * y + 20.0 * centre) * (1.0 - down)
        body = half * np.sin(np.pi * (0.84 * down**0.85 + 0.01)) + 0.003
        wave = 1.0 + 0.14 * np.sin(30.0 * y + 2.0 * np.sign(x - spine))
        across = (x - spine) / np.maximum(body * wave, 1e-4)
        inside = (np.abs(across) < 1.0) & (y > top)
        lean = np.gradient(spine, axis=0) + across * np.gradient(body, axis=0)
        angle = -np.arctan2(1.0, lean * x.shape[0])
        angle = np.pi + angle + 0.30 * np.sin(19.0 * y + 2.0 * across) + 0.10 * wander
        tone = 0.27 + 0.40 * np.maximum(across, 0.0) ** 2 + 0.17 * np.sin(8.0 * across + 10.0 * y)
        region[inside] = TREE
        sketch["flow_x"][inside] = np.cos(angle)[inside]
        sketch["flow_y"][inside] = np.sin(angle)[inside]
        sketch["tone"][inside] = tone[inside]
        sketch["fire"][inside] = (0.12 * np.maximum(across, 0.0))[inside]


def streaks(flow_x: Array, flow_y: Array, noise: Array, steps: int, stride: float) -> Array:
    """Smear noise along the flow, so that its bands follow the brush strokes."""
    height, width = noise.shape
    total = noise.copy()
    for sense in (1.0, -1.0):
        row, col = np.indices(noise.shape, dtype=np.float32)
        for _ in range(steps):
            r = np.clip(row, 0, height - 1).astype(np.intp)
            c = np.clip(col, 0, width - 1).astype(np.intp)
            total += noise[r, c]
            row += sense * stride * flow_y[r, c]
            col += sense * stride * flow_x[r, c]
    return as_array((total - total.mean()) / (total.std() + 1e-6))


def make_sketch(shape: tuple[int, int], rng: np.random.Generator) -> Sketch:
    """Plan the picture: directions, tones, and the paint of each place."""
    x, y = pixel_grid(shape)
    unit, aspect = shape[0], shape[1] / shape[0]
    wander = smooth_noise(rng, shape, unit / 9)
    flow_x, flow_y = sky_flow(x, y, smooth_noise(rng, shape, unit / 5), aspect)
    light, fire = sky_light(x, y, aspect)
    horizon = np.exp(-(((y - 0.64) / 0.11) ** 2))
    dusk = 0.30 - 0.10 * np.cos(2.0 * np.pi * x / aspect) + 0.26 * horizon
    plan = {"flow_x": flow_x, "flow_y": flow_y, "tone": np.maximum(dusk, light), "fire": fire}
    plan["fire"] = np.maximum(fire, 0.15 * horizon)
    region = np.full(shape, SKY, dtype=np.intp)
    paint_ground(plan, region, x, y, aspect, wander)
    paint_trees(plan, region, x, y, aspect, wander)
    speed = np.hypot(plan["flow_x"], plan["flow_y"]) + 1e-6
    flow_x, flow_y = plan["flow_x"] / speed, plan["flow_y"] / speed
    bands = streaks(flow_x, flow_y, smooth_noise(rng, shape, unit / 36), 14, unit / 160)
    calm = np.where(region == SKY, 0.15 * (1.0 - 0.75 * light), 0.10)
    detail = np.clip(light * 1.3 + 0.3 * (region != SKY) + 0.25 + 0.2 * bands, 0.08, 1.0)
    return Sketch(
        flow_x=flow_x,
        flow_y=flow_y,
        tone=(plan["tone"] + calm * bands).astype(np.float32),
        fire=plan["fire"],
        region=region,
        detail=detail.astype(np.float32),
    )


def bristle_texture(rng: np.random.Generator, size: int = 1024) -> Array:
    """Elongated noise: rows are bristles, columns positions along the stroke; uniform in [0, 1]."""
    rows = smooth_noise(rng, (size, 4), 6.0)[:, :1]
    knots = Image.fromarray(rng.standard_normal((size // 6, size // 48)).astype(np.float32))
    bristles = as_array(np.asarray(knots.resize((size, size), Image.Resampling.BICUBIC)))
    mix = rows + 1.1 * bristles + 0.08 * smooth_noise(rng, (size, size), 5.0)
    order = mix.ravel().argsort().argsort().reshape(mix.shape)
    return as_array(order / order.size)


def trace(sketch: Sketch, starts: Array, steps: int, stride: float) -> tuple[Array, Ints]:
    """Follow the flow in both directions from ``starts``; a path stops where the region changes.

    Returns the paths, (strokes, 2 * steps + 1, 2), and the first and last valid point of each.
    """
    height, width = sketch.tone.shape
    home = sketch.region[starts[:, 1].astype(np.intp), starts[:, 0].astype(np.intp)]
    halves, lengths = [], []
    for sense in (-1.0, 1.0):
        point, alive = starts.copy(), np.ones(len(starts), dtype=bool)
        points, length = [], np.zeros(len(starts), dtype=np.intp)
        for _ in range(steps):
            c = np.clip(point[:, 0], 0, width - 1).astype(np.intp)
            r = np.clip(point[:, 1], 0, height - 1).astype(np.intp)
            alive &= sketch.region[r, c] == home
            length += alive
            move = np.stack([sketch.flow_x[r, c], sketch.flow_y[r, c]], axis=1)
            point = point + np.float32(sense * stride) * move
            points.append(point)
        halves.append(np.stack(points, axis=1))
        lengths.append(length)
    paths = np.concatenate([halves[0][:, ::-1], starts[:, None], halves[1]], axis=1)
    ends = np.stack([steps - lengths[0], steps + lengths[1]], axis=1)
    return paths.astype(np.float32), ends


def lengthen(path: Array, reach: float) -> Array:
    """The path with a straight piece of length ``reach`` added at both ends."""
    head, tail = path[0] - path[1], path[-1] - path[-2]
    head = head * (reach / (np.hypot(*head) + 1e-6))
    tail = tail * (reach / (np.hypot(*tail) + 1e-6))
    return as_array(np.concatenate([path[:1] + head, path, path[-1:] + tail]))


def along_and_across(path: Array, x: Array, y: Array) -> tuple[Array, Array]:
    """For every pixel, its position along the path and its distance to the side, in pixels."""
    step = path[1:] - path[:-1]
    length = np.hypot(step[:, 0], step[:, 1]) + np.float32(1e-6)
    unit = (step / length[:, None])[:, :, None, None]
    dx = x[None] - path[:-1, 0, None, None]
    dy = y[None] - path[:-1, 1, None, None]
    t = np.clip(dx * unit[:, 0] + dy * unit[:, 1], 0.0, length[:, None, None])
    away = (dx - t * unit[:, 0]) ** 2 + (dy - t * unit[:, 1]) ** 2
    nearest = away.argmin(axis=0)[None]
    side = np.sign(unit[:, 0] * dy - unit[:, 1] * dx)
    begun = np.concatenate([[0.0], np.cumsum(length)[:-1]]).astype(np.float32)
    along = np.take_along_axis(t, nearest, 0)[0] + begun[nearest[0]]
    across = np.sqrt(np.take_along_axis(away, nearest, 0)[0])
    return along, across * np.take_along_axis(side, nearest, 0)[0]


def mix_paint(ramp: int, tone: Array) -> Array:
    """The colours (0 to 255) at these tones (0 to 1) of a pigment ramp."""
    paints = np.asarray(PIGMENTS[ramp], dtype=np.float32)
    place = np.clip(tone, 0.0, 1.0) * (len(paints) - 1)
    low = np.minimum(place.astype(np.intp), len(paints) - 2)
    part = (place - low)[..., None]
    return as_array(paints[low] * (1.0 - part) + paints[low + 1] * part)


def underpaint(sketch: Sketch) -> Array:
    """A base of the planned colours, a little darker, visible where no stroke lies."""
    ramps = np.where(sketch.fire > 0.5, FIRE, sketch.region)
    wash = np.zeros((*ramps.shape, 3), dtype=np.float32)
    for ramp in range(len(PIGMENTS)):
        here = ramps == ramp
        wash[here] = mix_paint(ramp, sketch.tone[here] - 0.12)
    return wash


def lay_stroke(
    canvas: Canvas,
    path: Array,
    half: float,
    ramp: int,
    tone: float,
    thickness: float,
    texture: Array,
    rng: np.random.Generator,
) -> None:
    """Draw one brush stroke along ``path``: ragged ends, ridges, streaks of unmixed colour."""
    path = lengthen(path, half)
    height, width = canvas.height.shape
    left, top = np.maximum(path.min(axis=0) - half - 1, 0).astype(int)
    right, bottom = np.minimum(path.max(axis=0) + half + 2, (width, height)).astype(int)
    if right <= left or bottom <= top:
        return
    y, x = np.mgrid[top:bottom, left:right].astype(np.float32)
    along, across = along_and_across(path, x, y)
    total = float(np.hypot(*(path[1:] - path[:-1]).T).sum())

    size = len(texture)
    scale = REFERENCE_HEIGHT / height
    shift = rng.integers(size, size=4)
    row, col = across * scale, along * scale
    fine = texture[
        (row * 3.6 + shift[0]).astype(np.intp) % size, (col + shift[1]).astype(np.intp) % size
    ]
    broad = texture[
        (row * 1.6 + shift[2]).astype(np.intp) % size,
        (col * 0.6 + shift[3]).astype(np.intp) % size,
    ]

    v = np.abs(across) / half
    taper = 1.0 - 0.35 * np.clip(along / total - 0.55, 0.0, 1.0)
    body = np.clip((taper - v) * half - 0.9 * fine * (v > 0.6), 0.0, 1.0)
    begin = np.clip((along - half * (0.25 + 0.9 * v**2 + 0.5 * broad)) / 1.5, 0.0, 1.0)
    finish = np.clip((total - along - half * (0.3 + 1.7 * broad + 0.5 * v**2)) / 2.0, 0.0, 1.0)
    dry = np.clip(3.0 * (fine + 1.15 - 0.75 * along / total), 0.0, 1.0)
    alpha = body * begin * finish * dry

    drift = float(rng.normal(0.0, 0.05))
    streak = 0.20 * (broad - 0.5) + 0.11 * (fine - 0.5) + drift * (along / total - 0.5)
    colour = mix_paint(ramp, tone + streak)
    rim = np.exp(-(((v - 0.80) / 0.14) ** 2))
    blob = np.exp(-((along / (half * 1.5)) ** 2)) + 0.6 * np.exp(
        -(((total - along) / (half * 1.8)) ** 2)
    )
    ridge = thickness * (0.35 + 0.75 * fine * broad + 0.30 * fine + 0.35 * rim + 0.3 * blob)

    area = (slice(top, bottom), slice(left, right))
    old = canvas.colour[area]
    canvas.colour[area] = old + alpha[..., None] * (colour - old)
    under = canvas.height[area]
    canvas.height[area] = under + alpha * (0.45 * under + ridge * np.sqrt(half * scale) - under)


def seeds(layer: Layer, sketch: Sketch, rng: np.random.Generator) -> Array:
    """The starting points of a layer's strokes, distant objects first.

    Fine strokes lie mostly where the picture has detail.
    """
    height, width = sketch.tone.shape
    area = layer.width * layer.length * height * height * 0.7
    count = max(1, round(layer.cover * height * width / area))
    rows = max(1, round(float(np.sqrt(count * height / width))))
    cols = max(1, round(count / rows))
    grid = np.stack(np.meshgrid(np.arange(cols), np.arange(rows)), axis=-1).reshape(-1, 2)
    spot = (grid + rng.random(grid.shape)) / (cols, rows) * (width, height)
    spot = rng.permutation(spot)
    r, c = spot[:, 1].astype(np.intp), spot[:, 0].astype(np.intp)
    keep = rng.random(len(spot)) < 1.0 - layer.accents * (1.0 - sketch.detail[r, c])
    back_to_front = np.argsort(sketch.region[r, c][keep], kind="stable")
    return as_array(spot[keep][back_to_front])


def paint_layer(
    canvas: Canvas, sketch: Sketch, layer: Layer, texture: Array, rng: np.random.Generator
) -> None:
    """Paint one pass of strokes onto the canvas."""
    unit = sketch.tone.shape[0]
    half = layer.width * unit / 2
    steps = 6
    starts = seeds(layer, sketch, rng)
    paths, ends = trace(sketch, starts, steps, layer.length * unit / (2 * steps))
    for start, path, (first, last) in zip(starts, paths, ends, strict=True):
        c, r = int(start[0]), int(start[1])
        way = path[first + int(rng.integers(0, 3)) : last + 1 - int(rng.integers(0, 3))]
        if len(way) < 3:
            continue
        if rng.random() < 0.4:
            way = way[::-1]
        ramp = FIRE if rng.random() < sketch.fire[r, c] else int(sketch.region[r, c])
        tone = float(sketch.tone[r, c]) + float(rng.normal(0.0, layer.jitter))
        size = half * float(rng.uniform(0.7, 1.25))
        lay_stroke(canvas, way, size, ramp, tone, layer.thickness, texture, rng)


def paint_lights(canvas: Canvas, texture: Array, rng: np.random.Generator) -> None:
    """Paint the centre of every sun and star: one thick stroke that spirals inwards."""
    height, width = canvas.height.shape
    for whorl in WHORLS:
        centre = np.array([whorl.x * width, whorl.y * height], dtype=np.float32)
        if whorl.light:
            turns, outer, half = 2.1, 0.80 * whorl.radius * height, 0.20 * whorl.radius * height
        else:
            turns, outer, half = 1.2, 0.016 * height, 0.0055 * height
        t = np.linspace(0.0, 1.0, round(26 * turns) + 1)
        angle = whorl.spin * 2.0 * np.pi * turns * t + rng.uniform(0.0, 6.28)
        reach = outer * (1.0 - 0.86 * t)
        spiral = np.stack([np.cos(angle) * reach, np.sin(angle) * reach], axis=1)
        ramp, tone = (FIRE, 0.70 + 0.22 * whorl.light) if whorl.light else (SKY, 0.78)
        lay_stroke(canvas, as_array(centre + spiral), half, ramp, tone, 1.5, texture, rng)


def light_relief(canvas: Canvas) -> NDArray[np.uint8]:
    """Shade the paint with light from the upper left and return the finished picture."""
    steep = 0.42 * len(canvas.height) / REFERENCE_HEIGHT
    down, across = np.gradient(canvas.height)
    slope = np.stack([-steep * across, -steep * down, np.ones_like(down)], axis=-1)
    normal = slope / np.linalg.norm(slope, axis=-1, keepdims=True)
    lamp = np.array([-0.46, -0.56, 0.69], dtype=np.float32)
    facing = normal @ (lamp / np.linalg.norm(lamp))
    halfway = lamp / np.linalg.norm(lamp) + np.array([0.0, 0.0, 1.0], dtype=np.float32)
    gloss = np.clip(normal @ (halfway / np.linalg.norm(halfway)), 0.0, 1.0) ** 40
    shade = 0.45 + 0.80 * np.clip(facing, 0.0, 1.0)
    lit = canvas.colour * shade[..., None] + 26.0 * (gloss - 0.10)[..., None]
    return np.asarray(np.clip(lit + 0.5, 0, 255), dtype=np.uint8)


def paint(width: int, height: int, seed: int) -> Image.Image:
    """Paint the whole picture; the same seed and size give the same picture."""
    rng = np.random.default_rng(seed)
    shape = (round(height * FINENESS), round(width * FINENESS))
    sketch = make_sketch(shape, rng)
    texture = bristle_texture(rng)
    canvas = Canvas(colour=underpaint(sketch), height=np.zeros(shape, dtype=np.float32))
    for layer in LAYERS:
        paint_layer(canvas, sketch, layer, texture, rng)
    paint_lights(canvas, texture, rng)
    picture = Image.fromarray(light_relief(canvas))
    return age(picture.resize((width, height), Image.Resampling.LANCZOS))


def age(picture: Image.Image) -> Image.Image:
    """Soften the picture, like a photograph of an old canvas.

    Without this, edges and contrasts are far stronger than in paintings (the mean squared
    features of VGG-19's blocks 3 to 5 were two to four times those of museum pictures), and
    style transfer reproduces them with ringing.
    """
    soft = picture.filter(ImageFilter.GaussianBlur(1.2 * picture.height / 700))
    muted = ImageEnhance.Color(soft).enhance(0.8)
    return ImageEnhance.Contrast(muted).enhance(0.78)


def parse_size(text: str) -> tuple[int, int]:
    """Read a size such as ``900x700``."""
    try:
        width, height = (int(part) for part in text.lower().split("x"))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"not WIDTHxHEIGHT: {text!r}") from error
    if min(width, height) < 64 or max(width, height) > 4096:
        raise argparse.ArgumentTypeError("width and height must lie between 64 and 4096")
    return width, height


def main(argv: Sequence[str] | None = None) -> int:
    """Paint to a file."""
    parser = argparse.ArgumentParser(description="Paint the example style picture.")
    parser.add_argument("--out", type=Path, required=True, help="file to write (.jpg or .png)")
    parser.add_argument("--seed", type=int, default=3, help="seed of the random numbers")
    parser.add_argument("--size", type=parse_size, default=(900, 700), help="WIDTHxHEIGHT")
    args = parser.parse_args(argv)
    width, height = args.size
    paint(width, height, args.seed).save(args.out, quality=QUALITY, optimize=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
