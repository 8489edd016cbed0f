"""A film's packets, read without decoding: its duration, and gaps in a damaged file."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from impasto.files.films.containers import open_container, require_av
from impasto.files.films.times import packet_time

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet

_FEW = 3  # packets needed to know the usual step of time
_OVERHEAD = 100  # bytes that Matroska may put between two packets, an upper limit
_REORDERED = 16  # frames over which a codec may change the order
_SHORT = 0.02  # share of the stated duration that may be missing from a complete film
_MOMENT = 0.25  # and seconds


@dataclass(frozen=True)
class Walk:
    """The times of a file's packets, in seconds of its own clock.

    Attributes:
        times: of each video packet that has one, increasing.
        count: the number of video packets.
        decoded_from: when the first frame is decoded; None where no packet states it.
        end: when the frame that is shown last ends, by its packet; None where no packet has a time.
        is_whole: True if some stream lasts as long as the file states, or the file states no
            duration.
        holes: the time of the first frame after each gap of missing frames.

    """

    times: tuple[float, ...]
    count: int
    decoded_from: float | None
    end: float | None
    is_whole: bool
    holes: tuple[float, ...]


def walk(path: Path, stream: int) -> Walk:
    """Read the times of a film's packets.

    FFmpeg's reader of Matroska skips what it cannot parse without an error, and a film may also
    show one frame for a long time. So a hole is both: bytes that belong to no packet, and near
    them a longer step of time than usual.

    Args:
        path: the film.
        stream: index of the video stream.

    Raises:
        FilmError: its format is unknown.

    """
    with open_container(path) as container:
        walker = _Walker(container, stream)
        with suppress(require_av().FFmpegError):  # decoding reports it
            for packet in container.demux():
                walker.see(packet)
        return walker.result()


class _Walker:
    """Collects the times of a file's packets, in the order of the file."""

    def __init__(self, container: InputContainer, stream: int) -> None:
        self._container, self._stream = container, stream
        self._times: list[float] = []
        self._torn: list[float] = []
        self._count, self._end = 0, (-math.inf, -math.inf)
        self._decoded_from: float | None = None
        self._first, self._last = math.inf, -math.inf  # of all streams
        self._reached, self._is_torn = math.inf, False  # bytes

    def see(self, packet: Packet[Any]) -> None:
        """Add the next packet."""
        if packet.pos is not None:
            self._is_torn = self._is_torn or packet.pos - self._reached > _OVERHEAD
            self._reached = packet.pos + packet.size
        is_selected = packet.stream.index == self._stream
        self._count += is_selected and packet.size > 0
        if (
            is_selected
            and self._decoded_from is None
            and packet.dts is not None
            and packet.time_base
        ):
            self._decoded_from = float(packet.dts * packet.time_base)
        time = packet_time(packet, self._container)
        if time is None or packet.time_base is None:
            return
        begun = float(time * packet.time_base)
        over = begun + float((packet.duration or 0) * packet.time_base)
        self._first, self._last = min(self._first, begun), max(self._last, over)
        if is_selected:
            self._times.append(begun)
            self._end = max(self._end, (begun, over))
            if self._is_torn:
                self._torn.append(begun)
            self._is_torn = False

    def result(self) -> Walk:
        """The collected times."""
        stated = (self._container.duration or 0) / 1e6
        missing = stated - (self._last - self._first)
        times = sorted(self._times)
        can_skip = self._container.format.name == "matroska,webm"
        return Walk(
            tuple(times),
            self._count,
            self._decoded_from,
            self._end[1] if times else None,
            missing <= max(_MOMENT, _SHORT * stated),
            _holes(times, self._torn) if can_skip else (),
        )


def _holes(times: list[float], torn: list[float]) -> tuple[float, ...]:
    if not torn or len(times) < _FEW:
        return ()
    steps = [(after - before, after) for before, after in pairwise(times)]
    usual = median(step for step, _ in steps)
    return tuple(
        after
        for step, after in steps
        if step > 1.5 * usual and any(abs(at - after) <= _REORDERED * usual for at in torn)
    )
