"""How each sound stream is written into another container: tested before any frame is made."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from impasto.errors import FilmError, ImpastoError
from impasto.files.films.containers import open_container, open_for_writing, require_av
from impasto.files.films.reader import Clip
from impasto.files.films.sound import Sound, Track

_ENCODERS = {
    "mp4": ("aac", "libmp3lame"),
    "mov": ("aac", "pcm_s16le"),
    "matroska": ("aac", "libopus", "flac"),
    "webm": ("libopus",),
}
"""By container, the best first. None is experimental, since FFmpeg refuses to open those."""

_LAYOUTS = {1: "mono", 2: "stereo", 3: "2.1", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
_TRIED = 10.0  # seconds


def choose_tracks(clip: Clip, kind: str) -> tuple[tuple[Track, ...], tuple[str, ...]]:
    """All sound streams that a container can hold, and sentences on those that are not copied.

    Args:
        clip: the source.
        kind: FFmpeg's name of the container.

    """
    tracks: list[Track] = []
    notes: list[str] = []
    try:
        container = open_container(clip.path)
    except FilmError:  # a folder or an animated picture
        return (), ()
    with container as source:
        streams = list(source.streams.audio)
        for index, stream in enumerate(streams):
            which = "The sound" if len(streams) == 1 else f"Sound {index + 1}"
            candidates = _candidates(index, stream, kind)
            track = next((each for each in candidates if _works(clip, kind, each)), None)
            if track is None:
                notes.append(
                    f"{which} ({_name(stream)}) can neither be copied nor decoded: the film is "
                    "made without it."
                )
                continue
            tracks.append(track)
            notes.extend(_note(which, stream, track))
    return tuple(tracks), tuple(notes)


def _candidates(index: int, stream: Any, kind: str) -> Iterator[Track]:
    """Ways to write a sound stream, the best first."""
    name, context = _name(stream), stream.codec_context
    with open_for_writing(Path(os.devnull), kind) as target:
        takes = target.supported_codecs
    if context is None or name in takes:
        yield Track(index, name)
    if context is None:
        return
    av = require_av()
    for encoder in _ENCODERS[kind]:
        try:
            codec = av.codec.Codec(encoder, "w")
        except av.codec.codec.UnknownCodecError:
            continue
        for layout in _layouts(stream):
            yield Track(index, name, encoder, _rate(stream.rate, codec.audio_rates), layout)


def _layouts(stream: Any) -> list[str]:
    """The stream's own layout, the usual one for as many channels, and those of fewer."""
    count = stream.layout.nb_channels
    every = [stream.layout.name, _LAYOUTS.get(count, "stereo"), "stereo", "mono"]
    return [each for each in dict.fromkeys(every) if not each.endswith("channels")]


def _rate(rate: int, known: list[int] | None) -> int:
    """The rate, or the next higher one of an encoder; its highest if there is none."""
    if not known:
        return rate
    return min((each for each in known if each >= rate), default=max(known))


def _works(clip: Clip, kind: str, track: Track) -> bool:
    """True if the start of the stream can be written into the container."""
    av = require_av()
    try:
        with (
            open_for_writing(Path(os.devnull), kind) as target,
            closing(Sound(clip, target, (track,))) as sound,
        ):
            if (start := sound.start) is None:
                return False
            sound.write_until(start + _TRIED)
            return not sound.is_broken
    except (av.FFmpegError, ValueError, ImpastoError):
        return False


def _note(which: str, stream: Any, track: Track) -> Iterator[str]:
    if track.encoder is None:
        return
    name = require_av().codec.Codec(track.encoder, "w").canonical_name
    changes = []
    if track.rate != stream.rate:
        changes.append(f"at {track.rate} Hz")
    if require_av().AudioLayout(track.layout).nb_channels != stream.layout.nb_channels:
        changes.append(f"in {track.layout}")
    how = " ".join([name, *changes])
    yield f"{which} ({track.name}) is encoded again as {how}, which the container can hold."


def _name(stream: Any) -> str:
    context = stream.codec_context
    return context.codec.canonical_name if context else "of an unknown codec"
