"""What a terminal shows of a film in the making: one bar over all its frames."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress

from impasto.cli.progress import at_tenths, progress_bar
from impasto.jobs.film import FilmState

FilmShow = Callable[[FilmState], None]


@contextmanager
def film_display(*, quiet: bool) -> Iterator[FilmShow]:
    """A function that shows a state of a film: one bar over all its frames."""
    console = Console(stderr=True)
    if quiet:
        yield lambda _: None
    elif console.is_terminal:
        with progress_bar(console) as bar:
            yield _film_bar_show(bar)
    else:
        yield _film_plain_show()


def _film_bar_show(bar: Progress) -> FilmShow:
    task = bar.add_task("reading", total=1.0, rate="")
    rate = _FrameRate()

    def show(state: FilmState) -> None:
        bar.update(
            task, completed=state.progress, description=_describe_frame(state), rate=rate(state)
        )

    return show


def _film_plain_show() -> FilmShow:
    rate = _FrameRate()
    return at_tenths(lambda state: f"{_describe_frame(state)}  {rate(state)}")


def _describe_frame(state: FilmState) -> str:
    frame = f"frame {state.index + 1}/{state.frames}"
    if state.state is None:
        return f"{frame}  done"
    content, style = state.state.weights.distances(state.state.losses)
    return f"{frame}  step {state.state.step}  content {content:.2f} style {style:.3f}"


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
