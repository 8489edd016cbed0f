"""The one loop that carries a job out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

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
