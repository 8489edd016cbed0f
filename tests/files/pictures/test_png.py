"""What PNGs say of their colours and transparency, and damage that costs no pixel."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from impasto.errors import PictureError
from impasto.files.pictures import deep
from impasto.files.pictures.colors import ADOBE_RGB, D65
from impasto.files.pictures.images import read_picture
from tests.files import profiles
from tests.files.pictures.test_colors import SRGB_TO_ADOBE, SRGB_TO_P3, curve, light, pq
from tests.files.pngs import chrm, chunk, gama, png

SHARED = Path(__file__).parents[2].parent / "shared" / "faults"
BOTH = pytest.mark.parametrize("dtype", [np.uint8, np.uint16])


@pytest.fixture(scope="module")
def color() -> np.ndarray:
    """24 x 30 pixels of smooth colours that Adobe RGB holds as well, in [0, 1]."""
    y, x = np.mgrid[0:24, 0:30] / np.array([24, 30])[:, None, None]
    return np.stack([0.2 + 0.7 * x, 0.2 + 0.7 * y, 0.9 - 0.3 * (x + y)], -1)


def _coded(values: np.ndarray, dtype: type) -> np.ndarray:
    return np.round(values.clip(0, 1) * np.iinfo(dtype).max).astype(dtype)


def _read(folder: Path, data: bytes):
    path = folder / "a.png"
    path.write_bytes(data)
    return read_picture(path)


def _near(picture, wanted: np.ndarray, tolerance: float = 1.0) -> None:
    """Mean error in levels of 255."""
    wanted = wanted[..., None] if wanted.ndim == 2 else wanted
    found = picture.tensor[0].permute(1, 2, 0).numpy()
    assert np.abs(found - wanted).mean() * 255 < tolerance
    assert picture.notes == ()


CICP_P3 = chunk(b"cICP", bytes([12, 13, 0, 1]))
SRGB = chunk(b"sRGB", b"\0")
ICC = chunk(b"iCCP", b"swapped\0\0" + zlib.compress(profiles.swapped()))
ADOBE = gama(256 / 563) + chrm(*ADOBE_RGB)


@BOTH
def test_gamma_of_colour_and_grey(dtype, color, tmp_path):
    for exponent in (1.0, 1 / 1.8):
        coded = _coded(light(color) ** exponent, dtype)
        _near(_read(tmp_path, png(coded, gama(exponent))), color)
        _near(_read(tmp_path, png(coded[..., 0], gama(exponent))), color[..., 0])
        opaque = np.dstack([coded, np.full(coded.shape[:2], np.iinfo(dtype).max, dtype)])
        _near(_read(tmp_path, png(opaque, gama(exponent))), color)


def test_gamma_of_a_palette(tmp_path):
    grey = np.arange(4, dtype=np.uint8).reshape(2, 2)
    palette = bytes([0] * 3 + [55] * 3 + [128] * 3 + [255] * 3)
    wanted = curve(np.array([[0, 55], [128, 255]]) / 255)
    for depth in (2, 4, 8):
        _near(_read(tmp_path, png(grey, gama(1.0), depth=depth, palette=palette)), wanted)


@BOTH
def test_primaries_with_and_without_gamma(dtype, color, tmp_path):
    wide = light(color) @ SRGB_TO_ADOBE.T
    _near(_read(tmp_path, png(_coded(wide ** (256 / 563), dtype), ADOBE)), color)
    _near(_read(tmp_path, png(_coded(curve(wide), dtype), chrm(*ADOBE_RGB))), color)


@BOTH
def test_the_first_of_cicp_iccp_srgb_and_gamma_counts(dtype, color, tmp_path):
    plain = _coded(color, dtype)
    p3 = _coded(curve(light(color) @ SRGB_TO_P3.T), dtype)
    _near(_read(tmp_path, png(p3, ADOBE, SRGB, ICC, CICP_P3)), color)
    _near(_read(tmp_path, png(plain[..., [1, 0, 2]], ADOBE, SRGB, ICC)), color, 2)
    _near(_read(tmp_path, png(plain, ADOBE, SRGB)), color)
    _near(_read(tmp_path, png(plain, gama(0.45455))), color)


@BOTH
def test_a_profile_that_cannot_be_used_leaves_the_rest(dtype, color, tmp_path):
    coded = _coded(light(color), dtype)
    bad = chunk(b"iCCP", b"ink\0\0" + zlib.compress(profiles.cmyk()))
    picture = _read(tmp_path, png(coded, gama(1.0), bad))
    assert picture.notes == (
        "The colour profile of 'a.png' cannot be used: its colours are read by its other colour "
        "information.",
    )
    found = picture.tensor[0].permute(1, 2, 0).numpy()
    assert np.abs(found - color).mean() * 255 < 1


@pytest.mark.parametrize(("transfer", "name"), [(16, "PQ"), (18, "HLG")])
@BOTH
def test_hdr_is_mapped_and_said(transfer, name, dtype, tmp_path):
    white = pq(203) if name == "PQ" else 0.75
    coded = _coded(np.full((4, 4, 3), white), dtype)
    picture = _read(tmp_path, png(coded, chunk(b"cICP", bytes([9, transfer, 0, 1]))))
    assert picture.notes == (
        f"'a.png' is high dynamic range ({name}): its light is mapped to that of an ordinary "
        "picture.",
    )
    assert picture.tensor.min() * 255 == pytest.approx(252, abs=3)


def test_nonsense_about_colours_is_said(color, tmp_path):
    coded = _coded(color, np.uint8)
    for parts in (gama(0.0), gama(1.0) + chrm(*D65, *(0.3,) * 6), chunk(b"cICP", b"\x63\x63\0\1")):
        picture = _read(tmp_path, png(coded, parts))
        assert picture.notes == (
            "The colour information of 'a.png' cannot be used: it is read as sRGB.",
        )
        assert (picture.tensor[0].permute(1, 2, 0).numpy() * 255).round().astype(int).tolist() == (
            coded.tolist()
        )


def test_an_open_image_is_read_as_its_file(color, tmp_path):
    data = png(_coded(light(color) @ SRGB_TO_ADOBE.T, np.uint8), gama(1.0), chrm(*ADOBE_RGB))
    whole = _read(tmp_path, data).tensor
    assert read_picture(Image.open(io.BytesIO(data))).tensor.equal(whole)


def _hidden(picture) -> list[list[int]]:
    assert set(picture.alpha.unique().tolist()) <= {0.0, 1.0}
    return (1 - picture.alpha[0, 0]).int().tolist()


def _key(*values: int) -> bytes:
    return chunk(b"tRNS", struct.pack(f">{len(values)}H", *values))


@pytest.mark.parametrize("extra", [True, False], ids=["extra", "no extra"])
def test_a_transparent_level_of_any_depth(extra, tmp_path, monkeypatch):
    if not extra:
        monkeypatch.setattr(deep, "available", lambda: False)
    for depth in (1, 2, 4, 8, 16):
        most = 2**depth - 1
        grey = np.array([[most, 0, most], [0, 0, most]], np.uint16 if depth == 16 else np.uint8)
        picture = _read(tmp_path, png(grey, _key(most), depth=depth))
        assert _hidden(picture) == [[1, 0, 1], [0, 0, 1]], depth
        assert picture.tensor.max() == 0  # on the mean of what is visible
    near = np.array([[40000, 40001], [39999, 256]], np.uint16)  # one high byte, other levels
    assert _hidden(_read(tmp_path, png(near, _key(40000)))) == [[1, 0], [0, 0]]


def test_a_transparent_colour_of_any_depth(tmp_path):
    for dtype in (np.uint8, np.uint16):
        whole = np.array([[[1, 2, 3], [1, 2, 4]], [[3, 2, 1], [200, 100, 0]]], dtype)
        assert _hidden(_read(tmp_path, png(whole, _key(1, 2, 3)))) == [[1, 0], [0, 0]]
    indices = np.array([[0, 1], [2, 1]], np.uint8)
    parts = chunk(b"tRNS", bytes([255, 0]))
    picture = _read(tmp_path, png(indices, parts, depth=2, palette=bytes(range(9))))
    assert _hidden(picture) == [[0, 1], [0, 1]]


def test_without_the_extra_a_transparent_colour_is_near_enough(tmp_path, monkeypatch):
    monkeypatch.setattr(deep, "available", lambda: False)
    whole = np.array([[[4000, 256, 9000], [0, 256, 9000]], [[65535] * 3, [0] * 3]], np.uint16)
    picture = _read(tmp_path, png(whole, _key(4000, 256, 9000)))
    assert _hidden(picture) == [[1, 0], [0, 0]]
    assert "read at 8" in picture.notes[0]


def test_transparency_beside_a_grey_profile_and_gamma(tmp_path):
    grey = np.array([[55, 255], [0, 0]], np.uint8)
    icc = chunk(b"iCCP", b"grey\0\0" + zlib.compress(profiles.grey(1.0)))
    for parts in (icc, gama(1.0)):
        picture = _read(tmp_path, png(grey, parts, _key(0)))
        assert picture.notes == ()
        assert _hidden(picture) == [[0, 0], [1, 1]]
        assert picture.tensor[0, 0, 0, 0] * 255 == pytest.approx(128, abs=1)


def test_a_deep_transparent_picture_is_turned_with_its_alpha(tmp_path):
    exif = Image.Exif()
    exif[274] = 6
    parts = chunk(b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0"))
    for levels, key in (
        (np.array([[7, 1], [2, 3], [4, 5]], np.uint16), (7,)),
        (np.arange(18, dtype=np.uint16).reshape(3, 2, 3), (0, 1, 2)),
    ):
        picture = _read(tmp_path, png(levels, parts, _key(*key)))
        assert _hidden(picture) == [[0, 0, 1], [0, 0, 0]]


TIME = struct.pack(">HBBBBB", 2026, 1, 1, 0, 0, 0)
DAMAGED = {
    "iCCP": (zlib.compress(profiles.swapped()), b"a\0\0"),
    "tEXt": (b"Comment\0hello", b""),
    "zTXt": (b"Comment\0\0" + zlib.compress(b"hello"), b""),
    "iTXt": (b"XML:com.adobe.xmp\0\0\0\0\0<x/>", b""),
    "tIME": (TIME, b""),
    "pHYs": (struct.pack(">IIB", 2835, 2835, 1), b""),
    "gAMA": (struct.pack(">I", 100000), b""),
    "cHRM": (bytes(32), b""),
    "sRGB": (b"\0", b""),
    "cICP": (bytes([12, 13, 0, 1]), b""),
    "eXIf": (b"II*\0\x08\0\0\0\0\0", b""),
    "tRNS": (struct.pack(">3H", 1, 2, 3), b""),
    "acTL": (struct.pack(">II", 2, 0), b""),
    "prVt": (b"anything", b""),
}


@BOTH
@pytest.mark.parametrize("name", DAMAGED)
def test_a_wrong_checksum_beside_the_pixels(name, dtype, color, tmp_path):
    coded = _coded(color, dtype)
    body, before = DAMAGED[name]
    picture = _read(tmp_path, png(coded, chunk(name.encode(), before + body, crc=1)))
    assert picture.notes == (
        f"'a.png' is damaged ({name}), but not its pixels: the damaged parts are ignored.",
    )
    scale = np.iinfo(dtype).max
    np.testing.assert_array_equal(
        np.round(picture.tensor[0].permute(1, 2, 0).double().numpy() * scale), coded
    )


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("iCCP", b"a\0\0no deflated data"),
        ("iCCP", b"a\0\0" + zlib.compress(profiles.swapped())[:-9]),
        ("iCCP", b"a\0\7" + zlib.compress(profiles.swapped())),
        ("iCCP", b""),
        ("gAMA", b"\0"),
        ("cHRM", bytes(31)),
        ("sRGB", b""),
        ("cICP", b"\1"),
        ("pHYs", b"\0\0"),
        ("tRNS", b"\0"),
    ],
)
def test_parts_that_hold_something_else(name, body, color, tmp_path):
    picture = _read(tmp_path, png(_coded(color, np.uint8), chunk(name.encode(), body)))
    assert picture.notes == (
        f"'a.png' is damaged ({name}), but not its pixels: the damaged parts are ignored.",
    )


def test_several_damaged_parts_are_one_sentence(color, tmp_path):
    parts = [chunk(name, b"ab", crc=5) for name in (b"tEXt", b"tEXt", b"pHYs")]
    picture = _read(tmp_path, png(_coded(color, np.uint8), *parts))
    assert picture.notes == (
        "'a.png' is damaged (tEXt, pHYs), but not its pixels: the damaged parts are ignored.",
    )


def test_a_large_text_and_a_large_profile_are_no_damage(color, tmp_path):
    """Pillow alone refuses what becomes more than a megabyte."""
    coded = _coded(color, np.uint8)
    text = chunk(b"zTXt", b"workflow\0\0" + zlib.compress(bytes(5 << 20)))
    _near(_read(tmp_path, png(coded, text)), color)
    big = profiles.swapped() + bytes(3 << 20)
    icc = chunk(b"iCCP", b"a\0\0" + zlib.compress(big))
    _near(_read(tmp_path, png(coded[..., [1, 0, 2]], icc)), color, 2)


@BOTH
def test_a_missing_or_damaged_end_is_said(dtype, color, tmp_path):
    coded = _coded(color, dtype)
    whole = png(coded)
    for data in (whole[:-12], whole[:-7], whole[:-1], whole[:-12] + chunk(b"IEND", b"", crc=1),
                 whole[:-12] + chunk(b"tEXt", b"a\0" + b"b" * 99)[:-50]):  # fmt: skip
        picture = _read(tmp_path, data)
        assert "IEND)" in picture.notes[0]
        assert picture.tensor.equal(read_picture(coded).tensor)


@BOTH
def test_a_wrong_checksum_of_pixels_that_are_right(dtype, color, tmp_path):
    coded = _coded(color, dtype)
    whole = png(coded)
    start, end = whole.index(b"IDAT") - 4, len(whole) - 12
    body = whole[start + 8 : end - 4]
    picture = _read(tmp_path, whole[:start] + chunk(b"IDAT", body, crc=1) + whole[end:])
    assert "(IDAT)" in picture.notes[0]
    assert picture.tensor.equal(read_picture(coded).tensor)
    wrong = bytearray(body)
    wrong[len(body) // 2] ^= 1
    with pytest.raises(PictureError, match=r"'a.png' is damaged"):
        _read(tmp_path, whole[:start] + chunk(b"IDAT", bytes(wrong), crc=1) + whole[end:])


@BOTH
def test_a_picture_that_is_cut_stays_refused(dtype, color, tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8).astype(dtype)
    whole = png(noise)
    for missing in (20, 60, 200, len(whole) // 2):
        with pytest.raises(PictureError, match=r"'a.png' is (damaged|no picture)"):
            _read(tmp_path, whole[:-missing])
    data = zlib.compress(b"".join(b"\0" + row.tobytes() for row in noise))
    half = chunk(b"IDAT", data[: len(data) // 2]) + chunk(b"IEND", b"")
    start = whole.index(b"IDAT") - 4
    for parts in (half, half[:-12], chunk(b"IEND", b""), chunk(b"IDAT", data, crc=1)[:-30]):
        with pytest.raises(PictureError, match=r"'a.png' is (damaged|no picture)"):
            _read(tmp_path, whole[:start] + parts)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared material is not here")
@pytest.mark.parametrize("name", ["png_gama1.png", "png_chrm_adobe.png", "jpg_r03.jpg"])
def test_the_reported_files(name):
    wanted = read_picture(SHARED / "photo.png").tensor
    assert (read_picture(SHARED / name).tensor - wanted).abs().mean() * 255 < 3
