"""Forecasts of a run's time and memory, before it and after a twentieth of its steps.

    python -m benchmarks.forecasts [--sizes 256,512,1024,2048,4096] [--options JSON] [--out FILE]
                                   [--page FILE]

Each run is a separate process with the default recipe, 4:3, to its end; the estimate after a
twentieth of its steps is that of the progress bar. Memory is counted as in
``benchmarks.memory`` does.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.memory import PAINTING, resident, write_picture
from benchmarks.page import put

EARLY = 0.05  # of the steps


@dataclass(frozen=True)
class Forecasts:
    """The forecasts for one run, and the measured values; seconds and bytes.

    Attributes:
        size: the picture's longest side.
        options: of the recipe, besides the size.
        tile: of the last stage.
        before: seconds forecast before the first step.
        early: seconds of the whole run, estimated after a twentieth of its steps; None if it had
            ended by then.
        seconds: measured seconds.
        foretold: bytes forecast.
        peak: largest anonymous memory in bytes.

    """

    size: int
    options: dict[str, Any]
    tile: int | None
    before: float
    early: float | None
    seconds: float
    foretold: float
    peak: int


def measure(size: int, options: dict[str, Any], folder: Path) -> Forecasts:
    """Run in a separate process, and measure its memory."""
    pictures = folder / "photograph.jpg", folder / "painting.jpg"
    for path, (width, height) in zip(pictures, ((size, size * 3 // 4), PAINTING), strict=True):
        write_picture(path, width, height)
    words = [str(size), json.dumps(options), *map(str, pictures)]
    command = [sys.executable, "-m", "benchmarks.forecasts", "--child", *words]
    peak = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        while child.poll() is None:
            peak = max(peak, resident(child.pid)[0])
            time.sleep(0.01)
        assert child.stdout is not None
        said = child.stdout.read()
    if child.returncode:
        raise SystemExit(f"The run at {size} px failed.")
    return Forecasts(size=size, options=options, peak=peak, **json.loads(said.splitlines()[-1]))


def carry_out(size: int, options: dict[str, Any], photograph: str, painting: str) -> dict[str, Any]:
    """The run, in the child process."""
    from impasto.cli.memory import keep_freed_memory
    from impasto.cli.pace import Pace
    from impasto.jobs.stylizer import Stylizer

    job = Stylizer().job(photograph, painting, size=size, **options)
    keep_freed_memory(job.plan)
    told, pace, early = job.forecast(), Pace(), None
    start = time.monotonic()
    for state in job:
        now = time.monotonic() - start
        left = pace.left(now, state.progress)
        if early is None and left is not None and state.step >= EARLY * job.plan.steps:
            early = now + left
    return {
        "tile": job.plan.stages[-1].tile,
        "before": told.total,
        "early": early,
        "seconds": time.monotonic() - start,
        "foretold": told.memory,
    }


def table(runs: Sequence[Forecasts]) -> str:
    """Markdown, one line for each run."""
    lines = [
        "| px | options | tiles | seconds | forecast | ÷ | after 5% | ÷ | peak GB | forecast | ÷ |",
        "| --: | --- | --: | --: | --: | --: | --: | --: | --: | --: | --: |",
    ]
    for run in runs:
        options = ", ".join(f"{key} {value}" for key, value in run.options.items()) or "default"
        early = f"{run.early:.1f} | {run.early / run.seconds:.2f}" if run.early else "– | –"
        lines.append(
            f"| {run.size} | {options} | {run.tile or '–'} | {run.seconds:.1f} | "
            f"{run.before:.1f} | {run.before / run.seconds:.2f} | {early} | "
            f"{run.peak / 1e9:.2f} | {run.foretold / 1e9:.2f} | {run.foretold / run.peak:.2f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure the requested runs, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--sizes", default="256,512,1024,2048,4096")
    parser.add_argument("--options", type=json.loads, default={}, help="of the recipe, as JSON")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--page", type=Path, help="the page whose table is to be updated")
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        size, options, *pictures = asked.child
        print(json.dumps(carry_out(int(size), json.loads(options), *pictures)))
        return
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        for size in asked.sizes.split(","):
            runs.append(measure(int(size), asked.options, Path(folder)))
            print(table(runs[-1:]).splitlines()[-1], flush=True)
    print(table(runs))
    if asked.page:
        put(asked.page, "forecasts", f"{table(runs)}\n")
    if asked.out:
        asked.out.write_text(json.dumps([asdict(run) for run in runs], indent=1) + "\n")


if __name__ == "__main__":
    main()
