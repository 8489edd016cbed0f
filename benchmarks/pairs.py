"""Photograph-painting pairs for the benchmarks, from two folders."""

from __future__ import annotations

import argparse
from itertools import islice
from pathlib import Path

SUFFIXES = {".jpg", ".jpeg", ".png"}
Pair = tuple[Path, Path]


def add_pair_options(parser: argparse.ArgumentParser, *, pairs: int) -> None:
    """Add options that choose the pairs."""
    parser.add_argument("photos", type=Path, help="a folder of photographs")
    parser.add_argument("paintings", type=Path, help="a folder of paintings")
    parser.add_argument("--pairs", type=int, default=pairs)


def pairs_of(options: argparse.Namespace) -> list[Pair]:
    """The i-th pair is the i-th photograph with the i-th painting, both cyclic, by name."""
    photos, paintings = _pictures(options.photos), _pictures(options.paintings)
    count = len(photos) * len(paintings)
    pairs = ((photos[i % len(photos)], paintings[i % len(paintings)]) for i in range(count))
    return list(islice(pairs, options.pairs))


def _pictures(folder: Path) -> list[Path]:
    pictures = sorted(p for p in folder.iterdir() if p.suffix in SUFFIXES and "mask" not in p.name)
    if not pictures:
        raise SystemExit(f"no pictures in {folder}")
    return pictures


def pairs_named(photos: Path, paintings: Path, names: str) -> list[Pair]:
    """Pairs of a list such as ``tubingen+shipwreck,portrait+the_scream``, without suffixes."""
    split = [name.split("+") for name in names.split(",")]
    return [(_find(photos, photo), _find(paintings, painting)) for photo, painting in split]


def _find(folder: Path, stem: str) -> Path:
    for suffix in sorted(SUFFIXES):
        if (path := folder / f"{stem}{suffix}").is_file():
            return path
    raise SystemExit(f"no picture called {stem!r} in {folder}")
