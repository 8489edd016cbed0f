"""Sound from film to film: what comes out sounds, and lasts, as what went in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from impasto.files.films import sound, sound_choice
from impasto.files.films.form import choose_form
from impasto.files.films.reader import open_clip, read_frames
from impasto.files.films.writer import Finished, film_writer
from impasto.recipe.film import FrameRange

av = pytest.importorskip("av")
SIZE = (32, 48)


@dataclass(frozen=True)
class Hum:
    """A tone as one track."""

    codec: str = "aac"
    rate: int = 48000
    layout: str = "mono"
    seconds: float = 1.0
    start: float = 0.0
    pitch: int = 440
    language: str = "und"


def _source(path: Path, *hums: Hum, frames: int = 10) -> Path:
    """Grey frames, ten a second, and tones."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=10)
        video.height, video.width, video.pix_fmt = *SIZE, "yuv420p"
        streams = []
        for hum in hums:
            options = {"strict": "-2"} if hum.codec == "vorbis" else {}
            stream = container.add_stream(
                hum.codec, rate=hum.rate, layout=hum.layout, options=options
            )
            stream.metadata["language"] = hum.language
            if hum.codec == "wmav2":
                stream.codec_context.bit_rate = 128_000
            streams.append(stream)
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(np.full((*SIZE, 3), 128, np.uint8), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 10)
            container.mux(video.encode(frame))
        container.mux(video.encode())
        for hum, stream in zip(hums, streams, strict=True):
            _hum(container, stream, hum)
    return path


def _hum(container, stream, hum: Hum) -> None:
    wave = np.sin(2 * np.pi * hum.pitch / hum.rate * np.arange(round(hum.seconds * hum.rate)))
    channels = np.repeat((wave * 12000).astype(np.int16)[None], stream.layout.nb_channels, 0)
    frame = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(channels.T.reshape(1, -1)), format="s16", layout=hum.layout
    )
    frame.sample_rate, frame.time_base = hum.rate, Fraction(1, hum.rate)
    frame.pts = round(hum.start * hum.rate)
    container.mux(stream.encode(frame))
    container.mux(stream.encode())


def _made(source: Path, target: Path, *, part: FrameRange = FrameRange(), whole: bool = True):  # noqa: B008
    """A grey film with the source's sound; what was said of it, and what went wrong."""
    clip = open_clip(source, part)
    form, notes = choose_form(target, None, clip, SIZE, deep=False)
    troubles: list[str] = []
    grey = torch.full((1, 3, *SIZE), 0.5)
    with film_writer(target, form, clip, SIZE, troubles=troubles, is_whole=whole) as writer:
        for frame in read_frames(clip):
            writer.write(Finished(grey, frame.time, None, frame.duration))
    assert len(list(read_frames(open_clip(target)))) == len(list(read_frames(clip)))
    return notes, troubles


def _heard(path: Path, track: int = 0) -> tuple[np.ndarray, int, int]:
    """The channels mixed into one, from 0 s on; rate; number of channels."""
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=track))
    rate, count = frames[0].sample_rate, frames[0].layout.nb_channels
    mixed = av.AudioResampler(format="s16", layout="mono")
    frames = [each for frame in frames for each in mixed.resample(frame)]
    end = max(float(f.pts * f.time_base) + f.samples / rate for f in frames)
    wave = np.zeros(round(end * rate) + rate)
    for frame in frames:
        at = max(0, round(float(frame.pts * frame.time_base) * rate))
        wave[at : at + frame.samples] = frame.to_ndarray()[0] / 2**15
    return wave, rate, count


def _span(wave: np.ndarray, rate: int) -> tuple[float, float]:
    """Seconds at which the tone begins and ends."""
    loud = np.flatnonzero(np.abs(wave) > 0.05)
    return loud[0] / rate, loud[-1] / rate


def _pitch(wave: np.ndarray, rate: int) -> float:
    begin, end = (round(each * rate) for each in _span(wave, rate))
    part = wave[begin:end]
    return float(np.argmax(np.abs(np.fft.rfft(part))) * rate / len(part))


def _packets(path: Path, track: int = 0) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=track) if packet.size]


