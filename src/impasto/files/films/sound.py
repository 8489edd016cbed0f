"""A film's sound: copied packet by packet if the container can hold it, otherwise encoded again.

:mod:`impasto.files.films.sound_choice` has chosen and tested the method beforehand.
"""

from __future__ import annotations

import errno
import math
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from impasto.files.films.containers import open_container, require_av
from impasto.files.films.reader import Clip

if TYPE_CHECKING:
    from av.container import OutputContainer

_BITS_OF_A_CHANNEL = 96_000  # a second; enough for every encoder that takes a bit rate
_KEPT = ("language", "title")
_BACK = 0.5  # seconds by which a piece may overlap the one before


@dataclass(frozen=True)
class Track:
    """How one sound stream is written into another container.

    Attributes:
        index: of the source's sound streams.
        name: of its codec.
        encoder: None if packets are copied.
        rate: encoded samples a second.
        layout: encoded channel layout, by FFmpeg's name.

    """

    index: int
    name: str
    encoder: str | None = None
    rate: int = 0
    layout: str = ""


class Sound:
    """Writes the sound streams of a clip into another container.

    An error in the middle of a stream ends that stream, but not the film.

    Args:
        clip: the source, and the part of it.
        target: the container, to which nothing has been written yet.
        tracks: the streams, and how each is written.

    Attributes:
        troubles: a sentence on each stream that is incomplete.
        is_broken: True if a stream ended early.

    """

    def __init__(self, clip: Clip, target: OutputContainer, tracks: Sequence[Track]) -> None:
        self.troubles: list[str] = []
        self.is_broken = False
        self._target = target
        self._packets = [_packets(clip, target, each, self.troubles) for each in tracks]
        self._waiting: list[Any] = [None] * len(tracks)
        for number in range(len(tracks)):
            self._advance(number)

    @property
    def start(self) -> float | None:
        """Time of the next packet in the new film, in seconds; None at the end."""
        return min((_seconds(each) for each in self._waiting if each is not None), default=None)

    def write_until(self, seconds: float) -> None:
        """Write all packets before a time of the new film.

        Raises:
            OSError: the disk is full or removed.

        """
        for number in range(len(self._packets)):
            while (packet := self._waiting[number]) is not None and _seconds(packet) <= seconds:
                self._mux(packet, number)

    def write_rest(self) -> None:
        """Write the remaining packets."""
        self.write_until(math.inf)

    def close(self) -> None:
        """Close the source."""
        for each in self._packets:
            each.close()

    def _advance(self, number: int) -> None:
        try:
            self._waiting[number] = next(self._packets[number], None)
        except (require_av().FFmpegError, ValueError):
            self._end(number, "The sound is damaged: the film is silent after that.")

    def _mux(self, packet: Any, number: int) -> None:
        av = require_av()
        try:
            self._target.mux_one(packet)
        except av.FFmpegError as error:
            if error.errno != errno.EINVAL and not isinstance(error, av.InvalidDataError):
                raise
            self._end(number, "The sound cannot be written: the rest of it is left out.")
        else:
            self._advance(number)

    def _end(self, number: int, sentence: str) -> None:
        self._waiting[number] = None
        self.is_broken = True
        self.troubles.append(sentence)


def _packets(
    clip: Clip, target: OutputContainer, track: Track, troubles: list[str]
) -> Generator[Any, None, None]:
    """Packets for the target; its stream exists when this returns."""
    source = open_container(clip.path)
    stream: Any = source.streams.audio[track.index]
    to: Any
    if track.encoder is None:
        to = target.add_stream_from_template(stream)
        packets = _copied(source, stream, to, clip)
    else:
        to = _encoder(target, track, stream)
        packets = _encoded(source, stream, to, clip, troubles)
    to.metadata.update({k: v for k, v in stream.metadata.items() if k in _KEPT})
    to.disposition = stream.disposition
    return packets


def _encoder(target: OutputContainer, track: Track, stream: Any) -> Any:
    to: Any = target.add_stream(str(track.encoder), rate=track.rate, layout=track.layout)
    context = to.codec_context
    formats = [each.name for each in context.codec.audio_formats]
    as_deep = (each for each in formats if each.rstrip("p") == stream.format.name.rstrip("p"))
    context.format = next(as_deep, formats[0])
    if context.codec.lossy:
        context.bit_rate = _BITS_OF_A_CHANNEL * to.layout.nb_channels
    return to


