"""Films for the hostile inputs: valid ones of every common kind, and special hostile ones."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

from impasto.ops.natural import natural_picture

HEIGHT, WIDTH, FRAMES = 32, 48, 9
KINDS = {
    ".mp4": ("mp4", "libx264", "yuv420p"),
    ".mkv": ("matroska", "libx264", "yuv420p"),
    ".webm": ("webm", "libvpx", "yuv420p"),
    ".mov": ("mov", "mjpeg", "yuvj420p"),
    ".avi": ("avi", "mpeg4", "yuv420p"),
    ".ts": ("mpegts", "mpeg2video", "yuv420p"),
    ".gif": ("gif", "gif", "rgb8"),
    ".y4m": ("yuv4mpegpipe", "rawvideo", "yuv420p"),
}
"""Suffix to container, encoder and pixel format."""
PLAYLISTS = {
    "of HTTP": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nhttp://127.0.0.1:9/a.ts\n",
    "of files": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nsound.mkv\n#EXT-X-ENDLIST\n",
    "that joins files": "ffconcat version 1.0\nfile sound.mkv\n",
    "of a socket": "v=0\ns=a\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\n"
    "a=rtpmap:96 H264/90000\n",
}


def sound_films() -> Iterator[tuple[str, bytes]]:
    """Valid films: suffix and content."""
    for suffix in KINDS:
        yield suffix, film(suffix)
    yield ".mp4", film(".mp4", sound="aac")
    yield ".mkv", film(".mkv", codec="ffv1", pixels="bgr0", sound="pcm_s16le")


def special_films() -> Iterator[tuple[str, str, bytes]]:
    """Special films: suffix, a description of what is hostile, and content."""
    for suffix in KINDS:
        data = film(suffix)
        yield suffix, "empty", b""
        yield suffix, "words", b"not a film\n" * 40
        yield suffix, "a picture in truth", _picture()
        for share in (0.02, 0.1, 0.25, 0.5, 0.75, 0.95):
            yield suffix, f"the first {share:.0%}", data[: int(share * len(data))]
        for share in (0.4, 0.6, 0.8):
            yield suffix, f"zeros at {share:.0%}", _spoiled(data, share)
        for other in KINDS:
            yield other, f"in truth {suffix}", data
        for how, text in PLAYLISTS.items():
            yield suffix, f"a playlist {how}", text.encode()
        yield suffix, "two films of two sizes", data + film(suffix, height=64, width=80)
    yield ".mp4", "no stream", _box(b"ftyp", b"isom\0\0\0\0isom") + _box(b"moov", b"")
    yield ".mkv", "no stream", film(".mkv")[:60]
    yield ".avi", "no stream", b"RIFF" + struct.pack("<I", 4) + b"AVI "
    yield ".mp4", "sound alone", film(".mp4", pictures=False, sound="aac")
    yield ".mkv", "sound alone", film(".mkv", pictures=False, sound="pcm_s16le")
    yield from _absurd_sizes()
    yield from _absurd_times()


def _absurd_sizes() -> Iterator[tuple[str, str, bytes]]:
    mp4, avi, gif = film(".mp4"), film(".avi"), film(".gif")
    size = struct.pack(">HH", WIDTH, HEIGHT)
    for width, height in ((65535, 65535), (0, 0), (1, 65535)):
        absurd = struct.pack(">HH", width, height)
        yield ".mp4", f"{width}x{height} in its header", mp4.replace(size, absurd)
        head = gif[:6] + struct.pack("<HH", width, height) + gif[10:]
        yield ".gif", f"{width}x{height} in its header", head
    for side in (0, 40_000, 2**31 - 1):
        absurd = struct.pack("<II", side, side)
        wide = avi.replace(struct.pack("<II", WIDTH, HEIGHT), absurd)
        yield ".avi", f"{side}x{side} in its header", wide
        head = b"YUV4MPEG2 W%d H%d F25:1\nFRAME\n" % (side, side)
        yield ".y4m", f"{side}x{side} in its header", head + bytes(4000)
    for shape in (Fraction(65535, 1), Fraction(1, 65535), Fraction(255, 1)):
        yield ".mp4", f"pixels of {shape}", film(".mp4", shape=shape)
        yield ".mkv", f"pixels of {shape}", film(".mkv", shape=shape)
    yield ".mp4", "a bomb of pixels", film(".mp4", height=4000, width=4000, frames=2, is_flat=True)


def _absurd_times() -> Iterator[tuple[str, str, bytes]]:
    mp4 = film(".mp4")
    for kind in (b"mvhd", b"tkhd", b"mdhd", b"stts", b"stsz", b"stsc", b"stco", b"elst", b"stsd"):
        at = mp4.index(kind) + 8
        for value in (b"\0", b"\xff", b"\x7f"):
            for start in (at, at + 4, at + 12):
                spoiled = mp4[:start] + value * 4 + mp4[start + 4 :]
                yield ".mp4", f"{kind.decode()} with {value!r} at {start - at}", spoiled
    for gap in (10**5, 10**9, 10**12):
        times = (*range(FRAMES - 1), gap)
        yield ".mkv", f"a last frame after {gap}", film(".mkv", codec="mpeg4", times=times)


def _spoiled(data: bytes, share: float) -> bytes:
    at = int(share * len(data))
    length = len(data) // 10
    return data[:at] + bytes(length) + data[at + length :]


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + body


@cache
def _picture() -> bytes:
    file = io.BytesIO()
    Image.fromarray(_levels(HEIGHT, WIDTH)).save(file, "PNG")
    return file.getvalue()


@cache
def _levels(height: int, width: int) -> Any:
    picture = natural_picture(height, width, seed=0)[0].permute(1, 2, 0)
    return np.ascontiguousarray((picture.numpy() * 255).astype(np.uint8))


@cache
def film(
    suffix: str,
    *,
    codec: str | None = None,
    pixels: str | None = None,
    height: int = HEIGHT,
    width: int = WIDTH,
    frames: int = FRAMES,
    times: Sequence[int] | None = None,
    shape: Fraction | None = None,
    sound: str | None = None,
    pictures: bool = True,
    is_flat: bool = False,
) -> bytes:
    """The bytes of a film of a pan at 25 frames a second, with every third a key frame.

    Args:
        suffix: chooses the container, and the default codec and pixel format.
        codec: FFmpeg's name of an encoder.
        pixels: its pixel format.
        height: of a frame.
        width: of a frame.
        frames: number of frames.
        times: of each, in 25ths of a second.
        shape: of a pixel, width over height.
        sound: an encoder of sound, for a third of a second of it.
        pictures: False for sound alone.
        is_flat: all pixels black.

    """
    container, encoder, format_ = KINDS[suffix]
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream: Any = None
        if pictures:
            stream = output.add_stream(codec or encoder, rate=25)
            stream.height, stream.width, stream.pix_fmt = height, width, pixels or format_
            stream.codec_context.gop_size = 3
            if shape is not None:
                stream.codec_context.sample_aspect_ratio = shape
        hum = output.add_stream(sound, rate=48000, layout="mono") if sound else None
        levels = np.zeros((height, width, 3), np.uint8) if is_flat else _levels(height, width)
        for index in range(frames if pictures else 0):
            frame = av.VideoFrame.from_ndarray(np.roll(levels, 2 * index, axis=1), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            for packet in stream.encode(frame):
                if times is not None:
                    packet.pts = packet.dts = times[index]
                output.mux_one(packet)
        if stream is not None:
            output.mux(stream.encode())
        if hum is not None:
            output.mux(_hum(hum))
    return file.getvalue()


def _hum(stream: Any) -> list[Any]:
    """A third of a second of a tone, encoded."""
    size = stream.codec_context.frame_size or 1024
    packets = []
    for start in range(0, 16000, size):
        wave = np.sin(np.arange(start, start + size) / 17) * 20000
        frame = av.AudioFrame.from_ndarray(wave.astype(np.int16)[None], "s16", "mono")
        frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
        packets += stream.encode(frame)
    return [*packets, *stream.encode()]


def put_folder(path: Path, frames: Sequence[bytes]) -> None:
    """Write a folder of frames."""
    path.mkdir()
    for index, data in enumerate(frames):
        (path / f"{index:03d}.png").write_bytes(data)


def special_folders() -> Iterator[tuple[str, Sequence[bytes]]]:
    """Special folders: a description of what is hostile, and the frames."""
    sound, other = _picture(), io.BytesIO()
    Image.new("RGB", (9, 70)).save(other, "PNG")
    yield "no frame", []
    yield "words", [b"not a picture"]
    yield "a frame that is cut off", [sound, sound, sound[: len(sound) // 2], sound]
    yield "a frame of another size", [sound, sound, other.getvalue()]
    yield "an empty frame", [sound, b"", sound]