@pytest.mark.parametrize(
    ("name", "hum", "target", "codec", "rate", "channels"),
    [
        ("a.mp4", Hum(rate=44100), ".webm", "opus", 48000, 1),
        ("a.mkv", Hum("pcm_s16le", 11025), ".webm", "opus", 48000, 1),
        ("a.mkv", Hum("pcm_s16le", 11025), ".mp4", "pcm_s16le", 11025, 1),
        ("a.mkv", Hum("flac", 96000, "stereo"), ".webm", "opus", 48000, 2),
        ("a.mkv", Hum("flac", 192000, "stereo"), ".mov", "aac", 96000, 2),
        ("a.mkv", Hum("ac3", 48000, "5.1(side)"), ".webm", "opus", 48000, 6),
        ("a.mkv", Hum("flac", 48000, "7.1"), ".webm", "opus", 48000, 8),
        ("a.mkv", Hum("vorbis", 44100, "stereo"), ".mov", "aac", 44100, 2),
        ("a.wmv", Hum("wmav2", 44100, "mono"), ".mp4", "aac", 44100, 1),
        ("a.wmv", Hum("wmav2", 44100, "stereo"), ".webm", "opus", 48000, 2),
        ("a.avi", Hum("adpcm_ms", 22050), ".mp4", "aac", 22050, 1),
        ("a.avi", Hum("adpcm_ms", 6000), ".mp4", "aac", 7350, 1),
        ("a.ts", Hum(rate=44100), ".mkv", "aac", 44100, 1),
        ("a.ts", Hum(rate=44100), ".mp4", "aac", 44100, 1),
    ],
)
def test_any_sound_goes_into_any_container(name, hum, target, codec, rate, channels, tmp_path):
    source, film = _source(tmp_path / name, hum), tmp_path / f"film{target}"
    notes, troubles = _made(source, film)
    with av.open(str(film)) as container:
        found = container.streams.audio[0]
        assert found.codec_context.codec.canonical_name == codec
        assert (found.rate, found.layout.nb_channels) == (rate, channels)
    is_copied = hum.codec == codec
    assert [note.startswith(f"The sound ({hum.codec}) is encoded again as") for note in notes] == (
        [] if is_copied else [True]
    )
    assert troubles == []
    wave, heard, _ = _heard(film)
    assert _span(wave, heard) == pytest.approx((0, 1), abs=0.1)
    assert _pitch(wave, heard) == pytest.approx(440, abs=5)


def test_packets_are_copied_where_the_container_takes_them(tmp_path):
    source = _source(tmp_path / "a.mp4", Hum())
    notes, _ = _made(source, tmp_path / "film.mov")
    assert notes == ()
    assert _packets(tmp_path / "film.mov") == _packets(source) != []


@pytest.mark.parametrize("target", [".mp4", ".webm"])
@pytest.mark.parametrize(("start", "seconds"), [(0.0, 0.4), (0.0, 1.7), (0.5, 0.4), (0.5, 1.0)])
def test_shorter_longer_and_later_than_the_film(start, seconds, target, tmp_path):
    source = _source(tmp_path / "a.mkv", Hum(rate=44100, start=start, seconds=seconds))
    film = tmp_path / f"film{target}"
    _made(source, film)
    assert _span(*_heard(film)[:2]) == pytest.approx((start, start + seconds), abs=0.1)


def test_the_sound_of_a_film_so_far_ends_with_its_frames(tmp_path):
    source = _source(tmp_path / "a.mkv", Hum(seconds=3.0))
    _made(source, tmp_path / "film.mp4", whole=False)
    assert _span(*_heard(tmp_path / "film.mp4")[:2]) == pytest.approx((0, 1), abs=0.1)


@pytest.mark.parametrize("target", [".mp4", ".webm"])
def test_the_sound_of_a_part(target, tmp_path):
    source = _source(tmp_path / "a.mp4", Hum(start=0.5, seconds=0.4))
    _made(source, tmp_path / f"film{target}", part=FrameRange(0.3, 0.8))
    assert _span(*_heard(tmp_path / f"film{target}")[:2]) == pytest.approx((0.2, 0.5), abs=0.06)


def test_every_track_comes_along_with_its_language(tmp_path):
    hums = (Hum(rate=44100, language="eng"), Hum("ac3", 48000, "stereo", pitch=660, language="deu"))
    source, film = _source(tmp_path / "a.mkv", *hums), tmp_path / "film.webm"
    notes, _ = _made(source, film)
    assert [note.split(" is")[0] for note in notes] == ["Sound 1 (aac)", "Sound 2 (ac3)"]
    with av.open(str(film)) as container:
        assert [each.language for each in container.streams.audio] == ["eng", "deu"]
    for track, hum in enumerate(hums):
        assert _pitch(*_heard(film, track)[:2]) == pytest.approx(hum.pitch, abs=5)


