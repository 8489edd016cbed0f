"""Time to the loss of a textbook run: same network, objective, start and pictures.

    python -m benchmarks.iterations PHOTOS PAINTINGS [--pairs 8] [--size 512] [--evaluations 500]
                                    [--prices FILE] [--page FILE]

*Textbook*: one scale, float32 NCHW, ``torch.optim.LBFGS`` with a history of 20, this many
evaluations from the photograph; its loss is that of the clipped picture. *impasto*: a run with the
report's objective by L-BFGS and the default's sizes and steps, but at full size as many steps
as it needs to reach that loss.
Both losses are evaluated in float32 with impasto's own objective; their time is not counted.

On a shared machine long wall-clock times are unreliable. So a run's time is its evaluations at
each size times the time of one evaluation there, which is measured in turns, as medians.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor

from benchmarks.contenders import REPORT
from benchmarks.page import put
from benchmarks.pairs import Pair, add_pair_options, pairs_of
from benchmarks.speed import EQ5, Engine, Key, Precision, medians, pictures
from benchmarks.textbook import gatys
from impasto import Job, Stylizer
from impasto.engine.objective.objective import Objective
from impasto.engine.planning.stages import Stage
from impasto.files.pictures.images import read_picture
from impasto.nets.network import ConvNetwork
from impasto.nets.topology import COMPACT_WIDTHS
from impasto.ops.inits import resize

HISTORY = 20  # of the textbook's L-BFGS
OURS: dict[str, Any] = {**REPORT, "steps": (100, 50, 50, 50, 300)}
HEADING = (
    "| photograph | painting | textbook's loss | textbook, s | impasto, s | ÷ |",
    "| --- | --- | --: | --: | --: | --: |",
)


@dataclass(frozen=True)
class Outcome:
    """The result for one pair.

    Attributes:
        photo: name of the photograph.
        painting: name of the painting.
        textbook: the textbook's loss.
        ours: impasto's loss at that point, or after its last step.
        textbook_seconds: the textbook's time.
        seconds: impasto's time to the textbook's loss; infinite if it was not reached.
        like_for_like: impasto's time if every evaluation took as long as the textbook's.

    """

    photo: str
    painting: str
    textbook: float
    ours: float
    textbook_seconds: float
    seconds: float
    like_for_like: float


def textbook_loss(objective: Objective, start: Tensor, evaluations: int) -> float:
    """Loss of the clipped picture after this many evaluations."""
    x = start.clone().requires_grad_()
    optimizer = torch.optim.LBFGS(
        [x], max_iter=1, history_size=HISTORY, tolerance_grad=0, tolerance_change=0
    )

    def closure() -> float:
        evaluation = objective.evaluate(x.detach())
        x.grad = evaluation.gradient
        return evaluation.losses.total

    for _ in range(evaluations):
        optimizer.step(closure)  # type: ignore[no-untyped-call]
    return objective.evaluate(x.detach().clamp(0, 1)).losses.total


def losses_of(job: Job, objective: Objective, every: int = 5) -> Iterator[tuple[int, int, float]]:
    """(stage, its step, loss in float32) for states of the last stage, about one in ``every``."""
    last = len(job.plan.stages) - 1
    for state in job:
        step = state.step - job.plan.steps_before(state.stage)
        if state.stage == last and (step % every == 0 or state.step == state.steps):
            yield last, step, objective.evaluate(state.image.clone()).losses.total


def exact_objective(stylizer: Stylizer, pair: Pair, job: Job) -> Objective:
    """The float32 objective of a job's last stage."""
    stage, recipe = job.plan.stages[-1], job.recipe
    content, style = (read_picture(path).tensor for path in pair)
    network = stylizer.network
    if isinstance(network, ConvNetwork):
        network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Objective(
        recipe,
        network,
        resize(content, stage.height, stage.width),
        [resize(style, *size) for size in stage.styles],
    )


def prices(stages: Sequence[Stage], size: int, repeats: int) -> dict[Key, float]:
    """Seconds of one evaluation with its share of the optimiser, for impasto and the textbook."""
    network = Stylizer().network
    assert isinstance(network, ConvNetwork)
    calls: dict[Key, Callable[[], object]] = {}
    kinds: set[tuple[int, Precision]] = {(max(s.height, s.width), s.precision) for s in stages}
    exact: tuple[int, Precision] = (size, "fp32")
    for side, precision in sorted(kinds | {exact}):
        calls["compact", side, precision] = Engine(network, side, precision, **EQ5)
    for side in sorted({side for side, _ in kinds}):
        loop = gatys(COMPACT_WIDTHS, *pictures(side), history=HISTORY, average=False)
        calls["compact", side, "textbook"] = partial(next, loop)
    return medians(calls, repeats)


