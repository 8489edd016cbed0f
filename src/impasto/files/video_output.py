"""Frames into films: H.264 by default, with the source's sound; or a folder of PNGs."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np
from torch import Tensor

from impasto.errors import FilmError, ImpastoError, OutputError
from impasto.files.containers import require_av
from impasto.files.images import write_result
from impasto.files.sound import Sound
from impasto.files.video import Clip
from impasto.shortage import is_shortage

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.video.stream import VideoStream

SUFFIXES = {
    ".mp4": "mp4",
    ".m4v": "mp4",
    ".mov": "mov",
    ".mkv": "matroska",
    ".webm": "webm",
}
_ANY_DEPTH = ("yuv420p", "yuv422p", "yuv444p", "bgr0", "gbrp", "rgb24", "yuvj420p")
_WAITING = 4  # frames between the optimiser and the encoder
_BT709_TAG, _LIMITED = 1, 1
_RGB = ("rgb", "bgr", "gbr")


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
    "h264": Codec("libx264", {"crf": "18", "preset": "medium"}, "yuv420p", "yuv420p10le"),
    "hevc": Codec(
        "libx265", {"crf": "20", "x265-params": "log-level=error"}, "yuv420p", "yuv420p10le"
    ),
    "vp9": Codec("libvpx-vp9", {"crf": "24", "b:v": "0"}, "yuv420p", "yuv420p10le", ".webm"),
    "prores": Codec("prores_ks", {"profile": "3"}, "yuv422p10le", "yuv422p10le", ".mov"),
    "ffv1": Codec("ffv1", {"level": "3"}, "bgr0", "gbrp16le", ".mkv"),
}
"""By the names that people use; any other encoder's own name is taken as well."""

PREVIEW = Codec(
    "libx264", {"crf": "23", "preset": "veryfast", "tune": "zerolatency"}, "yuv420p", "yuv420p"
)
_FRAMES_OF_A_FRAGMENT = 12
_FRAGMENTED = {
    "movflags": "frag_keyframe+empty_moov+default_base_moof",
    "flush_packets": "1",
}


class Writer(Protocol):
    """Takes frames in order."""

    def write(self, picture: Tensor, time: int) -> None:
        """The next frame: ``(1, 3, H, W)`` in [0, 1], and its time in the clip's units."""
        ...


def codec_for(name: str | None, path: Path | None) -> Codec:
    """The codec of a name; when none is given, the one that suits the file's suffix.

    Raises:
        FilmError: there is no such encoder here.

    """
    name = name or ("vp9" if path is not None and path.suffix.lower() == ".webm" else "h264")
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


def check_container(path: Path, codec: Codec) -> None:
    """Make sure that the name says a container that holds what the codec makes.

    Raises:
        OutputError: it does not.

    """
    if path.suffix.lower() not in SUFFIXES:
        raise OutputError(
            f"{path.name!r} names no known format of a film: end it in {', '.join(SUFFIXES)}, or "
            "give the name of a folder for frames."
        )
    av = require_av()
    kind = SUFFIXES[path.suffix.lower()]
    with av.open("/dev/null" if Path("/dev/null").exists() else "NUL", "w", format=kind) as trial:
        if av.codec.Codec(codec.encoder, "w").canonical_name not in trial.supported_codecs:
            raise OutputError(
                f"{path.suffix} files hold no {codec.encoder}: end --output in {codec.suffix}, or "
                "choose another --codec."
            )


@contextmanager
def film_writer(
    path: Path, kind: str, clip: Clip, size: tuple[int, int], codec: Codec, *, deep: bool = False
) -> Iterator[Writer]:
    """A writer of a film with the clip's sound, which encodes in a thread of its own.

    Args:
        path: where to.
        kind: the container, one of :data:`SUFFIXES`' values.
        clip: gives times, rate and sound.
        size: height and width, even numbers.
        codec: how to encode.
        deep: with more than 8 bits a channel, where the codec can.

    Raises:
        OutputError: the film cannot be written.

    """
    with _written(path, kind, {}) as container:
        stream = _video_stream(container, clip, size, codec, deep=deep)
        sound = Sound(clip, container)
        with _threaded(_Encoder(container, stream, sound, deep=deep)) as writer:
            yield writer


@contextmanager
def preview_writer(path: Path, clip: Clip, size: tuple[int, int]) -> Iterator[Writer]:
    """A writer of a silent MP4 that can be played however much of it has been written.

    Raises:
        OutputError: the film cannot be written.

    """
    with _written(path, "mp4", _FRAGMENTED) as container:
        stream = _video_stream(container, clip, size, PREVIEW)
        stream.codec_context.gop_size = _FRAMES_OF_A_FRAGMENT
        with _threaded(_Encoder(container, stream, None)) as writer:
            yield writer


