"""Named points in groups, on one or more charts side by side with a common horizontal axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from impasto.plots.canvas import POINT, figure, plain, write
from impasto.plots.lines import COLORS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT = 520, 420  # of each chart
MARKERS = ("o", "s", "^", "D")


@dataclass(frozen=True)
class Point:
    """A name, its position, and its group, shown by colour and shape."""

    name: str
    group: str
    x: float
    y: float


@dataclass(frozen=True)
class Scatter:
    """Points over a logarithmic horizontal axis; the vertical axis does not start at 0."""

    x_label: str
    y_label: str
    points: Sequence[Point]

    def draw(self, axes: Axes) -> None:
        """Draw the chart into matplotlib's axes."""
        axes.set(xlabel=plain(self.x_label), ylabel=plain(self.y_label), xscale="log")
        groups = dict.fromkeys(each.group for each in self.points)
        for index, group in enumerate(groups):
            points = [each for each in self.points if each.group == group]
            axes.plot(
                [each.x for each in points],
                [each.y for each in points],
                MARKERS[index % len(MARKERS)],
                color=COLORS[index % len(COLORS)],
                ms=10 * POINT,
                label=plain(group),
            )
        for index, each in enumerate(sorted(self.points, key=lambda point: point.x)):
            # Alternately above and below, so that neighbouring names do not overlap.
            offset = (0, -18 * POINT) if index % 2 else (0, 12 * POINT)
            axes.annotate(
                plain(each.name), (each.x, each.y), offset, textcoords="offset points",
                ha="center", va="center" if index % 2 else "bottom", size=13 * POINT,
            )  # fmt: skip
        axes.margins(x=0.2, y=0.3)
        axes.xaxis.set_major_formatter("{x:g}")


def write_scatters(charts: Sequence[Scatter], path: Path) -> None:
    """Write charts side by side as ``.svg`` or ``.png``, with one legend, atomically.

    Raises:
        OutputError: the suffix is another one, matplotlib is not installed, or the file cannot be
            written.

    """
    with figure(WIDTH * len(charts), HEIGHT) as drawn:
        for place, chart in enumerate(charts, start=1):
            chart.draw(drawn.add_subplot(1, len(charts), place))
        handles, names = drawn.axes[0].get_legend_handles_labels()
        drawn.legend(handles, names, loc="outside lower center", ncols=max(1, len(names)))
        write(drawn, path)
