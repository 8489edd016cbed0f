"""What a terminal shows of a run: a bar; plain lines where there is no terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from impasto.engine.plan import Plan
from impasto.engine.state import State
from impasto.films import FilmState

Show = Callable[[State], None]
FilmShow = Callable[[FilmState], None]
BatchShow = Callable[[int, str, Plan, State], None]
"""(index, name, plan, state) of one picture of many."""


@contextmanager
def progress_display(plan: Plan, *, quiet: bool) -> Iterator[Show]:
    """A function that shows a state; on standard error, so that output stays clean."""
    console = Console(stderr=True)
    if quiet:
        yield lambda _: None
    elif console.is_terminal:
        with _bar(console) as bar:
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
        with _bar(console) as bar:
            yield _batch_bar_show(count, bar)
    else:
        yield _batch_plain_show(count)


@contextmanager
def film_display(*, quiet: bool) -> Iterator[FilmShow]:
    """A function that shows a state of a film: one bar over all its frames."""
    console = Console(stderr=True)
    if quiet:
        yield lambda _: None
    elif console.is_terminal:
        with _bar(console) as bar:
            yield _film_bar_show(bar)
    else:
        yield _film_plain_show()


def describe(plan: Plan, state: State) -> str:
    """Scale and sizes, and how far the picture is from photograph and painting."""
    stage = plan.stages[state.stage]
    content, style = state.weights.distances(state.losses)
    return (
        f"scale {state.stage + 1}/{len(plan.stages)} {stage.width}x{stage.height}  "
        f"step {state.step}/{state.steps}  content {content:.2f} style {style:.3f}"
    )


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        TaskProgressColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(compact=True),
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


def _film_bar_show(bar: Progress) -> FilmShow:
    task = bar.add_task("reading", total=1.0, rate="")
    rate = _FrameRate()

    def show(state: FilmState) -> None:
        bar.update(
            task, completed=state.progress, description=_describe_frame(state), rate=rate(state)
        )

    return show


def _film_plain_show() -> FilmShow:
    """A line at every tenth of the work."""
    rate, shown = _FrameRate(), -1

    def show(state: FilmState) -> None:
        nonlocal shown
        speed, tenth = rate(state), int(state.progress * 10)
        if tenth > shown:
            shown = tenth
            print(f"{state.progress:4.0%}  {_describe_frame(state)}  {speed}", file=sys.stderr)

    return show


def _describe_frame(state: FilmState) -> str:
    frame = f"frame {state.index + 1}/{state.frames}"
    if state.state is None:
        return f"{frame}  done"
    content, style = state.state.weights.distances(state.state.losses)
    return f"{frame}  step {state.state.step}  content {content:.2f} style {style:.3f}"


def _plain_show(plan: Plan) -> Show:
    """A line at every tenth of the work."""
    rate, shown = _Rate(), -1

    def show(state: State) -> None:
        nonlocal shown
        speed, tenth = rate(state), int(state.progress * 10)
        if tenth > shown:
            shown = tenth
            print(f"{state.progress:4.0%}  {describe(plan, state)}  {speed}", file=sys.stderr)

    return show


class _FrameRate:
    """Seconds a finished frame, smoothed over about ten of them."""

    def __init__(self) -> None:
        self._at = time.monotonic()
        self._seconds = 0.0

    def __call__(self, state: FilmState) -> str:
        if state.state is None:
            now = time.monotonic()
            passed, self._at = now - self._at, now
            weight = 0.1 if self._seconds else 1.0
            self._seconds += weight * (passed - self._seconds)
        return f"{self._seconds:.2f} s a frame" if self._seconds else ""


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