def outcome(
    stylizer: Stylizer, pair: Pair, size: int, evaluations: int, price: Mapping[Key, float]
) -> Outcome:
    """Run both on one pair."""
    job = stylizer.job(*pair, size=size, **OURS)
    objective = exact_objective(stylizer, pair, job)
    stage = job.plan.stages[-1]
    start = resize(read_picture(pair[0]).tensor, stage.height, stage.width)
    goal = textbook_loss(objective, start, evaluations)
    seconds = plain = float("inf")
    loss = float("nan")
    for index, step, loss in losses_of(job, objective):
        if loss <= goal:
            seconds = _spent(job.plan.stages, index, step, price)
            plain = _spent(job.plan.stages, index, step, price, kind="textbook")
            break
    area = stage.height * stage.width / size**2
    each = price["compact", size, "textbook"] * area
    return Outcome(pair[0].stem, pair[1].stem, goal, loss, evaluations * each, seconds, plain)


def _spent(
    stages: Sequence[Stage],
    index: int,
    step: int,
    price: Mapping[Key, float],
    kind: str | None = None,
) -> float:
    """Seconds up to a step of a stage; each stage's start also takes an evaluation."""
    steps = [stage.steps for stage in stages[:index]] + [step]
    total = 0.0
    for stage, count in zip(stages, steps, strict=False):
        side = max(stage.height, stage.width)
        area = stage.height * stage.width / side**2
        total += (count + 1) * area * price["compact", side, kind or stage.precision]
    return total


def main() -> None:
    """Print a row for each pair, then the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add_pair_options(parser, pairs=8)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--evaluations", type=int, default=500, help="of the textbook run")
    parser.add_argument("--repeats", type=int, default=7, help="evaluations timed for each price")
    parser.add_argument("--prices", type=Path, help="read the prices here; written if missing")
    parser.add_argument("--out", type=Path, help="write the outcomes here too, as .json")
    parser.add_argument("--page", type=Path, help="the page whose table is to be updated")
    options = parser.parse_args()
    stylizer, pairs = Stylizer(), pairs_of(options)
    plans = [stylizer.job(*pair, size=options.size, **OURS).plan for pair in pairs]
    stages = [stage for plan in plans for stage in plan.stages]
    price = _prices(options, stages)
    outcomes = []
    for pair in pairs:
        outcomes.append(outcome(stylizer, pair, options.size, options.evaluations, price))
        print(_line(outcomes[-1]), flush=True)
    summary = _summary(outcomes, price, options.size)
    print(summary)
    if options.page:
        put(
            options.page,
            "iterations",
            "\n".join([*HEADING, *map(_line, outcomes), "", summary, ""]),
        )
    if options.out:
        options.out.write_text(json.dumps([asdict(each) for each in outcomes], indent=2) + "\n")


def _prices(options: argparse.Namespace, stages: Sequence[Stage]) -> dict[Key, float]:
    path: Path | None = options.prices
    if path and path.exists():
        return {tuple(key): seconds for key, seconds in json.loads(path.read_text())}
    measured = prices(stages, options.size, options.repeats)
    if path:
        path.write_text(json.dumps([[list(key), s] for key, s in measured.items()]) + "\n")
    return measured


def _line(o: Outcome) -> str:
    return (
        f"| {o.photo} | {o.painting} | {o.textbook:.5f} | {o.textbook_seconds:.1f} | "
        f"{o.seconds:.2f} | 1/{o.textbook_seconds / o.seconds:.1f} |"
    )


def _summary(outcomes: Sequence[Outcome], price: Mapping[Key, float], size: int) -> str:
    whole = [o.textbook_seconds / o.seconds for o in outcomes]
    fewer = [o.textbook_seconds / o.like_for_like for o in outcomes]
    book = price["compact", size, "textbook"]
    cheaper = ", ".join(
        f"{precision} {book / price['compact', size, precision]:.2f}"
        for precision in ("fp32", "bf16")
        if ("compact", size, precision) in price
    )
    return (
        f"Median 1/{median(whole):.1f} of the textbook's time, never more than 1/{min(whole):.1f}; "
        f"by fewer evaluations at full size: {median(fewer):.1f} in the median, "
        f"{min(fewer):.1f} at least; by faster evaluations at {size} px: {cheaper}."
    )


if __name__ == "__main__":
    main()
