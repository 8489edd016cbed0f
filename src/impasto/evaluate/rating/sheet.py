"""Sheets, which list what to compare: a JSON file, or a folder with a fixed layout."""

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
    """A photograph, a painting, and the contenders' results.

    Attributes:
        content: the photograph's file.
        style: the painting's file.
        results: contender to file.
        name: used in the choices; ``photo+painting`` when not given.

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
    """The content of a JSON sheet; file names are relative to its folder."""

    items: tuple[Item, ...]


@dataclass(frozen=True)
class Comparison:
    """Two contenders on one item, unordered."""

    item: str
    first: str
    second: str


def read_sheets(paths: Iterable[Path]) -> tuple[Item, ...]:
    """The items of one or more sheets.

    Args:
        paths: JSON files; folders with one named ``sheet.json``; or folders whose sub-folders are
            items: pictures named ``content`` and ``style``, and one for each contender.

    Raises:
        RatingError: a sheet is missing or damaged, has nothing to compare, or two items share a
            name.

    """
    items = [item for path in paths for item in _items_of(path)]
    names = [item.name for item in items]
    for name in names:
        if names.count(name) > 1:
            raise RatingError(f"Two items have the name {name!r}: rename one.")
    if not any(len(item.results) > 1 for item in items):
        raise RatingError("There is nothing to compare: add results of two contenders for an item.")
    return tuple(items)


def draw_comparisons(
    items: Sequence[Item], *, limit: int | None = None, seed: int = 0
) -> list[Comparison]:
    """Comparisons in random order, balanced over contenders in every prefix.

    Every pair of contenders occurs once, on a random item, before any occurs again.

    Args:
        items: all items.
        limit: the number of comparisons; all when not given.
        seed: of the random order.

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
            f"{path.name!r} is not a sheet ({str(error).rstrip('.')}): see docs/measuring.md."
        ) from error
    return [_located(item, base) for item in items]


def _located(item: Item, base: Path) -> Item:
    results = {name: str(base / file) for name, file in item.results.items()}
    return Item(str(base / item.content), str(base / item.style), results, item.name)


def _items_in_folder(folder: Path) -> Iterator[Item]:
    is_any_item = False
    for inner in sorted(each for each in folder.iterdir() if each.is_dir()):
        pictures = {each.stem: str(each) for each in sorted(inner.iterdir()) if is_picture(each)}
        if {"content", "style"} <= set(pictures):
            is_any_item = True
            yield Item(pictures.pop("content"), pictures.pop("style"), pictures, inner.name)
    if not is_any_item:
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
