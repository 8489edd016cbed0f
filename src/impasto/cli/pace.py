"""The time left, by the recent pace.

Machines get busy and scales differ, so the mean of the whole run would be out of date.
"""

from __future__ import annotations

from collections import deque

SECONDS = 30.0  # that the pace is taken over
STEPS = 5  # and at least so many steps, however long they take
APART = 0.5  # seconds between two looks


class Pace:
    """Tells the seconds left from how the share of the work that is done has grown of late."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, float]] = deque()  # (time, share), oldest first

    def left(self, now: float, share: float) -> float | None:
        """Seconds left; None before there is anything to tell it from.

        Between two steps it counts down.

        Args:
            now: seconds of any clock that does not jump.
            share: of the work that is done, in [0, 1]; where it has fallen, another work has begun.

        """
        if self._seen and share < self._seen[-1][1]:
            self._seen.clear()
        if not self._seen or (share > self._seen[-1][1] and now >= self._seen[-1][0] + APART):
            self._seen.append((now, share))
        while len(self._seen) > STEPS + 1 and self._seen[1][0] <= now - SECONDS:
            self._seen.popleft()
        (start, first), (end, last) = self._seen[0], self._seen[-1]
        if last == first:
            return None
        return max(0.0, (end - start) / (last - first) * (1 - last) - (now - end))
