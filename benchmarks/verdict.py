"""The results of a contest: figures by contender, labelled sheets, a sheet for rating."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean, median
from typing import Any

from PIL import Image

from benchmarks.pairs import Pair
from benchmarks.sheet import captioned, sheet_of
from impasto.evaluate.panel import measure
from impasto.files.atomic import atomic_write
from impasto.nets.network import Network

Panels = dict[str, dict[str, dict[str, Any]]]
"""By contender and item: figures by title, and ``faults``, a list."""

# Title, names of figures that are averaged, and whether a larger value is worse (None: neither).
COLUMNS: tuple[tuple[str, str, bool | None], ...] = (
    ("ms-ssim", "ms-ssim", False),
    ("gram", "gram ", True),
    ("w2", "w2 ", True),
    ("colour", "color", True),
    ("style colours", "style colors", None),
    ("high freq.", "high frequencies", None),
    ("flat", "flat patches", True),
)


def write_verdict(
    folder: Path, names: Sequence[str], pairs: Sequence[Pair], judge: str | None
) -> None:
    """Write ``table.md``, ``panel.json``, ``sheet.json`` and a sheet for each pair.

    Not every contender needs a result for every pair; missing ones are left out.
    """
    panels = measured(folder, names, pairs, judge)
    _write(folder / "panel.json", json.dumps(panels, indent=1))
    table = "\n".join(table_of(panels, names))
    _write(folder / "table.md", table)
    print(table)
    _write(folder / "sheet.json", json.dumps(manifest_of(folder, names, pairs), indent=1))
    for pair in pairs:
        results = _results(folder, pair, names)
        write_sheet(pair, results, folder / f"{pair[0].stem}+{pair[1].stem}.jpg")


def measured(
    folder: Path, names: Sequence[str], pairs: Sequence[Pair], judge: str | Network | None
) -> Panels:
    """By contender and pair: the panel's figures, and the faults."""
    panels: Panels = {name: {} for name in names}
    for pair in pairs:
        for name, result in _results(folder, pair, names).items():
            panel = measure(result, *pair, network=judge)
            figures = {title: fmean(_values(panel.as_dict(), key)) for title, key, _ in COLUMNS}
            item = f"{pair[0].stem}+{pair[1].stem}"
            panels[name][item] = {**figures, "faults": list(panel.faults)}
    return panels


def table_of(panels: Panels, names: Sequence[str]) -> list[str]:
    """Markdown: median (and worst) over the pairs of each figure, and the number of faults."""
    lines = [
        "| contender | pairs | " + " | ".join(title for title, *_ in COLUMNS) + " | faults |",
        "| --- |" + " --: |" * (len(COLUMNS) + 2),
    ]
    for name in filter(panels.get, names):
        rows = list(panels[name].values())
        cells = []
        for title, _, more_is_worse in COLUMNS:
            values = [row[title] for row in rows]
            cells.append(f"{median(values):.3f}" + _worst(values, more_is_worse))
        faults = sum(len(row["faults"]) for row in rows)
        lines.append(f"| {name} | {len(rows)} | " + " | ".join(cells) + f" | {faults} |")
    return lines


def manifest_of(folder: Path, names: Sequence[str], pairs: Sequence[Pair]) -> dict[str, object]:
    """The sheet for ``impasto rate``; its file names are relative to the folder."""
    return {
        "items": [
            {
                "content": os.path.relpath(pair[0], folder),
                "style": os.path.relpath(pair[1], folder),
                "results": {
                    name: str(result.relative_to(folder))
                    for name, result in _results(folder, pair, names).items()
                },
            }
            for pair in pairs
        ]
    }


def write_sheet(pair: Pair, results: Mapping[str, Path], path: Path, columns: int = 4) -> None:
    """Photograph, painting and the results of one pair, each with its name."""
    images = {name: Image.open(result).convert("RGB") for name, result in results.items()}
    longest = max(max(image.size) for image in images.values())
    given = [_thumbnail(each, longest) for each in pair]
    cells = [captioned(image, each.stem) for image, each in zip(given, pair, strict=True)]
    cells += [captioned(image, name) for name, image in images.items()]
    with atomic_write(path) as temporary:
        sheet_of(cells, columns).save(temporary, format="JPEG", quality=90)


def _values(panel: Mapping[str, Any], key: str) -> list[float]:
    """Values of the figure of this name, or of all that begin with it."""
    figures: Mapping[str, Mapping[str, float | None]] = panel["figures"]
    chosen = [
        v["value"] for n, v in figures.items() if n == key or (key[-1] == " " and n.startswith(key))
    ]
    return [float("nan") if value is None else value for value in chosen]


def _worst(values: Sequence[float], more_is_worse: bool | None) -> str:
    if more_is_worse is None:
        return f" ({min(values):.2f}-{max(values):.2f})"
    return f" ({max(values) if more_is_worse else min(values):.3f})"


def _results(folder: Path, pair: Pair, names: Sequence[str]) -> dict[str, Path]:
    item = folder / f"{pair[0].stem}+{pair[1].stem}"
    paths = {name: item / f"{name}.png" for name in names}
    return {name: path for name, path in paths.items() if path.exists()}


def _thumbnail(path: Path, longest: int) -> Image.Image:
    image = Image.open(path).convert("RGB")
    image.thumbnail((longest, longest))
    return image


def _write(path: Path, text: str) -> None:
    with atomic_write(path) as temporary:
        temporary.write_text(text + "\n")
