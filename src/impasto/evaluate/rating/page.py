"""The page for blind comparisons: one HTML file without external resources."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from impasto.engine.planning.plan import fit
from impasto.evaluate.rating.sheet import Comparison, Item
from impasto.files.pictures.images import read_picture, to_pillow
from impasto.ops.inits import resize
from impasto.plots.pages import write_page as fill_page

LONGEST_SIDE = 640  # pixels of a picture in the page
QUALITY = 92  # of JPEG


def write_page(
    items: Sequence[Item],
    comparisons: Sequence[Comparison],
    path: Path,
    *,
    title: str = "",
    size: int = LONGEST_SIDE,
) -> None:
    """Write the page, atomically.

    Pictures are embedded without metadata and named by numbers; the page contains the contenders'
    names, for its choices, but does not show them.

    Args:
        items: the items of the comparisons.
        comparisons: the comparisons to make; the page draws each rater's order and sides.
        path: the HTML file.
        title: shown at the top.
        size: longest side of a picture.

    Raises:
        PictureError: a picture cannot be read.
        OutputError: the page cannot be written.

    """
    data = page_data(items, comparisons, title=title, size=size)
    fill_page(files("impasto.evaluate.rating").joinpath("page.html"), path, data=data)


def page_data(
    items: Sequence[Item], comparisons: Sequence[Comparison], *, title: str, size: int
) -> dict[str, Any]:
    """The page's data, as plain values."""
    asked = {comparison.item for comparison in comparisons}
    used = [item for item in items if item.name in asked]
    pictures: dict[str, str] = {}
    numbers: dict[str, int] = {}

    def number(file: str) -> int:
        if file not in numbers:
            numbers[file] = len(numbers)
            pictures[str(numbers[file])] = data_uri(Path(file), size=size)
        return numbers[file]

    entries = [
        {
            "name": item.name,
            "content": number(item.content),
            "style": number(item.style),
            "results": {name: number(file) for name, file in item.results.items()},
        }
        for item in used
    ]
    places = {item.name: place for place, item in enumerate(used)}
    asks = [[places[each.item], each.first, each.second] for each in comparisons]
    values = {"title": title, "items": entries, "comparisons": asks, "pictures": pictures}
    digest = hashlib.sha256(json.dumps(values).encode()).hexdigest()
    return {**values, "sheet": digest[:12]}


def data_uri(path: Path, *, size: int) -> str:
    """A picture as the data URI of a JPEG, no larger than ``size``.

    Raises:
        PictureError: the picture cannot be read.

    """
    picture = read_picture(path)
    height, width = fit(picture.size, min(size, max(picture.size)))
    file = io.BytesIO()
    to_pillow(resize(picture.tensor, height, width)).save(
        file, "JPEG", quality=QUALITY, subsampling=0
    )
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()
