"""The one loop that carries a job out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import TypeVar

from impasto.errors import RecipeError

S = TypeVar("S")


def carry_out(
    states: Iterable[S],
    *observers: Callable[[S], object],
    until: Callable[[S], bool] = lambda _: False,
) -> None:
    """Go through a job's states.

    Args:
        states: the job.
        observers: are told of each state in this order: a progress bar, a checkpoint, a preview.
            What one raises ends the job there, as Ctrl-C does.
        until: True at the last state that is needed.

    """
    for state in states:
        for tell in observers:
            tell(state)
        if until(state):
            break


def stopper(
    timeout: float | None = None, cancel: threading.Event | None = None
) -> Callable[[object], bool]:
    """What tells, at each state, whether a run is to end with it: for ``until``.

    Args:
        timeout: seconds from now on; None for as long as it takes.
        cancel: is set, by whichever thread, to end the run.

    Raises:
        RecipeError: the timeout is no number of seconds.

    """
    if timeout is not None and not timeout >= 0:
        raise RecipeError("timeout must be a number of seconds, or None.")
    end = None if timeout is None else time.monotonic() + timeout

    def is_over(_: object) -> bool:
        return (end is not None and time.monotonic() >= end) or (
            cancel is not None and cancel.is_set()
        )

    return is_over
