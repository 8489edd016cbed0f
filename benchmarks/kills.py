"""Counting, over many kills, whether a killed and resumed run gives the same result.

    python -m benchmarks.kills [--kills 50] [--stops 40 [--film]] [--seed 1] [--jobs 1]

The real command makes a tiny picture and is killed (SIGKILL) at a moment drawn uniformly from its
wall time, so that start-up, changes of scale and the writing of checkpoints are hit. Then it is run
again with ``--resume``, and pixels and losses are compared with those of a run without
checkpoints and kills. L-BFGS and Adam alternate. With ``--stops`` it is asked to stop
instead (alternately by SIGINT and SIGTERM), as is ``impasto video`` with ``--film``.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.hostile_films import film as film_bytes
from impasto.files.records.checkpoints import checkpoint_path
from impasto.ops.natural import natural_picture

OPTIMIZERS = ("lbfgs", "adam")
OPTIONS = ["--size", "64", "--scales", "3", "--steps", "30", "--threads", "1", "--quiet"]
LISTENING = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from impasto.cli import main
raise SystemExit(main())
"""
PICTURE, FILM = {"out.png", "out.json"}, {"out.mp4", "out.json"}
FINISHED = (PICTURE, FILM)
UNFINISHED: tuple[set[str], ...] = (
    set(), PICTURE | {"out.checkpoint"}, {"out.mp4", "out.mp4.frames"},
)  # fmt: skip
EARLIEST = 1.0  # seconds, for the interpreter to start on a busy machine
SECONDS = 0.05  # between checkpoints; writing them takes at most a twentieth of the time anyway


@dataclass(frozen=True)
class Kill:
    """One run, killed and resumed.

    Attributes:
        optimizer: the run's optimiser.
        share: share of the wall time that had passed.
        found: what the kill left: ``nothing``, ``checkpoint`` or ``picture``.
        identical: whether pixels, losses and files equal those of the unbroken run.

    """

    optimizer: str
    share: float
    found: str
    identical: bool


def kills(count: int, folder: Path, *, seed: int = 1, jobs: int = 1) -> Iterator[Kill]:
    """Kill and resume, ``jobs`` at a time, each in its own folder."""
    draw = random.Random(seed)
    folder.mkdir(exist_ok=True)
    write_inputs(folder)

    def one(given: tuple[int, float]) -> Kill:
        index, share = given
        optimizer = OPTIMIZERS[index % len(OPTIMIZERS)]
        expected, seconds = whole[optimizer]
        here = folder / f"kill-{index}"
        here.mkdir()
        _killed(optimizer, here, share * seconds)
        left = _what_is_left(here)
        run(optimizer, here, "--resume")
        same = _outcome(here) == expected and _names(here) == {"out.png", "out.json"}
        return Kill(optimizer, share, left, same)

    with ThreadPoolExecutor(jobs) as pool:
        used = OPTIMIZERS[:count]
        runs = pool.map(lambda name: _unbroken(name, folder / f"whole-{name}"), used)
        whole = dict(zip(used, runs, strict=True))
        yield from pool.map(one, enumerate([draw.random() for _ in range(count)]))


@dataclass(frozen=True)
class Stop:
    """One run that was stopped by SIGINT or SIGTERM.

    Attributes:
        signal: the signal sent.
        share: share of the wall time that had passed.
        status: the exit status.
        said: the text on standard error.
        left: names of the files left.

    """

    signal: int
    share: float
    status: int
    said: str
    left: set[str]

    @property
    def is_good(self) -> bool:
        """Whether it finished, or stopped with one sentence, and left only whole files."""
        if self.status == 0:
            return self.left in FINISHED
        lines = self.said.splitlines()
        return self.status == 128 + self.signal and len(lines) == 1 and self.left in UNFINISHED


def stops(
    count: int, folder: Path, *, seed: int = 1, jobs: int = 1, film: bool = False
) -> Iterator[Stop]:
    """Stop runs at moments drawn uniformly from their wall time.

    Before the interpreter has reached impasto's first lines, no message can be printed.

    Args:
        count: number of runs.
        folder: for all input and output files.
        seed: of the moments.
        jobs: runs at the same time.
        film: runs of ``impasto video`` instead of ``impasto stylize``.

    """
    draw = random.Random(seed)
    folder.mkdir(exist_ok=True)
    write_inputs(folder)
    if film:
        (folder / "clip.mkv").write_bytes(film_bytes(".mkv"))
    words = film_command if film else partial(command, "lbfgs")
    (folder / "whole").mkdir()
    start = time.monotonic()
    subprocess.run(words(folder / "whole"), check=True, env=environment())
    seconds = time.monotonic() - start

    def one(given: tuple[int, float]) -> Stop:
        index, share = given
        number = (signal.SIGINT, signal.SIGTERM)[index % 2]
        here = folder / f"stop-{index}"
        here.mkdir()
        status, said = _stopped(words(here), number, max(EARLIEST, share * seconds))
        return Stop(number, share, status, said, _names(here))

    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(one, enumerate([draw.random() for _ in range(count)]))


