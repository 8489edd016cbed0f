"""Films into frames: any container and codec that PyAV reads, or a folder of pictures.

One frame is in memory at a time. Rotation and oblong pixels noted in the file are carried out, more
than eight bits are kept, and each frame keeps its own time, so that variable frame rates stay so.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from impasto.config import Recipe
from impasto.errors import FilmError
from impasto.files.containers import holes, open_container, require_av
from impasto.files.finding import file_sha256, is_many, pictures_of
from impasto.files.images import read_picture
from impasto.film_recipe import Part
from impasto.shortage import is_shortage

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_BT709, _BT601 = 1, 5  # swscale's numbers
_UNSPECIFIED = 2
_HD_LINES = 720  # untagged films of so many lines are taken for BT.709, as players do
_DEEP = 8
_HDR = {16: "PQ", 18: "HLG"}


@dataclass(frozen=True)
class Clip:
    """A film as it would be shown.

    Attributes:
        path: the file, or a folder of pictures.
        name: without folders.
        sha256: of the file, or of the hashes of the pictures.
        size: height and width as shown, upright and with square pixels.
        is_deep: True for more than 8 bits a channel.
        rate: frames a second on average, after leaving out.
        time_base: seconds of one unit of a frame's time.
        seconds: how long the whole film is; None where the file does not say.
        frames: about how many are meant, as far as the file says; 0 where it does not.
        part: which of its frames are meant.
        origin: seconds at which the film's own clock stands at its first frame.
        has_sound: True where there is a sound stream.
        hole: seconds of the first frame in the part before which some are missing; None for none.
        notes: sentences on what is taken for granted.

    """

    path: Path
    name: str
    sha256: str
    size: tuple[int, int]
    is_deep: bool
    rate: Fraction
    time_base: Fraction
    seconds: float | None
    frames: int
    part: Part
    origin: float = 0.0
    has_sound: bool = False
    hole: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class SourceFrame:
    """One frame of a film.

    Attributes:
        index: 0 for the first that is meant.
        time: in units of the clip's ``time_base`` from ``part.start``.
        picture: ``(1, 3, H, W)`` float32 in [0, 1], upright; pixels may be oblong still.

    """

    index: int
    time: int
    picture: Tensor


def open_clip(
    path: Path,
    part: Part = Part(),  # noqa: B008 (frozen)
    *,
    fps: Fraction = Fraction(25),
    max_pixels: int = Recipe.max_pixels,
) -> Clip:
    """Look at a film without decoding more than its first frame.

    Args:
        path: a film, a folder of pictures, or a pattern of their names.
        part: which frames are meant.
        fps: frames a second of a folder, which says nothing of it.
        max_pixels: what a frame may hold.

    Raises:
        FilmError: missing, unreadable, without a video stream, or without any frame that is meant.
        PictureError: a picture of a folder cannot be read.

    """
    if is_many(path):
        return _folder_clip(path, part, fps, max_pixels)
    if not path.exists():
        raise FilmError(f"There is no file {str(path)!r}: check the name.")
    if not path.is_file():
        raise FilmError(f"{str(path)!r} is not a file: give the name of a film.")
    with open_container(path) as container:
        stream = _video_of(container, path, max_pixels)
        shape, first = _first_look(container, stream, path, max_pixels)
        rate = stream.average_rate or stream.guessed_rate or Fraction(25)
        if stream.time_base is None:
            raise FilmError(f"{path.name!r} says nothing of time: convert it to another format.")
        seconds = _seconds(stream, container)
        origin = float((stream.start_time or 0) * stream.time_base)
        torn = [at - origin for at in holes(path, stream.index)]
        clip = Clip(
            path,
            path.name,
            file_sha256(path),
            shape,
            _is_deep(first),
            Fraction(rate) / part.every,
            stream.time_base,
            seconds,
            _estimate(stream, seconds, part),
            part,
            origin,
            any(each.codec_context for each in container.streams.audio[:1]),
            min((at for at in torn if part.start < at), default=None),
            _notes(first, path),
        )
    is_beyond = clip.seconds is not None and part.start >= clip.seconds
    if is_beyond or (part != Part() and next(read_frames(clip), None) is None):
        raise FilmError(f"{path.name!r} has no frame in that part: check --start and --end.")
    return clip


def read_frames(clip: Clip) -> Iterator[SourceFrame]:
    """The frames that are meant, one after the other.

    Raises:
        FilmError: the film is damaged; the frames before that have been given.

    """
    return _folder_frames(clip) if is_many(clip.path) else _film_frames(clip)


def frame_tensor(levels: npt.NDArray[Any]) -> Tensor:
    """``(H, W, 3)`` unsigned integers to ``(1, 3, H, W)`` float32 in [0, 1]."""
    scaled = levels.astype(np.float32) / np.float32(np.iinfo(levels.dtype).max)
    return torch.from_numpy(np.ascontiguousarray(scaled.transpose(2, 0, 1)))[None]


def _video_of(container: InputContainer, path: Path, max_pixels: int) -> VideoStream:
    """The first stream that moves; a cover of a sound file is none."""
    pictures = [
        stream
        for stream in container.streams.video
        if not (stream.disposition & require_av().stream.Disposition.attached_pic)
    ]
    if not pictures:
        raise FilmError(f"{path.name!r} has no video stream: give the name of a film.")
    stream = pictures[0]
    if not stream.codec_context:  # PyAV's own annotations know no stream without one
        raise FilmError(f"{path.name!r} is of a kind that cannot be decoded here: convert it.")
    stream.thread_type = "AUTO"
    stream.codec_context.options = {"err_detect": "explode", "max_pixels": str(max_pixels)}
    return stream


def _first_look(
    container: InputContainer, stream: VideoStream, path: Path, max_pixels: int
) -> tuple[tuple[int, int], VideoFrame]:
    _check_pixels(path, stream.codec_context.height, stream.codec_context.width, max_pixels)
    av = require_av()
    try:
        first = next(iter(container.decode(stream)), None)
    except (av.FFmpegError, EOFError) as error:
        if is_shortage(error):
            raise
        raise FilmError(
            f"{path.name!r} is damaged: not even its first frame can be read."
        ) from error
    if first is None:
        raise FilmError(f"{path.name!r} has no frames: give the name of a film.")
    oblong = stream.sample_aspect_ratio or Fraction(1)
    height, width = first.height, max(1, round(first.width * oblong))
    _check_pixels(path, height, width, max_pixels)
    return ((width, height) if first.rotation % 180 else (height, width)), first


def _check_pixels(path: Path, height: int, width: int, most: int) -> None:
    if height * width > most:
        raise FilmError(
            f"The frames of {path.name!r} have more than {most:,} pixels: allow more with "
            "--max-pixels."
        )


def _film_frames(clip: Clip) -> Iterator[SourceFrame]:
    av = require_av()
    most = max(Recipe.max_pixels, clip.size[0] * clip.size[1])  # the first has been let in
    with open_container(clip.path) as container:
        stream = _video_of(container, clip.path, most)
        given, seen, end = 0, 0, 0.0
        try:
            for frame in _decoded(container, stream, clip.part.start):
                seconds, time = _time_of(frame, stream, clip)
                if clip.part.end is not None and seconds >= clip.part.end - 1e-9:
                    return
                if seconds < clip.part.start - 1e-9:
                    continue
                if clip.hole is not None and seconds >= clip.hole - 1e-9:
                    raise _damaged(clip, given)
                end = seconds + float((frame.duration or 0) * clip.time_base)
                if frame.is_corrupt:
                    raise _damaged(clip, given)
                if seen % clip.part.every == 0:
                    yield SourceFrame(given, time, _upright(frame))
                    given += 1
                seen += 1
        except av.FFmpegError as error:
            if is_shortage(error):
                raise
            raise _damaged(clip, given) from error
        is_torn = clip.hole is not None and clip.hole <= (clip.part.end or math.inf)
        if is_torn or _is_short(clip, stream, end):
            raise _damaged(clip, given)


def _is_short(clip: Clip, stream: VideoStream, reached: float) -> bool:
    """True if the frames ended well before the film's own statement of its length.

    A file that was cut off raises no error in some containers.
    """
    if clip.seconds is None:
        return False
    end = clip.seconds if clip.part.end is None else min(clip.seconds, clip.part.end)
    frame = 1 / float(stream.average_rate or 25)
    return reached < end - max(3 * frame, 0.02 * end)


def _decoded(container: InputContainer, stream: VideoStream, start: float) -> Iterator[VideoFrame]:
    if start > 0 and stream.time_base is not None:
        at = (stream.start_time or 0) + int(start / stream.time_base)
        container.seek(at, stream=stream, backward=True)
    before: int | None = None
    for frame in container.decode(stream):
        if frame.pts is not None and before is not None and frame.pts <= before:
            continue  # a repeated time cannot be written again
        before = frame.pts if frame.pts is not None else before
        yield frame


def _time_of(frame: VideoFrame, stream: VideoStream, clip: Clip) -> tuple[float, int]:
    """Seconds from the film's beginning, and units of its time base from the part's."""
    units = (frame.pts or 0) - (stream.start_time or 0)
    return float(units * clip.time_base), units - round(clip.part.start / clip.time_base)


def _damaged(clip: Clip, given: int) -> FilmError:
    return FilmError(
        f"{clip.name!r} is damaged after {given} frames: end the part before that with --end."
    )


def _upright(frame: VideoFrame) -> Tensor:
    """RGB as shown: the film's own matrix, its rotation carried out."""
    scaling = require_av().video.reformatter.Interpolation
    space = int(frame.colorspace)
    if space == _UNSPECIFIED:
        space = _BT709 if frame.height >= _HD_LINES else _BT601
    shown = frame.reformat(
        format="rgb48le" if _is_deep(frame) else "rgb24",
        src_colorspace=space,
        interpolation=scaling.BICUBIC
        | scaling.FULL_CHR_H_INT
        | scaling.FULL_CHR_H_INP
        | scaling.ACCURATE_RND,
        threads=1,
    )
    levels = np.rot90(shown.to_ndarray(), frame.rotation // 90)
    return frame_tensor(levels)


def _is_deep(frame: VideoFrame) -> bool:
    return any(part.bits > _DEEP for part in frame.format.components)


def _seconds(stream: VideoStream, container: InputContainer) -> float | None:
    """The stream's length; the file's where nothing else is in it."""
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    if container.duration is not None and len(container.streams) == 1:
        return container.duration / 1e6
    return None


def _estimate(stream: VideoStream, seconds: float | None, part: Part) -> int:
    if seconds is None or not stream.average_rate:
        return -(-stream.frames // part.every)
    end = seconds if part.end is None else min(seconds, part.end)
    count = round(max(0.0, end - part.start) * float(stream.average_rate))
    return max(1, -(-count // part.every))


def _notes(first: VideoFrame, path: Path) -> tuple[str, ...]:
    kind = _HDR.get(int(first.color_trc))
    if kind is None:
        return ()
    return (f"{path.name!r} is high dynamic range ({kind}): its values are taken as they are.",)


def _folder_clip(path: Path, part: Part, fps: Fraction, max_pixels: int) -> Clip:
    paths = _meant(pictures_of([path]), part, fps)
    if not paths:
        raise FilmError(f"{path.name!r} has no frame in that part: check --start and --end.")
    first = read_picture(paths[0], max_pixels=max_pixels)
    hashes = "".join(file_sha256(each) for each in paths)
    return Clip(
        path,
        path.name,
        hashlib.sha256(hashes.encode()).hexdigest(),
        first.size,
        False,
        fps / part.every,
        1 / fps,
        None,
        len(paths),
        part,
    )


def _folder_frames(clip: Clip) -> Iterator[SourceFrame]:
    paths = _meant(pictures_of([clip.path]), clip.part, 1 / clip.time_base)
    for index, path in enumerate(paths):
        picture = read_picture(path)
        if picture.size != clip.size:
            raise FilmError(
                f"{path.name!r} is {picture.size[1]}x{picture.size[0]} and the first frame "
                f"{clip.size[1]}x{clip.size[0]}: frames of one film have one size."
            )
        yield SourceFrame(index, index * clip.part.every, picture.tensor)


def _meant(paths: list[Path], part: Part, fps: Fraction) -> list[Path]:
    last = len(paths) if part.end is None else -(-part.end * fps // 1)
    return paths[-(-Fraction(part.start) * fps // 1) : int(last) : part.every]
