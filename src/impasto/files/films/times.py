"""When each frame of a film is shown, whatever its container says of it.

Containers differ. Most give each frame the time at which it is shown. AVI numbers its packets in
the order in which they are decoded, which is another one where a codec looks ahead; raw streams say
nothing at all. And times may be missing, repeated, or jump back where recordings were joined. In
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
"""Where times come from: the frames themselves; their packets, in order; the film's rate alone."""

_JUMP = 1.0  # seconds by which times go back where recordings were joined


def rate_of(stream: VideoStream) -> Fraction:
    """Frames a second, as far as the film says."""
    return Fraction(stream.average_rate or stream.guessed_rate or 25)


def packet_time(packet: Packet[Any], container: InputContainer) -> int | None:
    """When a packet is decoded in AVI, which knows nothing else; else when it is shown."""
    known = (packet.pts, packet.dts)
    if container.format.name == "avi":
        known = (packet.dts, packet.pts)
    return next((time for time in known if time is not None), None)


def times_of(container: InputContainer, first: Sequence[int | None]) -> Times:
    """Where the times of a film's frames come from.

    Args:
        container: of the film.
        first: what the first frames, in the order in which they are shown, have as ``pts``.

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
    """Decoded frames from where the container stands, ``pts`` and ``duration`` set and growing.

    Args:
        container: of the film.
        stream: of the film's pictures.
        decode: gives the frames that a packet makes ready.
        times: where they come from.
        rate: frames a second, for frames that say nothing themselves.
        time_base: seconds of one unit of the times that are set.

    """
    clock = _Clock(container, times, Fraction(1) / (rate * time_base), time_base)
    for packet in container.demux(stream):
        clock.see(packet)
        for frame in decode(packet):
            clock.set(frame)
            yield frame


class _Clock:
    """Gives frames their times, in units of ``time_base``."""

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
        """Note the time of a packet that goes into the decoder."""
        time = packet_time(packet, self._container)
        if self._times == "sorted" and time is not None and packet.size:
            heapq.heappush(self._packets, time)

    def set(self, frame: VideoFrame) -> None:
        """Give a frame its time and its length."""
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
