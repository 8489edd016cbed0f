"""Films in containers that PyAV reads: any codec, one frame in memory at a time.

The display matrix and non-square pixels are applied, interlaced frames deinterlaced, colours
converted to BT.709, more than eight bits and alpha kept. Each frame keeps its own time and
duration, so variable frame rates are kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from impasto.errors import FilmError
from impasto.files.films.clip import Clip, SourceFrame, mean_color
from impasto.files.films.colors import color_notes, is_deep, may_have_alpha, upright
from impasto.files.films.containers import open_container, require_av
from impasto.files.films.deinterlacing import deinterlaced
from impasto.files.films.packets import Walk, walk
from impasto.files.films.parts import of_part, taken
from impasto.files.films.times import Times, rate_of, timed, times_of
from impasto.files.films.turning import turn_of
from impasto.files.pictures.finding import file_sha256
from impasto.files.pictures.images import on_ground
from impasto.recipe.film import FrameRange
from impasto.recipe.still import Recipe
from impasto.shortage import is_shortage

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_RAW = (
    "h264", "hevc", "vvc", "vc1", "m4v", "mpegvideo", "mpeg1video", "mpeg2video", "obu",
)  # fmt: skip
_FASTEST = 1000  # frames a second of the fastest film
_SAMPLED = 12  # frames from which the film's properties are read
_ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}  # FFmpeg's own decoders ignore alpha


class _DamageError(Exception):
    """A frame cannot be decoded, or some are missing."""


@dataclass
class _Sample:
    """The properties of a film's first frames.

    Attributes:
        first: the very first.
        times: their ``pts``.
        is_interlaced: True if one of them is.
        ground: the mean colour of the visible pixels in the first frame that shows any; None where
            their pixels have no alpha.
        shows_nothing: True until a frame with alpha has a visible pixel.

    """

    first: VideoFrame
    times: list[int | None] = field(default_factory=list)
    is_interlaced: bool = False
    ground: tuple[float, float, float] | None = None
    shows_nothing: bool = True

    def see(self, frame: VideoFrame) -> None:
        """Use a frame's mean colour as the ground, unless an earlier one had visible pixels."""
        if may_have_alpha(frame) and self.shows_nothing:
            picture, alpha = on_ground(upright(frame))
            self.ground = mean_color(picture)
            self.shows_nothing = alpha is not None and float(alpha.max()) == 0


def open_film(path: Path, part: FrameRange, fps: Fraction | None, max_pixels: int) -> Clip:
    """Inspect a film; see :func:`impasto.files.films.reader.open_clip`."""
    with open_container(path) as container:
        stream = _video_of(container, path, max_pixels)
        sample = _sample(container, stream, path, max_pixels)
        is_raw = container.format.name in _RAW  # FFmpeg invents times for these
        times: Times = "counted" if fps and is_raw else times_of(container, sample.times)
        _check_colors(sample.first, path)
        has_sound = any(each.codec_context for each in container.streams.audio[:1])
        walked = walk(path, stream.index)
        origin = _origin(times, sample, stream, walked)
        rate = fps if fps and times == "counted" else _rate(stream, walked, origin)
        seconds = _seconds(times, walked, rate, origin, _stated_seconds(container, stream))
        return Clip(
            path,
            path.name,
            file_sha256(path),
            _shown_size(sample.first, stream, path, max_pixels),
            is_deep(sample.first),
            rate / part.every,
            1 / rate if times == "counted" else _time_base(stream, path),
            seconds,
            _estimate(times, walked, rate, origin, part),
            part,
            origin,
            has_sound,
            _held_until(container, stream, walked, origin),
            min((at - origin for at in walked.holes if part.start < at - origin), default=None),
            sample.ground,
            times,
            _notes(path.name, sample, times, rate, fps),
        )


def film_frames(clip: Clip) -> Iterator[SourceFrame]:
    """Its selected frames; see :func:`impasto.files.films.reader.read_frames`."""
    av = require_av()
    most = max(Recipe.max_pixels, clip.size[0] * clip.size[1])  # the first one was allowed
    given = 0
    with open_container(clip.path) as container:
        stream = _video_of(container, clip.path, most)
        frames = of_part(_decoded(clip, container, stream), clip.part, clip.time_base)
        try:
            for frame, time, length in taken(
                _undamaged(clip, frames), clip.part, clip.time_base, held_until=clip.held_until
            ):
                picture, alpha = on_ground(upright(frame), clip.ground)
                yield SourceFrame(given, time, picture, alpha, length)
                given += 1
        except (av.FFmpegError, _DamageError) as error:
            if is_shortage(error):
                raise
            raise FilmError(
                f"{clip.name!r} is damaged after {given} frames: end the part before that with "
                "--end."
            ) from error


