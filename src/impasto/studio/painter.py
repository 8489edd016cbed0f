"""The one thread that computes, for all browsers in turn.

Whatever is to be done is cut into short parts: a step of a picture, a size of an instant one, a
frame of a film. What somebody waits for with a look comes before what may take its time.
"""

from __future__ import annotations

import logging
import threading
from typing import Protocol

from impasto.errors import ImpastoError

AT_ONCE, LIVE, LATER = range(3)
OPEN = 4  # pictures that are in the making at a time; each takes some 0.3 GB
_log = logging.getLogger("impasto.studio")


class Work(Protocol):
    """Something to be done, in parts."""

    @property
    def urgency(self) -> int:
        """AT_ONCE, LIVE or LATER."""
        ...

    def advance(self) -> bool:
        """Do the next part; False once all is done."""
        ...

    def fail(self, sentence: str) -> None:
        """Tell whoever waits that it has ended, and why."""
        ...


class Painter:
    """Carries works out, one part of one of them after the other."""

    def __init__(self) -> None:
        self._works: list[Work] = []
        self._asked: list[Work] = []  # since its last part was begun
        self._changed = threading.Condition()
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="painter", daemon=True)
        self._thread.start()

    def submit(self, work: Work) -> None:
        """Have a work done; one that is under way is asked at least once more."""
        with self._changed:
            if work not in self._works:
                self._works.append(work)
            if work not in self._asked:
                self._asked.append(work)
            self._changed.notify()

    def holds(self, work: Work) -> bool:
        """Whether a work is being done, or waits."""
        with self._changed:
            return work in self._works

    def before(self, work: Work) -> int:
        """How many others are being done, or wait, before a work has its turn."""
        with self._changed:
            if work not in self._works:
                return 0
            return sum(each.urgency <= work.urgency for each in self._works) - 1

    def close(self) -> None:
        """End after the part that is being done."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        self._thread.join()

    def _next(self) -> Work | None:
        """The most urgent of the first few, and among equals the one that has waited longest."""
        with self._changed:
            while not self._works and not self._is_closed:
                self._changed.wait()
            if self._is_closed:
                return None
            live = [each for each in self._works if each.urgency < LATER][:OPEN]
            work = min(live or self._works, key=lambda each: each.urgency)
            if work in self._asked:
                self._asked.remove(work)
            if live:  # the others stay in the order in which they came
                self._works.remove(work)
                self._works.insert(min(len(live) - 1, len(self._works)), work)
            return work

    def _run(self) -> None:
        while (work := self._next()) is not None:
            if not self._advanced(work):
                with self._changed:
                    if work not in self._asked:
                        self._works.remove(work)

    def _advanced(self, work: Work) -> bool:
        try:
            return work.advance()
        except ImpastoError as error:
            work.fail(str(error))
        except Exception:
            _log.exception("a work has failed")
            work.fail("Something went wrong here; the terminal says what. Nothing kept is lost.")
        return False
