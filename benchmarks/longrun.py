"""A run of many iterations: memory, open files, and whether the time left is told honestly.

    python -m benchmarks.longrun [--steps 10000] [--size 64]

One tiny picture, checkpoints written as from the command line. Memory is the process's own
(anonymous resident pages), as the largest of each tenth of the run; the second tenth, in which the
larger scale is set up, is what the last is compared with. The time left is that of the share of the
work that is done, which the progress bar shows, against the time that it really took.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from impasto.api import Stylizer
from impasto.cli.keeping import Keeper
from impasto.ops.natural import natural_picture

TENTHS = 10


@dataclass(frozen=True)
class LongRun:
    """What was measured.

    Attributes:
        steps: iterations.
        memory: largest anonymous memory in each tenth of the run, in bytes.
        files: open files and the like at the start and at the end.
        left: predicted over actual time left, at a tenth, a quarter, a half and three quarters.

    """

    steps: int
    memory: tuple[int, ...]
    files: tuple[int, int]
    left: tuple[float, ...]

    @property
    def growth(self) -> float:
        """Of memory, from the second tenth to the last: the first is of the smaller scale."""
        return self.memory[-1] / self.memory[1] - 1


def long_run(steps: int, size: int, folder: Path) -> LongRun:
    """Run and measure; two scales, all but a tenth of the steps at the second."""
    pictures = [
        natural_picture(size, size, seed=seed)[0].permute(1, 2, 0).numpy() for seed in (0, 1)
    ]
    first = steps // TENTHS
    job = Stylizer().job(
        *pictures, size=size, scales=2, steps=(first, steps - first), precision="fp32", threads=1
    )
    keeper = Keeper(folder / "out.png", 1.0)
    memory, times, shares, before = [0] * TENTHS, array("d"), array("d"), 0
    for state in job:
        keeper(job)
        tenth = min(TENTHS - 1, state.step * TENTHS // steps)
        if state.step % 20 == 0:
            memory[tenth] = max(memory[tenth], anonymous_memory())
        if state.step == 20:
            before = open_files()
        times.append(time.monotonic())
        shares.append(state.progress)
    left = tuple(_predicted(times, shares, at) for at in (0.1, 0.25, 0.5, 0.75))
    return LongRun(steps, tuple(memory), (before, open_files()), left)


def anonymous_memory() -> int:
    """Resident pages of this process that are no file's, in bytes."""
    fields = Path("/proc/self/smaps_rollup").read_text().splitlines()
    (line,) = (line for line in fields if line.startswith("Anonymous:"))
    return int(line.split()[1]) * 1024


def open_files() -> int:
    """File descriptors of this process."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def _predicted(times: Sequence[float], shares: Sequence[float], at: float) -> float:
    """The time left by the share that is done, over the time that it took."""
    index = next(i for i, share in enumerate(shares) if share >= at)
    passed, left = times[index] - times[0], times[-1] - times[index]
    done = shares[index] - shares[0]
    return passed / done * (1 - shares[index]) / left


def main() -> None:
    """Print the measures."""
    raw = argparse.RawTextHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--size", type=int, default=64)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = long_run(given.steps, given.size, Path(folder))
    print("memory by tenths, MB:", " ".join(f"{each / 1e6:.1f}" for each in found.memory))
    print(f"growth from the second tenth to the last: {found.growth:+.2%}")
    print(f"open files: {found.files[0]} at the start, {found.files[1]} at the end")
    shares = ", ".join(f"{each:.2f}" for each in found.left)
    print(f"time left, predicted over actual, at 10, 25, 50 and 75% of the work: {shares}")


if __name__ == "__main__":
    main()
