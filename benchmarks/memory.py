"""Peak memory by picture size, in tiles and whole, compared with the forecast.

    python -m benchmarks.memory [--sizes 256,512,1024,2048] [--kinds whole,tiles] [--free GB]
                                [--optimizers lbfgs] [--precision fp32] [--network compact]
                                [--threads N] [--out FILE] [--page FILE] [--plot FILE]

Each run is a separate process, from the photograph's file to the third step at full size. Its
largest anonymous memory counts, read every hundredth of a second from Linux's
``/proc``; mapped files (the optimiser's memory, where the plan says so), whose pages the system may
drop, are listed separately. L-BFGS has five pairs from its first step: the first is repeated.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.page import put
from impasto.plots.lines import Plot, Series

PAIRS = 5
STEPS = 3
PAINTING = (1000, 800)
KINDS: Mapping[str, Mapping[str, Any]] = {
    "whole": {"tile": "none"},
    "tiles": {"tile": 1024},
    "planned": {"tile": "auto"},
}


@dataclass(frozen=True)
class Case:
    """One run.

    Attributes:
        size: width and height.
        kind: of KINDS.
        optimizer: as in the recipe, like precision and network (``vgg19`` with random weights).
        free: free bytes assumed by the plan; None for the actual ones.
        threads: as in the recipe.

    """

    size: tuple[int, int]
    kind: str
    optimizer: str = "lbfgs"
    precision: str = "fp32"
    network: str = "compact"
    free: float | None = None
    threads: int = 2


@dataclass(frozen=True)
class Peak:
    """The measurements of a run, in bytes and seconds.

    Attributes:
        case: the run.
        tile: the plan's tile.
        mapped: whether the optimiser's memory was in files.
        anonymous: largest anonymous memory.
        files: largest memory of mapped files.
        foretold: bytes forecast.
        seconds: time of the run to its third step.

    """

    case: Case
    tile: int | None
    mapped: bool
    anonymous: int
    files: int
    foretold: float
    seconds: float


def measure(case: Case, folder: Path) -> Peak:
    """Run a case in a separate process, and measure its memory."""
    pictures = folder / "photograph.jpg", folder / "painting.jpg"
    for path, size in zip(pictures, (case.size, PAINTING), strict=True):
        write_picture(path, *size)
    words = [json.dumps(asdict(case)), *map(str, pictures)]
    command = [sys.executable, "-m", "benchmarks.memory", "--child", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        anonymous = files = 0
        while child.poll() is None:
            now = resident(child.pid)
            anonymous, files = max(anonymous, now[0]), max(files, now[1])
            time.sleep(0.01)
        assert child.stdout is not None
        said = child.stdout.read()
    if child.returncode:
        raise SystemExit(f"{case} failed.")
    return Peak(case, anonymous=anonymous, files=files, **json.loads(said.splitlines()[-1]))


def carry_out(case: Case, photograph: str, painting: str) -> dict[str, Any]:
    """The run, in the child process; its plan and forecast."""
    from impasto.cli.memory import keep_freed_memory
    from impasto.engine.optim.storage import in_memory
    from impasto.engine.planning.plan import Machine, make_plan
    from impasto.files.scratch import Scratch
    from impasto.jobs.stylizer import Stylizer

    options = {
        "size": "full",
        "scales": 1,
        "steps": (PAIRS,),
        "history": PAIRS,
        "optimizer": case.optimizer,
        "precision": case.precision,
        "threads": case.threads,
        **KINDS[case.kind],
    }
    network = _network(case.network)
    stylizer = Stylizer(network)
    machine = Machine.here()
    if case.free:
        machine = Machine(("cpu",), machine.fast_bf16, machine.threads, {"cpu": int(case.free)})
    (width, height), (w, h) = case.size, PAINTING
    recipe = stylizer.recipe(options)
    plan = make_plan(recipe, (height, width), [(h, w)], machine, stylizer.network)
    (stage,) = plan.stages
    if case.optimizer == "lbfgs":
        place = Scratch() if stage.mapped else in_memory
        stylizer.optimizer = lambda: _full_lbfgs(place)
    keep_freed_memory(plan)
    job = stylizer.job(photograph, painting, plan=plan, **options)
    told = job.forecast()
    for state in job:
        if state.step == STEPS:
            break
    return {
        "tile": stage.tile,
        "mapped": stage.mapped,
        "foretold": told.memory,
        "seconds": job.seconds,
    }


def _full_lbfgs(storage: Any) -> Any:
    from impasto.engine.objective.objective import Evaluation
    from impasto.engine.optim.optimize import LBFGS

    class Full(LBFGS):
        """L-BFGS with all its pairs from the first step on."""

        def _remember(self, at: Evaluation, found: Evaluation) -> None:
            for _ in range(1 if len(self._pairs) else self.history):
                super()._remember(at, found)

    return Full(history=PAIRS, storage=storage)


def _network(name: str) -> Any:
    if name != "vgg19":
        return name
    from benchmarks.speed import networks

    return networks()["vgg19"]


def write_picture(path: Path, width: int, height: int) -> None:
    """Write a synthetic photograph of waves, enlarged to its size."""
    ramp = np.linspace(0, 40, 512, dtype=np.float32)
    waves = [np.sin(ramp)[:, None] * np.cos(k * ramp)[None] for k in (1, 2, 3)]
    levels = np.rint(127.5 + 100 * np.stack(waves, axis=-1)).astype(np.uint8)
    Image.fromarray(levels).resize((width, height), Image.Resampling.BICUBIC).save(path)


def resident(process: int) -> tuple[int, int]:
    """Bytes of anonymous memory and of mapped files that a process has in memory."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0, 0
    values = {name: rest.split() for name, _, rest in (line.partition(":") for line in lines)}
    anonymous, *files = (
        int(values.get(name, ["0"])[0]) * 1024 for name in ("RssAnon", "RssFile", "RssShmem")
    )
    return anonymous, sum(files)


