"""Being stopped: Ctrl-C, a closed terminal and ``kill`` are one and the same, and never a crash."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTED = 130
_SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


class Stopped(KeyboardInterrupt):
    """A signal asked the process to end.

    Attributes:
        status: what the process is to end with, 128 and the signal's number.

    """

    def __init__(self, number: int = signal.SIGINT) -> None:
        super().__init__(number)
        self.status = 128 + number


class Stop:
    """Whether the process was asked to end, and by which signal."""

    signal: int | None = None


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
        raise Stopped(number)

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
