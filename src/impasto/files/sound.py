"""A film's sound: copied packet by packet where the container takes it, encoded anew elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from impasto.files.containers import open_container, require_av
from impasto.files.video import Clip

if TYPE_CHECKING:
    from av.container import OutputContainer


class Sound:
    """The first sound stream of a clip, on its way into another container.

    Args:
        clip: where it comes from, and which part of it.
        target: where it goes; must not have been written to yet.

    """

    def __init__(self, clip: Clip, target: OutputContainer) -> None:
        self._target = target
        self._packets: Iterator[Any] = iter(())
        self._waiting: Any = None
        self._end = clip.part.end
        if clip.has_sound:
            self._packets = self._open(clip)
            self._advance()

    def write_until(self, seconds: float) -> None:
        """Hand over all that sounds before a moment of the new film."""
        while self._waiting is not None and _seconds(self._waiting) <= seconds:
            self._target.mux_one(self._waiting)
            self._advance()

    def write_rest(self) -> None:
        """Hand over what is left."""
        self.write_until(float("inf"))

    def _advance(self) -> None:
        self._waiting = next(self._packets, None)

    def _open(self, clip: Clip) -> Iterator[Any]:
        source = open_container(clip.path)
        stream: Any = source.streams.audio[0]
        origin = clip.origin + clip.part.start
        if stream.codec_context.codec.canonical_name in self._target.supported_codecs:
            to = self._target.add_stream_from_template(stream)
            return _copied(source, stream, to, origin, clip)
        to = self._target.add_stream(_encoder_of(self._target), rate=stream.rate)
        return _encoded(source, stream, to, origin, clip)


def _copied(source: Any, stream: Any, to: Any, origin: float, clip: Clip) -> Iterator[Any]:
    shift = round(origin / stream.time_base)
    last = _length(clip)
    with source:
        _seek(source, stream, clip)
        for packet in source.demux(stream):
            if packet.dts is None or packet.pts is None:
                continue
            packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
            if last is not None and _seconds(packet) >= last:
                return
            if clip.part.start and packet.pts < 0:
                continue
            packet.stream = to
            yield packet


def _encoded(source: Any, stream: Any, to: Any, origin: float, clip: Clip) -> Iterator[Any]:
    av = require_av()
    resampler = av.AudioResampler(
        format=to.codec_context.codec.audio_formats[0].name,
        layout=to.layout,
        rate=to.rate,
        frame_size=to.codec_context.frame_size or 1024,
    )
    last = _length(clip)
    with source:
        _seek(source, stream, clip)
        for frame in source.decode(stream):
            seconds = float(frame.pts * frame.time_base) - origin
            if last is not None and seconds >= last:
                break
            if seconds < 0:
                continue
            frame.pts = round(seconds / frame.time_base)
            for each in resampler.resample(frame):
                yield from to.encode(each)
        for each in resampler.resample(None):
            yield from to.encode(each)
        yield from to.encode(None)


def _seek(source: Any, stream: Any, clip: Clip) -> None:
    if clip.part.start:
        at = (stream.start_time or 0) + int(clip.part.start / stream.time_base)
        source.seek(at, stream=stream, backward=True)


def _length(clip: Clip) -> float | None:
    return None if clip.part.end is None else clip.part.end - clip.part.start


def _seconds(packet: Any) -> float:
    return float((packet.dts or 0) * packet.time_base)


def _encoder_of(target: OutputContainer) -> str:
    name = target.default_audio_codec
    return {"opus": "libopus", "vorbis": "libopus", "mp3": "libmp3lame"}.get(name, "aac")
