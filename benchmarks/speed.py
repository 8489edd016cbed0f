"""Seconds an iteration, compared with a textbook loop and the floor in one run.

    python -m benchmarks.speed [--sizes 256,512] [--repeats 7] [--threads N] [--quick] [--out FILE]
        [--page docs/performance.md]

Everything is warmed up first. Then all contenders alternate, one iteration each, so that the
machine's noise affects all alike, and the medians are compared. Weights of ``vgg19`` are random.

On a busy machine two threads wait for each other at every operation, and wall-clock times are
unreliable; ``--threads 1`` counts processor time instead, which other programs hardly affect.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Literal

import torch
from torch import Tensor

from benchmarks.floor import (
    LAST,
    LAYOUTS,
    WAYS,
    bare_convolution,
    convolutions,
    floor_seconds,
    operations,
)
from benchmarks.page import put
from benchmarks.textbook import gatys
from impasto.cli.memory import keep
from impasto.engine.objective.objective import Evaluation
from impasto.engine.optim.optimize import LBFGS, Evaluate
from impasto.engine.optim.pairs import Pairs
from impasto.engine.optim.vectors import Vectors, vectors_for
from impasto.engine.planning.plan import Machine, make_plan
from impasto.engine.run import Pictures, run
from impasto.files.weights.store import load_network
from impasto.nets.network import ConvNetwork, Network
from impasto.nets.topology import COMPACT_WIDTHS, VGG19_WIDTHS, layer_table
from impasto.nets.vgg import vgg19
from impasto.recipe.still import Recipe

WIDTHS = {"compact": COMPACT_WIDTHS, "vgg19": VGG19_WIDTHS}
DTYPES: dict[Precision, torch.dtype] = {"fp32": torch.float32, "bf16": torch.bfloat16}
FLAGS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")
PEAK_SIDES = (1024, 2048)  # of square matrices; the better one counts
EQ5: dict[str, Any] = {
    "style_loss": "gram",
    "layer_weights": "equal",
    "optimizer": "lbfgs",
    "average": 0.0,
    "margin": 0,
}
"""The textbook's objective and optimiser."""
WARM_UP = 3  # steps; a history is full from the third on

