"""Figures of matplotlib: sized in pixels, written atomically, the same bytes each time."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from impasto.errors import OutputError
from impasto.files.atomic import atomic_write
from impasto.files.formats import written_as

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, GRID = "#333333", "#dddddd"
DOTS = 100  # pixels per inch
POINT = 72 / DOTS  # points to a pixel
# Text stays text in an SVG; its identifiers do not change from run to run.
_SETTINGS: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "impasto",
    "font.family": "sans-serif",
    "font.size": 15 * POINT,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 13 * POINT,
    "ytick.labelsize": 13 * POINT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "lines.linewidth": 2 * POINT,
    "legend.frameon": False,
}


def plain(words: str) -> str:
    """Text escaped so that matplotlib does not read it as mathematics."""
    return words.replace("$", r"\$")


def check_matplotlib() -> None:
    """Make sure, before any work, that figures can be drawn.

    Raises:
        OutputError: matplotlib is not installed.

    """
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise OutputError(
            "Drawing needs matplotlib: install it with pip install 'impasto[plots]'."
        ) from error


def check_format(path: Path) -> None:
    """Make sure that the suffix is one of the formats, and that figures can be drawn.

    Raises:
        OutputError: it is not, or matplotlib is not installed.

    """
    if written_as(path, "chart") is None:
        raise OutputError(f"{path.name!r} has no format for a curve: end it in .png or .svg.")
    check_matplotlib()


@contextmanager
def figure(width: int, height: int) -> Iterator[Figure]:
    """An empty figure of a size in pixels; nothing of matplotlib's global state is changed."""
    check_matplotlib()
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(_SETTINGS):
        yield Figure(figsize=(width / DOTS, height / DOTS), dpi=DOTS, layout="constrained")


@contextmanager
def diagram(width: int, height: int) -> Iterator[tuple[Figure, Axes]]:
    """An empty figure whose axes are its pixels, from the upper left."""
    with figure(width, height) as drawn:
        drawn.set_layout_engine("none")
        axes = drawn.add_axes((0, 0, 1, 1), frame_on=False)
        axes.set(xlim=(0, width), ylim=(height, 0), xticks=[], yticks=[])
        yield drawn, axes


def svg(drawn: Figure) -> str:
    """The figure as an SVG element without external references, for a page."""
    text = _bytes(drawn, ".svg").decode("utf-8")
    return text[text.index("<svg") :]


def write(drawn: Figure, path: Path) -> None:
    """Write the figure as ``.svg`` or ``.png``, atomically.

    Raises:
        OutputError: the suffix is another one, or the file cannot be written.

    """
    check_format(path)
    data = _bytes(drawn, path.suffix.lower())
    with atomic_write(path) as temporary:
        temporary.write_bytes(data)


def _bytes(drawn: Figure, suffix: str) -> bytes:
    out = io.BytesIO()
    unwanted = ("Date", "Creator", "Format", "Type") if suffix == ".svg" else ("Software",)
    drawn.savefig(out, format=suffix[1:], metadata=dict.fromkeys(unwanted))
    return out.getvalue()
