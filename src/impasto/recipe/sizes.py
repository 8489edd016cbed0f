"""Sizes as people say them: ``512``, ``full``, ``3000x2000``, ``60x90cm``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from impasto.errors import RecipeError

SMALLEST = 16  # pixels; the deepest style layer has one position for 16
DEFAULT_DPI = 300
FULL = "full"

_FRAME = re.compile(r"(\d+)\s*[x×*]\s*(\d+)")
_PAPER = re.compile(r"(\d+(?:[.,]\d+)?)\s*[x×*]\s*(\d+(?:[.,]\d+)?)\s*(mm|cm|in|inch|inches|\")")
_INCHES = {"mm": 1 / 25.4, "cm": 1 / 2.54}  # whatever else the pattern lets through is inches


@dataclass(frozen=True)
class Frame:
    """A frame that the result fits in, touching at least two of its sides.

    Attributes:
        width: pixels.
        height: pixels.
        turns: whether it is turned the way the photograph lies, as a sheet of paper is.

    """

    width: int
    height: int
    turns: bool = False

    def whole(self, height: int, width: int) -> tuple[int, int]:
        """Its own height and width, turned the way that a picture lies if it turns at all."""
        if self.turns and (height > width) != (self.height > self.width):
            return self.width, self.height
        return self.height, self.width

    def fit(self, height: int, width: int) -> tuple[int, int]:
        """Height and width in a picture's proportion, as large as the frame allows."""
        rows, columns = self.whole(height, width)
        ratio = min(rows / height, columns / width)
        return max(1, round(height * ratio)), max(1, round(width * ratio))


def parse_size(value: int | str) -> Frame | None:
    """The frame that ``--size`` asks for; None for ``full``, the photograph's own size.

    Raises:
        RecipeError: neither a number, ``full`` nor ``WIDTHxHEIGHT``, or too small.

    """
    text = str(value).strip().lower()
    if text == FULL:
        return None
    frame = _FRAME.fullmatch(text)
    if not frame and not text.lstrip("-").isdigit():
        raise RecipeError(
            f"--size {value!r} is unknown: give the longest side such as 512, a frame such as "
            "3000x2000, or full."
        )
    width, height = map(int, frame.groups()) if frame else (int(text), int(text))
    if min(width, height) < SMALLEST:
        raise RecipeError(f"--size must be at least {SMALLEST} pixels.")
    return Frame(width, height)


def parse_paper(value: str, dpi: int) -> Frame:
    """The frame of a sheet of paper such as ``60x90cm`` or ``24x36in``.

    Args:
        value: two lengths and their unit: mm, cm or in.
        dpi: dots per inch.

    Raises:
        RecipeError: not two lengths with a unit, or too small to hold a picture.

    """
    paper = _PAPER.fullmatch(value.strip().lower())
    if not paper:
        raise RecipeError(
            f"--print {value!r} is no size of paper: give two lengths and a unit, such as 60x90cm "
            "or 24x36in."
        )
    scale = _INCHES.get(paper[3], 1.0) * dpi
    width, height = (round(float(side.replace(",", ".")) * scale) for side in paper.groups()[:2])
    if min(width, height) < SMALLEST:
        raise RecipeError(
            f"--print {value!r} at {dpi} dpi is {width}x{height} pixels: it must be at least "
            f"{SMALLEST} each way."
        )
    return Frame(width, height, turns=True)