class _Clock:
    """Times of a stream's pieces in the new film; a piece without a time follows the one before.

    Where a time jumps back, as where films were joined, the pieces continue from there.
    """

    def __init__(self, stream: Any, clip: Clip) -> None:
        self._origin = clip.origin + clip.part.start
        self._next: float | None = None
        self._first = float((stream.start_time or 0) * stream.time_base) - self._origin

    def __call__(self, seconds: float | None, length: float) -> float:
        if seconds is None:
            at = self._first if self._next is None else self._next
        else:
            at = seconds - self._origin
        if self._next is not None and at < self._next - _BACK:
            self._origin -= self._next - at
            at = self._next
        self._next = at + length
        return at


def _copied(source: Any, stream: Any, to: Any, clip: Clip) -> Generator[Any, None, None]:
    clock, last, before = _Clock(stream, clip), _length(clip), -math.inf
    with source:
        _seek(source, stream, clip)
        for packet in source.demux(stream):
            if not packet.size:
                continue
            units = packet.dts if packet.pts is None else packet.pts
            length = float((packet.duration or 0) * packet.time_base)
            at = clock(None if units is None else float(units * packet.time_base), length)
            if at >= last:
                return
            if clip.part.start and at < 0:
                continue
            before = max(round(at / packet.time_base), before + 1)
            packet.pts = packet.dts = before
            packet.stream = to
            yield packet


def _encoded(
    source: Any, stream: Any, to: Any, clip: Clip, troubles: list[str]
) -> Generator[Any, None, None]:
    clock, last = _Clock(stream, clip), _length(clip)
    resampler = _Resampler(to)
    with source, closing(_decoded(source, stream, clip, troubles)) as frames:
        for frame in frames:
            length = frame.samples / frame.sample_rate
            at = clock(None if frame.pts is None else float(frame.pts * frame.time_base), length)
            if at >= last:
                break
            if at + length <= 0:
                continue
            for each in resampler(frame, at):
                yield from to.encode(each)
        for each in resampler.rest():
            yield from to.encode(each)
        yield from to.encode(None)


def _decoded(
    source: Any, stream: Any, clip: Clip, troubles: list[str]
) -> Generator[Any, None, None]:
    """Frames of a stream; a damaged frame leaves a gap."""
    av = require_av()
    damaged = 0
    _seek(source, stream, clip)
    for packet in source.demux(stream):
        try:
            yield from packet.decode()
        except av.InvalidDataError:
            damaged += 1
    if damaged:
        troubles.append(f"The sound is damaged in {damaged} places: they are silent.")


class _Resampler:
    """Converts frames to an encoder's rate, format and layout; gaps become silence."""

    def __init__(self, to: Any) -> None:
        self._to = to
        self._now: Any = None
        self._kind: tuple[str, str, int] | None = None

    def __call__(self, frame: Any, seconds: float) -> Iterator[Any]:
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        if kind != self._kind:  # a broadcast may change from stereo to 5.1
            yield from self.rest()
            first = {"first_pts": "0"} if self._kind is None else {}
            self._kind, self._now = kind, self._new({"async": "1", **first})
        frame.time_base = Fraction(1, frame.sample_rate)
        frame.pts = round(seconds * frame.sample_rate)
        yield from self._now.resample(frame)

    def rest(self) -> Iterator[Any]:
        if self._now is not None:
            yield from self._now.resample(None)

    def _new(self, options: dict[str, str]) -> Any:
        context = self._to.codec_context
        return require_av().AudioResampler(
            format=context.format, layout=context.layout, rate=self._to.rate, options=options
        )


def _seek(source: Any, stream: Any, clip: Clip) -> None:
    if clip.part.start:
        at = round((clip.origin + clip.part.start) / stream.time_base)
        with suppress(require_av().FFmpegError):  # a file without an index is read from the start
            source.seek(at, stream=stream, backward=True)


def _length(clip: Clip) -> float:
    return math.inf if clip.part.end is None else clip.part.end - clip.part.start


def _seconds(packet: Any) -> float:
    return float((packet.dts or 0) * packet.time_base)
