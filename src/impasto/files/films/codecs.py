"""How films are encoded: the codecs by the names that people use, and what holds transparency."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from impasto.errors import FilmError, OutputError
from impasto.files.films.containers import open_for_writing, require_av
from impasto.files.formats import Format, suffixes_of, written_as

_ANY_DEPTH = ("yuv420p", "yuv422p", "yuv444p", "bgr0", "gbrp", "rgb24", "yuvj420p")


@dataclass(frozen=True)
class Codec:
    """How a film is encoded.

    Attributes:
        encoder: FFmpeg's name.
        options: passed to it.
        pixels: pixel format for 8 bits a channel.
        deep_pixels: pixel format for more, where there is one.
        suffix: of a film that is given no name.

    """

    encoder: str
    options: dict[str, str]
    pixels: str
    deep_pixels: str
    suffix: str = ".mp4"


CODECS = {
    "h264": Codec(
        "libx264",
        {"crf": "18", "preset": "medium", "forced-idr": "1"},
        "yuv420p",
        "yuv420p10le",
    ),
    "hevc": Codec(
        "libx265",
        {"crf": "20", "x265-params": "log-level=error:bframes=0", "forced-idr": "1"},
        "yuv420p",
        "yuv420p10le",
    ),
    "vp9": Codec("libvpx-vp9", {"crf": "24", "b:v": "0"}, "yuv420p", "yuv420p10le", ".webm"),
    "prores": Codec("prores_ks", {"profile": "3"}, "yuv422p10le", "yuv422p10le", ".mov"),
    "ffv1": Codec("ffv1", {"level": "3"}, "bgr0", "gbrp16le", ".mkv"),
}
"""By the names that people use; any other encoder's own name is taken as well.

x265 gives films of few frames decoding times at random where it may reorder frames.
"""

PREVIEW = Codec(
    "libx264", {"crf": "23", "preset": "veryfast", "tune": "zerolatency"}, "yuv420p", "yuv420p"
)

_ALPHA: dict[str, tuple[str, str, dict[str, str]]] = {
    "prores_ks": ("yuva444p10le", "yuva444p10le", {"profile": "4"}),
    "libvpx-vp9": ("yuva420p", "yuva420p", {"auto-alt-ref": "0"}),
    "libvpx": ("yuva420p", "yuva420p", {"auto-alt-ref": "0"}),
    "ffv1": ("bgra", "gbrap16le", {}),
    "qtrle": ("argb", "argb", {}),
    "png": ("rgba", "rgba64be", {}),
    "utvideo": ("gbrap", "gbrap", {}),
}
"""Encoders that keep alpha: pixel formats for 8 bits and for more, and options."""

_IN_MATROSKA_ALONE = ("libvpx-vp9", "libvpx")  # their alpha lies beside the packets
_WITH_ALPHA = {".mov": "prores", ".webm": "vp9", ".mkv": "vp9"}


_SMALLEST = {"libx265": 64}
"""Least side in pixels: below its largest coding unit x265 damages its own memory."""


def codec_for(name: str | None, path: Path | None, *, alpha: bool = False) -> Codec:
    """The codec of a name; when none is given, the one that suits the file's suffix.

    Args:
        name: one of :data:`CODECS`, or an encoder's own.
        path: the film.
        alpha: choose one that keeps transparency, where no name is given and the suffix allows.

    Raises:
        FilmError: there is no such encoder here.

    """
    suffix = "" if path is None else path.suffix.lower()
    usual = "vp9" if suffix == ".webm" else "h264"
    name = name or (_WITH_ALPHA.get(suffix, usual) if alpha else usual)
    av = require_av()
    codec = CODECS.get(name) or Codec(name, {}, "", "")
    try:
        found = av.codec.Codec(codec.encoder, "w")
    except (av.FFmpegError, ValueError) as error:
        raise FilmError(
            f"There is no encoder {name!r} here: choose from {', '.join(CODECS)}."
        ) from error
    if found.type != "video":
        raise FilmError(f"{name!r} is no encoder of pictures: choose from {', '.join(CODECS)}.")
    if name in CODECS:
        return codec
    offered = [each.name for each in found.video_formats or ()]
    pixels = next((each for each in _ANY_DEPTH if each in offered), "yuv420p")
    return Codec(name, {}, pixels, pixels)


def with_alpha(codec: Codec, kind: str) -> Codec | None:
    """The same codec with transparency; None where it, or the container, cannot hold any."""
    if codec.encoder not in _ALPHA:
        return None
    if codec.encoder in _IN_MATROSKA_ALONE and kind not in ("matroska", "webm"):
        return None
    pixels, deep_pixels, options = _ALPHA[codec.encoder]
    options = {**codec.options, **options}
    return replace(codec, pixels=pixels, deep_pixels=deep_pixels, options=options)


def check_container(path: Path, codec: Codec) -> Format:
    """Make sure that the name says a container that holds what the codec makes.

    Returns:
        The container's format.

    Raises:
        OutputError: it does not.

    """
    container = written_as(path, "film")
    if container is None:
        listed = ", ".join(suffixes_of("film", written=True))
        raise OutputError(
            f"{path.name!r} names no known format of a film: end it in {listed}, or "
            "give the name of a folder for frames."
        )
    av = require_av()
    with open_for_writing(Path(os.devnull), container.name) as trial:
        if av.codec.Codec(codec.encoder, "w").canonical_name not in trial.supported_codecs:
            raise OutputError(
                f"{path.suffix} files hold no {codec.encoder}: end --output in {codec.suffix}, or "
                "choose another --codec."
            )
    return container


def check_size(codec: Codec, size: tuple[int, int]) -> None:
    """Make sure that an encoder can be given frames of a height and width.

    Raises:
        OutputError: they are too small.

    """
    least = _SMALLEST.get(codec.encoder, 1)
    if min(size) < least:
        raise OutputError(
            f"{codec.encoder} makes no films of less than {least} pixels a side: give a larger "
            "--size, or choose another --codec."
        )
