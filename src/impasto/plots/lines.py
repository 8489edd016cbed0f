"""Line plots of one quantity against another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from impasto.plots.canvas import POINT, figure, plain, svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT = 640, 400
COLORS = ("#2a7fbf", "#d9822b", "#3c8d53", "#9355a8", "#b5403a", "#6b6b6b")
MOST_POINTS = 300  # a longer series is thinned, since more cannot be seen
POINTS_SHOWN = 24  # of a longer series only the line is drawn


@dataclass(frozen=True)
class Series:
    """One line: its name, its points (x, y), and labels for some of them."""

    name: str
    points: Sequence[tuple[float, float]]
    labels: Sequence[str] = ()


@dataclass(frozen=True)
class Plot:
    """Series on common axes; points that a logarithmic axis cannot show are left out."""

    x_label: str
    y_label: str
    series: Sequence[Series]
    log_x: bool = False
    log_y: bool = False

    def svg(self) -> str:
        """The plot as an SVG element without external references.

        Raises:
            OutputError: matplotlib is not installed.

        """
        with figure(WIDTH, HEIGHT) as drawn:
            axes = drawn.add_subplot()
            self.draw(axes)
            return svg(drawn)

    def draw(self, axes: Axes) -> None:
        """Draw the plot into matplotlib's axes."""
        axes.set(xlabel=plain(self.x_label), ylabel=plain(self.y_label))
        kept = [(each, self._kept(each.points)) for each in self.series]
        if not any(points for _, points in kept):
            axes.text(0.5, 0.5, "nothing to draw", ha="center", transform=axes.transAxes)
            return
        if self.log_x:
            axes.set_xscale("log")
        if self.log_y:
            axes.set_yscale("log")
        for index, (each, points) in enumerate(kept):
            color, marker = COLORS[index % len(COLORS)], len(points) <= POINTS_SHOWN
            x, y = zip(*points, strict=True) if points else ((), ())
            axes.plot(
                x, y, "-o" if marker else "-", color=color, ms=7 * POINT, label=plain(each.name)
            )
            for place, words in zip(points, each.labels, strict=False):
                axes.annotate(
                    plain(words), place, (4, 4), textcoords="offset points", size=13 * POINT
                )
        if len(kept) > 1:
            axes.legend(loc="best")

    def _kept(self, points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
        good = [
            (x, y)
            for x, y in points
            if math.isfinite(x) and math.isfinite(y)
            if not (self.log_x and x <= 0) and not (self.log_y and y <= 0)
        ]
        step = -(-len(good) // MOST_POINTS) or 1
        return [*good[:-1:step], *good[-1:]]
