"""Painted training pictures: curved strokes along a photograph's contours, coarse to fine.

After Hertzmann, *Painterly Rendering with Curved Brush Strokes of Multiple Sizes* (SIGGRAPH 1998),
with bristles: a stroke is a bundle of lines whose colours differ a little, lit from the side.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from training.data import pick, uniform

Floats = NDArray[np.float32]


def painted(gen: Generator, photo: Tensor) -> Tensor:
    """Paint ``photo``, uint8 ``(3, H, W)``; uint8 of the same size."""
    rng = np.random.default_rng(pick(gen, 2**31))
    source: Floats = np.asarray(photo.permute(1, 2, 0) / 255, np.float32, order="C")
    ground = source.mean((0, 1)) + rng.normal(0, 0.1, 3)
    canvas = np.broadcast_to(ground, source.shape).astype(np.float32).copy()
    relief = np.zeros(source.shape[:2], np.float32)
    largest, shake = uniform(gen, 3, 12), uniform(gen, 0.0, 0.12)
    length, turn = uniform(gen, 3, 10), pick(gen, 3) * math.pi / 4
    for radius in (largest, largest / 2, largest / 4)[: 2 + pick(gen, 2)]:
        if radius >= 1.5:
            _layer(canvas, relief, source, radius, rng, shake, length, turn)
    if pick(gen, 2):
        light = cv2.Sobel(relief, cv2.CV_32F, 1, 0) + cv2.Sobel(relief, cv2.CV_32F, 0, 1)
        canvas += uniform(gen, 0.01, 0.06) * np.clip(light, -3, 3)[..., None]
    finished = (canvas.clip(0, 1) * 255).round().astype(np.uint8)
    return torch.from_numpy(finished).permute(2, 0, 1).contiguous()


def _layer(
    canvas: Floats,
    relief: Floats,
    source: Floats,
    radius: float,
    rng: np.random.Generator,
    shake: float,
    length: float,
    turn: float,
) -> None:
    """Paint with one brush size where the canvas differs from the photograph."""
    height, width = source.shape[:2]
    smooth: Floats = np.asarray(cv2.GaussianBlur(source, (0, 0), radius), np.float32)
    grey = cv2.GaussianBlur(smooth.mean(2), (0, 0), radius)
    across, down = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    error = np.abs(smooth - canvas).sum(2)
    step = max(2, round(1.3 * radius))
    rows, columns = np.arange(0, height, step), np.arange(0, width, step)
    spots = np.stack(np.meshgrid(rows, columns, indexing="ij"), -1).reshape(-1, 2)
    spots = spots + rng.integers(-step // 2, step // 2 + 1, spots.shape)
    rng.shuffle(spots)
    for y, x in np.clip(spots, 0, (height - 1, width - 1)):
        if error[y, x] < 0.08:
            continue
        colour = smooth[y, x] + rng.normal(0, shake, 3)
        line = _line(x, y, smooth, colour, across, down, radius, length, turn)
        _bundle(canvas, relief, line, colour, radius, rng)


def _line(
    x: float,
    y: float,
    smooth: Floats,
    colour: Floats,
    across: Floats,
    down: Floats,
    radius: float,
    length: float,
    turn: float,
) -> Floats:
    """Points along the contours, while the photograph has the stroke's colour."""
    height, width = across.shape
    points, (dx, dy) = [(x, y)], (math.cos(turn), math.sin(turn))
    for _ in range(round(length)):
        column, row = min(max(round(x), 0), width - 1), min(max(round(y), 0), height - 1)
        if len(points) > 3 and np.abs(smooth[row, column] - colour).sum() > 0.5:
            break
        gx, gy = float(down[row, column]), -float(across[row, column])
        size = math.hypot(gx, gy)
        if size > 1e-3:
            sign = 1 if gx * dx + gy * dy >= 0 else -1
            dx, dy = 0.5 * dx + 0.5 * sign * gx / size, 0.5 * dy + 0.5 * sign * gy / size
            norm = math.hypot(dx, dy) or 1.0
            dx, dy = dx / norm, dy / norm
        x, y = x + radius * dx, y + radius * dy
        points.append((x, y))
    return np.asarray(points, np.float32)


def _bundle(
    canvas: Floats,
    relief: Floats,
    line: Floats,
    colour: Floats,
    radius: float,
    rng: np.random.Generator,
) -> None:
    """Draw the stroke as a body and a few bristles beside it."""
    ahead = line[-1] - line[0]
    normal = np.asarray([-ahead[1], ahead[0]]) / (np.hypot(*ahead) + 1e-6)

    def draw(image: Floats, shift: float, value: tuple[float, ...], thickness: int) -> None:
        points = np.round((line + shift * normal) * 8).astype(np.int32)[:, None]
        cv2.polylines(image, [points], False, value, thickness, cv2.LINE_AA, 3)

    height = float(rng.normal())
    body = max(1, round(2 * radius))
    draw(canvas, 0, tuple(float(c) for c in colour), body)
    draw(relief, 0, (height,), body)
    for _ in range(round(radius)):
        shift, shade = rng.uniform(-radius, radius), rng.normal(0, 0.06)
        draw(canvas, shift, tuple(float(c + shade) for c in colour), 1)
        draw(relief, shift, (height + float(shade) * 8,), 1)
