"""Contenders with equal time: the time of a step of each, and the resulting number of steps."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.contenders import REFERENCE, REPORT_STEPS, Contender, Scene
from benchmarks.notes import Notes
from benchmarks.pairs import Pair
from impasto.engine.run import Pictures, recolored
from impasto.files.pictures.images import read_picture
from impasto.jobs.still import Job
from impasto.jobs.stylizer import Stylizer
from impasto.ops.inits import resize

WARM_UP, TIMED = 12, 7  # steps; the history of L-BFGS is full after ten

Paces = dict[str, list[float]]
"""By contender: seconds a step at each of its sizes, coarse to fine."""


@dataclass(frozen=True)
class Entry:
    """A contender on a pair, with its strength."""

    contender: Contender
    pair: Pair
    size: int
    options: Mapping[str, Any]

    def job(self, steps: Sequence[int]) -> Job:
        """The job of the picture, with these steps at each size."""
        stylizer = Stylizer(**{**self.contender.options, **self.options, "size": self.size})
        recipe = stylizer.defaults
        content, style = (read_picture(path).size for path in self.pair)
        by_size = dict(zip(self.contender.sizes(self.size), steps, strict=True))
        plan = self.contender.plan(recipe, content, style, by_size)
        return stylizer.start(recipe, *self.pair, plan=plan)

    def scene(self) -> Scene:
        """The pictures at the sizes of the last stage."""
        job = self.job([1] * len(self.contender.sizes(self.size)))
        content, style = (read_picture(path).tensor for path in self.pair)
        given = recolored(job.recipe, Pictures(content, (style,)))
        stage = job.plan.stages[-1]
        return Scene(
            job.recipe,
            Stylizer(**{**self.contender.options, **self.options}).network,
            resize(given.content, stage.height, stage.width),
            tuple(resize(style, *size) for size in stage.styles),
        )


@dataclass(frozen=True)
class Round:
    """Contenders at one size, with their paces and the budget in seconds."""

    size: int
    paces: Paces
    budget: float

    def steps(self, contender: Contender) -> tuple[int, ...]:
        """Steps at each size."""
        return contender.steps(self.paces[contender.name], self.budget)

    def job(self, contender: Contender, pair: Pair, **options: Any) -> Job:
        """The job of the picture, with the contender's own weights or options of the recipe."""
        entry = Entry(contender, pair, self.size, options)
        if contender.balance is not None:
            entry = replace(entry, options=contender.balance(entry.scene()))
        return entry.job(self.steps(contender))

    def make(self, contender: Contender, pair: Pair, folder: Path, **options: Any) -> None:
        """Make the picture and its record in a folder, unless they exist."""
        path = folder / f"{contender.name}.png"
        if path.exists():
            return
        job = self.job(contender, pair, **options)
        for _ in job:
            pass
        result = job.result()
        result.save(path, overwrite=True)  # a record without its picture may remain
        facts = result.record["result"]
        print(f"{folder.name:40} {contender.name:20} {facts['seconds']:.1f} s", flush=True)


def prepare(
    contenders: Sequence[Contender],
    pair: Pair,
    size: int,
    notes: Notes,
    *,
    clock: Callable[[], float],
    budget: float | None = None,
) -> Round:
    """Paces at one size, measured unless the notes have them; and the budget in seconds.

    The reference is measured every time, and later measurements are scaled to it.
    """
    known: Paces = notes.of(f"pace {size}")
    missing = [each for each in contenders if each.name not in known and each != REFERENCE]
    if missing or REFERENCE.name not in known:
        paces_by_name = measure_paces([REFERENCE, *missing], pair, size, clock)
        reference = known.get(REFERENCE.name, paces_by_name[REFERENCE.name])
        level = sum(reference) / sum(paces_by_name[REFERENCE.name])
        known |= {name: [level * pace for pace in paces] for name, paces in paces_by_name.items()}
        notes.keep(f"pace {size}", known)
    default = sum(n * pace for n, pace in zip(REPORT_STEPS, known[REFERENCE.name], strict=False))
    contest_round = Round(size, known, budget or default)
    for each in contenders:
        steps = "+".join(map(str, contest_round.steps(each)))
        print(
            f"{size} px  {each.name:20} {steps} steps in {contest_round.budget:.1f} s", flush=True
        )
    return contest_round


def measure_paces(
    contenders: Sequence[Contender], pair: Pair, size: int, clock: Callable[[], float]
) -> Paces:
    """Median seconds a step of each contender at each of its sizes, all in turns."""
    paces: Paces = {each.name: [] for each in contenders}
    for side in sorted({side for each in contenders for side in each.sizes(size)}):
        present = [each for each in contenders if side in each.sizes(size)]
        runs = [_stage_alone(each, pair, size, side) for each in present]
        times: list[list[float]] = [[] for _ in runs]
        for step in range(WARM_UP + TIMED):
            for run, seconds in zip(runs, times, strict=True):
                start = clock()
                next(run)
                if step >= WARM_UP:
                    seconds.append(clock() - start)
        for each, seconds in zip(present, times, strict=True):
            paces[each.name].append(median(seconds))
    return paces


def clock_for(threads: int) -> Callable[[], float]:
    """Processor time for one thread, which other programs hardly affect; else wall-clock time."""
    return time.process_time if threads == 1 else time.perf_counter


def _stage_alone(contender: Contender, pair: Pair, size: int, side: int) -> Iterator[object]:
    """The steps of one stage, with the precision that it has in the whole run."""
    sizes = contender.sizes(size)
    job = Entry(contender, pair, size, {}).job([WARM_UP + TIMED + 1] * len(sizes))
    stage = job.plan.stages[sizes.index(side)]
    plan = replace(job.plan, stages=(stage,))
    states = iter(Stylizer(**{**contender.options, "size": side}).job(*pair, plan=plan))
    next(states)  # the start is not a step
    return states
