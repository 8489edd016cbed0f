"""What a terminal shows of a run: a bar; plain lines where there is no terminal."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, TypeVar

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TaskProgressColumn,
    TextColumn,
)
from rich.text import Text

from impasto.cli.pace import Pace
from impasto.engine.planning.plan import Plan
from impasto.engine.state import State

if TYPE_CHECKING:
    from impasto.experiments.runner import Progress as Doing

Show = Callable[[State], None]
BatchShow = Callable[[int, str, Plan, State], None]
"""(index, name, plan, state) of one picture of many."""


@contextmanager
def progress_display(plan: Plan, *, quiet: bool) -> Iterator[Show]:
    """A function that shows a state; on standard error, so that output stays clean."""
    console = Console(stderr=True)
    if quiet:
        yield lambda _: None
    elif console.is_terminal:
        with progress_bar(console) as bar:
            yield _bar_show(plan, bar)
    else:
        yield _plain_show(plan)


@contextmanager
def batch_display(count: int, *, quiet: bool) -> Iterator[BatchShow]:
    """A function that shows a state of one of many pictures: one bar over all of them."""
    console = Console(stderr=True)
    if quiet:
        yield lambda *_: None
    elif console.is_terminal:
        with progress_bar(console) as bar:
            yield _batch_bar_show(count, bar)
    else:
        yield _batch_plain_show(count)


@contextmanager
def experiments_display(*, quiet: bool) -> Iterator[Callable[[Doing], None]]:
    """A function that shows how far experiments are: a bar over the cells and one within."""
    console = Console(stderr=True)
    if quiet:
        yield lambda _: None
    elif console.is_terminal:
        with progress_bar(console) as bar:
            yield _experiments_show(bar)
    else:
        yield _plain_experiments_show


def describe(plan: Plan, state: State) -> str:
    """Scale and sizes, and how far the picture is from photograph and painting."""
    stage = plan.stages[state.stage]
    size = f"scale {state.stage + 1}/{len(plan.stages)} {stage.width}x{stage.height}"
    if math.isnan(state.losses.total):  # nothing is optimised
        return size
    content, style = state.weights.distances(state.losses)
    step = f"step {state.step}/{state.steps}"
    return f"{size}  {step}  content {content:.2f} style {style:.3f}"


def progress_bar(console: Console) -> Progress:
    """A bar with a rate and the time left."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        TaskProgressColumn(),
        TextColumn("{task.fields[rate]}"),
        _TimeLeft(),
        console=console,
    )


def _bar_show(plan: Plan, bar: Progress) -> Show:
    task = bar.add_task("reading", total=1.0, rate="")
    rate = _Rate()

    def show(state: State) -> None:
        bar.update(
            task, completed=state.progress, description=describe(plan, state), rate=rate(state)
        )

    return show


def _batch_bar_show(count: int, bar: Progress) -> BatchShow:
    task = bar.add_task("reading", total=float(count), rate="")
    rate = _Rate()

    def show(index: int, name: str, plan: Plan, state: State) -> None:
        description = escape(f"{index + 1}/{count} {name}  {describe(plan, state)}")
        bar.update(
            task, completed=index + state.progress, description=description, rate=rate(state)
        )

    return show


def _batch_plain_show(count: int) -> BatchShow:
    """A line for every picture, when it is done."""

    def show(index: int, name: str, plan: Plan, state: State) -> None:
        if state.step == state.steps:
            share = (index + 1) / count
            print(
                f"{share:4.0%}  {index + 1}/{count} {name}  {describe(plan, state)}",
                file=sys.stderr,
            )

    return show


def _experiments_show(bar: Progress) -> Callable[[Doing], None]:
    cells = bar.add_task("cells", total=None, rate="")
    within = bar.add_task("", total=1.0, rate="")
    rate = _Rate()

    def show(doing: Doing) -> None:
        state = doing.state
        share = state.progress if state else 0.0
        words = escape(f"{doing.experiment}: {doing.label}")
        bar.update(cells, total=doing.count, completed=doing.done + share, description=words)
        if state and doing.plan:
            about = describe(doing.plan, state)
            bar.update(within, completed=share, description=about, rate=rate(state))

    return show


def _plain_experiments_show(doing: Doing) -> None:
    """A line for every cell, when it starts."""
    if doing.state is None:
        share = doing.done / max(1, doing.count)
        place = f"{doing.done}/{doing.count}"
        print(f"{share:4.0%}  {place} {doing.experiment}: {doing.label}", file=sys.stderr)


def _plain_show(plan: Plan) -> Show:
    rate = _Rate()
    return at_tenths(lambda state: f"{describe(plan, state)}  {rate(state)}")


class _InProgress(Protocol):
    """Whatever knows how much of its work is done, in [0, 1]."""

    @property
    def progress(self) -> float: ...


S = TypeVar("S", bound=_InProgress)


def at_tenths(line: Callable[[S], str]) -> Callable[[S], None]:
    """Says a line at every tenth of the work; the line is made of every state."""
    shown = -1

    def show(state: S) -> None:
        nonlocal shown
        text, tenth = line(state), int(state.progress * 10)
        if tenth > shown:
            shown = tenth
            print(f"{state.progress:4.0%}  {text}", file=sys.stderr)

    return show


def lasting(seconds: float) -> str:
    """A time to wait, in the unit that one would say it in."""
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= 1.5 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(1, seconds):.0f} s"


class _TimeLeft(ProgressColumn):
    """Minutes and seconds left, by the pace of late."""

    def __init__(self) -> None:
        super().__init__()
        self._paces: dict[TaskID, Pace] = {}

    def render(self, task: Task) -> Text:
        left = None
        if task.total:
            pace = self._paces.setdefault(task.id, Pace())
            left = pace.left(task.get_time(), task.completed / task.total)
        return Text("--:--" if left is None else _clock(left), style="progress.remaining")


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


class _Rate:
    """Steps a second at the current scale, smoothed over about ten steps."""

    def __init__(self) -> None:
        self._at = time.monotonic()
        self._stage = -1
        self._seconds = 0.0

    def __call__(self, state: State) -> str:
        now = time.monotonic()
        passed, self._at = now - self._at, now
        if state.stage != self._stage:
            self._stage, self._seconds = state.stage, passed
        else:
            self._seconds += 0.1 * (passed - self._seconds)
        return f"{1 / self._seconds:.1f} it/s" if self._seconds > 0 else ""
