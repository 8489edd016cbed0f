"""Which frames of a film are selected, and how long each is shown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any, Protocol, TypeVar

from impasto.recipe.film import FrameRange

_ROUNDING = 1e-9  # seconds


class Timed(Protocol):
    """Something that is shown from ``pts`` on for ``duration``, in units of a time base."""

    @property
    def pts(self) -> Any: ...  # noqa: D102 (see the class)

    @property
    def duration(self) -> Any: ...  # noqa: D102


T = TypeVar("T", bound=Timed)


def of_part(frames: Iterable[T], part: FrameRange, time_base: Fraction) -> Iterator[T]:
    """The frames that begin in a part of the film; no frame after its end is requested."""
    for frame in frames:
        seconds = float(frame.pts * time_base)
        if part.end is not None and seconds >= part.end - _ROUNDING:
            return
        if seconds >= part.start - _ROUNDING:
            yield frame


def taken(
    frames: Iterable[T], part: FrameRange, time_base: Fraction, *, held_until: float | None = None
) -> Iterator[tuple[T, int, int]]:
    """Every Nth frame of a part, the time from the part's start at which it is shown, and its
    duration, in units of ``time_base``: until the next one; the last one until the film or the part
    ends.

    ``held_until``: seconds at which the film ends, where its last frame does not state it.

    An exception of ``frames`` is raised here after the frames before it.
    """
    begin = round(part.start / time_base)
    most = math.inf if part.end is None else round(part.end / time_base)
    waiting: T | None = None
    over = 0
    try:
        for number, frame in enumerate(frames):
            if number % part.every == 0:
                if waiting is not None:
                    yield waiting, waiting.pts - begin, frame.pts - waiting.pts
                waiting = frame
            over = frame.pts + frame.duration
    except Exception:
        if waiting is not None:
            yield waiting, waiting.pts - begin, max(1, over - waiting.pts)
        raise
    if waiting is not None:
        over = over if held_until is None else max(over, round(held_until / time_base))
        yield waiting, waiting.pts - begin, max(1, int(min(over, most)) - waiting.pts)
