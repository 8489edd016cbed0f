"""A film's container: opened by a file's name and nothing else, and asked where it was torn."""

from __future__ import annotations

import math
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from impasto.errors import FilmError
from impasto.files.flow import INSTALL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from av.container import InputContainer, OutputContainer

_CONTAINERS = (
    "mov,matroska,avi,mpeg,mpegts,mpegvideo,mpeg1video,mpeg2video,h264,hevc,m4v,av1,obu,ivf,flv,"
    "ogg,asf,mxf,gif,apng,dv,nut,rm,yuv4mpegpipe,webm"
)  # none that names other files or addresses, as playlists do
_FEW = 3  # packets that say what the usual step is
_OVERHEAD = 100  # bytes that Matroska may put between two packets, with room to spare
_REORDERED = 16  # frames that a codec may store in another order than it shows them


def require_av() -> Any:
    """PyAV.

    Raises:
        FilmError: it is not installed.

    """
    try:
        import av
    except ImportError as error:
        raise FilmError(f"Films need {INSTALL}.") from error
    return av


def file_url(path: Path) -> str:
    """A file's name as FFmpeg takes it for nothing else: ``a:b.mp4`` is no address."""
    return f"file:{path}"


def open_for_writing(
    path: Path, kind: str, options: Mapping[str, str] | None = None
) -> OutputContainer:
    """A new file of a film.

    Args:
        path: where to; ``os.devnull`` for a trial.
        kind: FFmpeg's name of the container.
        options: the container's own.

    Raises:
        av.FFmpegError: it cannot be opened.

    """
    container: OutputContainer = require_av().open(
        file_url(path), "w", format=kind, options=dict(options or {})
    )
    return container


def open_container(path: Path) -> InputContainer:
    """A film's file, whose contents can make FFmpeg open no other file or address.

    Raises:
        FilmError: it is no film of a known kind.

    """
    av = require_av()
    try:
        container: InputContainer = av.open(
            file_url(path),
            metadata_errors="replace",
            options={"format_whitelist": _CONTAINERS, "protocol_whitelist": "file"},
        )
    except (av.FFmpegError, OSError, ValueError) as error:
        raise FilmError(
            f"{path.name!r} is no film that can be read: check the name, or convert it."
        ) from error
    return container


def holes(path: Path, stream: int) -> tuple[float, ...]:
    """Where a film lacks packets that its container held: seconds of the first that comes after.

    FFmpeg's reader of Matroska skips what it cannot parse and raises nothing; and a film may also
    show one frame for long. So the packets are walked once, undecoded, and a hole is both: bytes
    that belong to no packet, and about there a longer step of time than is usual.

    Args:
        path: the film.
        stream: index of the stream that is meant.

    Raises:
        FilmError: it is no film of a known kind.

    """
    times, torn = _walk(path, stream)
    if not torn or len(times) < _FEW:
        return ()
    known = sorted(times)
    steps = [(after - before, after) for before, after in pairwise(known)]
    usual = median(step for step, _ in steps)
    return tuple(
        after
        for step, after in steps
        if step > 1.5 * usual and any(abs(at - after) <= _REORDERED * usual for at in torn)
    )


def _walk(path: Path, stream: int) -> tuple[list[float], list[float]]:
    """Seconds of a stream's packets, and of those of them that follow on bytes of no packet."""
    av = require_av()
    times: list[float] = []
    torn: list[float] = []
    with open_container(path) as container, suppress(av.FFmpegError):  # decoding meets it too
        if container.format.name != "matroska,webm":
            return [], []
        end, is_torn = math.inf, False
        for packet in container.demux():
            if packet.pos is not None:
                is_torn = is_torn or packet.pos - end > _OVERHEAD
                end = packet.pos + packet.size
            if packet.stream.index == stream and packet.pts is not None:
                times.append(float(packet.pts * packet.time_base))
                if is_torn:
                    torn.append(times[-1])
                is_torn = False
    return times, torn
