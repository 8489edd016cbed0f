"""Two other programs and impasto on the same pairs, in one sheet.

    python -m benchmarks.rivals PHOTOS PAINTINGS --out DIR --vgg FILE --crowsonkb CLONE

CLONE is a local clone of crowsonkb/style-transfer-pytorch; ``--neural-style-pt`` takes one of
ProGamerGov/neural-style-pt. FILE is torchvision's VGG-19 (``vgg19-dcbb9e9d.pth``), which the second
also uses if its own, Caffe's, is not given. Each program runs by its own command line with
its own settings; only the number of iterations is set, to fit into the time that impasto
takes (``--seconds`` for another time), without start-up and loading of the network. With
``--defaults`` each also runs with its default number of iterations, which takes most of an hour a
picture on a CPU.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from benchmarks.contenders import Contender
from benchmarks.contest import PAIRS
from benchmarks.notes import Notes
from benchmarks.pairs import Pair, pairs_named
from benchmarks.rounds import prepare
from benchmarks.verdict import write_verdict

TORCHVISION_NAME = "vgg19-dcbb9e9d.pth"  # file name under which torchvision looks for its weights
SHORT, LONG = 2, 6  # iterations of the two runs from which seconds an iteration are computed
OURS = Contender("impasto", "the defaults")


@dataclass(frozen=True)
class Rival:
    """Another program.

    Attributes:
        name: name in tables.
        clone: its folder.
        iterations: default number of iterations.
        words: its command line for a pair, a result, a size and a number of iterations.
        weights: its VGG-19.

    """

    name: str
    clone: Path
    iterations: int
    words: Callable[[Pair, Path, int, int, Path], list[str]]
    weights: Path

    def run(self, pair: Pair, out: Path, size: int, iterations: int) -> float:
        """Make a picture; return the program's total time in seconds.

        Raises:
            SystemExit: it failed or wrote nothing.

        """
        with TemporaryDirectory() as scratch:
            cache = Path(scratch) / "hub" / "checkpoints" / TORCHVISION_NAME
            cache.parent.mkdir(parents=True)
            cache.symlink_to(self.weights.resolve())
            done = Path(scratch) / "done.png"
            words = self.words(pair, done, size, iterations, self.weights.resolve())
            paths = os.pathsep.join(filter(None, (str(self.clone), os.environ.get("PYTHONPATH"))))
            start = perf_counter()
            process = subprocess.run(
                [sys.executable, *words],
                cwd=scratch,
                env={**os.environ, "TORCH_HOME": scratch, "PYTHONPATH": paths},
                capture_output=True,
                text=True,
                check=False,
            )
            seconds = perf_counter() - start
            if process.returncode or not done.is_file():
                lines = process.stderr.strip().splitlines() or ["nothing was written"]
                raise SystemExit(f"{self.name} failed: {lines[-1]}")
            shutil.copyfile(done, out)
        return seconds

    def iterations_in(self, seconds: float, pair: Pair, size: int) -> int:
        """The number of iterations that fit into a time, without start-up."""
        with TemporaryDirectory() as scratch:
            out = Path(scratch) / "out.png"
            self.run(pair, out, size, 1)  # for everything that is read or compiled only once
            short, long = (self.run(pair, out, size, n) for n in (SHORT, LONG))
        pace = max(long - short, 1e-3) / (LONG - SHORT)
        return min(max(round(seconds / pace), 1), self.iterations)


def crowsonkb(clone: Path, vgg: Path) -> Rival:
    """crowsonkb/style-transfer-pytorch: 1000 iterations at the first scale, 500 at each other."""

    def words(pair: Pair, out: Path, size: int, iterations: int, _: Path) -> list[str]:
        return [
            "-m", "style_transfer.cli", *(str(path.resolve()) for path in pair),
            "--output", str(out), "--end-scale", str(size),
            "--iterations", str(iterations), "--initial-iterations", str(2 * iterations),
        ]  # fmt: skip

    return Rival("crowsonkb", clone.resolve(), 500, words, vgg)


def neural_style_pt(clone: Path, vgg: Path) -> Rival:
    """ProGamerGov/neural-style-pt: 1000 evaluations at one scale; on the CPU."""

    def words(pair: Pair, out: Path, size: int, iterations: int, weights: Path) -> list[str]:
        content, style = (str(path.resolve()) for path in pair)
        return [
            str(clone.resolve() / "neural_style.py"), "-content_image", content,
            "-style_image", style, "-output_image", str(out), "-image_size", str(size),
            "-num_iterations", str(iterations), "-model_file", str(weights), "-gpu", "c",
            "-seed", "0", "-print_iter", "0", "-save_iter", "0",
        ]  # fmt: skip

    return Rival("neural-style-pt", clone.resolve(), 1000, words, vgg)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run every program on every pair, then write the result."""
    options = _options(arguments)
    rivals = _rivals(options)
    pairs = pairs_named(options.photos, options.paintings, options.pairs)
    options.out.mkdir(parents=True, exist_ok=True)
    notes = Notes(options.out / "rivals.json")
    ours = prepare(
        [OURS], pairs[0], options.size, notes, clock=perf_counter, budget=options.seconds
    )
    known = notes.of("iterations")
    for rival in rivals:
        if rival.name not in known:
            known[rival.name] = rival.iterations_in(ours.budget, pairs[0], options.size)
            notes.keep("iterations", known)
        print(f"{rival.name}: {known[rival.name]} iterations in {ours.budget:.1f} s", flush=True)
    runs = [(rival.name, rival, known[rival.name]) for rival in rivals]
    if options.defaults:
        runs += [(f"{rival.name}-default", rival, rival.iterations) for rival in rivals]
    for pair in pairs:
        folder = options.out / f"{pair[0].stem}+{pair[1].stem}"
        folder.mkdir(exist_ok=True)
        ours.make(OURS, pair, folder)
        for name, rival, iterations in runs:
            if not (folder / f"{name}.png").exists():
                rival.run(pair, folder / f"{name}.png", options.size, iterations)
    write_verdict(options.out, [OURS.name, *(name for name, *_ in runs)], pairs, options.judge)


def _rivals(options: argparse.Namespace) -> list[Rival]:
    rivals = []
    if options.crowsonkb:
        rivals.append(crowsonkb(options.crowsonkb, options.vgg))
    if options.neural_style_pt:
        rivals.append(neural_style_pt(options.neural_style_pt, options.caffe_vgg or options.vgg))
    if not rivals:
        raise SystemExit("give a program's clone: --crowsonkb or --neural-style-pt")
    return rivals


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add: Callable[..., Any] = parser.add_argument
    add("photos", type=Path, help="a folder of photographs")
    add("paintings", type=Path, help="a folder of paintings")
    add("--out", type=Path, required=True, help="a folder for the results")
    add("--vgg", type=Path, required=True, help="torchvision's VGG-19")
    add("--caffe-vgg", type=Path, help="neural-style-pt's own VGG-19")
    add("--crowsonkb", type=Path, help="a clone of crowsonkb/style-transfer-pytorch")
    add("--neural-style-pt", type=Path, help="a clone of ProGamerGov/neural-style-pt")
    add("--pairs", default=",".join(PAIRS), help="PHOTO+PAINTING,..., by names without suffix")
    add("--size", type=int, default=384)
    add("--seconds", type=float, help="for each picture; impasto's default when not given")
    add("--defaults", action="store_true", help="also run with default iterations")
    add("--judge", help="a network for the panel")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
