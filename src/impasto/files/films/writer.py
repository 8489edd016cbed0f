"""Writing films: H.264 by default, with the source's sound; or a folder of PNGs."""

from __future__ import annotations

import hashlib
import math
import queue
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np
from torch import Tensor

from impasto.errors import ImpastoError, OutputError
from impasto.files.films.codecs import PREVIEW, Codec
from impasto.files.films.containers import open_for_writing, require_av
from impasto.files.films.reader import Clip
from impasto.files.films.sound import Sound, Track
from impasto.files.pictures.encoding import rounded, write_result
from impasto.shortage import is_shortage

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

_WAITING = 4  # frames that wait for the encoder
_BT709_TAG, _LIMITED = 1, 1
_RGB_TAG, _SRGB_TAG = 0, 13
_RGB = ("rgb", "bgr", "gbr", "argb")


_FRAMES_OF_A_FRAGMENT = 12
_FRAGMENTED = {
    "movflags": "frag_keyframe+empty_moov+default_base_moof",
    "flush_packets": "1",
}


@dataclass(frozen=True)
class Form:
    """How a film is written.

    Attributes:
        kind: FFmpeg's name of the container.
        codec: the video codec.
        tracks: the clip's sound streams, and how each is written.
        is_deep: more than 8 bits a channel, if the codec can.
        has_alpha: with transparency.

    """

    kind: str
    codec: Codec
    tracks: tuple[Track, ...] = ()
    is_deep: bool = False
    has_alpha: bool = False

    @property
    def pixels(self) -> str:
        """The pixel format."""
        return self.codec.deep_pixels if self.is_deep else self.codec.pixels


@dataclass(frozen=True)
class Finished:
    """A frame to be written.

    Attributes:
        picture: ``(1, 3, H, W)`` in [0, 1].
        time: in the clip's units.
        alpha: ``(1, 1, H, W)`` in [0, 1]; None if the form has none.
        duration: in the clip's units; None if it lasts until the next frame.
        name: that its file is to have in a folder, without suffix; its number where that is empty.

    """

    picture: Tensor
    time: int
    alpha: Tensor | None = None
    duration: int | None = None
    name: str = ""


def frame_sha256(frame: Finished, *, depth: int) -> str:
    """Hash of a frame's levels before any encoder, 8 or 16 bits a channel, row by row."""
    levels = rounded(frame.picture, frame.alpha, np.uint8 if depth == 8 else np.uint16)
    return hashlib.sha256(levels.tobytes()).hexdigest()


class Writer(Protocol):
    """Writes frames in order."""

    def write(self, frame: Finished) -> None:
        """Write the next frame."""
        ...


@contextmanager
def film_writer(
    path: Path,
    form: Form,
    clip: Clip,
    size: tuple[int, int],
    *,
    troubles: list[str] | None = None,
    is_whole: bool = True,
) -> Iterator[Writer]:
    """Yield a writer of a film with the clip's sound; it encodes in a thread.

    Args:
        path: the file.
        form: container, codec and sounds.
        clip: gives times, rate and sound.
        size: height and width, even numbers.
        troubles: gets a sentence on each error of the sound.
        is_whole: write the sound to its own end, not only to that of the frames.

    Raises:
        OutputError: the film cannot be written.

    """
    with _written(path, form.kind, {}) as container:
        stream = _video_stream(container, clip, size, form)
        with closing(Sound(clip, container, form.tracks)) as sound:
            encoder = _Encoder(container, stream, form, sound, is_whole=is_whole)
            with _threaded(encoder) as writer:
                yield writer
            if troubles is not None:
                troubles.extend(sound.troubles)


@contextmanager
def preview_writer(path: Path, clip: Clip, size: tuple[int, int]) -> Iterator[Writer]:
    """Yield a writer of a silent MP4 that can be played while it is written.

    Raises:
        OutputError: the film cannot be written.

    """
    form = Form("mp4", PREVIEW)
    with _written(path, form.kind, _FRAGMENTED) as container:
        stream = _video_stream(container, clip, size, form)
        stream.codec_context.gop_size = _FRAMES_OF_A_FRAGMENT
        with _threaded(_Encoder(container, stream, form)) as writer:
            yield writer