def _decoded(clip: Clip, container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    """Frames from shortly before the part's start on; times count from the film's start."""
    origin = round(clip.origin / clip.time_base)
    if clip.part.start > 0 and clip.times == "own":  # else a frame's time depends on those before
        at = origin + int(clip.part.start / clip.time_base)
        container.seek(at, stream=stream, backward=True)
    frames = timed(
        container,
        stream,
        _decoder_of(stream),
        clip.times,
        rate=clip.rate * clip.part.every,
        time_base=clip.time_base,
    )
    for frame in deinterlaced(frames):
        frame.pts = int(frame.pts or 0) - origin
        yield frame


def _undamaged(clip: Clip, frames: Iterable[VideoFrame]) -> Iterator[VideoFrame]:
    """The same frames, up to the first damage.

    Raises:
        _DamageError: one of them is corrupt, or some are missing.

    """
    end = math.inf if clip.part.end is None else clip.part.end
    reached = 0.0
    for frame in frames:
        seconds = float((frame.pts or 0) * clip.time_base)
        if frame.is_corrupt or (clip.hole is not None and seconds >= clip.hole - 1e-9):
            raise _DamageError
        reached = seconds + float((frame.duration or 0) * clip.time_base)
        yield frame
    if (clip.hole is not None and clip.hole <= end) or _is_short(clip, reached):
        raise _DamageError


def _is_short(clip: Clip, reached: float) -> bool:
    """True if the frames ended well before the film's own statement of its length.

    A file that was cut off raises no error in some containers.
    """
    if clip.seconds is None:
        return False
    end = clip.seconds if clip.part.end is None else min(clip.seconds, clip.part.end)
    frame = 1 / float(clip.rate * clip.part.every)
    return reached < end - max(3 * frame, 0.02 * end)


def _video_of(container: InputContainer, path: Path, max_pixels: int) -> VideoStream:
    """The first video stream that is not a cover picture."""
    streams = [
        stream
        for stream in container.streams.video
        if not (stream.disposition & require_av().stream.Disposition.attached_pic)
    ]
    if not streams:
        raise FilmError(f"{path.name!r} has no video stream: give the name of a film.")
    stream = next((each for each in streams if each.frames != 1), streams[0])
    if not stream.codec_context:  # PyAV's annotations say that it is never None
        raise FilmError(f"{path.name!r} has a codec that cannot be decoded here: convert it.")
    stream.thread_type = "AUTO"
    stream.codec_context.options = {"err_detect": "explode", "max_pixels": str(max_pixels)}
    return stream


def _decoder_of(stream: VideoStream) -> Callable[[Packet[VideoStream]], Iterable[VideoFrame]]:
    """The function that decodes a packet into frames."""
    name = _ALPHA_DECODERS.get(stream.codec_context.name)
    said = {key.lower(): value for key, value in stream.metadata.items()}
    if name is None or said.get("alpha_mode") != "1":
        return lambda packet: packet.decode()
    context = require_av().CodecContext.create(name, "r")
    context.extradata = stream.codec_context.extradata
    return lambda packet: context.decode(packet if packet.size else None)


def _sample(container: InputContainer, stream: VideoStream, path: Path, max_pixels: int) -> _Sample:
    _check_pixels(path, stream.codec_context.height, stream.codec_context.width, max_pixels)
    decode = _decoder_of(stream)
    frames = (frame for packet in container.demux(stream) for frame in decode(packet))
    sample: _Sample | None = None
    try:
        for frame in islice(frames, _SAMPLED):
            sample = sample or _Sample(frame)
            sample.times.append(frame.pts)
            sample.is_interlaced |= frame.interlaced_frame
            sample.see(frame)
    except (require_av().FFmpegError, EOFError) as error:
        if is_shortage(error):
            raise
        if sample is None:
            raise FilmError(
                f"{path.name!r} is damaged: not even its first frame can be read."
            ) from error
    if sample is None:
        raise FilmError(f"{path.name!r} has no frames: give the name of a film.")
    return sample


def _shown_size(
    first: VideoFrame, stream: VideoStream, path: Path, max_pixels: int
) -> tuple[int, int]:
    oblong = stream.sample_aspect_ratio or Fraction(1)
    height, width = first.height, max(1, round(first.width * oblong))
    _check_pixels(path, height, width, max_pixels)
    return (width, height) if turn_of(first).swaps_sides else (height, width)


def _check_colors(first: VideoFrame, path: Path) -> None:
    try:
        upright(first)
    except require_av().FFmpegError as error:
        if is_shortage(error):
            raise
        raise FilmError(
            f"The colours of {path.name!r} have a format that cannot be read here: convert it to "
            "BT.709."
        ) from error


def _check_pixels(path: Path, height: int, width: int, most: int) -> None:
    if height * width > most:
        raise FilmError(
            f"The frames of {path.name!r} have more than {most:,} pixels: allow more with "
            "--max-pixels."
        )


def _time_base(stream: VideoStream, path: Path) -> Fraction:
    if stream.time_base is None:
        raise FilmError(f"{path.name!r} has no time base: convert it to another format.")
    return stream.time_base


def _rate(stream: VideoStream, walked: Walk, origin: float) -> Fraction:
    """Frames a second: as the film states, unless that is a time base and not a rate."""
    said = rate_of(stream)
    if said <= _FASTEST or walked.end is None or walked.end <= origin:
        return said
    measured = Fraction(len(walked.times) / (walked.end - origin)).limit_denominator(1001)
    return min(said, max(measured, Fraction(1, 10)))


def _origin(times: Times, sample: _Sample, stream: VideoStream, walked: Walk) -> float:
    """Time of the first frame on the film's own clock, in seconds."""
    if times == "counted":
        return 0.0
    if times == "sorted":
        return walked.times[0] if walked.times else 0.0
    first = next((time for time in sample.times if time is not None), 0)
    return float(first * (stream.time_base or 0))


def _stated_seconds(container: InputContainer, stream: VideoStream) -> float | None:
    """The stream's stated length; the file's where it has no other stream."""
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    if container.duration is not None and len(container.streams) == 1:
        return container.duration / 1e6
    return None


def _seconds(
    times: Times, walked: Walk, rate: Fraction, origin: float, stated: float | None
) -> float | None:
    """Duration of the film: from its packets, or as stated if the file is incomplete.

    Otherwise a stated duration is unreliable: it may include the sound, which may be longer.
    """
    if times == "counted":
        return float(walked.count / rate)
    if walked.is_whole and walked.end is not None:
        return walked.end - origin
    return stated


def _held_until(
    container: InputContainer, stream: VideoStream, walked: Walk, origin: float
) -> float | None:
    """When the last frame ends in MP4 and similar files, which store durations in decoding order.

    Where that differs from the display order, the last frame has the duration of another one; but
    the sum of all durations, from the first one on, is the film's.
    """
    is_whole = stream.frames and walked.count >= stream.frames
    if "mp4" not in container.format.name or not is_whole or walked.decoded_from is None:
        return None
    end = walked.decoded_from + float((stream.duration or 0) * (stream.time_base or 0))
    return end - origin if walked.end is not None and end > walked.end else None


def _estimate(times: Times, walked: Walk, rate: Fraction, origin: float, part: FrameRange) -> int:
    """The number of selected frames, by the packets."""
    shown_at = [at - origin for at in walked.times]
    if times == "counted":
        shown_at = [float(number / rate) for number in range(walked.count)]
    end = math.inf if part.end is None else part.end
    return -(-sum(part.start <= at < end for at in shown_at) // part.every)


def _notes(
    name: str, sample: _Sample, times: Times, rate: Fraction, fps: Fraction | None
) -> tuple[str, ...]:
    notes = list(color_notes(sample.first, name))
    if times == "counted" and fps is None:
        notes.append(
            f"{name!r} states no times: its frames are read at {float(rate):g} a second, or as "
            "--fps says."
        )
    if times != "counted" and fps is not None:
        notes.append(f"{name!r} has times of its own: --fps is not used.")
    if sample.is_interlaced:
        notes.append(f"{name!r} is interlaced: every two fields become one frame.")
    turn = turn_of(sample.first)
    if not turn.is_exact:
        notes.append(
            f"{name!r} should be rotated by {turn.left_over:.0f} degrees more: only quarter "
            "turns are applied."
        )
    return tuple(notes)
