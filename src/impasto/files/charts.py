"""The curves of a record: as numbers, as SVG and as PNG. Drawn without any plotting library."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from impasto.errors import RecordError
from impasto.files.drawing import GRID, INK, Line, Shape, Text, write_drawing
from impasto.files.film_records import FilmRecord
from impasto.files.reading import Record

WIDTH, HEIGHT = 900, 520
LEFT, RIGHT, TOP, BOTTOM = 80, 880, 60, 460
MOST_POINTS = 2000
DECADES = 6


@dataclass(frozen=True)
class Curve:
    """One line: one value a step, or a frame; None where there is none."""

    name: str
    color: str
    values: tuple[float | None, ...]


@dataclass(frozen=True)
class Chart:
    """Curves over steps or frames, on a logarithmic scale.

    Attributes:
        curves: the one that is to lie on top last.
        marks: positions where the next size, or shot, begins.
        low: bottom of the scale, a power of ten as ``high`` is.
        high: top of the scale.
        unit: what the values are counted by.

    """

    curves: tuple[Curve, ...]
    marks: tuple[int, ...]
    low: float
    high: float
    unit: str = "step"

    @property
    def length(self) -> int:
        """Values in each curve."""
        return len(self.curves[0].values)

    def height_of(self, value: float | None) -> float | None:
        """0 at the bottom of the scale, 1 at its top; None for what has no place on it."""
        if value is None or value <= 0:
            return None
        share = math.log10(value / self.low) / math.log10(self.high / self.low)
        return min(max(share, 0.0), 1.0)


def loss_chart(record: Record) -> Chart:
    """The terms of eq. (7), weighted as they were minimised, over the steps of a run.

    Raises:
        RecordError: there is nothing to draw.

    """
    losses = record.losses[:: max(1, len(record.losses) // MOST_POINTS)]
    try:
        weights = [record.weights[each.stage] for each in losses]
    except IndexError as error:
        raise RecordError("The record's losses and weights do not fit each other.") from error
    pairs = list(zip(losses, weights, strict=True))
    curves = (
        Curve("content", "#2a7fbf", tuple(_times(w.alpha, each.content) for each, w in pairs)),
        Curve("style", "#d9822b", tuple(_times(w.beta, each.style) for each, w in pairs)),
        Curve("total", INK, tuple(each.total for each in losses)),
    )
    drawn = tuple(curve for curve in curves if any(_positive(curve)))
    if not drawn:
        raise RecordError("The record has no losses to draw.")
    stages = [each.stage for each in losses]
    marks = tuple(i for i in range(1, len(stages)) if stages[i] != stages[i - 1])
    return Chart(drawn, marks, *_decades([v for curve in drawn for v in _positive(curve)]))


def film_chart(record: FilmRecord) -> Chart:
    """Content and style distance of a film's frames, and the loss that ties them together.

    Raises:
        RecordError: there is nothing to draw.

    """
    frames = record.frames[:: max(1, len(record.frames) // MOST_POINTS)]
    curves = (
        Curve("temporal", INK, tuple(each.temporal for each in frames)),
        Curve("content", "#2a7fbf", tuple(each.content_distance for each in frames)),
        Curve("style", "#d9822b", tuple(each.style_distance for each in frames)),
    )
    drawn = tuple(curve for curve in curves if any(_positive(curve)))
    if not drawn:
        raise RecordError("The record has no distances to draw.")
    marks = tuple(i for i, each in enumerate(frames) if i and each.begins_shot)
    scale = _decades([v for curve in drawn for v in _positive(curve)])
    return Chart(drawn, marks, *scale, "frame")


def write_chart(chart: Chart, title: str, path: Path) -> None:
    """Write a chart as ``.svg`` or ``.png``, atomically.

    Raises:
        OutputError: the name ends otherwise, or the file cannot be written.

    """
    write_drawing(_shapes(chart, title), WIDTH, HEIGHT, path)


def _shapes(chart: Chart, title: str) -> Iterator[Shape]:
    """The drawing, once, for both formats."""
    yield Text(LEFT, 28, title, "start")
    for exponent in range(round(math.log10(chart.low)), round(math.log10(chart.high)) + 1):
        y = _y(chart.height_of(10.0**exponent) or 0.0)
        yield Line([(LEFT, y), (RIGHT, y)], GRID, 1)
        yield Text(LEFT - 8, y, f"1e{exponent}", "end")
    for mark in chart.marks:
        x = _x(chart, mark)
        yield Line([(x, TOP), (x, BOTTOM)], GRID, 1)
    for curve in chart.curves:
        yield from (Line(run, curve.color, 2) for run in _runs(chart, curve))
    for place, curve in enumerate(chart.curves):
        yield Text(RIGHT - 100 * place, 28, curve.name, "end", curve.color)
    yield Text(LEFT, BOTTOM + 24, "0", "middle")
    yield Text(RIGHT, BOTTOM + 24, f"last {chart.unit}", "end")
    yield Line([(LEFT, TOP), (LEFT, BOTTOM), (RIGHT, BOTTOM)], INK, 1)


def _runs(chart: Chart, curve: Curve) -> Iterator[list[tuple[float, float]]]:
    """Unbroken stretches of a curve; it breaks where the size changes, or a value is missing."""
    run: list[tuple[float, float]] = []
    for position, value in enumerate(curve.values):
        height = chart.height_of(value)
        if run and (height is None or position in chart.marks):
            yield run
            run = []
        if height is not None:
            run.append((_x(chart, position), _y(height)))
    if run:
        yield run


def _x(chart: Chart, position: int) -> float:
    return LEFT + (RIGHT - LEFT) * position / max(1, chart.length - 1)


def _y(height: float) -> float:
    return BOTTOM - (BOTTOM - TOP) * height


def _times(weight: float | None, loss: float | None) -> float | None:
    return None if loss is None or weight is None else weight * loss


def _positive(curve: Curve) -> list[float]:
    return [value for value in curve.values if value is not None and 0 < value < math.inf]


def _decades(values: Sequence[float]) -> tuple[float, float]:
    """Powers of ten around the values, not more than six of them below the highest."""
    top = min(math.ceil(math.log10(max(values))), 300)
    bottom = max(math.floor(math.log10(min(values))), top - DECADES, -300)
    return 10.0 ** min(bottom, top - 1), 10.0**top
