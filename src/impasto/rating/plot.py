"""Scores as a drawing: a dot for each contender, a line for its interval."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from impasto.files.drawing import GRID, INK, Line, Shape, Text, write_drawing
from impasto.rating.scores import Scores

WIDTH, ROW, TOP = 900, 36, 60
LEFT, RIGHT = 240, 870
COLOR = "#2a7fbf"
LONGEST_NAME = 28


def write_scores(scores: Scores, path: Path, *, title: str = "") -> None:
    """Write the drawing as ``.svg`` or ``.png``, atomically; best first.

    Raises:
        OutputError: the name ends otherwise, or the file cannot be written.

    """
    height = TOP + ROW * len(scores.names) + 50
    write_drawing(_shapes(scores, title, height), WIDTH, height, path)


def _shapes(scores: Scores, title: str, height: int) -> Iterator[Shape]:
    ranked = scores.ranked
    intervals = [scores.score(name) for name in ranked]
    reach = max(abs(end) for interval in intervals for end in interval) or 1.0

    def x(score: float) -> float:
        return (LEFT + RIGHT) / 2 + (RIGHT - LEFT) / 2 * score / reach

    yield Text(LEFT, 28, title)
    bottom = height - 44
    for tick in range(-int(reach), int(reach) + 1):
        yield Line([(x(tick), TOP - 16), (x(tick), bottom)], INK if tick == 0 else GRID)
        yield Text(x(tick), bottom + 20, f"{tick:+d}" if tick else "0", "middle")
    for row, (name, (score, low, high)) in enumerate(zip(ranked, intervals, strict=True)):
        y = TOP + ROW * row
        yield Text(LEFT - 12, y, name[:LONGEST_NAME], "end")
        yield Line([(x(low), y), (x(high), y)], COLOR, 2)
        yield Line([(x(score), y)], COLOR, 10)
