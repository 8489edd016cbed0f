"""The pictures of the README, docs/faults.md and docs/before.md, each by the command beside it.

    python examples/pictures.py PAINTING.jpg SECOND.jpg [NAME ...]

The photographs are scikit-image's; the paintings in the pages are Van Gogh's *The Starry Night* and
Munch's *The Scream*, which are in the public domain. Names are those of single pictures.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from skimage import data

from impasto.cli import main as impasto

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
HEIGHT, GAP = 280, 6


@dataclass(frozen=True)
class Example:
    """A picture of a page.

    Attributes:
        name: of the file, without suffix.
        commands: as they stand on the page.
        shown: the files that are shown side by side, written by the commands or there before.

    """

    name: str
    commands: tuple[str, ...]
    shown: tuple[str, ...]


STYLIZE = "impasto stylize photo.jpg painting.jpg"
STRIPS = (
    Example(
        "strip",
        (
            f"{STYLIZE} --quality instant -o fast.png",
            f"{STYLIZE} --method statistics -o plain.png",
            STYLIZE,
        ),
        ("photo.jpg", "painting.jpg", "fast.png", "plain.png", "photo+painting.png"),
    ),
    Example(
        "strengths",
        (
            *(f"{STYLIZE} --strength {each} -o {each}.png" for each in ("0.2", "0.35", "0.5")),
            STYLIZE,
        ),
        ("0.2.png", "0.35.png", "0.5.png", "photo+painting.png"),
    ),
    *(
        Example(
            name,
            tuple(
                f"impasto stylize photo.jpg {style}.jpg --style-scale {each}{more} -o {each}.png"
                for each in ("0.5", "1", "2", "4")
            ),
            ("0.5.png", "1.png", "2.png", "4.png"),
        )
        for name, style, more in (
            ("strokes", "second", ""),
            ("strokes-instant", "painting", " --quality instant"),
        )
    ),
)
THINGS = (
    Example("default", (STYLIZE,), ("photo+painting.png",)),
    Example("instant", (f"{STYLIZE} --quality instant -o fast.png",), ("fast.png",)),
    Example("strength", (f"{STYLIZE} --strength 0.35 -o less.png",), ("less.png",)),
    Example("scale", (f"{STYLIZE} --style-scale 1.8 -o large.png",), ("large.png",)),
    Example("blend", (f"{STYLIZE} second.jpg --blend 0.5,0.5 -o both.png",), ("both.png",)),
    Example("colours", (f"{STYLIZE} --preserve-color luminance -o colors.png",), ("colors.png",)),
    Example(
        "folder",
        ("impasto stylize photos/ painting.jpg -o out/",),
        ("out/cat+painting.png", "out/coffee+painting.png"),
    ),
    Example(
        "tile",
        ("impasto texture painting.jpg --size 384 --tileable -o tile.png",),
        ("tile.png", "tile.png"),
    ),
    Example(
        "film",
        ("impasto video frames/ painting.jpg --quality instant -o painted/",),
        ("painted/000001.png", "painted/000006.png"),
    ),
    Example(
        "crop",
        (f"{STYLIZE} --print 20x20cm --dpi 150 --crop-preview -o print.png",),
        ("print.crop.png",),
    ),
)
FAULTS = (
    Example(
        "weak",
        (f"{STYLIZE} --strength 0.25 -o weak.png", f"{STYLIZE} --strength 0.8 -o strong.png"),
        ("weak.png", "strong.png"),
    ),
    Example(
        "lost",
        (
            f"{STYLIZE} --strength 0.95 --method statistics --init noise -o lost.png",
            f"{STYLIZE} --strength 0.5 -o kept.png",
        ),
        ("lost.png", "kept.png"),
    ),
    Example(
        "grey",
        (f"{STYLIZE} --method report --steps 16 -o grey.png", f"{STYLIZE} -o done.png"),
        ("grey.png", "done.png"),
    ),
    Example(
        "busy",
        (f"{STYLIZE} --style-scale 0.25 -o busy.png", f"{STYLIZE} --style-scale 1.5 -o calm.png"),
        ("busy.png", "calm.png"),
    ),
    Example(
        "smooth",
        ("impasto stylize photo.jpg small.jpg -o smooth.png", f"{STYLIZE} -o sharp.png"),
        ("smooth.png", "sharp.png"),
    ),
    Example(
        "tint",
        (
            "impasto stylize photo.jpg second.jpg -o tint.png",
            "impasto stylize photo.jpg second.jpg --preserve-color luminance -o own.png",
        ),
        ("tint.png", "own.png"),
    ),
)

PAINT = "impasto paint"
BEFORE = (
    Example(
        "brushes",
        (
            f"{PAINT} strokes photo.jpg",
            f"{PAINT} strokes photo.jpg painting.jpg -o taken.png",
            f"{PAINT} strokes photo.jpg --manner stipples",
            f"{PAINT} strokes photo.jpg --manner tiles",
        ),
        ("photo.impressionist.png", "taken.png", "photo.stipples.png", "photo.tiles.png"),
    ),
    Example(
        "filters",
        tuple(
            f"{PAINT} filter photo.jpg --manner {each}"
            for each in ("cartoon", "oil", "pencil", "ink")
        ),
        tuple(f"photo.{each}.png" for each in ("cartoon", "oil", "pencil", "ink")),
    ),
    Example(
        "learnt",
        (
            f"{PAINT} portrait photo.jpg",
            f"{PAINT} analogy photo.jpg painting.jpg",
            f"{PAINT} regions photo.jpg painting.jpg",
        ),
        ("photo.jpg", "photo.portrait.png", "photo.example.png", "photo.patches.png"),
    ),
    Example(
        "neural",
        (
            f"{STYLIZE} --method report -o gram.png",
            f"{STYLIZE} --quality instant -o fast.png",
            STYLIZE,
        ),
        ("painting.jpg", "gram.png", "fast.png", "photo+painting.png"),
    ),
)


def prepare(painting: Path, second: Path) -> None:
    """Write what the commands read into the current folder."""
    Image.fromarray(data.astronaut()).save("photo.jpg", quality=95)
    for source, name, side in (
        (painting, "painting", 1280),
        (second, "second", 1280),
        (painting, "small", 96),
    ):
        picture = Image.open(source).convert("RGB")
        picture.thumbnail((side, side), Image.Resampling.LANCZOS)
        picture.save(f"{name}.jpg", quality=95)
    for folder in ("photos", "frames", "out"):
        Path(folder).mkdir()
    Image.fromarray(data.chelsea()).save("photos/cat.jpg", quality=95)
    coffee = Image.fromarray(data.coffee())
    coffee.save("photos/coffee.jpg", quality=95)
    for number in range(6):
        left = 8 * number
        coffee.crop((left, 0, left + 540, 400)).save(f"frames/{number + 1:06}.png")


def make(example: Example, folder: Path) -> None:
    """Run an example's commands in the current folder, and write its picture.

    Raises:
        SystemExit: a command has failed.

    """
    for command in example.commands:
        if impasto([*shlex.split(command)[1:], "--quiet", "--overwrite"]):
            raise SystemExit(f"failed: {command}")
    pictures = [Image.open(path).convert("RGB") for path in example.shown]
    sized = [p.resize((round(p.width * HEIGHT / p.height), HEIGHT)) for p in pictures]
    strip = Image.new("RGB", (sum(p.width + GAP for p in sized) - GAP, HEIGHT), "white")
    left = 0
    for each in sized:
        strip.paste(each, (left, 0))
        left += each.width + GAP
    folder.mkdir(parents=True, exist_ok=True)
    strip.save(folder / f"{example.name}.jpg", quality=85)


def main(arguments: Sequence[str]) -> None:
    """Make the pictures that are named, or all."""
    painting, second = (Path(each).resolve() for each in arguments[:2])
    with TemporaryDirectory() as scratch:
        os.chdir(scratch)
        prepare(painting, second)
        for folder, examples in (
            (".", STRIPS),
            ("things", THINGS),
            ("faults", FAULTS),
            ("before", BEFORE),
        ):
            for example in examples:
                if not arguments[2:] or example.name in arguments[2:]:
                    make(example, IMAGES / folder)
        os.chdir(IMAGES)


if __name__ == "__main__":
    main(sys.argv[1:])
