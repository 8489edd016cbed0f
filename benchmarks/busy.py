"""The slowdown of a run by other work: beside one busy core, and two runs at once.

    python -m benchmarks.busy [--work photograph,film,batch,library] [--size 512] [--steps LIST]
                              [--rounds 3] [--page FILE]

Seconds of whole processes, from the command to the file, alternating: alone, beside a program that
keeps one core busy, and two at the same time (the longer of the two counts). Medians over the
rounds, after one run alone to warm the disk's cache. Use a quiet machine.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from PIL import Image

from benchmarks.memory import write_picture
from benchmarks.page import put

FRAMES, PHOTOGRAPHS = 6, 3  # of a film, of a batch
LIBRARY = """
import sys
from impasto import stylize
photograph, painting, out, size, steps = sys.argv[1:]
more = {"steps": [int(each) for each in steps.split(",")]} if steps else {}
stylize(photograph, painting, size=int(size), **more).save(out)
"""
BUSY = """
import os
parent = os.getppid()
while os.getppid() == parent:
    pass
"""


@dataclass(frozen=True)
class Files:
    """The input files of the runs.

    Attributes:
        folder: holds a photograph, a painting, ``photographs/`` and ``frames/``.
        size: as in the recipe.
        steps: as in the recipe; empty for impasto's default.

    """

    folder: Path
    size: int
    steps: str

    def write(self) -> None:
        """Write all files."""
        height = self.size * 3 // 4
        write_picture(self.folder / "photograph.png", self.size, height)
        write_picture(self.folder / "painting.png", 1000, 800)
        with Image.open(self.folder / "photograph.png") as photograph:
            for name, number in (("photographs", PHOTOGRAPHS), ("frames", FRAMES)):
                (self.folder / name).mkdir()
                for index in range(number):
                    moved = photograph.transform(
                        photograph.size, Image.Transform.AFFINE, (1, 0, 2 * index, 0, 1, index)
                    )
                    moved.save(self.folder / name / f"{index}.png")

    def command(self, content: str, *words: str) -> list[str]:
        """The words of a command with these files and options."""
        steps = ["--steps", self.steps] if self.steps else []
        inputs = [str(self.folder / content), str(self.folder / "painting.png")]
        sized = ["--size", str(self.size), *steps]
        return [sys.executable, "-m", "impasto", words[0], *inputs, *sized, *words[1:]]


def _photograph(files: Files, out: Path) -> list[str]:
    return files.command("photograph.png", "stylize", "-o", f"{out}.png")


def _film(files: Files, out: Path) -> list[str]:
    return files.command("frames", "video", "-o", str(out))


def _batch(files: Files, out: Path) -> list[str]:
    return files.command("photographs", "stylize", "-o", str(out))


def _library(files: Files, out: Path) -> list[str]:
    inputs = [str(files.folder / name) for name in ("photograph.png", "painting.png")]
    return [sys.executable, "-c", LIBRARY, *inputs, f"{out}.png", str(files.size), files.steps]


WORK: dict[str, Callable[[Files, Path], list[str]]] = {
    "photograph": _photograph,
    "film": _film,
    "batch": _batch,
    "library": _library,
}


@dataclass(frozen=True)
class Timings:
    """Seconds of one kind of work, one value for each round.

    Attributes:
        name: of WORK.
        alone: on the quiet machine.
        busy: beside one busy core.
        two: the longer of two runs at once.

    """

    name: str
    alone: list[float]
    busy: list[float]
    two: list[float]

    def line(self) -> str:
        """The row of the table."""
        alone, busy, two = (statistics.median(each) for each in (self.alone, self.busy, self.two))
        return (
            f"| {self.name} | {alone:.1f} | {busy:.1f} | {busy / alone:.2f} | {two:.1f} | "
            f"{two / alone:.2f} |"
        )


def measure(name: str, files: Files, outs: Iterator[Path], rounds: int) -> Timings:
    """Run one kind of work in each of the three ways, alternating."""

    def timed(runs: int) -> float:
        start = time.monotonic()
        commands = [WORK[name](files, next(outs)) for _ in range(runs)]
        silent = subprocess.DEVNULL
        running = [subprocess.Popen(each, stdout=silent, stderr=silent) for each in commands]
        if any(each.wait() for each in running):
            raise SystemExit(f"A run of {name} failed.")
        return time.monotonic() - start

    timed(1)
    timings = Timings(name, [], [], [])
    for _ in range(rounds):
        timings.alone.append(timed(1))
        with busy_core():
            timings.busy.append(timed(1))
        timings.two.append(timed(2))
    return timings


@contextmanager
def busy_core() -> Iterator[None]:
    """A program that keeps one core busy while the block runs."""
    program = subprocess.Popen([sys.executable, "-c", BUSY])
    try:
        yield
    finally:
        program.kill()
        program.wait()


def table(rows: Sequence[Timings]) -> str:
    """Markdown, one line for each kind of work."""
    return "\n".join(
        [
            "| work | alone, s | beside one busy core, s | ÷ | two at once, s | ÷ |",
            "| --- | --: | --: | --: | --: | --: |",
            *(each.line() for each in rows),
        ]
    )


def main() -> None:
    """Measure the requested kinds of work."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--work", default=",".join(WORK))
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--steps", default="", help="as of impasto stylize; its own by default")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--page", type=Path, help="the page whose table is to be updated")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        files = Files(Path(name), asked.size, asked.steps)
        files.write()
        outs = (Path(name) / f"out{number}" for number in count())
        timings = []
        for work in asked.work.split(","):
            timings.append(measure(work, files, outs, asked.rounds))
            print(timings[-1], flush=True)
    print(table(timings))
    if asked.page:
        put(asked.page, "busy", f"{table(timings)}\n")


if __name__ == "__main__":
    main()
