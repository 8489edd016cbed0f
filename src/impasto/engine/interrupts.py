"""A request to end that comes inside a step waits until the step is done.

Inside a step the optimiser's memory has moved and the picture has not, so a run that ended there
could not be resumed. Nothing here asks for signals: a program's own handler hands over what it
would raise (:func:`hold_back`), as the command's does. Each thread is by itself.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

S = TypeVar("S")


class _Here(threading.local):
    """What this thread is doing.

    Attributes:
        is_held: what would be raised waits.
        waiting: what is to be raised, if anything.

    """

    is_held = False
    waiting: BaseException | None = None


_here = _Here()


def hold_back(error: BaseException) -> bool:
    """Have an error raised when this thread's step is done; False where there is none."""
    if not _here.is_held:
        return False
    _here.waiting = error
    return True


def whole_steps(states: Iterator[S]) -> Iterator[S]:
    """The same states; what is held back while one is made is raised once it is there."""
    while True:
        with held():
            state = next(states, None)
        if state is None:
            return
        yield state


@contextmanager
def held() -> Iterator[None]:
    """In the block a request to end waits for its end: for what another language's code does."""
    before, _here.is_held = _here.is_held, True
    try:
        yield
    except KeyboardInterrupt:
        _here.waiting = None  # that is the end already
        raise
    finally:
        _here.is_held = before
        if not before:
            _raise_waiting()


@contextmanager
def let_through() -> Iterator[None]:
    """In the block nothing waits: what is done there changes nothing of the steps before it."""
    before, _here.is_held = _here.is_held, False
    try:
        _raise_waiting()
        yield
    finally:
        _here.is_held = before


def _raise_waiting() -> None:
    if (error := _here.waiting) is not None:
        _here.waiting = None
        raise error
