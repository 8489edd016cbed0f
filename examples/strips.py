"""The strips of the README: photograph, painting and result; and a strip of strengths.

    python examples/strips.py PAINTING.jpg

The photograph is scikit-image's astronaut; the painting in the README is Van Gogh's *The Starry
Night*, which is in the public domain.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image
from skimage import data

import impasto

IMAGES = Path(__file__).parents[1] / "docs" / "images"
STRENGTHS = (0.6, 0.8, 0.9, 0.975)
HEIGHT, GAP = 256, 6


def strip(pictures: list[Image.Image], path: Path) -> None:
    """Write pictures side by side, all of one height, as a JPEG."""
    sized = [each.resize((round(each.width * HEIGHT / each.height), HEIGHT)) for each in pictures]
    width = sum(each.width for each in sized) + GAP * (len(sized) - 1)
    whole, left = Image.new("RGB", (width, HEIGHT), "white"), 0
    for each in sized:
        whole.paste(each, (left, 0))
        left += each.width + GAP
    whole.save(path, quality=88)


def main() -> None:
    """Make both strips."""
    photo, painting = Image.fromarray(data.astronaut()), Image.open(sys.argv[1]).convert("RGB")
    stylizer = impasto.Stylizer()
    made = {each: stylizer(photo, painting, strength=each).image for each in STRENGTHS}
    instant = stylizer(photo, painting, quality="instant").image
    drawn = stylizer(
        photo, painting, init="instant", neighbours=0.5, strength=0.99, scales=1, steps=(40,)
    ).image
    strip([photo, painting, instant, drawn, made[STRENGTHS[-1]]], IMAGES / "strip.jpg")
    strip(list(made.values()), IMAGES / "strengths.jpg")


if __name__ == "__main__":
    main()
