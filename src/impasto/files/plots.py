"""One quantity against another, as lines with points. Drawn without any plotting library."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from impasto.files.drawing import GRID, INK, Line, Shape, Text, svg

WIDTH, HEIGHT = 640, 400
LEFT, RIGHT, TOP, BOTTOM = 76, 620, 40, 340
COLORS = ("#2a7fbf", "#d9822b", "#3c8d53", "#9355a8", "#b5403a", "#6b6b6b")
MOST_POINTS = 300  # a longer series is thinned: nobody sees more
POINTS_SHOWN = 24  # of a longer series only the line is drawn


@dataclass(frozen=True)
class Series:
    """One line: its name, its points (x, y), and words for some of them."""

    name: str
    points: Sequence[tuple[float, float]]
    labels: Sequence[str] = ()


@dataclass(frozen=True)
class Plot:
    """Series over a common pair of axes; points that have no place on a logarithm are left out."""

    x_label: str
    y_label: str
    series: Sequence[Series]
    log_x: bool = False
    log_y: bool = False

    def svg(self) -> str:
        """As an SVG document that refers to nothing outside itself."""
        return svg(self._shapes(), WIDTH, HEIGHT)

    def _shapes(self) -> Iterator[Shape]:
        kept = [Series(s.name, self._kept(s.points), s.labels) for s in self.series]
        points = [point for each in kept for point in each.points]
        if not points:
            yield Text(WIDTH / 2, HEIGHT / 2, "nothing to draw", "middle")
            return
        x = _Axis.of([x for x, _ in points], LEFT, RIGHT, log=self.log_x)
        y = _Axis.of([y for _, y in points], BOTTOM, TOP, log=self.log_y)
        yield from _frame(x, y)
        yield Text((LEFT + RIGHT) / 2, HEIGHT - 16, self.x_label, "middle")
        yield Text(LEFT - 60, 16, self.y_label)
        place = float(RIGHT)
        for each, color in reversed(list(zip(kept, _colors(len(kept)), strict=True))):
            yield from _drawn(each, color, x, y)
            if len(kept) > 1:
                yield Text(place, 16, each.name, "end", color)
                place -= 9 * len(each.name) + 16

    def _kept(self, points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
        good = [
            (x, y)
            for x, y in points
            if math.isfinite(x) and math.isfinite(y)
            if not (self.log_x and x <= 0) and not (self.log_y and y <= 0)
        ]
        step = -(-len(good) // MOST_POINTS) or 1
        return [*good[:-1:step], *good[-1:]]


@dataclass(frozen=True)
class _Axis:
    low: float
    high: float
    start: float  # pixels of low
    end: float
    log: bool

    @classmethod
    def of(cls, values: Sequence[float], start: float, end: float, *, log: bool) -> _Axis:
        low, high = min(values), max(values)
        if log:
            return cls(low / 1.1, high * 1.1, start, end, log=True)
        margin = 0.06 * (high - low) or 0.5 * abs(high) or 1.0
        return cls(low - margin, high + margin, start, end, log=False)

    def place(self, value: float) -> float:
        low, high, value = ((math.log(v) if self.log else v) for v in (self.low, self.high, value))
        return self.start + (self.end - self.start) * (value - low) / (high - low)

    def ticks(self) -> list[float]:
        """Round numbers inside: decades where there are at least two, else equal steps."""
        if self.log:
            first, last = math.ceil(math.log10(self.low)), math.floor(math.log10(self.high))
            if last > first:
                step = -(-(last - first) // 8)
                return [10.0**exponent for exponent in range(first, last + 1, step)]
        rough = (self.high - self.low) / 5
        unit = 10.0 ** math.floor(math.log10(rough))
        width = unit * min(m for m in (1, 2, 5, 10) if m * unit >= rough)
        below, above = math.ceil(self.low / width), math.floor(self.high / width)
        return [n * width for n in range(below, above + 1)]


def _frame(x: _Axis, y: _Axis) -> Iterator[Shape]:
    for tick in y.ticks():
        yield Line([(LEFT, y.place(tick)), (RIGHT, y.place(tick))], GRID)
        yield Text(LEFT - 8, y.place(tick), f"{tick:.4g}", "end", size=13)
    for tick in x.ticks():
        yield Line([(x.place(tick), TOP), (x.place(tick), BOTTOM)], GRID)
        yield Text(x.place(tick), BOTTOM + 16, f"{tick:.4g}", "middle", size=13)
    yield Line([(LEFT, TOP), (LEFT, BOTTOM), (RIGHT, BOTTOM)], INK)


def _drawn(series: Series, color: str, x: _Axis, y: _Axis) -> Iterator[Shape]:
    places = [(x.place(a), y.place(b)) for a, b in series.points]
    if len(places) > 1:
        yield Line(places, color, 2)
    if len(places) <= POINTS_SHOWN:
        yield from (Line([place], color, 8) for place in places)
    for (across, down), words in zip(places, series.labels, strict=False):
        beyond = across > (LEFT + RIGHT) / 2
        yield Text(
            across + (-8 if beyond else 8), down - 12, words, "end" if beyond else "start", size=13
        )


def _colors(count: int) -> list[str]:
    return [COLORS[index % len(COLORS)] for index in range(count)]
