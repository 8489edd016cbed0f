"""A painting of strokes as SVG: lines of round brush, for any size of print."""

from __future__ import annotations

from collections.abc import Iterator

from impasto.painters.strokes import Painting, Stroke

UNITS = 1000  # across the drawing


def to_svg(painting: Painting) -> str:
    """The painting as an SVG document, a path for each stroke, in order."""
    height = painting.aspect * UNITS
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {UNITS} {height:.2f}">',
        f'<rect width="{UNITS}" height="{height:.2f}" fill="{_hex(painting.ground)}"/>',
        '<g fill="none" stroke-linecap="round" stroke-linejoin="round">',
        *_paths(painting.strokes),
        "</g>",
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _paths(strokes: tuple[Stroke, ...]) -> Iterator[str]:
    for stroke in strokes:
        (x, y), *others = (stroke.points * UNITS).tolist()
        # A dot is a line of no length with round ends.
        rest = "L".join(f"{a:.2f} {b:.2f}" for a, b in others or [(x, y)])
        opacity = f' stroke-opacity="{stroke.opacity:g}"' if stroke.opacity < 1 else ""
        ends = ' stroke-linecap="butt"' if stroke.is_square else ""
        yield (
            f'<path d="M{x:.2f} {y:.2f}L{rest}" stroke="{_hex(stroke.color)}" '
            f'stroke-width="{2 * stroke.radius * UNITS:.2f}"{opacity}{ends}/>'
        )


def _hex(color: tuple[float, float, float]) -> str:
    return "#" + "".join(f"{round(255 * min(1.0, max(0.0, each))):02x}" for each in color)
