"""A run of many iterations: memory, open files, and the accuracy of the time left.

    python -m benchmarks.longrun [--steps 10000] [--size 64] [--optimizer adam] [--style-loss w2]

One tiny picture, checkpoints written as from the command line. Memory is the process's own
(anonymous resident pages), the largest in each tenth of the run; the last tenth is compared with
the second, in which the larger scale is set up. The estimated time left is the progress bar's,
compared with the actual time: by the clock, and in the process's own processor time,
which other work on the machine does not affect.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from impasto.cli.keeping import Keeper
from impasto.cli.pace import Pace
from impasto.jobs.stylizer import Stylizer
from impasto.ops.natural import natural_picture
from impasto.ops.style_losses import STYLE_LOSSES
from impasto.recipe.still import Recipe

TENTHS = 10
SHARES = (0.1, 0.25, 0.5, 0.75)  # of the work, at which the time left is checked


@dataclass(frozen=True)
class LongRun:
    """The measurements.

    Attributes:
        steps: iterations.
        memory: largest anonymous memory in each tenth of the run, in bytes.
        files: open files and the like at the start and at the end.
        left: estimated over actual time left, at a tenth, a quarter, a half and three quarters.
        own_left: the same in the process's own processor time.

    """

    steps: int
    memory: tuple[int, ...]
    files: tuple[int, int]
    left: tuple[float, ...]
    own_left: tuple[float, ...]

    @property
    def growth(self) -> float:
        """Growth of memory from the second tenth to the last; the first has the smaller scale."""
        return self.memory[-1] / self.memory[1] - 1


def long_run(steps: int, size: int, folder: Path, **options: Any) -> LongRun:
    """Run and measure; two scales, nine tenths of the steps at the second."""
    pictures = [
        natural_picture(size, size, seed=seed)[0].permute(1, 2, 0).numpy() for seed in (0, 1)
    ]
    first = steps // TENTHS
    given = {"precision": "fp32", "threads": 1, **options}
    given |= {"size": size, "scales": 2, "steps": (first, steps - first)}
    job = Stylizer().job(pictures[0], pictures[1], **given)
    job.forecast()  # as the command does: from here on progress is a share of the time
    keeper = Keeper(folder / "out.png", 1.0)
    memory, before = [0] * TENTHS, 0
    told = [Estimates(time.monotonic), Estimates(time.process_time)]
    for state in job:
        keeper(job)
        tenth = min(TENTHS - 1, state.step * TENTHS // steps)
        if state.step % 20 == 0:
            memory[tenth] = max(memory[tenth], anonymous_memory())
        if state.step == 20:
            before = open_files()
        for each in told:
            each(state.progress)
    left, own_left = (each.ratios() for each in told)
    return LongRun(steps, tuple(memory), (before, open_files()), left, own_left)


class Estimates:
    """The progress bar's time left, at some shares of the work."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._pace = clock, Pace()
        self._waiting = list(SHARES)
        self._told: list[tuple[float, float]] = []
        self._end = 0.0

    def __call__(self, share: float) -> None:
        """Note the estimate after a step."""
        now = self._end = self._clock()
        left = self._pace.left(now, share)
        if left is not None and self._waiting and share >= self._waiting[0]:
            self._told.append((now, left))
            self._waiting.pop(0)

    def ratios(self) -> tuple[float, ...]:
        """Estimated over actual time left."""
        return tuple(left / (self._end - at) for at, left in self._told)


def anonymous_memory() -> int:
    """Resident anonymous pages of this process, in bytes."""
    fields = Path("/proc/self/smaps_rollup").read_text().splitlines()
    (line,) = (line for line in fields if line.startswith("Anonymous:"))
    return int(line.split()[1]) * 1024


def open_files() -> int:
    """File descriptors of this process."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def main() -> None:
    """Print the measures."""
    raw = argparse.RawTextHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--optimizer", choices=["lbfgs", "adam"], default=Recipe.optimizer)
    parser.add_argument("--style-loss", choices=list(STYLE_LOSSES), default=Recipe.style_loss)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = long_run(
            given.steps,
            given.size,
            Path(folder),
            optimizer=given.optimizer,
            style_loss=given.style_loss,
        )
    print("memory by tenths, MB:", " ".join(f"{each / 1e6:.1f}" for each in result.memory))
    print(f"growth from the second tenth to the last: {result.growth:+.2%}")
    print(f"open files: {result.files[0]} at the start, {result.files[1]} at the end")
    for name, ratios in (("time", result.left), ("processor time", result.own_left)):
        shares = ", ".join(f"{each:.2f}" for each in ratios)
        print(f"{name} left, estimated over actual, at 10, 25, 50 and 75% of the work: {shares}")


if __name__ == "__main__":
    main()
