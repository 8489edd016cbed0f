"""What other work on the machine costs a run: beside one busy core, and two runs at once.

    python -m benchmarks.busy [--work photograph,film,batch,library] [--size 512] [--steps LIST]
                              [--rounds 3] [--page FILE]

Seconds of whole processes, from the command to the file, in turns: alone, beside a program that
keeps one core busy, and two at the same time (the longer of the two counts). Medians over the
rounds, after one run alone to warm the disk's cache. On a quiet machine only.
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
    """What runs are made from.

    Attributes:
        folder: holds a photograph, a painting, ``photographs/`` and ``frames/``.
        size: as of the recipe.
        steps: likewise; the product's own where it is empty.

    """

    folder: Path
    size: int
    steps: str

    def write(self) -> None:
        """Draw all of them."""
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
        """Of the command line, with these files and options."""
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
class Found:
    """Seconds of one kind of work, one of each for a round.

    Attributes:
        name: of WORK.
        alone: on the quiet machine.
        busy: beside one busy core.
        two: the longer of two at once.

    """

    name: str
    alone: list[float]
    busy: list[float]
    two: list[float]

    def line(self) -> str:
        """A row of the table."""
        alone, busy, two = (statistics.median(each) for each in (self.alone, self.busy, self.two))
        return (
            f"| {self.name} | {alone:.1f} | {busy:.1f} | {busy / alone:.2f} | {two:.1f} | "
            f"{two / alone:.2f} |"
        )


def measure(name: str, files: Files, outs: Iterator[Path], rounds: int) -> Found:
    """Run one kind of work in turns."""

    def timed(runs: int) -> float:
        start = time.monotonic()
        commands = [WORK[name](files, next(outs)) for _ in range(runs)]
        silent = subprocess.DEVNULL
        running = [subprocess.Popen(each, stdout=silent, stderr=silent) for each in commands]
        if any(each.wait() for each in running):
            raise SystemExit(f"A run of {name} failed.")
        return time.monotonic() - start

    timed(1)
    found = Found(name, [], [], [])
    for _ in range(rounds):
        found.alone.append(timed(1))
        with busy_core():
            found.busy.append(timed(1))
        found.two.append(timed(2))
    return found


@contextmanager
def busy_core() -> Iterator[None]:
    """A program that keeps one core busy while the block runs."""
    program = subprocess.Popen([sys.executable, "-c", BUSY])
    try:
        yield
    finally:
        program.kill()
        program.wait()


def table(found: Sequence[Found]) -> str:
    """Markdown, one line for a kind of work."""
    return "\n".join(
        [
            "| work | alone, s | beside one busy core, s | ÷ | two at once, s | ÷ |",
            "| --- | --: | --: | --: | --: | --: |",
            *(each.line() for each in found),
        ]
    )


def main() -> None:
    """Measure what is asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--work", default=",".join(WORK))
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--steps", default="", help="as of impasto stylize; its own by default")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--page", type=Path, help="the page whose table is to be made anew")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        files = Files(Path(name), asked.size, asked.steps)
        files.write()
        outs = (Path(name) / f"out{number}" for number in count())
        found = []
        for work in asked.work.split(","):
            found.append(measure(work, files, outs, asked.rounds))
            print(found[-1], flush=True)
    print(table(found))
    if asked.page:
        put(asked.page, "busy", f"{table(found)}\n")


if __name__ == "__main__":
    main()