Precision = Literal["fp32", "bf16"]
Call = Callable[[], object]
Key = tuple[Any, ...]


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        network: topology.
        size: side of the picture.
        contender: the measured program.
        seconds: median time of an iteration.
        to_textbook: how many times faster than the textbook loop on the same topology.
        to_floor: time divided by that of the best floor.
        to_floor_fp32: time divided by that of the float32 floor.
        of_peak: fraction of the matrix peak, of the contender's precision.

    """

    network: str
    size: int
    contender: str
    seconds: float
    to_textbook: float
    to_floor: float
    to_floor_fp32: float
    of_peak: float


class Steady:
    """The engine's L-BFGS with a full history after its first step, and counted evaluations.

    The first pair is repeated: the same inverse Hessian, in the time of a full history.
    """

    def __init__(self, history: int, vectors: Vectors) -> None:
        self._inner = LBFGS(history=history, vectors=vectors)
        self._history, self._vectors = history, vectors
        self._full = False
        self.evaluations = 0

    def step(self, at: Evaluation, evaluate: Evaluate) -> Evaluation:
        """Make one step of the engine's optimiser."""

        def counted(image: Tensor) -> Evaluation:
            self.evaluations += 1
            return evaluate(image)

        reached = self._inner.step(at, counted)
        if self._full:
            return reached
        state = self.state_dict()
        if len(state["places"]) == 1:
            self._full = True
            pairs = Pairs(self._history, vectors=self._vectors)
            for _ in range(self._history):
                pairs.add(reached, at)
            self.load_state_dict({**state, **pairs.state_dict()})
        return reached

    def state_dict(self) -> dict[str, Any]:
        """The state of the engine's optimiser."""
        return self._inner.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore the result of :meth:`state_dict`."""
        self._inner.load_state_dict(state)


class Engine:
    """An impasto run at one size, step by step.

    Attributes:
        evaluations: of the last step; 1 unless it had to be shortened.

    """

    evaluations = 1

    def __init__(self, network: Network, size: int, precision: Precision, **options: Any) -> None:
        recipe = Recipe(
            size=size, scales=1, steps=(100_000,), device="cpu", precision=precision, **options
        )
        content, style = pictures(size)
        plan = make_plan(recipe, (size, size), [(size, size)])
        self._optimizer = Steady(recipe.history, vectors_for(plan.stages[0], "cpu"))
        make = (lambda: self._optimizer) if recipe.optimizer == "lbfgs" else None
        inputs = Pictures(content, (style,))
        self._states = run(recipe, plan, inputs, network, optimizer=make)

    def __call__(self) -> None:
        """Make one step."""
        before = self._optimizer.evaluations
        next(self._states)
        self.evaluations = max(1, self._optimizer.evaluations - before)


def pictures(size: int) -> tuple[Tensor, Tensor]:
    """A smooth photograph and a busy painting, generated from a seed."""
    ramp = torch.linspace(0, 12, size)
    waves = torch.stack([ramp.sin()[:, None] * (k * ramp).cos() for k in (1, 2, 3)])
    content = 0.5 + 0.4 * waves[None]
    noise = torch.rand(content.shape, generator=torch.Generator().manual_seed(0))
    return content, (content.roll(size // 3, -1) * 0.5 + noise * 0.5).clamp(0, 1)


def networks() -> dict[str, ConvNetwork]:
    """The bundled network, and VGG-19 to conv5_1 with random weights."""
    generator = torch.Generator().manual_seed(0)
    tensors = {}
    for layer in layer_table(VGG19_WIDTHS, last=LAST):
        if layer.kind == "conv":
            shape = (layer.out_channels, layer.in_channels, 3, 3)
            deviation = (2 / (9 * layer.in_channels)) ** 0.5
            tensors[f"{layer.name}.weight"] = torch.randn(shape, generator=generator) * deviation
            tensors[f"{layer.name}.bias"] = torch.zeros(shape[0])
    return {"compact": load_network(Recipe()).network, "vgg19": vgg19(tensors)}


def contenders(
    size: int, names: Sequence[str], precisions: Sequence[Precision]
) -> Iterator[tuple[Key, Call]]:
    """All contenders at one size."""
    known = networks()
    for name in names:
        network = known[name]
        for precision in precisions:
            yield (name, f"impasto {precision}"), Engine(network, size, precision, **EQ5)
            yield (name, f"default recipe {precision}"), Engine(network, size, precision)
        loop = gatys(WIDTHS[name], *pictures(size), average=name == "vgg19")
        yield (name, "textbook"), partial(next, loop)
    shapes = {shape for name in names for shape in convolutions(WIDTHS[name], size)}
    kinds = itertools.product(sorted(shapes), [DTYPES[p] for p in precisions], LAYOUTS, WAYS)
    for kind in kinds:
        yield kind, bare_convolution(*kind)
    for precision, side in itertools.product(precisions, PEAK_SIDES):
        factor = torch.randn(side, side, dtype=DTYPES[precision])
        yield ("peak", precision, side), partial(torch.mm, factor, factor)


def medians(calls: Mapping[Key, Call], repeats: int) -> dict[Key, float]:
    """Median seconds of each call, in turns; a step's time is divided by its evaluations."""
    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    for key, call in calls.items():
        for _ in range(WARM_UP if key[0] in WIDTHS else 1):
            call()
    taken: dict[Key, list[float]] = {key: [] for key in calls}
    for _ in range(repeats):
        for key, call in calls.items():
            start = clock()
            call()
            seconds = clock() - start
            taken[key].append(seconds / call.evaluations if isinstance(call, Engine) else seconds)
    return {key: median(times) for key, times in taken.items()}


def peak(times: Mapping[Key, float], precision: Precision) -> float:
    """Floating-point operations a second of the machine's own matrix product."""
    return max(2 * side**3 / times["peak", precision, side] for side in PEAK_SIDES)


