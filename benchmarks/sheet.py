"""A sheet of results at the default settings, for visual inspection.

``python -m benchmarks.sheet PHOTO+PAINTING ... --out sheet.jpg [--columns 2] [--size 512]``

Each pair is two paths joined by a plus sign; options of the recipe that are not named here keep
their defaults. A line for each pair gives the result's distances and time.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from impasto import Result, Stylizer


def main() -> None:
    """Make the results, print a line for each, write the sheet (and each result, with --each)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pairs", nargs="+", help="PHOTO+PAINTING")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--columns", type=int, default=2)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--each", type=Path, help="a folder for the single results")
    options = parser.parse_args()
    stylizer = Stylizer()
    images = []
    for number, pair in enumerate(options.pairs, start=1):
        photo, painting = (Path(part) for part in pair.split("+"))
        result = stylizer(photo, painting, size=options.size)
        print(f"{number:2} {photo.stem:18} {painting.stem:24} {_facts(result)}", flush=True)
        images.append(result.image)
        if options.each:
            result.image.save(options.each / f"{number:02}.png")
    sheet_of(images, options.columns).save(options.out, quality=88)


def sheet_of(images: Sequence[Image.Image], columns: int, gap: int = 8) -> Image.Image:
    """Pictures row by row on white, each centred in a cell of the largest size."""
    width = max(image.width for image in images) + gap
    height = max(image.height for image in images) + gap
    rows = -(-len(images) // columns)
    sheet = Image.new("RGB", (columns * width - gap, rows * height - gap), "white")
    for index, image in enumerate(images):
        row, column = divmod(index, columns)
        left = column * width + (width - gap - image.width) // 2
        sheet.paste(image, (left, row * height + (height - gap - image.height) // 2))
    return sheet


def captioned(image: Image.Image, text: str, height: int = 18) -> Image.Image:
    """The picture with a line of text above it."""
    framed = Image.new("RGB", (image.width, image.height + height), "white")
    ImageDraw.Draw(framed).text((2, 2), text, fill="black")
    framed.paste(image, (0, height))
    return framed


def _facts(result: Result) -> str:
    facts = result.record["result"]
    return (
        f"content {facts['content_distance']:.3f}  style {facts['style_distance']:.3f}  "
        f"{facts['seconds']:.1f} s"
    )


if __name__ == "__main__":
    main()
