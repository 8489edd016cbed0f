"""Charts of a record's curves, written as SVG or PNG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from impasto.errors import RecordError
from impasto.files.records.films import FilmRecord
from impasto.files.records.read import Record
from impasto.plots.canvas import GRID, INK, check_format, figure, plain, write

WIDTH, HEIGHT = 900, 520
MOST_POINTS = 2000
DECADES = 6


@dataclass(frozen=True)
class Curve:
    """One line: one value a step or a frame; None for a missing one."""

    name: str
    color: str
    values: tuple[float | None, ...]


@dataclass(frozen=True)
class Chart:
    """Curves over steps or frames, on a logarithmic scale.

    Attributes:
        curves: the last is drawn on top.
        marks: positions where the next size or shot begins.
        low: bottom of the scale, a power of ten, as ``high``.
        high: top of the scale.
        x_label: the meaning of the positions.
        y_label: the meaning of the values.

    """

    curves: tuple[Curve, ...]
    marks: tuple[int, ...]
    low: float
    high: float
    x_label: str = "step"
    y_label: str = "loss"

    @property
    def length(self) -> int:
        """The number of values in each curve."""
        return len(self.curves[0].values)

    def height_of(self, value: float | None) -> float | None:
        """0 at the bottom of the scale, 1 at its top; None for a value that it cannot show."""
        if value is None or value <= 0:
            return None
        share = math.log10(value / self.low) / math.log10(self.high / self.low)
        return min(max(share, 0.0), 1.0)


def loss_chart(record: Record) -> Chart:
    """The terms of eq. (7), with the weights of the objective, over the steps of a run.

    Raises:
        RecordError: there are no losses.

    """
    losses = record.losses[:: max(1, len(record.losses) // MOST_POINTS)]
    try:
        weights = [record.weights[each.stage] for each in losses]
    except IndexError as error:
        raise RecordError(
            "The record's losses and weights do not match: it was changed."
        ) from error
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
    """Content and style distance of a film's frames, and the temporal loss.

    Raises:
        RecordError: there are no distances.

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
    return Chart(drawn, marks, *scale, "frame", "distance")


def write_chart(chart: Chart, title: str, path: Path) -> None:
    """Write a chart as ``.svg`` or ``.png``, atomically.

    Raises:
        OutputError: the suffix is another one, matplotlib is not installed, or the file cannot be
            written.

    """
    check_format(path)
    with figure(WIDTH, HEIGHT) as drawn:
        axes = drawn.add_subplot(title=plain(title), yscale="log")
        axes.set(xlabel=chart.x_label, ylabel=chart.y_label)
        axes.set_ylim(chart.low, chart.high)
        for mark in chart.marks:
            axes.axvline(mark, color=GRID)
        for curve in chart.curves:
            positions, values = _broken(chart, curve)
            axes.plot(positions, values, color=curve.color, label=plain(curve.name))
        axes.legend(loc="upper right")
        write(drawn, path)


def _broken(chart: Chart, curve: Curve) -> tuple[list[int], list[float]]:
    """A curve's points, with gaps where the size changes or a value cannot be shown."""
    positions: list[int] = []
    values: list[float] = []
    for position, value in enumerate(curve.values):
        if position in chart.marks:
            positions.append(position)
            values.append(math.nan)
        positions.append(position)
        values.append(math.nan if value is None or value <= 0 else value)
    return positions, values


def _times(weight: float | None, loss: float | None) -> float | None:
    return None if loss is None or weight is None else weight * loss


def _positive(curve: Curve) -> list[float]:
    return [value for value in curve.values if value is not None and 0 < value < math.inf]


def _decades(values: Sequence[float]) -> tuple[float, float]:
    """Powers of ten around the values, at most six decades."""
    top = min(math.ceil(math.log10(max(values))), 300)
    bottom = max(math.floor(math.log10(min(values))), top - DECADES, -300)
    return 10.0 ** min(bottom, top - 1), 10.0**top