def _stopped(words: list[str], number: int, after: float) -> tuple[int, str]:
    words[1:3] = ["-c", LISTENING]  # a background process may ignore Ctrl-C
    with subprocess.Popen(
        words, env=environment(), stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        time.sleep(after)
        process.send_signal(number)
        _, said = process.communicate()
    return process.returncode, said


def write_inputs(folder: Path) -> None:
    """A photograph and a painting, made from seeds."""
    for seed, name in enumerate(("photo.png", "painting.png")):
        levels = natural_picture(96, 96, seed=seed)[0].permute(1, 2, 0).mul(255).round()
        Image.fromarray(levels.byte().numpy()).save(folder / name)


def command(optimizer: str, here: Path, *options: str) -> list[str]:
    """The command line of a run; its inputs are in the parent folder."""
    pictures = [str(here.parent / name) for name in ("photo.png", "painting.png")]
    words = [sys.executable, "-m", "impasto", "stylize", *pictures, "-o", str(here / "out.png")]
    kept = ["--checkpoint", str(SECONDS)] if "--checkpoint" not in options else []
    return [*words, "--optimizer", optimizer, *OPTIONS, *kept, *options]


def film_command(here: Path) -> list[str]:
    """The command line of a film."""
    inputs = [str(here.parent / name) for name in ("clip.mkv", "painting.png")]
    words = [sys.executable, "-m", "impasto", "video", *inputs, "-o", str(here / "out.mp4")]
    return [*words, "--size", "48", "--frame-steps", "10", "--threads", "1", "--quiet"]


def environment() -> dict[str, str]:
    """The environment with one thread, so that small processes do not wait for each other."""
    return {**os.environ, "OMP_NUM_THREADS": "1"}


def run(optimizer: str, here: Path, *options: str) -> None:
    """Run to the end, and check the status."""
    subprocess.run(command(optimizer, here, *options), check=True, env=environment())


def _unbroken(optimizer: str, here: Path) -> tuple[Any, float]:
    """The result without checkpoints, and the wall time."""
    here.mkdir()
    start = time.monotonic()
    run(optimizer, here, "--checkpoint", "0")
    return _outcome(here), time.monotonic() - start


def _killed(optimizer: str, here: Path, after: float) -> None:
    with subprocess.Popen(command(optimizer, here), env=environment()) as process:
        time.sleep(after)
        process.kill()


def _what_is_left(here: Path) -> str:
    if (here / "out.png").exists():
        return "picture"
    return "checkpoint" if checkpoint_path(here / "out.png").exists() else "nothing"


def _outcome(here: Path) -> tuple[bytes, Any]:
    with Image.open(here / "out.png") as image:
        pixels = np.asarray(image).tobytes()
    return pixels, json.loads((here / "out.json").read_text())["losses"]


def _names(here: Path) -> set[str]:
    return {path.name for path in here.iterdir()}


def print_stops(count: int, seed: int, jobs: int, *, film: bool) -> None:
    """Print a line for each signal, and the count."""
    good = 0
    with tempfile.TemporaryDirectory() as folder:
        for each in stops(count, Path(folder), seed=seed, jobs=jobs, film=film):
            name = signal.Signals(each.signal).name
            verdict = "well" if each.is_good else f"BADLY: {each.said!r}, left {set(each.left)}"
            print(
                f"{each.share:4.0%} of the time, {name}: status {each.status}, {verdict}",
                flush=True,
            )
            good += each.is_good
    print(f"{good} of {count} ended well")


def print_kills(count: int, seed: int, jobs: int) -> None:
    """Print a line for each kill, and the count, also when this program is stopped."""
    results = []
    try:
        with tempfile.TemporaryDirectory() as folder:
            for each in kills(count, Path(folder), seed=seed, jobs=jobs):
                verdict = "identical" if each.identical else "DIFFERENT"
                name = f"{each.share:4.0%} of the time, {each.optimizer}"
                print(f"{name}: {each.found} left, {verdict}", flush=True)
                results.append(each)
    except KeyboardInterrupt:
        print(f"stopped: {count - len(results)} of {count} are not counted")
    left = Counter(each.found for each in results)
    what = ", ".join(f"{number} {name}" for name, number in left.items())
    same = sum(each.identical for each in results)
    print(f"{same} of {len(results)} identical (left: {what})")


def main() -> None:
    """Print a line for each kill, and the count."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--stops", type=int, default=0, help="send SIGINT and SIGTERM instead")
    parser.add_argument("--film", action="store_true", help="stop films")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1, help="runs at the same time")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if given.stops:
        print_stops(given.stops, given.seed, given.jobs, film=given.film)
        return
    print_kills(given.kills, given.seed, given.jobs)


if __name__ == "__main__":
    main()