def table(peaks: Sequence[Peak]) -> str:
    """Markdown, one line for each run."""
    lines = [
        "| network | optimiser | precision | picture | megapixels | tiles | in files | peak GB "
        "| forecast | ÷ |",
        "| --- | --- | --- | --- | --: | --: | --- | --: | --: | --: |",
    ]
    for peak in peaks:
        case, (width, height) = peak.case, peak.case.size
        lines.append(
            f"| {case.network} | {case.optimizer} | {case.precision} | {width}×{height} | "
            f"{width * height / 1e6:.1f} | {peak.tile or '–'} | {'yes' if peak.mapped else '–'} | "
            f"{peak.anonymous / 1e9:.2f} | {peak.foretold / 1e9:.2f} | "
            f"{peak.foretold / peak.anonymous:.2f} |"
        )
    return "\n".join(lines)


def plot(peaks: Sequence[Peak]) -> Plot:
    """Peak memory over megapixels, a line for each optimiser and kind of run."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for peak in peaks:
        width, height = peak.case.size
        name = f"{peak.case.optimizer}, {peak.case.kind}"
        lines.setdefault(name, []).append((width * height / 1e6, peak.anonymous / 1e9))
    series = [Series(name, points) for name, points in lines.items()]
    return Plot("megapixels", "peak, GB", series, log_x=True, log_y=True)


def main(words: Sequence[str] | None = None) -> None:
    """Measure the requested runs, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="256,512,1024,2048", help="longest sides, 4:3, or WxH")
    parser.add_argument("--kinds", default="whole,tiles")
    parser.add_argument("--optimizers", default="lbfgs")
    parser.add_argument("--precision", default="fp32")
    parser.add_argument("--network", default="compact")
    parser.add_argument("--free", type=float, help="free GB assumed by the plan")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--page", type=Path, help="the page whose table is to be updated")
    parser.add_argument("--plot", type=Path, help="draw peak memory over size here, as .svg")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args(words)
    if asked.child:
        values = json.loads(asked.child[0])
        case = Case(**{**values, "size": tuple(values["size"])})
        print(json.dumps(carry_out(case, *asked.child[1:])))
        return
    peaks = []
    with tempfile.TemporaryDirectory() as folder:
        for size in asked.sizes.split(","):
            for optimizer in asked.optimizers.split(","):
                for kind in asked.kinds.split(","):
                    case = Case(
                        _size(size),
                        kind,
                        optimizer,
                        asked.precision,
                        asked.network,
                        asked.free and asked.free * 1e9,
                        asked.threads,
                    )
                    peaks.append(measure(case, Path(folder)))
                    print(table(peaks[-1:]).splitlines()[-1], flush=True)
    print(table(peaks))
    if asked.page:
        put(asked.page, "memory", f"{table(peaks)}\n")
    if asked.plot:
        asked.plot.write_text(plot(peaks).svg())
    if asked.out:
        asked.out.write_text(json.dumps([asdict(peak) for peak in peaks], indent=1))


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    return int(width), int(height or round(int(width) * 0.75))


if __name__ == "__main__":
    main()
