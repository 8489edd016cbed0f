"""The time of each frame of a film, for every kind of container.

Most containers give each frame the time at which it is shown. AVI numbers its packets in the order
in which they are decoded, which differs where a codec reorders frames; raw streams contain no
times. Times may also be missing, repeated, or jump back where recordings were joined. In
every case each frame gets a time after the one before it, and none is left out.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

Times = Literal["own", "sorted", "counted"]
"""The source of times: the frames; their packets, sorted; or the film's rate alone."""

_JUMP = 1.0  # seconds; a larger jump back means that recordings were joined


def rate_of(stream: VideoStream) -> Fraction:
    """Frames a second, as far as the film states it."""
    return Fraction(stream.average_rate or stream.guessed_rate or 25)


def packet_time(packet: Packet[Any], container: InputContainer) -> int | None:
    """A packet's decoding time in AVI, which stores no other; otherwise its display time."""
    known = (packet.pts, packet.dts)
    if container.format.name == "avi":
        known = (packet.dts, packet.pts)
    return next((time for time in known if time is not None), None)


def times_of(container: InputContainer, first: Sequence[int | None]) -> Times:
    """Find the source of the times of a film's frames.

    Args:
        container: of the film.
        first: the ``pts`` of the first frames, in display order.

    """
    known = [time for time in first if time is not None]
    if not known:
        return "counted"
    is_in_order = all(one < other for one, other in pairwise(known))
    return "own" if is_in_order and container.format.name != "avi" else "sorted"


def timed(
    container: InputContainer,
    stream: VideoStream,
    decode: Callable[[Packet[VideoStream]], Iterable[VideoFrame]],
    times: Times,
    *,
    rate: Fraction,
    time_base: Fraction,
) -> Iterator[VideoFrame]:
    """Decode frames from the container's position; ``pts`` and ``duration`` are set and increase.

    Args:
        container: of the film.
        stream: the film's video stream.
        decode: returns the frames that are ready after a packet.
        times: the source of the times.
        rate: frames a second, for frames without a time or duration.
        time_base: seconds of one unit of the times.

    """
    clock = _Clock(container, times, Fraction(1) / (rate * time_base), time_base)
    for packet in container.demux(stream):
        clock.see(packet)
        for frame in decode(packet):
            clock.set(frame)
            yield frame


class _Clock:
    """Sets the times of frames, in units of ``time_base``."""

    def __init__(
        self, container: InputContainer, times: Times, step: Fraction, time_base: Fraction
    ) -> None:
        self._times, self._step, self._time_base = times, step, time_base
        self._container = container
        self._packets: list[int] = []
        self._count = 0
        self._shift = 0
        self._before: int | None = None
        self._length = max(1, round(step))

    def see(self, packet: Packet[Any]) -> None:
        """Store the time of a packet that is decoded."""
        time = packet_time(packet, self._container)
        if self._times == "sorted" and time is not None and packet.size:
            heapq.heappush(self._packets, time)

    def set(self, frame: VideoFrame) -> None:
        """Set a frame's time and duration."""
        time = self._after_all_before(self._said(frame))
        self._length = self._length_of(frame)
        self._before = time
        self._count += 1
        frame.pts, frame.duration, frame.time_base = time, self._length, self._time_base

    def _said(self, frame: VideoFrame) -> int | None:
        if self._times == "counted":
            return round(self._count * self._step)
        if self._times == "sorted":
            return heapq.heappop(self._packets) if self._packets else None
        return frame.pts

    def _after_all_before(self, said: int | None) -> int:
        if said is None:
            return 0 if self._before is None else self._before + self._length
        time = said + self._shift
        if self._before is None or time > self._before:
            return time
        if (self._before - time) * self._time_base < _JUMP:
            return self._before + 1
        time = self._before + self._length
        self._shift = time - said
        return time

    def _length_of(self, frame: Any) -> int:
        if self._times == "counted" or not frame.duration:
            return max(1, round(self._step))
        return int(frame.duration)
