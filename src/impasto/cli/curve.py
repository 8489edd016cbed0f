"""A chart in a terminal: dots of Braille, two across and four down in each character."""

from __future__ import annotations

import math

from rich.console import Console
from rich.text import Text

from impasto.plots.losses import Chart

COLUMNS, ROWS = 64, 12
STYLES = {"content": "cyan", "style": "yellow", "total": "bold", "temporal": ""}
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # by row, then column
_MARGIN = 6


def print_chart(chart: Chart, console: Console) -> None:
    """Print the curves, a scale at the left, and a legend with the last values."""
    cells = _cells(chart)
    has_braille = (console.encoding or "").lower().startswith("utf")
    for row in range(ROWS):
        line = Text(_label(chart, row).rjust(_MARGIN) + " ")
        for column in range(COLUMNS):
            dots, name = cells.get((row, column), (0, ""))
            mark = chr(0x2800 + dots) if has_braille else "*"
            line.append(mark if dots else " ", STYLES.get(name, ""))
        console.print(line, no_wrap=True, crop=False)
    console.print(_legend(chart))


def _cells(chart: Chart) -> dict[tuple[int, int], tuple[int, str]]:
    """By row and column: the dots, and the curve that lies on top."""
    cells: dict[tuple[int, int], tuple[int, str]] = {}
    for curve in chart.curves:
        for x in range(2 * COLUMNS):
            position = round(x * (chart.length - 1) / (2 * COLUMNS - 1))
            height = chart.height_of(curve.values[position])
            if height is None:
                continue
            y = round((1 - height) * (4 * ROWS - 1))
            place = (y // 4, x // 2)
            dots, _ = cells.get(place, (0, ""))
            cells[place] = (dots | _DOTS[y % 4][x % 2], curve.name)
    return cells


def _label(chart: Chart, row: int) -> str:
    if row == 0:
        return f"1e{round(math.log10(chart.high))}"
    return f"1e{round(math.log10(chart.low))}" if row == ROWS - 1 else ""


def _legend(chart: Chart) -> Text:
    text = Text(" " * (_MARGIN + 1))
    for curve in chart.curves:
        last = curve.values[-1]
        value = "-" if last is None else f"{last:.3g}"
        text.append(f"{curve.name} {value}   ", STYLES.get(curve.name, ""))
    return text
