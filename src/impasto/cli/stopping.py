"""Being stopped: Ctrl-C, a closed terminal and ``kill`` are treated alike, and are never a crash.

The first signal ends a run once the step in hand is done, and everything else at once; what there
is is then kept. A second one ends all of it at once, and what is on the disk stays as it is.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from impasto.engine.interrupts import hold_back

INTERRUPTED = 130
_SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


class Stopped(KeyboardInterrupt):
    """A signal asked the process to end.

    Attributes:
        status: what the process is to end with, 128 and the signal's number.
        at_once: it is the second signal, after which nothing is kept any more.

    """

    def __init__(self, number: int = signal.SIGINT, *, at_once: bool = False) -> None:
        super().__init__(number)
        self.status = 128 + number
        self.at_once = at_once


class Stop:
    """Whether the process was asked to end, by which signal, and how often."""

    signal: int | None = None
    times = 0


@contextmanager
def stoppable(*, to_the_end: bool) -> Iterator[Stop]:
    """Signals that ask for an end raise :class:`Stopped` in the block, where they are not ignored.

    Args:
        to_the_end: the process ends after the block, where there is nothing left to stop.

    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def handle(number: int, _: FrameType | None) -> None:
        stop.signal = number
        stop.times += 1
        stopped = Stopped(number, at_once=stop.times > 1)
        if stopped.at_once or not hold_back(stopped):
            raise stopped
        with suppress(OSError):
            if os.isatty(2):  # a step may take a while
                os.write(2, b"\nimpasto: ends after this step; once more ends at once.\n")

    before = {number: signal.getsignal(number) for number in _SIGNALS}
    before = {number: old for number, old in before.items() if old != signal.SIG_IGN}
    for number in before:
        signal.signal(number, handle)
    try:
        yield stop
    finally:
        for number, old in before.items():
            signal.signal(number, signal.SIG_IGN if to_the_end else old)


def status_of(error: KeyboardInterrupt) -> int:
    """The exit status after an interruption."""
    return error.status if isinstance(error, Stopped) else INTERRUPTED


def ends_at_once(error: KeyboardInterrupt) -> bool:
    """Whether an interruption leaves no time to keep what there is."""
    return isinstance(error, Stopped) and error.at_once
