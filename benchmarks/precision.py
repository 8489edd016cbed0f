"""The loss of accuracy by bfloat16: final losses of default and float32 runs, in float32.

``python -m benchmarks.precision PHOTOS PAINTINGS [--pairs 10] [--size 384]``
"""

from __future__ import annotations

import argparse
import statistics
import time

from benchmarks.pairs import Pair, add_pair_options, pairs_of
from impasto import Job, Stylizer
from impasto.engine.objective.objective import Objective
from impasto.files.pictures.images import read_picture
from impasto.ops.inits import resize


def main() -> None:
    """Print a line for each pair, then the spread."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_pair_options(parser, pairs=10)
    parser.add_argument("--size", type=int, default=384)
    options = parser.parse_args()
    stylizer, excesses = Stylizer(), []
    for pair in pairs_of(options):
        exact, slow = _final_loss(stylizer, pair, options.size, "fp32")
        half, fast = _final_loss(stylizer, pair, options.size, "auto")
        excesses.append(half / exact - 1)
        print(
            f"{pair[0].stem:18} {pair[1].stem:22} fp32 {exact:.5f} ({slow:5.1f} s)  "
            f"auto {half:.5f} ({fast:5.1f} s)  excess {excesses[-1]:+.2%}",
            flush=True,
        )
    print(f"excess: median {statistics.median(excesses):+.2%}, largest {max(excesses):+.2%}")


def _final_loss(stylizer: Stylizer, pair: Pair, size: int, precision: str) -> tuple[float, float]:
    """Total loss of the result in float32, and its time in seconds."""
    start = time.perf_counter()
    job = stylizer.job(*pair, size=size, precision=precision)
    for _ in job:
        pass
    seconds = time.perf_counter() - start
    objective = _objective(stylizer, pair, job)
    return objective.evaluate(job.result().tensor).losses.total, seconds


def _objective(stylizer: Stylizer, pair: Pair, job: Job) -> Objective:
    """The float32 objective of the last stage."""
    stage = job.plan.stages[-1]
    content, style = (read_picture(path).tensor for path in pair)
    return Objective(
        job.recipe,
        stylizer.network,
        resize(content, stage.height, stage.width),
        [resize(style, *stage.styles[0])],
    )


if __name__ == "__main__":
    main()
