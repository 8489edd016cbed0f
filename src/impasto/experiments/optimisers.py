"""Section 2.4: comparing optimisers."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from torch import Tensor

from impasto.engine.objective.objective import Evaluation, Objective
from impasto.engine.optim.optimize import make_optimizer
from impasto.experiments.lab import Lab
from impasto.experiments.model import Cell, Check, Diagram, Experiment, Finding
from impasto.ops.inits import white_noise
from impasto.plots.lines import Plot, Series
from impasto.recipe.still import Recipe

# Learning rates were chosen on another pair (scikit-image's astronaut) before any full run.
OPTIMISERS: dict[str, dict[str, Any]] = {
    "L-BFGS": {"optimizer": "lbfgs"},
    "Adam": {"optimizer": "adam", "learning_rate": 0.05},
    "SGD with momentum": {"optimizer": "sgd", "learning_rate": 0.02},
}


def _cells(_: Lab) -> Sequence[Cell]:
    return [Cell(name, options) for name, options in OPTIMISERS.items()]


def _measure(lab: Lab) -> Finding:
    traces = {name: _cached_trace(lab, name) for name in OPTIMISERS}
    best = traces["L-BFGS"]
    budget = lab.preset.steps
    minutes = best[-1][1]
    at_evaluations = {name: _lowest(trace, budget, 0) for name, trace in traces.items()}
    at_time = {name: _lowest(trace, minutes, 1) for name, trace in traces.items()}
    first_order = [name for name in OPTIMISERS if name != "L-BFGS"]
    plots = [
        Plot(
            label,
            "total loss",
            [Series(name, [(p[at], p[2]) for p in t if p[at] > 0]) for name, t in traces.items()],
            log_x=True,
            log_y=True,
        )
        for at, label in enumerate(("evaluations", "seconds"))
    ]
    return Finding(
        {
            "at equal evaluations": min(at_evaluations[n] for n in first_order)
            / at_evaluations["L-BFGS"],
            "at equal time": min(at_time[n] for n in first_order) / at_time["L-BFGS"],
            **{
                f"{n}, at equal evaluations": at_evaluations[n] / at_evaluations["L-BFGS"]
                for n in first_order
            },
        },
        {
            "loss at n evaluations": at_evaluations,
            "loss in L-BFGS's time": at_time,
            "evaluations a step": {n: (t[-1][0] - 1) / (len(t) - 1) for n, t in traces.items()},
        },
        [
            Diagram(plot.svg(), f"Total loss over {plot.x_label}, from white noise.")
            for plot in plots
        ],
        ["Losses are the lowest reached so far, over L-BFGS's; 1 is no difference."],
    )


Point = Sequence[float]  # evaluations, seconds, total loss


def _cached_trace(lab: Lab, name: str) -> list[Point]:
    cell = Cell(name, OPTIMISERS[name])
    key = [lab.cell_path(cell).name, lab.preset.steps]
    points: list[Point] = lab.cached("trace", key, lambda: {"points": list(_trace(lab, cell))})[
        "points"
    ]
    return points


def _trace(lab: Lab, cell: Cell) -> Iterator[Point]:
    """Run the optimiser of a cell again, counting evaluations and seconds."""
    recipe = Recipe.from_dict(lab.options(cell))
    content, style = lab.pictures["photograph"], lab.pictures["painting"]
    objective = Objective(recipe, lab.networks["own"].network, content, [style])
    count = 0

    def evaluate(image: Tensor) -> Evaluation:
        nonlocal count
        count += 1
        return objective.evaluate(image)

    at = evaluate(white_noise(*content.shape[-2:], seed=recipe.seed))
    optimizer, start = make_optimizer(recipe), time.monotonic()
    yield count, 0.0, at.losses.total
    while count < lab.preset.steps:
        after = optimizer.step(at, evaluate)
        if after is at:
            return
        at = after
        yield count, time.monotonic() - start, at.losses.total


def _lowest(trace: Sequence[Point], budget: float, at: int) -> float:
    """Lowest loss within a budget of evaluations (0) or seconds (1)."""
    return min(point[2] for point in trace if point[at] <= budget)


def _extra(lab: Lab) -> float:
    height, width = lab.pictures["photograph"].shape[-2:]
    return float(len(OPTIMISERS) * lab.preset.steps * height * width)


OPTIMISERS_COMPARED = Experiment(
    name="optimisers",
    section="2.4",
    claim="With an efficient first-order optimiser there is no difference to L-BFGS.",
    cells=_cells,
    measure=_measure,
    checks=(
        Check(
            "at equal evaluations",
            "at most",
            1.1,
            "loss of the better first-order optimiser over L-BFGS's, after n evaluations",
        ),
        Check(
            "at equal time",
            "at most",
            1.1,
            "loss of the better first-order optimiser over L-BFGS's, in L-BFGS's time",
        ),
    ),
    extra=_extra,
    columns=3,
    caption="The same white noise, n steps of each.",
)
