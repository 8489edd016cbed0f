"""Sheets: labelled pictures in rows, on white."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from impasto.experiments.model import Sheet
from impasto.files.pictures.images import to_pillow
from impasto.plots.canvas import INK

WIDEST_ROW, LARGEST = 1050, 320  # pixels of a row and of a picture, by default
GAP, LABEL_SIZE = 10, 15


def draw_sheet(sheet: Sheet) -> Image.Image:
    """The sheet as one RGB picture; each label is under its picture, broken into lines."""
    rows = [[(label, _scaled(image, sheet)) for label, image in row] for row in sheet.rows]
    font = ImageFont.load_default(LABEL_SIZE)
    heights = [
        max(image.height for _, image in row)
        + LABEL_SIZE * 1.35 * max(len(_lines(label, image.width, font)) for label, image in row)
        + GAP
        for row in rows
    ]
    width = max(sum(image.width + GAP for _, image in row) for row in rows) + GAP
    drawn = Image.new("RGB", (width, math.ceil(sum(heights) + GAP)), "white")
    pen = ImageDraw.Draw(drawn)
    top = float(GAP)
    for row, height in zip(rows, heights, strict=True):
        left, tallest = GAP, max(image.height for _, image in row)
        for label, image in row:
            drawn.paste(image, (left, round(top) + tallest - image.height))
            for number, line in enumerate(_lines(label, image.width, font)):
                y = top + tallest + LABEL_SIZE * (0.85 + 1.35 * number)
                pen.text((left + image.width / 2, y), line, INK, font, "mm")
            left += image.width + GAP
        top += height
    return drawn


def grid(
    pictures: Sequence[tuple[str, Tensor]], columns: int
) -> list[Sequence[tuple[str, Tensor]]]:
    """Split labelled pictures into rows of ``columns``."""
    return [pictures[i : i + columns] for i in range(0, len(pictures), columns)]


def _scaled(image: Tensor, sheet: Sheet) -> Image.Image:
    picture = to_pillow(image.expand(1, 3, -1, -1)).convert("RGB")
    longest = max(len(row) for row in sheet.rows)
    width = sheet.width or min(LARGEST, WIDEST_ROW // longest - GAP)
    height = max(1, round(picture.height * width / picture.width))
    how = Image.Resampling.LANCZOS if sheet.smooth else Image.Resampling.NEAREST
    return picture.resize((width, height), how)


def _lines(label: str, width: int, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> list[str]:
    """Break a label into lines no wider than its picture, if its words are not wider."""
    lines = [""]
    for word in label.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines
