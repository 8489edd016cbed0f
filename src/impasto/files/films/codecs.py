"""How films are encoded: the codecs by their common names, and those that keep transparency."""

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
        deep_pixels: pixel format for more bits, if any.
        suffix: of a film without a given name.

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
"""By their common names; any other name of an FFmpeg encoder is accepted as well.

Where x265 may reorder frames, it gives short films random decoding times.
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
"""Encoders that keep alpha: pixel formats for 8 and for more bits, and options."""

_IN_MATROSKA_ALONE = ("libvpx-vp9", "libvpx")  # their alpha is stored beside the packets
_WITH_ALPHA = {".mov": "prores", ".webm": "vp9", ".mkv": "vp9"}


_SMALLEST = {"libx265": 64}
"""Smallest side in pixels: below its largest coding unit x265 corrupts its memory."""


def codec_for(name: str | None, path: Path | None, *, alpha: bool = False) -> Codec:
    """The codec of a name; without a name, the one for the file's suffix.

    Args:
        name: one of :data:`CODECS`, or the name of an encoder.
        path: the film.
        alpha: without a name, choose one that keeps transparency if the suffix allows.

    Raises:
        FilmError: this FFmpeg has no such encoder.

    """
    suffix = "" if path is None else path.suffix.lower()
    usual = "vp9" if suffix == ".webm" else "h264"
    name = name or (_WITH_ALPHA.get(suffix, usual) if alpha else usual)
    av = require_av()
    codec = CODECS.get(name) or Codec(name, {}, "", "")
    try:
        encoder = av.codec.Codec(codec.encoder, "w")
    except (av.FFmpegError, ValueError) as error:
        raise FilmError(
            f"There is no encoder {name!r} here: choose from {', '.join(CODECS)}."
        ) from error
    if encoder.type != "video":
        raise FilmError(f"{name!r} is not a video encoder: choose from {', '.join(CODECS)}.")
    if name in CODECS:
        return codec
    offered = [each.name for each in encoder.video_formats or ()]
    pixels = next((each for each in _ANY_DEPTH if each in offered), "yuv420p")
    return Codec(name, {}, pixels, pixels)


def with_alpha(codec: Codec, kind: str) -> Codec | None:
    """The same codec with transparency; None where it or the container cannot store any."""
    if codec.encoder not in _ALPHA:
        return None
    if codec.encoder in _IN_MATROSKA_ALONE and kind not in ("matroska", "webm"):
        return None
    pixels, deep_pixels, options = _ALPHA[codec.encoder]
    options = {**codec.options, **options}
    return replace(codec, pixels=pixels, deep_pixels=deep_pixels, options=options)


def check_container(path: Path, codec: Codec) -> Format:
    """Make sure that the file name means a container that can hold the codec's output.

    Returns:
        The container's format.

    Raises:
        OutputError: it does not.

    """
    container = written_as(path, "film")
    if container is None:
        listed = ", ".join(suffixes_of("film", written=True))
        raise OutputError(
            f"{path.name!r} has no suffix of a known film format: end it in {listed}, or "
            "give a folder's name for frames."
        )
    av = require_av()
    with open_for_writing(Path(os.devnull), container.name) as trial:
        if av.codec.Codec(codec.encoder, "w").canonical_name not in trial.supported_codecs:
            raise OutputError(
                f"{path.suffix} files cannot hold {codec.encoder}: end --output in {codec.suffix} "
                "or choose another --codec."
            )
    return container


def check_size(codec: Codec, size: tuple[int, int]) -> None:
    """Make sure that an encoder accepts frames of a height and width.

    Raises:
        OutputError: they are too small.

    """
    least = _SMALLEST.get(codec.encoder, 1)
    if min(size) < least:
        raise OutputError(
            f"{codec.encoder} needs frames of at least {least} pixels a side: give a larger "
            "--size, or choose another --codec."
        )
