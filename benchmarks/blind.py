"""Blind comparisons as numbered pictures, for use without a browser.

``python -m benchmarks.blind draw SHEET... --out FOLDER [--comparisons 150] [--each 3]``

writes ``001.png``, ``002.png``, ... with a few comparisons each (photograph, painting, A, B) and
``key.json``, which names A and B and must not be read by the rater. Choices are typed as a number
and A, B or = for a tie, and become the file that the page of ``impasto rate`` would have saved:

``python -m benchmarks.blind read FOLDER/key.json "1A 2B 3=" --rater NAME --out choices.json``
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Literal

from PIL import Image, ImageDraw, ImageFont

from impasto.evaluate.rating.choices import Ballot, Choice, write_ballot
from impasto.evaluate.rating.sheet import Item, draw_comparisons, read_sheets
from impasto.files.pictures.images import read_picture, to_pillow
from impasto.ops.inits import resize

SOURCE_SHARE = 0.5  # of a result's width, for photograph and painting
GAP, LABEL = 8, 26
CHOICES: dict[str, Literal["left", "right", "tie"]] = {"A": "left", "B": "right", "=": "tie"}
Shown = dict[str, str]  # item, left, right


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw the sheets, or read typed choices."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    draw = commands.add_parser("draw")
    draw.add_argument("sheets", type=Path, nargs="+")
    draw.add_argument("--out", type=Path, required=True, help="a folder")
    draw.add_argument("--comparisons", type=int, default=150)
    draw.add_argument("--each", type=int, default=3, help="comparisons on a picture")
    draw.add_argument("--width", type=int, default=384, help="of a result, in pixels")
    draw.add_argument("--seed", type=int, default=0)
    draw.add_argument("--against", help="a contender that is in every comparison, with all others")
    draw.add_argument("--swapped", action="store_true", help="the same with sides exchanged")
    read = commands.add_parser("read")
    read.add_argument("key", type=Path)
    read.add_argument("typed", help="such as '1A 2B 3=', or a file with such text")
    read.add_argument("--rater", default="")
    read.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    (_draw if options.command == "draw" else _read)(options)


def _draw(options: argparse.Namespace) -> None:
    items = {item.name: item for item in read_sheets(options.sheets)}
    generator = Random(options.seed)
    shown = []
    for item, *both in _drawn(list(items.values()), options):
        left, right = generator.sample(both, 2)
        if options.swapped:
            left, right = right, left
        shown.append({"item": item, "left": left, "right": right})
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "key.json").write_text(json.dumps(shown, indent=1) + "\n", encoding="utf-8")
    for page, start in enumerate(range(0, len(shown), options.each), start=1):
        rows = [
            _row(number, items[each["item"]], each, options.width)
            for number, each in enumerate(shown[start : start + options.each], start=start + 1)
        ]
        _stacked(rows).save(options.out / f"{page:03}.png")
    print(f"{options.out}: {len(shown)} comparisons")


def _drawn(items: Sequence[Item], options: argparse.Namespace) -> list[tuple[str, str, str]]:
    """Item and two contenders of each comparison, in random order."""
    if not options.against:
        drawn = draw_comparisons(list(items), limit=options.comparisons, seed=options.seed)
        return [(each.item, each.first, each.second) for each in drawn]
    one = options.against
    every = [(item.name, one, other) for item in items for other in item.results if other != one]
    Random(options.seed).shuffle(every)
    return every[: options.comparisons]


def _read(options: argparse.Namespace) -> None:
    shown: list[Shown] = json.loads(options.key.read_text(encoding="utf-8"))
    is_file = len(options.typed) < 256 and Path(options.typed).is_file()
    typed = Path(options.typed).read_text(encoding="utf-8") if is_file else options.typed
    choices = tuple(typed_choices(typed, shown))
    write_ballot(Ballot(choices, options.rater), options.out)
    print(f"{options.out}: {len(choices)} of {len(shown)} comparisons")


def typed_choices(typed: str, shown: Sequence[Shown]) -> Iterator[Choice]:
    """Choices from words such as ``1A``, ``2b`` or ``3=``.

    Raises:
        SystemExit: a word has another form, or a number is unknown or repeated.

    """
    seen: set[int] = set()
    for word in typed.replace(",", " ").split():
        match = re.fullmatch(r"(\d+)([ABab=])", word)
        if match is None:
            raise SystemExit(f"{word!r} is not a choice: type a number and A, B or =.")
        number = int(match[1])
        if not 1 <= number <= len(shown):
            raise SystemExit(f"There is no comparison {number}: use 1 to {len(shown)}.")
        if number in seen:
            raise SystemExit(f"Comparison {number} has two choices: remove one.")
        seen.add(number)
        yield Choice(**shown[number - 1], choice=CHOICES[match[2].upper()])


def _row(number: int, item: Item, shown: Shown, width: int) -> Image.Image:
    """Photograph, painting, A and B side by side, with their names above."""
    narrow = round(SOURCE_SHARE * width)
    files = (item.content, item.style, item.results[shown["left"]], item.results[shown["right"]])
    pictures = [_fitted(f, w) for f, w in zip(files, (narrow, narrow, width, width), strict=True)]
    names = (f"{number}.  photograph", "painting", f"{number}A", f"{number}B")
    row = Image.new(
        "RGB",
        (sum(p.width + GAP for p in pictures) - GAP, LABEL + max(p.height for p in pictures)),
        "white",
    )
    pen, left = ImageDraw.Draw(row), 0
    for name, picture in zip(names, pictures, strict=True):
        pen.text((left + 4, 3), name, "black", ImageFont.load_default(18))
        row.paste(picture, (left, LABEL))
        left += picture.width + GAP
    return row


def _fitted(file: str, width: int) -> Image.Image:
    """A picture resized to this width, cropped to at most a third higher than wide."""
    tensor = read_picture(file).tensor
    height, wide = tensor.shape[-2:]
    ratio = min(width / wide, 4 / 3 * width / height)
    fitted = to_pillow(resize(tensor, round(height * ratio), round(wide * ratio)))
    cell = Image.new("RGB", (width, fitted.height), "white")
    cell.paste(fitted, ((width - fitted.width) // 2, 0))
    return cell


def _stacked(rows: Sequence[Image.Image]) -> Image.Image:
    sheet = Image.new("RGB", (rows[0].width, sum(row.height + GAP for row in rows) - GAP), "white")
    top = 0
    for row in rows:
        sheet.paste(row, (0, top))
        top += row.height + GAP
    return sheet


if __name__ == "__main__":
    main()
