"""What is to be compared: a manifest in JSON, or a folder laid out as one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, zip_longest
from pathlib import Path
from random import Random
from typing import Any

from impasto.errors import ImpastoError, RatingError
from impasto.files.pictures.finding import is_picture
from impasto.recipe.typed import MismatchError, build

MANIFEST = "sheet.json"
MAX_BYTES = 10_000_000


@dataclass(frozen=True)
class Item:
    """A photograph and a painting, and what the contenders made of them.

    Attributes:
        content: the photograph's file.
        style: the painting's file.
        results: contender to file.
        name: by which choices refer to it; ``photo+painting`` when not given.

    """

    content: str
    style: str
    results: dict[str, str]
    name: str = ""

    def __post_init__(self) -> None:
        if not self.name:
            joined = f"{Path(self.content).stem}+{Path(self.style).stem}"
            object.__setattr__(self, "name", joined)


@dataclass(frozen=True)
class Manifest:
    """A sheet as it is written; files relative to the manifest's folder."""

    items: tuple[Item, ...]


@dataclass(frozen=True)
class Comparison:
    """Two contenders on one item, in no order."""

    item: str
    first: str
    second: str


def read_sheets(paths: Iterable[Path]) -> tuple[Item, ...]:
    """The items of one or more sheets.

    Args:
        paths: manifests; folders with one, named ``sheet.json``; or folders whose sub-folders are
            items: pictures named ``content`` and ``style``, every other one a contender's.

    Raises:
        RatingError: a sheet is missing or damaged, has nothing to compare, or two items share a
            name.

    """
    items = [item for path in paths for item in _items_of(path)]
    names = [item.name for item in items]
    for name in names:
        if names.count(name) > 1:
            raise RatingError(f"Two items are called {name!r}: give each a name of its own.")
    if not any(len(item.results) > 1 for item in items):
        raise RatingError("There is nothing to compare: no item has results of two contenders.")
    return tuple(items)


def draw_comparisons(
    items: Sequence[Item], *, limit: int | None = None, seed: int = 0
) -> list[Comparison]:
    """Comparisons in random order, such that the first N are as even as can be.

    Every pair of contenders comes up once, each on an item drawn for it, before any comes up again.

    Args:
        items: what there is.
        limit: how many are wanted; all when not given.
        seed: of the drawing.

    """
    generator = Random(seed)
    by_pair: dict[tuple[str, str], list[Comparison]] = {}
    for item in items:
        for pair in combinations(sorted(item.results), 2):
            by_pair.setdefault(pair, []).append(Comparison(item.name, *pair))
    for each in by_pair.values():
        generator.shuffle(each)
    drawn: list[Comparison] = []
    for turn in zip_longest(*by_pair.values()):
        present = [comparison for comparison in turn if comparison is not None]
        generator.shuffle(present)
        drawn += present
    return drawn[:limit]


def _items_of(path: Path) -> list[Item]:
    if path.is_dir() and not (path / MANIFEST).is_file():
        return list(_items_in_folder(path))
    manifest = path / MANIFEST if path.is_dir() else path
    base = manifest.parent
    try:
        items = build(Manifest, _json(manifest)).items
    except (MismatchError, ImpastoError) as error:
        if isinstance(error, RatingError):
            raise
        raise RatingError(
            f"{path.name!r} is no sheet ({str(error).rstrip('.')}): see docs/measuring.md."
        ) from error
    return [_located(item, base) for item in items]


def _located(item: Item, base: Path) -> Item:
    results = {name: str(base / file) for name, file in item.results.items()}
    return Item(str(base / item.content), str(base / item.style), results, item.name)


def _items_in_folder(folder: Path) -> Iterator[Item]:
    found = False
    for inner in sorted(each for each in folder.iterdir() if each.is_dir()):
        pictures = {each.stem: str(each) for each in sorted(inner.iterdir()) if is_picture(each)}
        if {"content", "style"} <= set(pictures):
            found = True
            yield Item(pictures.pop("content"), pictures.pop("style"), pictures, inner.name)
    if not found:
        raise RatingError(
            f"{folder.name!r} has no {MANIFEST} and no folder with pictures named content and "
            "style: see docs/measuring.md."
        )


def _json(path: Path) -> Mapping[str, Any]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise RatingError(f"{path.name!r} is too large to be a sheet: check the name.")
        values: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise RatingError(f"{str(path)!r} cannot be read as a sheet: check the name.") from error
    return values
