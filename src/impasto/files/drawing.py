"""Lines, boxes and words, as SVG and as a picture: all that a curve or a diagram is drawn from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from impasto.errors import OutputError
from impasto.files.atomic import atomic_write
from impasto.files.images import write_image

INK, GRID = "#333333", "#dddddd"
FONT_SIZE = 15
_ANCHORS = {"start": "lm", "middle": "mm", "end": "rm"}


@dataclass(frozen=True)
class Line:
    """A polyline through points in pixels from the upper left; a single point is a dot."""

    points: Sequence[tuple[float, float]]
    color: str = INK
    width: float = 1


@dataclass(frozen=True)
class Box:
    """A filled rectangle with an outline."""

    x: float
    y: float
    width: float
    height: float
    fill: str = "white"
    outline: str = INK


@dataclass(frozen=True)
class Text:
    """Words beside, around or up to a point, as ``anchor`` says."""

    x: float
    y: float
    words: str
    anchor: str = "start"  # "start", "middle" or "end"
    color: str = INK
    size: int = FONT_SIZE


Shape = Line | Box | Text


def svg(shapes: Iterable[Shape], width: int, height: int) -> str:
    """The drawing as an SVG document that refers to nothing outside itself."""
    drawn = "\n".join(map(_element, shapes))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'font-family="sans-serif" font-size="{FONT_SIZE}">\n'
        f'<rect width="{width}" height="{height}" fill="white"/>\n{drawn}\n</svg>\n'
    )


def picture(shapes: Iterable[Shape], width: int, height: int, *, fineness: int = 2) -> Image.Image:
    """The drawing as an RGB picture; drawn larger and made smaller, for smooth edges."""
    image = Image.new("RGB", (width * fineness, height * fineness), "white")
    pen = ImageDraw.Draw(image)
    for shape in shapes:
        if isinstance(shape, Text):
            place = (shape.x * fineness, shape.y * fineness)
            font = ImageFont.load_default(shape.size * fineness)
            pen.text(place, shape.words, shape.color, font, _ANCHORS[shape.anchor])
        elif isinstance(shape, Box):
            corners = (shape.x, shape.y, shape.x + shape.width, shape.y + shape.height)
            pen.rectangle([c * fineness for c in corners], shape.fill, shape.outline, fineness)
        else:
            points = [(x * fineness, y * fineness) for x, y in shape.points]
            if len(points) == 1:
                pen.circle(points[0], shape.width * fineness / 2, shape.color)
            else:
                pen.line(points, shape.color, round(shape.width * fineness))
    return image.resize((width, height), Image.Resampling.LANCZOS)


def write_drawing(shapes: Iterable[Shape], width: int, height: int, path: Path) -> None:
    """Write a drawing as ``.svg`` or ``.png``, atomically.

    Raises:
        OutputError: the name ends otherwise, or the file cannot be written.

    """
    suffix = path.suffix.lower()
    if suffix == ".svg":
        with atomic_write(path) as temporary:
            temporary.write_text(svg(shapes, width, height), encoding="utf-8")
    elif suffix == ".png":
        write_image(picture(shapes, width, height), path)
    else:
        raise OutputError(f"{path.name!r} names no format for a curve: end it in .png or .svg.")


def _element(shape: Shape) -> str:
    if isinstance(shape, Text):
        size = "" if shape.size == FONT_SIZE else f' font-size="{shape.size}"'
        return (
            f'<text x="{shape.x:.1f}" y="{shape.y:.1f}" text-anchor="{shape.anchor}" '
            f'dominant-baseline="middle" fill="{shape.color}"{size}>{escape(shape.words)}</text>'
        )
    if isinstance(shape, Box):
        return (
            f'<rect x="{shape.x:.1f}" y="{shape.y:.1f}" width="{shape.width:.1f}" '
            f'height="{shape.height:.1f}" fill="{shape.fill}" stroke="{shape.outline}"/>'
        )
    if len(shape.points) == 1:
        ((x, y),) = shape.points
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{shape.width / 2}" fill="{shape.color}"/>'
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in shape.points)
    return (
        f'<polyline points="{points}" fill="none" stroke="{shape.color}" '
        f'stroke-width="{shape.width}" stroke-linecap="round"/>'
    )