def test_a_frame_without_a_time_follows_on_the_last(tmp_path):
    """What a decoder of WMA hands over last says no time."""
    source = _source(tmp_path / "a.wmv", Hum("wmav2", 44100))
    with av.open(str(source)) as container:
        assert None in [frame.pts for frame in container.decode(audio=0)]
    _made(source, tmp_path / "film.mp4")
    heard = _span(*_heard(tmp_path / "film.mp4")[:2])
    assert heard[1] == pytest.approx(_span(*_heard_in_order(source))[1], abs=0.06)


def _heard_in_order(path: Path) -> tuple[np.ndarray, int]:
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
    start = float(frames[0].pts * frames[0].time_base)
    silence = np.zeros(round(start * frames[0].sample_rate))
    return np.concatenate([silence, *(f.to_ndarray()[0] for f in frames)]), frames[0].sample_rate


def test_times_without_a_number_and_times_that_jump_back_follow_on_the_last(tmp_path):
    clip = open_clip(_source(tmp_path / "a.mp4", Hum()))

    class Stream:
        start_time, time_base = 0, Fraction(1, 1000)

    clock = sound._Clock(Stream, clip)
    times: Sequence[float | None] = (None, 0.5, None, 1.5, 0.0, 0.5, None)
    assert [clock(time, 0.5) for time in times] == [0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0]


def test_damage_in_the_middle_costs_the_rest_of_the_sound_and_not_the_film(tmp_path, monkeypatch):
    source, copied = _source(tmp_path / "a.mp4", Hum(seconds=1.0)), sound._copied
    tried = iter([False, True])  # the trial goes well

    def damaged(*arguments):
        breaks = next(tried)
        for number, packet in enumerate(copied(*arguments)):
            if number == 20 and breaks:
                raise av.error.InvalidDataError(1, "damaged")
            yield packet

    monkeypatch.setattr(sound, "_copied", damaged)
    monkeypatch.setattr("impasto.files.films.form._try", lambda *_: None)
    notes, troubles = _made(source, tmp_path / "film.mp4")
    assert notes == ()
    assert troubles == ["The sound is damaged: the film is silent after that."]
    assert _span(*_heard(tmp_path / "film.mp4")[:2])[1] == pytest.approx(20 * 1024 / 48000, abs=0.1)


def test_a_full_disk_is_not_taken_for_a_fault_of_the_sound(tmp_path):
    clip = open_clip(_source(tmp_path / "a.mp4", Hum()))
    with av.open(str(tmp_path / "film.mp4"), "w") as container:
        each = sound.Sound(clip, container, (sound.Track(0, "aac"),))

        class Full:
            def mux_one(self, packet):
                raise av.error.OSError(28, "No space left on device")

        each._target = Full()
        with pytest.raises(OSError, match="No space"):
            each.write_rest()
        each.close()


def test_sound_that_no_way_leads_to_is_left_out_with_a_sentence(tmp_path, monkeypatch):
    source = _source(tmp_path / "a.mp4", Hum())
    monkeypatch.setattr(sound_choice, "_works", lambda *_: False)
    notes, _ = _made(source, tmp_path / "film.mp4")
    (note,) = notes
    assert "the film is made without it" in note
    assert not open_clip(tmp_path / "film.mp4").has_sound


def test_a_layout_that_an_encoder_has_not_is_mixed_down_and_said(tmp_path, monkeypatch):
    source = _source(tmp_path / "a.mkv", Hum("flac", 48000, "5.1"))
    monkeypatch.setitem(sound_choice._ENCODERS, "webm", ("libopus",))
    works = sound_choice._works
    monkeypatch.setattr(
        sound_choice, "_works", lambda c, k, t: not t.layout.startswith("5") and works(c, k, t)
    )
    notes, _ = _made(source, tmp_path / "film.webm")
    assert "encoded again as opus in stereo" in notes[0]
    assert _heard(tmp_path / "film.webm")[2] == 2


def test_a_film_without_sound_has_none(make_film, moving, tmp_path):
    source = make_film(tmp_path / "a.mkv", moving(3))
    assert _made(source, tmp_path / "film.mp4") == ((), [])


def test_the_shared_films_sound(shared, tmp_path):
    """A WMA whose last frame says no time; AAC at 44,100 Hz, which Opus has not."""
    for name, target in (("wa50.wmv", "a.mp4"), ("base.mp4", "b.webm")):
        source = shared / "faults" / name
        if not source.is_file():
            pytest.skip(f"there is no {name} here")
        _, troubles = _made(source, tmp_path / target)
        assert troubles == []
        assert open_clip(tmp_path / target).has_sound
