"""Scores as a chart: a dot for each contender, a line for its interval."""

from __future__ import annotations

from pathlib import Path

from impasto.evaluate.rating.scores import Scores
from impasto.plots.canvas import INK, POINT, check_format, figure, plain, write

WIDTH, ROW, AROUND = 900, 36, 110  # pixels
COLOR = "#2a7fbf"
LONGEST_NAME = 28


def write_scores(scores: Scores, path: Path, *, title: str = "") -> None:
    """Write the chart as ``.svg`` or ``.png``, atomically; best first.

    Raises:
        OutputError: the suffix is another one, matplotlib is not installed, or the file cannot be
            written.

    """
    check_format(path)
    ranked = scores.ranked
    intervals = [scores.score(name) for name in ranked]
    with figure(WIDTH, AROUND + ROW * len(ranked)) as drawn:
        axes = drawn.add_subplot(title=plain(title), xlabel="score, log-odds")
        axes.axvline(0, color=INK, lw=1)
        for row, (score, low, high) in enumerate(intervals):
            axes.plot([low, high], [row, row], color=COLOR)
            axes.plot([score], [row], "o", color=COLOR, ms=10 * POINT)
        names = [plain(name[:LONGEST_NAME]) for name in ranked]
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.grid(visible=False, axis="y")
        write(drawn, path)
