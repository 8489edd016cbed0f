"""How torch's threads wait for each other while the machine has other work too.

GNU OpenMP's threads spin at every barrier. That is fastest as long as each has a processor for
itself; beside another busy program they spin for one that is not running, and keep it from its
turn. So between steps the time is read for which threads waited for a processor, and as
long as that is much, they sleep at barriers. Neither changes a bit of any result.

GNU OpenMP has no call for that, but lets its threads sleep at once while it manages more of them
than there are processors: a team of idle threads makes it so (docs/performance.md). With another
OpenMP, on another system, or where ``OMP_WAIT_POLICY`` is set, nothing is done.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psutil
import torch

PERIOD = 0.1  # seconds between two looks, at least
BUSY = 0.4  # of a second that spinning threads, all together, are kept waiting: then they sleep
PAUSES = (3.0, 20.0)  # seconds that they sleep before they are tried again, at first and at most
GRACE = 10.0  # seconds more that they sleep where nobody looks any longer
RECENT = (0.2, 20.0)  # seconds from the start to the first look, for the start to tell anything
MOST = 64  # idle threads that are worth it


class Waiting:
    """How the threads of this process wait.

    How long sleeping threads are kept waiting says little (to be woken takes its time as well), so
    after a pause they spin again, and each time that this was too early the next pause is longer.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen = 0.0, dict[str, int]()
        self._idle: _IdleTeam | None = None
        self._woken, self._pause = 0.0, 0.0
        self._begun: _Load | None = _Load.now()

    @property
    def sleeps(self) -> bool:
        """Whether threads sleep at barriers."""
        return self._idle is not None and self._idle.is_there

    def look(self, threads: int) -> None:
        """Decide again; to be called before the first step of ``threads`` threads, and after each.

        The first look of a process goes by what else the machine has had to do since it started. Of
        several runs at once each may call it.
        """
        if threads == 1 or not self._lock.acquire(blocking=False):
            return
        try:
            now = time.monotonic()
            if now >= self._seen[0] + PERIOD:
                self._decide(now, threads)
        finally:
            self._lock.release()

    def _decide(self, now: float, threads: int) -> None:
        (before, known), waits = self._seen, kept_waiting()
        self._seen = now, waits
        begun, self._begun = self._begun, None
        if begun is not None and begun.leaves_too_few(threads, _Load.now()):
            self._pause = PAUSES[0]
            self._idle = _IdleTeam.gathered(threads, self._pause)
        if self._idle is not None:
            if not self._idle.is_over(now):
                return
            self._idle.leave()
            self._idle, self._woken = None, now
            return
        waited = sum(max(0, value - known.get(thread, 0)) for thread, value in waits.items())
        if not known or self.sleeps or now > before + GRACE or waited / 1e9 < BUSY * (now - before):
            return
        was_too_early = now < self._woken + 5 * PERIOD
        self._pause = min(2 * self._pause, PAUSES[1]) if was_too_early else PAUSES[0]
        self._idle = _IdleTeam.gathered(threads, self._pause)


@dataclass(frozen=True)
class _Load:
    """Seconds since some time in the past: passed, of all processors' work, of this process's."""

    time: float
    all: float
    own: float

    @classmethod
    def now(cls) -> _Load:
        every, own = psutil.cpu_times(), psutil.Process().cpu_times()
        idle = every.idle + getattr(every, "iowait", 0.0)
        return cls(time.monotonic(), sum(every) - idle, own.user + own.system)

    def leaves_too_few(self, threads: int, later: _Load) -> bool:
        """Whether other programs have kept busy a processor that one of the threads needs."""
        seconds = later.time - self.time
        if not RECENT[0] < seconds < RECENT[1]:
            return False
        others = (later.all - self.all - (later.own - self.own)) / seconds
        return (psutil.cpu_count() or 1) - others < threads - 0.5


waiting = Waiting()


def kept_waiting() -> dict[str, int]:
    """Nanoseconds that each thread of this process has been ready to run but was not running.

    Empty where the system does not say.
    """
    waits = {}
    for entry in Path("/proc/self/task").glob("*/schedstat"):
        try:
            waits[entry.parent.name] = int(entry.read_text().split()[1])
        except (OSError, ValueError, IndexError):  # the thread has just ended
            continue
    return waits


class _IdleTeam:
    """Threads of OpenMP's that do nothing, of a thread that waits until they are to leave."""

    def __init__(self, openmp: Any, size: int, seconds: float) -> None:
        self._openmp, self._size = openmp, size
        self._until = time.monotonic() + seconds
        self._is_to_leave = threading.Event()
        self._thread = threading.Thread(target=self._be_idle, daemon=True)
        self._thread.start()

    @classmethod
    def gathered(cls, threads: int, seconds: float) -> _IdleTeam | None:
        """As many as it takes beside ``threads`` others; None where that is of no use."""
        openmp = _openmp()
        size = len(os.sched_getaffinity(0)) - threads + 2 if openmp else 0
        return cls(openmp, size, seconds) if 2 <= size <= MOST else None

    @property
    def is_there(self) -> bool:
        return self._thread.is_alive()

    def is_over(self, now: float) -> bool:
        return now >= self._until or not self.is_there

    def leave(self) -> None:
        self._is_to_leave.set()

    def _be_idle(self) -> None:
        nothing = ctypes.cast(ctypes.CDLL(None).free, ctypes.c_void_p)  # of a null pointer
        self._openmp.GOMP_parallel(nothing, None, ctypes.c_uint(self._size), ctypes.c_uint(0))
        self._is_to_leave.wait(self._until - time.monotonic() + GRACE)


@cache
def _openmp() -> Any:
    """The OpenMP that torch was linked with, if it is GNU's and nobody has set how it waits."""
    if sys.platform != "linux" or "OMP_WAIT_POLICY" in os.environ:
        return None
    try:
        library = ctypes.CDLL(str(Path(torch.__file__).parent / "lib" / "libtorch_cpu.so"))
    except OSError:
        return None
    is_gnu = hasattr(library, "GOMP_parallel") and not hasattr(library, "kmp_set_blocktime")
    return library if is_gnu else None
