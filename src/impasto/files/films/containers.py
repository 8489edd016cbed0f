"""Opening a film's container, from a file only."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from impasto.errors import FilmError
from impasto.files.films.flow import INSTALL
from impasto.shortage import is_shortage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from av.container import InputContainer, OutputContainer

_CONTAINERS = (
    "mov,matroska,avi,mpeg,mpegts,mpegvideo,mpeg1video,mpeg2video,h264,hevc,m4v,av1,obu,ivf,flv,"
    "ogg,asf,mxf,gif,apng,dv,nut,rm,yuv4mpegpipe,webm"
)  # without formats that name other files or addresses, such as playlists


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
    """A path in a form that FFmpeg reads as a file only: ``a:b.mp4`` is no address."""
    return f"file:{path}"


def open_for_writing(
    path: Path, kind: str, options: Mapping[str, str] | None = None
) -> OutputContainer:
    """Open a new film file.

    Args:
        path: the file; ``os.devnull`` for a trial.
        kind: FFmpeg's name of the container.
        options: of the container.

    Raises:
        av.FFmpegError: it cannot be opened.

    """
    container: OutputContainer = require_av().open(
        file_url(path), "w", format=kind, options=dict(options or {})
    )
    return container


def open_container(path: Path) -> InputContainer:
    """Open a film's file so that its contents cannot make FFmpeg open another one.

    Raises:
        FilmError: its format is unknown.

    """
    av = require_av()
    try:
        container: InputContainer = av.open(
            file_url(path),
            metadata_errors="replace",
            options={"format_whitelist": _CONTAINERS, "protocol_whitelist": "file"},
        )
    except (av.FFmpegError, OSError, ValueError) as error:
        if is_shortage(error):
            raise
        raise FilmError(
            f"{path.name!r} is not a film that can be read: check the name, or convert it."
        ) from error
    return container
