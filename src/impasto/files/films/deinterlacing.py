"""Deinterlacing: two fields, taken one after the other, into one frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from impasto.files.films.containers import require_av

if TYPE_CHECKING:
    from av.video.frame import VideoFrame


def deinterlaced(frames: Iterable[VideoFrame]) -> Iterator[VideoFrame]:
    """The same frames, each at the time of its first field, with interlaced ones deinterlaced.

    From the first interlaced frame on all pass through FFmpeg's bwdif, which uses a frame and its
    neighbours, leaves progressive frames unchanged, and reads the order of fields from each
    frame. An exception of ``frames`` is raised after the frames before it.
    """
    graph: _Graph | None = None
    frames = iter(frames)
    while True:
        try:
            frame = next(frames)
        except StopIteration:
            break
        except Exception:
            if graph is not None:
                yield from graph.rest()
            raise
        if graph is not None and not graph.suits(frame):
            yield from graph.rest()
            graph = None
        if graph is None and frame.interlaced_frame:
            graph = _Graph(frame)
        if graph is None:
            yield frame
        else:
            yield from graph.passed(frame)
    if graph is not None:
        yield from graph.rest()


class _Graph:
    """FFmpeg's filter for frames of one size and format."""

    def __init__(self, first: VideoFrame) -> None:
        self._kind = _kind(first)
        self._time_base = first.time_base
        self._graph = require_av().filter.Graph()
        source = self._graph.add_buffer(
            width=first.width,
            height=first.height,
            format=first.format,
            time_base=first.time_base,
        )
        filtered = self._graph.add("bwdif", mode="send_frame", parity="auto", deint="interlaced")
        self._graph.link_nodes(source, filtered, self._graph.add("buffersink")).configure()

    def suits(self, frame: VideoFrame) -> bool:
        """False for a frame of another size or format."""
        return _kind(frame) == self._kind

    def passed(self, frame: VideoFrame) -> Iterator[VideoFrame]:
        """Pass in a frame; yield those that are ready."""
        self._graph.vpush(frame)
        yield from self._ready()

    def rest(self) -> Iterator[VideoFrame]:
        """Yield the frames that are still in the filter."""
        self._graph.vpush(None)
        yield from self._ready()

    def _ready(self) -> Iterator[VideoFrame]:
        errors = require_av().error
        while True:
            try:
                frame = self._graph.vpull()
            except (errors.BlockingIOError, errors.EOFError):
                return
            # The filter halves the time unit, to allow one frame per field.
            frame.pts = round(frame.pts * frame.time_base / self._time_base)
            frame.duration = round(frame.duration * frame.time_base / self._time_base)
            frame.time_base = self._time_base
            yield frame


def _kind(frame: VideoFrame) -> tuple[Any, ...]:
    return frame.width, frame.height, frame.format.name