def rows(
    size: int,
    names: Sequence[str],
    seconds_by_call: Mapping[Key, float],
    precisions: Sequence[Precision],
) -> Iterator[Row]:
    """The table's lines for one size."""
    bare = {key: seconds for key, seconds in seconds_by_call.items() if isinstance(key[0], tuple)}
    for name in names:
        widths = WIDTHS[name]
        floors = floor_seconds(widths, size, bare)
        times = {k[1]: t for k, t in seconds_by_call.items() if k[0] == name}
        times["floor, float32 only"] = floors["float32"]
        times["floor, best of all"] = floors["best"]
        for contender, seconds in times.items():
            fast = contender.endswith(("bf16", "best of all"))
            yield Row(
                name,
                size,
                contender,
                seconds,
                times["textbook"] / seconds,
                seconds / floors["best"],
                seconds / floors["float32"],
                operations(widths, size)
                / seconds
                / peak(seconds_by_call, precisions[-1] if fast else "fp32"),
            )


def table(times: Sequence[Row]) -> str:
    """The lines as a Markdown table."""
    lines = [
        "| net | px | contender | ms/iteration | textbook ÷ it | ÷ floor | ÷ fp32 floor | peak |",
        "| --- | --: | --- | --: | --: | --: | --: | --: |",
    ]
    for r in times:
        lines.append(
            f"| {r.network} | {r.size} | {r.contender} | {r.seconds * 1e3:.1f} | "
            f"{r.to_textbook:.2f} | {r.to_floor:.2f} | {r.to_floor_fp32:.2f} | {r.of_peak:.0%} |"
        )
    return "\n".join(lines)


def machine_line() -> str:
    """Processor, its vector units, threads, torch, and how busy the machine is."""
    info, threads = _cpuinfo(), torch.get_num_threads()
    flags = [flag for flag in FLAGS if flag in info.get("flags", "").split()]
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    return (
        f"{info.get('model name', platform.processor())}; {' '.join(flags)}; "
        f"threads: {threads} ({'processor' if threads == 1 else 'wall-clock'} time); "
        f"torch {torch.__version__}; load {load:.1f}"
    )


def measure(sizes: Sequence[int], names: Sequence[str], repeats: int) -> dict[str, Any]:
    """Measure all numbers of a run."""
    precisions: list[Precision] = ["fp32"]
    if "cpu" in Machine.here().fast_bf16:
        precisions.append("bf16")
    lines: list[Row] = []
    peaks: dict[str, float] = {}
    machine = machine_line()
    for size in sizes:
        seconds_by_call = medians(dict(contenders(size, names, precisions)), repeats)
        lines += rows(size, names, seconds_by_call, precisions)
        peaks = {p: peak(seconds_by_call, p) / 1e9 for p in precisions}
    return {"machine": machine, "peak_gflops": peaks, "repeats": repeats, "rows": lines}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and write the requested files."""
    options = _parser().parse_args(arguments)
    if options.threads:
        torch.set_num_threads(options.threads)
    keep()  # as in the command
    sizes = [256] if options.quick else [int(size) for size in options.sizes.split(",")]
    names = [options.network] if options.network else list(WIDTHS)
    result = measure(sizes, names, 3 if options.quick else options.repeats)
    peaks = ", ".join(f"{name} {value:.0f}" for name, value in result["peak_gflops"].items())
    text = (
        f"{table(result['rows'])}\n\nMatrix peak (GFLOP/s): {peaks}. Medians of "
        f"{result['repeats']}, in turns.\nMachine: {result['machine']}."
    )
    print(text)
    if options.page:
        put(options.page, "speed", text)
    if options.out:
        as_json = json.dumps({**result, "rows": [asdict(r) for r in result["rows"]]}, indent=2)
        options.out.write_text((as_json if options.out.suffix == ".json" else text) + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks.speed", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--sizes", default="256,512", help="sides of the pictures, in pixels")
    parser.add_argument("--repeats", type=int, default=7, help="iterations timed of each contender")
    parser.add_argument("--network", choices=WIDTHS, help="this one only")
    parser.add_argument("--threads", type=int, help="torch's own choice when not given")
    parser.add_argument("--quick", action="store_true", help="256 px and 3 repeats only")
    parser.add_argument("--page", type=Path, help="the page whose table is to be updated")
    parser.add_argument("--out", type=Path, help="write the result here too, as .md or .json")
    return parser


def _cpuinfo() -> dict[str, str]:
    path = Path("/proc/cpuinfo")
    if not path.exists():
        return {}
    fields = (line.split(":", 1) for line in path.read_text().splitlines() if ":" in line)
    return {name.strip(): value.strip() for name, value in fields}


if __name__ == "__main__":
    main()