class FolderWriter:
    """Frames as PNGs under their names, or ``000001.png``, ``000002.png``, ...; each written
    atomically.
    """

    def __init__(self, folder: Path, *, depth: int = 8) -> None:
        self._folder = folder
        self._depth = depth
        self._count = 0

    def write(self, frame: Finished) -> None:
        """Write the next frame; its time is not kept."""
        self._count += 1
        path = self._folder / f"{frame.name or f'{self._count:06d}'}.png"
        write_result(frame.picture, path, alpha=frame.alpha, depth=self._depth)


class _Encoder:
    """Encodes frames into the container, interleaved with the sound."""

    def __init__(
        self,
        container: OutputContainer,
        stream: VideoStream,
        form: Form,
        sound: Sound | None = None,
        *,
        is_whole: bool = True,
    ) -> None:
        self._container, self._stream, self._form = container, stream, form
        self._sound, self._is_whole = sound, is_whole
        self._durations: dict[int, int] = {}
        self._held: Finished | None = None

    def write(self, each: Finished) -> None:
        before, self._held = self._held, each
        if before is not None:
            self._encode(before)

    def finish(self) -> None:
        unit, end = self._stream.codec_context.time_base, 0.0
        if self._held is not None:
            self._encode(self._held, is_last=True)
            end = float((self._held.time + (self._held.duration or 0)) * unit)
        self._mux(self._stream.encode())
        if self._sound is not None:
            self._sound.write_until(math.inf if self._is_whole else end)

    def _encode(self, each: Finished, *, is_last: bool = False) -> None:
        frame = _frame(each, self._form)
        frame.pts, frame.time_base = each.time, self._stream.codec_context.time_base
        if is_last:  # a key frame is also stored last, so the container knows its end
            frame.pict_type = require_av().video.frame.PictureType.I
        if each.duration:
            self._durations[each.time] = each.duration
        if self._sound is not None:
            self._sound.write_until(float(each.time * frame.time_base))
        self._mux(self._stream.encode(frame))

    def _mux(self, packets: list[Packet[Any]]) -> None:
        for packet in packets:
            if packet.pts in self._durations:  # not every encoder passes it on
                packet.duration = self._durations.pop(packet.pts)
            self._container.mux_one(packet)


class _Threaded:
    """Calls a writer in a thread; its exceptions are raised here."""

    def __init__(self, encoder: _Encoder) -> None:
        self._encoder = encoder
        self._queue: queue.Queue[Finished | None] = queue.Queue(_WAITING)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def write(self, frame: Finished) -> None:
        self._raise()
        self._queue.put(replace(frame, picture=frame.picture.detach().clone()))

    def stop(self) -> None:
        """Wait until all frames are encoded."""
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
                    self._encoder.write(item)
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
        with open_for_writing(path, kind, options) as container:
            yield container
    except (av.FFmpegError, OSError) as error:
        if isinstance(error, ImpastoError) or is_shortage(error):
            raise
        raise OutputError(
            f"The film could not be written ({error}): choose another --output or --codec."
        ) from error


def _video_stream(
    container: OutputContainer, clip: Clip, size: tuple[int, int], form: Form
) -> VideoStream:
    codec = form.codec
    stream: Any = container.add_stream(codec.encoder, rate=clip.rate, options=dict(codec.options))
    stream.height, stream.width = size
    stream.pix_fmt = form.pixels
    context = stream.codec_context
    context.time_base = clip.time_base
    context.color_primaries = _BT709_TAG
    if form.pixels.startswith(_RGB):
        context.colorspace, context.color_trc = _RGB_TAG, _SRGB_TAG
    else:
        context.colorspace = context.color_trc = _BT709_TAG
        context.color_range = _LIMITED
    return cast("VideoStream", stream)


def _frame(each: Finished, form: Form) -> Any:
    """A frame in the codec's pixel format, of the BT.709 matrix unless they are RGB."""
    av = require_av()
    levels = rounded(each.picture, each.alpha, np.uint16 if form.is_deep else np.uint8)
    frame = av.VideoFrame.from_ndarray(levels, format=_kind(each, form))
    if form.pixels.startswith(_RGB):
        return frame.reformat(format=form.pixels, threads=1)
    scaling = av.video.reformatter.Interpolation
    return frame.reformat(
        format=form.pixels,
        dst_colorspace=_BT709_TAG,
        dst_color_range=_LIMITED,
        interpolation=scaling.BICUBIC | scaling.ACCURATE_RND | scaling.FULL_CHR_H_INP,
        threads=1,
    )


def _kind(each: Finished, form: Form) -> str:
    names = ("rgb48le", "rgb24") if each.alpha is None else ("rgba64le", "rgba")
    return names[not form.is_deep]
