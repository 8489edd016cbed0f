"""Running experiments: a stream of progress, and the outcomes at its end."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from impasto.engine.planning.plan import Plan
from impasto.engine.state import State
from impasto.errors import RecipeError
from impasto.experiments.lab import Lab
from impasto.experiments.model import Cell, Experiment, Outcome, Sheet, no_cells
from impasto.experiments.page import write_page
from impasto.experiments.report import write_outcome
from impasto.experiments.sheets import grid
from impasto.plots.canvas import check_matplotlib
from impasto.shortage import memory_told

TRIAL_STEPS = 3


@dataclass(frozen=True)
class Progress:
    """The progress of a run.

    Attributes:
        experiment: the name of the current one.
        label: of the cell, or of another activity.
        done: finished cells, of all experiments.
        count: cells known so far.
        plan: of the cell; None between cells.
        state: of the cell; None between cells.

    """

    experiment: str
    label: str
    done: int
    count: int
    plan: Plan | None = None
    state: State | None = None


Stream = Generator[Progress, None, list[Outcome]]


def run(experiments: Sequence[Experiment], lab: Lab) -> Stream:
    """Make the missing cells, measure, and write every experiment's folder.

    To stop, stop iterating; another run continues with the first incomplete cell.

    Raises:
        ImpastoError: with one sentence that says what to do.

    """
    check_matplotlib()
    with memory_told():
        return (yield from _run(experiments, lab))


def _run(experiments: Sequence[Experiment], lab: Lab) -> Stream:
    outcomes: list[Outcome] = []
    known = [(each, each.cells(lab)) for each in experiments]
    for cell in (cell for _, cells in known for cell in cells):
        lab.plan(cell)  # reports a missing picture before any work
    done, count = 0, sum(len(cells) for _, cells in known)
    for experiment, first in known:
        lab.made = {}
        for cells in _waves(experiment, first, lab):
            count += len(cells) if cells is not first else 0
            for cell in cells:
                yield from _making(Progress(experiment.name, cell.label, done, count), cell, lab)
                done += 1
            yield Progress(experiment.name, "measuring", done, count)
        outcomes.append(_outcome(experiment, lab))
        write_outcome(outcomes[-1], lab)
    return outcomes


def _waves(experiment: Experiment, first: Sequence[Cell], lab: Lab) -> Iterator[Sequence[Cell]]:
    yield first
    if experiment.then is not no_cells:
        yield experiment.then(lab)


def _making(at: Progress, cell: Cell, lab: Lab) -> Iterator[Progress]:
    yield at
    plan = lab.plan(cell)
    for state in lab.make(cell):
        yield replace(at, plan=plan, state=state)


def carry_out(
    experiments: Sequence[Experiment], lab: Lab, *, title: str = "The report's experiments"
) -> list[Outcome]:
    """Read the stream of :func:`run` to its end, and write the page of its outcomes."""
    stream = run(experiments, lab)
    while True:
        try:
            next(stream)
        except StopIteration as end:
            outcomes: list[Outcome] = end.value
            write_page(outcomes, lab, title=title)
            return outcomes


def predicted_seconds(experiments: Sequence[Experiment], lab: Lab) -> float:
    """Estimated time for the missing cells, from a few steps of one cell."""
    cells = {lab.cell_path(c): c for each in experiments for c in each.cells(lab)}
    work = {path: lab.work(cell) for path, cell in cells.items()}
    if not any(work.values()):
        return 0.0
    total = sum(work.values()) + sum(each.extra(lab) for each in experiments)
    return total * _seconds_per_work(lab, cells[max(work, key=lambda path: work[path])])


def _seconds_per_work(lab: Lab, cell: Cell) -> float:
    """Seconds for one step on one pixel for the lab's network, on this machine at present."""
    states = iter(lab.job(cell))
    next(states)
    start = time.monotonic()
    steps = sum(1 for _ in islice(states, TRIAL_STEPS))
    plan = lab.plan(cell)
    return (time.monotonic() - start) * plan.steps / (max(1, steps) * lab.work(cell))


def _outcome(experiment: Experiment, lab: Lab) -> Outcome:
    finding = experiment.measure(lab)
    missing = [check.name for check in experiment.checks if check.name not in finding.numbers]
    if missing:
        raise RecipeError(
            f"The measurement of {experiment.name!r} gives no number {missing[0]!r}, which a check "
            "asks for: add it."
        )
    made = list(lab.made.values())
    shown = [(each.cell.label, each.image) for each in made if each.cell.shown]
    first = [Sheet(grid(shown, experiment.columns), experiment.caption)] if shown else []
    return Outcome(
        experiment,
        made,
        finding,
        [*first, *finding.figures],
        {each.cell.label: lab.command(each.cell) for each in made},
    )
