"""Hostile inputs from a seed: mutations of small valid files, and malicious files."""

from __future__ import annotations

import io
import json
import os
import pickle
import random
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from safetensors.torch import save

from benchmarks.hostile_films import (
    put_folder,
    sound_films,
    special_films,
    special_folders,
)
from impasto import api
from impasto.files.records.write import PNG_KEYWORD
from impasto.ops.natural import natural_picture

Kind = Literal["picture", "record", "weights", "checkpoint", "film"]
SHARES: dict[Kind, int] = {
    "picture": 46, "record": 14, "weights": 13, "checkpoint": 7, "film": 20,
}  # fmt: skip
"""Percent of the mutations."""
FORMATS: dict[str, dict[str, Any]] = {
    ".png": {}, ".jpg": {"quality": 90}, ".webp": {"lossless": True}, ".tif": {}, ".gif": {},
    ".avif": {}, ".bmp": {},
}  # fmt: skip
MEGA = 200_000_000


@dataclass(frozen=True)
class Case:
    """One input.

    Attributes:
        kind: the kind of input.
        name: name of its file.
        how: a description of what is hostile.
        put: writes it to a path.

    """

    kind: Kind
    name: str
    how: str
    put: Callable[[Path], object]


def cases(count: int, marker: Path, *, seed: int = 1) -> Iterator[Case]:
    """Special inputs, at most half of them, and mutations of valid files for the rest.

    Args:
        count: number of inputs of all kinds.
        marker: a file that the code inside a hostile pickle would make.
        seed: of the mutations.

    """
    draw = random.Random(seed)
    special = [
        *_special_pictures(),
        *_special_records(),
        *_special_weights(marker),
        *_special_films(),
    ]
    draw.shuffle(special)
    special = special[: count // 2]
    yield from special
    sound = _sound()
    kinds = list(SHARES)
    for _ in range(count - len(special)):
        kind = draw.choices(kinds, list(SHARES.values()))[0]
        suffix, data = draw.choice(sound[kind])
        how, mutated = _mutated(data, draw)
        if draw.random() < 0.1:
            suffix = draw.choice([*FORMATS, ".json", ".h5", ".pth", ".safetensors", ".mp4"])
            how += f", called {suffix}"
        yield _file(kind, suffix, how, mutated)


def _file(kind: Kind, suffix: str, how: str, data: bytes) -> Case:
    return Case(kind, f"hostile{suffix}", how, lambda path: path.write_bytes(data))


def _mutated(data: bytes, draw: random.Random) -> tuple[str, bytes]:
    ways: dict[str, Callable[[bytes], bytes]] = {
        "truncated": lambda d: d[: draw.randrange(len(d))],
        "bits flipped": lambda d: _flipped(d, draw),
        "a block of zeros": lambda d: _replaced(d, draw, bytes(64)),
        "a block of noise": lambda d: _replaced(d, draw, draw.randbytes(32)),
        "a large number": lambda d: _replaced(d, draw, b"\xff\xff\xff\x7f"),
        "something inserted": lambda d: _inserted(d, draw),
        "something left out": lambda d: _left_out(d, draw),
    }
    how = draw.choice(list(ways))
    changed = ways[how](data)
    if changed.startswith(b"\x89PNG") and draw.random() < 0.5:
        return f"{how}, check sums mended", _mended(changed)
    return how, changed


def _flipped(data: bytes, draw: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(draw.choice((1, 2, 8, 32))):
        changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
    return bytes(changed)


def _replaced(data: bytes, draw: random.Random, block: bytes) -> bytes:
    at = draw.randrange(len(data))
    return data[:at] + block + data[at + len(block) :]


def _inserted(data: bytes, draw: random.Random) -> bytes:
    at = draw.randrange(len(data))
    return data[:at] + draw.randbytes(draw.randrange(1, 64)) + data[at:]


def _left_out(data: bytes, draw: random.Random) -> bytes:
    at = draw.randrange(len(data))
    return data[:at] + data[at + draw.randrange(1, 64) :]


def _mended(data: bytes) -> bytes:
    """Correct the checksums of a PNG's chunks, so that a decoder reaches the damage."""
    out, at = data[:8], 8
    while at + 12 <= len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        body = data[at + 4 : at + 8 + length]
        if at + 12 + length > len(data):
            break
        out += data[at : at + 4] + body + struct.pack(">I", zlib.crc32(body))
        at += 12 + length
    return out + data[at:]


def _sound() -> dict[Kind, list[tuple[str, bytes]]]:
    """Small valid files of every kind, by suffix."""
    picture = _picture()
    pictures = [(suffix, _encoded(picture, suffix, **o)) for suffix, o in FORMATS.items()]
    pictures += [
        (".png", _encoded(picture.convert("P"), ".png")),
        (".png", _encoded(picture.convert("RGBA"), ".png", exif=_exif(), icc_profile=b"none" * 40)),
        (".png", _encoded(Image.fromarray((_floats()[..., 0] * 65535).astype(np.uint16)), ".png")),
        (".jpg", _encoded(picture.convert("CMYK"), ".jpg", exif=_exif())),
        (".tif", _encoded(Image.fromarray(_floats()[..., 0]), ".tif")),
        (".tif", _encoded(picture, ".tif", compression="jpeg")),
        (".tif", _deep_tiff()),
    ]
    record, checkpoint = _record_and_checkpoint()
    text = json.dumps(record, indent=1).encode()
    tensors = {"features.0.weight": torch.ones(4, 3, 3, 3), "features.0.bias": torch.ones(4)}
    return {
        "picture": pictures,
        "record": [(".json", text), (".png", _png_with(text.decode()))],
        "weights": [
            (".pth", _torch_saved(tensors)),
            (".pth", _torch_saved(tensors, _use_new_zipfile_serialization=False)),
            (".safetensors", save(tensors, {"input": "{}"})),
            (".h5", _hdf5()),
        ],
        "checkpoint": [(".checkpoint", checkpoint)],
        "film": list(sound_films()),
    }


@cache
def _floats() -> Any:
    """``(32, 40, 3)`` float32 in [0, 1]."""
    return natural_picture(32, 40, seed=0)[0].permute(1, 2, 0).contiguous().numpy()


@cache
def _picture() -> Image.Image:
    return Image.fromarray((_floats() * 255).astype(np.uint8))


def _encoded(image: Image.Image, suffix: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, format=Image.registered_extensions()[suffix], **options)
    return file.getvalue()


def _exif() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


def _deep_tiff(levels: Any = None) -> bytes:
    import tifffile

    file = io.BytesIO()
    tifffile.imwrite(
        file, _floats() if levels is None else levels, photometric="rgb", metadata=None
    )
    return file.getvalue()


def _torch_saved(tensors: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    torch.save(tensors, file, **options)
    return file.getvalue()


def _hdf5() -> bytes:
    import h5py

    file = io.BytesIO()
    with h5py.File(file, "w") as h5:
        group = h5.create_group("block1_conv1")
        group.create_dataset("block1_conv1_W_1:0", data=np.ones((3, 3, 3, 4), np.float32))
        group.create_dataset("block1_conv1_b_1:0", data=np.ones(4, np.float32), chunks=(2,))
        group.attrs["weight_names"] = [b"block1_conv1_W_1:0"]
    return file.getvalue()


def _record_and_checkpoint() -> tuple[dict[str, Any], bytes]:
    """The record and the checkpoint of a real run of one step."""
    image = np.asarray(_picture())
    job = api.stylize_job(image, image, size=32, scales=1, steps=(1,), precision="fp32", threads=1)
    for _ in job:
        pass
    path = Path(f"sound-{os.getpid()}.checkpoint")
    job.keep(path)
    checkpoint = path.read_bytes()
    path.unlink()
    return job.result().record, checkpoint


def _png_with(text: str) -> bytes:
    info = PngInfo()
    info.add_itxt(PNG_KEYWORD, text, zip=True)
    return _encoded(_picture(), ".png", pnginfo=info)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _png(width: int, height: int, *chunks: bytes, data: bytes = b"") -> bytes:
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n"
        + head
        + b"".join(chunks)
        + _chunk(b"IDAT", data)
        + _chunk(b"IEND", b"")
    )


def _special_pictures() -> Iterator[Case]:
    for suffix in FORMATS:
        yield _file("picture", suffix, "empty", b"")
        yield Case("picture", f"hostile{suffix}", "a folder", Path.mkdir)
        yield Case("picture", f"hostile{suffix}", "a FIFO", os.mkfifo)
        yield _file("picture", suffix, "words", b"not a picture\n" * 40)
        if suffix != ".avif":
            yield _file("picture", suffix, "1x1", _encoded(Image.new("RGB", (1, 1)), suffix))
        long = Image.new("RGB", (1, 20000))
        yield _file(
            "picture", suffix, "1x20000", _encoded(long, suffix) if suffix != ".webp" else b""
        )
        for other in FORMATS:
            yield _file("picture", other, f"in truth {suffix}", _encoded(_picture(), suffix))
    yield Case(
        "picture", "hostile.png", "a link to itself", lambda path: path.symlink_to(path.name)
    )
    yield Case("picture", "hostile.png", "a device", lambda path: path.symlink_to("/dev/zero"))
    zeros = zlib.compress(bytes(50_000_000), 9)
    side = 30_000
    yield _file("picture", ".png", "a bomb of pixels", _png(side, side, data=zeros))
    yield _file("picture", ".png", "a bomb within the limit", _png(15_000, 15_000, data=zeros))
    for kind in (b"zTXt", b"iCCP"):
        bomb = _chunk(kind, b"a\0\0" + zeros)
        yield _file("picture", ".png", f"a bomb in {kind.decode()}", _png(32, 32, bomb))
    yield _file("picture", ".png", "200 megapixels without data", _png(20_000, 10_000))
    yield _file("picture", ".png", "an impossible size", _png(2**31 - 1, 2**31 - 1))
    yield _file("picture", ".png", "no size", _png(0, 0))
    gif = b"GIF89a" + struct.pack("<HHBBB", 20_000, 10_000, 0, 0, 0)
    yield _file(
        "picture", ".gif", "200 megapixels without data", gif + b",\0\0\0\0" + gif[6:10] + b"\0"
    )
    bmp = b"BM" + struct.pack(
        "<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, 20_000, 10_000, 1, 24, 0, 0, 0, 0, 0, 0
    )
    yield _file("picture", ".bmp", "200 megapixels without data", bmp)
    jpeg = _encoded(_picture(), ".jpg")
    at = jpeg.index(b"\xff\xc0") + 5
    large = jpeg[:at] + struct.pack(">HH", 10_000, 20_000) + jpeg[at + 4 :]
    yield _file("picture", ".jpg", "200 megapixels without data", large)
    levels = _floats().copy()
    for name, value in (("NaN", np.nan), ("infinity", np.inf), ("1e38", 1e38)):
        levels[3, 3] = value
        yield _file("picture", ".tif", f"a float TIFF with {name}", _deep_tiff(levels))


def _special_records() -> Iterator[Case]:
    record, _ = _record_and_checkpoint()
    names = ("../../etc/passwd", "/etc/passwd", "..", "a/b", "C:\\x", "nul\0", "", "x" * 5000)
    wrong: list[Any] = [None, [], {}, "", "x", -1, 2**70, 1e400, True, [[]], {"a": 1}]
    made: list[tuple[str, Any]] = []
    for key in record:
        made += [(f"{key} is {str(value)[:9]!r}", {**record, key: value}) for value in wrong]
        made += [(f"no {key}", {k: v for k, v in record.items() if k != key})]
    for part in ("recipe", "plan", "result", "network", "inputs"):
        for key in record[part]:
            made += [
                (
                    f"{part}.{key} is {str(value)[:9]!r}",
                    {**record, part: {**record[part], key: value}},
                )
                for value in wrong
            ]
    for name in names:
        inputs = {**record["inputs"], "content": [{**record["inputs"]["content"][0], "name": name}]}
        made.append((f"a photograph named {name[:9]!r}", {**record, "inputs": inputs}))
        for field in ("weights", "init"):
            recipe = {**record["recipe"], field: name}
            made.append((f"{field} named {name[:9]!r}", {**record, "recipe": recipe}))
    for how, values in made:
        text = json.dumps(values).replace("Infinity", "1e999")
        yield _file("record", ".json", how, text.encode())
        if len(how) % 3 == 0:
            yield _file("record", ".png", how, _png_with(text))
    for how, data in {
        "deep": b"[" * 200_000, "a number of a million digits": b"1" * 1_000_000,
        "NaN": b'{"schema": NaN}', "empty": b"", "not UTF-8": b"\xff\xfe\x00", "a list": b"[]",
        "code": b'__import__("os").system("true")',
    }.items():  # fmt: skip
        yield _file("record", ".json", how, data)
    bomb = zlib.compress(b" " * 100_000_000, 6)
    yield _file(
        "record", ".png", "a bomb of text",
        _png(32, 32, _chunk(b"iTXt", PNG_KEYWORD.encode() + b"\0\1\0\0\0" + bomb)),
    )  # fmt: skip


def _link(path: Path, *, target: str) -> None:
    path.symlink_to(target)


class _Code:
    """An object that makes a file when it is unpickled without restriction."""

    def __init__(self, marker: Path) -> None:
        self._marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self._marker}",)


def _special_weights(marker: Path) -> Iterator[Case]:
    code = _Code(marker)
    bare = pickle.dumps({"features.0.weight": code}, protocol=2)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("archive/data.pkl", bare)
        zipped.writestr("archive/version", "3")
    for suffix in (".pth", ".h5", ".safetensors"):
        yield _file("weights", suffix, "a pickle that runs code", bare)
        yield _file("weights", suffix, "a pickle that runs code, zipped", archive.getvalue())
        yield _file("weights", suffix, "empty", b"")
        yield Case("weights", f"hostile{suffix}", "a folder", Path.mkdir)
        yield Case("weights", f"hostile{suffix}", "a FIFO", os.mkfifo)
        yield _file("weights", suffix, "a picture", _encoded(_picture(), ".png"))
    legacy = _torch_saved({"features.0.weight": code}, _use_new_zipfile_serialization=False)
    yield _file("weights", ".pth", "a pickle that runs code, as torch wrote it once", legacy)
    header = json.dumps({"a": {"dtype": "F32", "shape": [MEGA, MEGA], "data_offsets": [0, 4]}})
    for length in (len(header), 2**63, 2**40):
        data = struct.pack("<Q", length) + header.encode() + bytes(4)
        yield _file("weights", ".safetensors", f"a header of {length}", data)
        yield _file("checkpoint", ".checkpoint", f"a header of {length}", data)
    yield Case("checkpoint", "hostile.checkpoint", "a FIFO", os.mkfifo)
    yield Case("checkpoint", "hostile.checkpoint", "a folder", Path.mkdir)


def _special_films() -> Iterator[Case]:
    for suffix, how, data in special_films():
        yield _file("film", suffix, how, data)
    for how, frames in special_folders():
        yield Case("film", "hostile", f"a folder with {how}", partial(put_folder, frames=frames))
    yield Case("film", "hostile.mp4", "a FIFO", os.mkfifo)
    yield Case("film", "hostile.mp4", "a link to itself", lambda path: path.symlink_to(path.name))
    yield Case("film", "hostile.mp4", "a device", lambda path: path.symlink_to("/dev/zero"))