class FolderWriter:
    """Frames as PNGs: ``000001.png``, ``000002.png``, ..., each written atomically."""

    def __init__(self, folder: Path, *, depth: int = 8) -> None:
        self._folder = folder
        self._depth = depth
        self._count = 0

    def write(self, picture: Tensor, time: int) -> None:
        """The next frame; its time is not kept."""
        del time
        self._count += 1
        write_result(picture, self._folder / f"{self._count:06d}.png", depth=self._depth)


class _Encoder:
    """Frames through the codec into the container, and the sound between them."""

    def __init__(
        self,
        container: OutputContainer,
        stream: VideoStream,
        sound: Sound | None,
        *,
        deep: bool = False,
    ) -> None:
        self._container = container
        self._stream = stream
        self._sound = sound
        self._deep = deep

    def write(self, picture: Tensor, time: int) -> None:
        frame = _frame(picture, str(self._stream.pix_fmt), deep=self._deep)
        frame.pts, frame.time_base = time, self._stream.codec_context.time_base
        if self._sound is not None:
            self._sound.write_until(float(time * frame.time_base))
        self._container.mux(self._stream.encode(frame))

    def finish(self) -> None:
        self._container.mux(self._stream.encode())
        if self._sound is not None:
            self._sound.write_rest()


class _Threaded:
    """Calls a writer in a thread; what goes wrong there is raised here."""

    def __init__(self, encoder: _Encoder) -> None:
        self._encoder = encoder
        self._queue: queue.Queue[tuple[Tensor, int] | None] = queue.Queue(_WAITING)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def write(self, picture: Tensor, time: int) -> None:
        self._raise()
        self._queue.put((picture.detach().clone(), time))

    def stop(self) -> None:
        """Wait until all that was handed over is encoded."""
        self._queue.put(None)
        self._thread.join()

    def finish(self) -> None:
        self.stop()
        self._raise()
        self._encoder.finish()

    def _work(self) -> None:
        while (item := self._queue.get()) is not None:
            if self._error is None:
                try:
                    self._encoder.write(*item)
                except Exception as error:
                    self._error = error

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error


@contextmanager
def _threaded(encoder: _Encoder) -> Iterator[Writer]:
    writer = _Threaded(encoder)
    try:
        yield writer
    except BaseException:
        writer.stop()
        raise
    writer.finish()


@contextmanager
def _written(path: Path, kind: str, options: dict[str, str]) -> Iterator[OutputContainer]:
    av = require_av()
    try:
        with av.open(str(path), "w", format=kind, options=options) as container:
            yield container
    except (av.FFmpegError, OSError) as error:
        if isinstance(error, ImpastoError) or is_shortage(error):
            raise
        raise OutputError(
            f"The film could not be written ({error}): choose another --output or --codec."
        ) from error


def _video_stream(
    container: OutputContainer,
    clip: Clip,
    size: tuple[int, int],
    codec: Codec,
    *,
    deep: bool = False,
) -> VideoStream:
    stream: Any = container.add_stream(codec.encoder, rate=clip.rate, options=dict(codec.options))
    stream.height, stream.width = size
    stream.pix_fmt = codec.deep_pixels if deep else codec.pixels
    context = stream.codec_context
    context.time_base = clip.time_base
    if not stream.pix_fmt.startswith(_RGB):
        context.colorspace = context.color_primaries = context.color_trc = _BT709_TAG
        context.color_range = _LIMITED
    return cast("VideoStream", stream)


def _frame(picture: Tensor, pixels: str, *, deep: bool) -> Any:
    """A frame in the codec's own pixels, of the BT.709 matrix unless they are RGB."""
    av = require_av()
    kind, levels = ("rgb48le", np.uint16) if deep else ("rgb24", np.uint8)
    top = np.iinfo(levels).max
    values = (picture[0].clamp(0, 1) * top).round().permute(1, 2, 0).cpu().numpy()
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(values.astype(levels)), format=kind)
    if pixels.startswith(_RGB):
        return frame.reformat(format=pixels, threads=1)
    scaling = av.video.reformatter.Interpolation
    return frame.reformat(
        format=pixels,
        dst_colorspace=_BT709_TAG,
        dst_color_range=_LIMITED,
        interpolation=scaling.BICUBIC | scaling.ACCURATE_RND | scaling.FULL_CHR_H_INP,
        threads=1,
    )
