"""A film's packets, walked through without decoding them: how long it is, and where it was torn."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

from impasto.files.containers import open_container, require_av
from impasto.files.frame_times import packet_time

_FEW = 3  # packets that say what the usual step is
_OVERHEAD = 100  # bytes that Matroska may put between two packets, with room to spare
_REORDERED = 16  # frames that a codec may store in another order than it shows them
_SHORT = 0.02  # share of a film's stated length that may be missing from a whole one
_MOMENT = 0.25  # and seconds


@dataclass(frozen=True)
class Walk:
    """What the packets of a file say, in seconds of its own clock.

    Attributes:
        times: of each packet of the pictures that has one, growing.
        count: how many packets of the pictures there are.
        end: when the last picture ends; None where no packet has a time.
        is_whole: True where some stream lasts as long as the file says that it does, or it does not
            say.
        holes: when the first picture is shown after some are missing, for each hole.

    """

    times: tuple[float, ...]
    count: int
    end: float | None
    is_whole: bool
    holes: tuple[float, ...]


def walk(path: Path, stream: int) -> Walk:
    """Walk through a film's packets.

    A hole: FFmpeg's reader of Matroska skips what it cannot parse and raises nothing; and a film
    may also show one frame for long. So a hole is both: bytes that belong to no packet, and about
    there a longer step of time than is usual.

    Args:
        path: the film.
        stream: index of the stream that is meant.

    Raises:
        FilmError: it is no film of a known kind.

    """
    av = require_av()
    times: list[float] = []
    torn: list[float] = []
    count, end, first, last = 0, -math.inf, math.inf, -math.inf
    with open_container(path) as container:
        stated = container.duration
        can_skip = container.format.name == "matroska,webm"
        reached, is_torn = math.inf, False
        with suppress(av.FFmpegError):  # decoding meets it too
            for packet in container.demux():
                if packet.pos is not None:
                    is_torn = is_torn or packet.pos - reached > _OVERHEAD
                    reached = packet.pos + packet.size
                is_meant = packet.stream.index == stream
                count += is_meant and packet.size > 0
                at = packet_time(packet, container)
                if at is None or packet.time_base is None:
                    continue
                begun = float(at * packet.time_base)
                over = begun + float((packet.duration or 0) * packet.time_base)
                first, last = min(first, begun), max(last, over)
                if is_meant:
                    times.append(begun)
                    end = max(end, over)
                    if is_torn:
                        torn.append(begun)
                    is_torn = False
    missing = 0.0 if stated is None else stated / 1e6 - (last - first)
    is_whole = missing <= max(_MOMENT, _SHORT * (stated or 0) / 1e6)
    known = sorted(times)
    holes = _holes(known, torn) if can_skip else ()
    return Walk(tuple(known), count, end if times else None, is_whole, holes)


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
