"""Depth, profiles, frames and limits: what a file says of itself is believed, and nothing else."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from impasto.errors import PictureError
from impasto.files.pictures import deep, opening
from impasto.files.pictures.images import read_picture
from tests.files import profiles
from tests.files.by_number import avif, heic
from tests.files.pictures.test_colors import SRGB_TO_P3, curve, light, pq

imagecodecs = pytest.importorskip("imagecodecs")
tifffile = pytest.importorskip("tifffile")


@pytest.fixture(scope="module")
def levels() -> np.ndarray:
    """6 x 9 RGBA pixels of 16 bits without any symmetry."""
    return np.random.default_rng(1).integers(1, 65536, (6, 9, 4), dtype=np.uint16)


def _found(path: Path) -> np.ndarray:
    """Sixteen-bit levels ``(H, W, 3)``, not rounded."""
    return read_picture(path).tensor[0].permute(1, 2, 0).double().numpy() * 65535


def _tiff(path: Path, array: np.ndarray, **options) -> Path:
    tifffile.imwrite(path, array, **{"photometric": "rgb", **options})
    return path


def _png(path: Path, array: np.ndarray) -> Path:
    path.write_bytes(imagecodecs.png_encode(np.ascontiguousarray(array)))
    return path


def _same(path: Path, wanted: np.ndarray, tolerance: float = 0.02) -> None:
    np.testing.assert_allclose(_found(path), wanted, rtol=0, atol=tolerance)


def test_sixteen_bit_colour(tmp_path, levels):
    color = levels[..., :3]
    _same(_png(tmp_path / "a.png", color), color)
    for name, options in {
        "plain": {},
        "lzw": {"compression": "lzw", "predictor": True},
        "zlib": {"compression": "zlib", "predictor": True},
        "tiles": {"tile": (16, 16)},
        "bigendian": {"byteorder": ">"},
        "big": {"bigtiff": True},
    }.items():
        _same(_tiff(tmp_path / f"{name}.tif", color, **options), color)
    planes = np.ascontiguousarray(color.transpose(2, 0, 1))
    _same(_tiff(tmp_path / "planes.tif", planes, planarconfig="separate"), color)


def test_other_depths_of_tiff(tmp_path, levels):
    color = levels[..., :3]
    _same(_tiff(tmp_path / "32.tif", color.astype(np.uint32) * 65537), color)
    _same(
        _tiff(tmp_path / "half.tif", np.full((4, 4, 3), 0.5, np.float16)),
        np.full((4, 4, 3), 32767.5),
    )
    _same(_tiff(tmp_path / "f64.tif", color / 65535), color)
    grey = color[..., 0]
    wanted = np.repeat(grey[..., None], 3, 2)
    _same(_tiff(tmp_path / "grey.tif", grey, photometric="minisblack"), wanted)
    _same(_tiff(tmp_path / "negative.tif", 65535 - grey, photometric="miniswhite"), wanted)
    _same(
        _tiff(tmp_path / "grey32.tif", (grey / 65535).astype("f4"), photometric="minisblack"),
        wanted,
    )


def test_grey_of_32_bits_without_the_extra(tmp_path, levels, monkeypatch):
    monkeypatch.setattr(deep, "available", lambda: False)
    grey = levels[..., 0]
    wanted = np.repeat(grey[..., None], 3, 2)
    _same(
        _tiff(tmp_path / "u32.tif", grey.astype(np.uint32) * 65537, photometric="minisblack"),
        wanted,
    )
    _same(_tiff(tmp_path / "u16.tif", grey, photometric="minisblack"), wanted)


@pytest.mark.parametrize("kind", ["png", "tif", "premultiplied.tif"])
def test_sixteen_bit_transparency(kind, tmp_path, levels):
    path = tmp_path / f"cut.{kind}"
    if kind == "png":
        _png(path, levels)
    elif kind == "tif":
        _tiff(path, levels, extrasamples=["unassalpha"])
    else:
        weight = levels[..., 3:] / 65535
        premultiplied = np.round(levels[..., :3] * weight).astype(np.uint16)
        _tiff(path, np.dstack([premultiplied, levels[..., 3]]), extrasamples=["assocalpha"])
    picture = read_picture(path)
    alpha = picture.alpha[0, 0].double().numpy()
    np.testing.assert_allclose(alpha, levels[..., 3] / 65535, atol=1e-6)
    weight = alpha[..., None]
    ground = (levels[..., :3] * weight).sum((0, 1)) / weight.sum()
    _same(path, levels[..., :3] * weight + ground * (1 - weight), 2)


def test_grey_with_transparency(tmp_path, levels):
    for path in (_png(tmp_path / "a.png", levels[..., :2]),
                 _tiff(tmp_path / "a.tif", levels[..., :2], photometric="minisblack",
                       planarconfig="contig", extrasamples=["unassalpha"])):  # fmt: skip
        picture = read_picture(path)
        assert picture.size == (6, 9)
        np.testing.assert_allclose(picture.alpha[0, 0].numpy(), levels[..., 1] / 65535, atol=1e-6)


def test_a_channel_of_unknown_meaning_is_no_transparency(tmp_path, levels):
    path = _tiff(tmp_path / "a.tif", levels, extrasamples=["unspecified"])
    assert read_picture(path).alpha is None
    _same(path, levels[..., :3])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_sixteen_bit_pictures_are_turned_as_eight_bit_ones(orientation, tmp_path, levels):
    tag = (274, "H", 1, orientation, True)
    small = (levels[..., :3] >> 8).astype(np.uint8)
    whole = _tiff(tmp_path / "16.tif", small.astype(np.uint16) * 257, extratags=[tag])
    other = _tiff(tmp_path / "8.tif", small, extratags=[tag])
    torch.testing.assert_close(read_picture(whole).tensor, read_picture(other).tensor)


def test_sixteen_bit_png_is_turned(tmp_path, levels):
    exif = Image.Exif()
    exif[274] = 6
    body = exif.tobytes().removeprefix(b"Exif\0\0")
    data = imagecodecs.png_encode(np.ascontiguousarray(levels[..., :3]))
    chunk = struct.pack(">I", len(body)) + b"eXIf" + body
    chunk += struct.pack(">I", zlib.crc32(b"eXIf" + body))
    (tmp_path / "a.png").write_bytes(data[:33] + chunk + data[33:])
    _same(tmp_path / "a.png", np.rot90(levels[..., :3], -1))


def test_a_dark_scan_of_any_kind_stays_dark(tmp_path):
    dark = np.full((4, 4, 3), 200, np.uint16)
    for path in (_png(tmp_path / "a.png", dark), _tiff(tmp_path / "a.tif", dark),
                 _tiff(tmp_path / "b.tif", dark[..., 0], photometric="minisblack")):  # fmt: skip
        _same(path, np.full((4, 4, 3), 200))


def test_profiles_at_full_precision(tmp_path):
    ramp = np.zeros((2, 2000, 3), np.uint16)
    ramp[..., 0] = np.arange(2000) * 32
    path = _tiff(tmp_path / "wide.tif", ramp, iccprofile=profiles.swapped())
    found = read_picture(path)
    assert found.notes == ()
    assert found.tensor[0, 1].unique().numel() > 1500
    _same(path, ramp[..., [1, 0, 2]], 65)
    linear = _tiff(tmp_path / "grey.tif", np.full((4, 4), 14000, np.uint16),
                   photometric="minisblack", iccprofile=profiles.grey(1.0))  # fmt: skip
    assert _found(linear).mean() / 257 == pytest.approx(127.5, abs=1)  # sRGB's middle grey


def test_the_profile_of_a_sixteen_bit_png(tmp_path, levels):
    frame = io.BytesIO()
    Image.new("RGB", (1, 1)).save(frame, "PNG", icc_profile=profiles.swapped())
    start = frame.getvalue().index(b"iCCP") - 4
    end = frame.getvalue().index(b"IDAT") - 4
    data = imagecodecs.png_encode(np.full((4, 4, 3), (65535, 0, 0), np.uint16))
    (tmp_path / "a.png").write_bytes(data[:33] + frame.getvalue()[start:end] + data[33:])
    _same(tmp_path / "a.png", np.broadcast_to([0, 65535, 0], (4, 4, 3)), 300)


@pytest.mark.parametrize("kind", ["jpg", "tif", "16.tif"])
def test_ink_is_converted_by_its_profile(kind, tmp_path):
    path = tmp_path / f"print.{kind}"
    if kind == "16.tif":
        ink = np.zeros((8, 8, 4), np.uint16)
        ink[..., 0] = 65535
        tifffile.imwrite(path, ink, photometric="separated", iccprofile=profiles.cmyk())
    else:
        Image.new("CMYK", (8, 8), (255, 0, 0, 0)).save(path, icc_profile=profiles.cmyk())
    red, green, blue = _found(path)[4, 4] / 257
    assert red > 240  # without the profile it would be cyan
    assert green < 12
    assert blue < 12


def test_sixteen_bit_ink_without_a_profile(tmp_path):
    ink = np.zeros((4, 4, 4), np.uint16)
    ink[..., 1:3] = 65535
    tifffile.imwrite(tmp_path / "print.tif", ink, photometric="separated")
    _same(tmp_path / "print.tif", np.broadcast_to([65535, 0, 0], (4, 4, 3)))


def test_a_grey_profile_of_eight_bits(tmp_path):
    path = tmp_path / "linear.png"
    Image.new("L", (4, 4), 55).save(path, icc_profile=profiles.grey(1.0))
    assert _found(path).mean() / 257 == pytest.approx(128, abs=1)


@pytest.mark.parametrize("profile", [b"nonsense", profiles.cmyk(), profiles.grey(2.0)])
@pytest.mark.parametrize("depth", [8, 16])
def test_a_profile_that_cannot_be_used_is_said(profile, depth, tmp_path, levels):
    whole = (levels[..., :3] >> 8) * 257
    path = tmp_path / "odd.tif"
    array = whole if depth == 16 else (whole >> 8).astype(np.uint8)
    _tiff(path, array, iccprofile=profile)
    assert "profile of 'odd.tif' cannot be used" in " ".join(read_picture(path).notes)
    _same(path, whole)


def test_several_frames_are_said(tmp_path):
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "blue", "green")]
    for name, noun in (("a.gif", "frames"), ("a.webp", "frames"), ("a.tif", "pages")):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
        picture = read_picture(tmp_path / name)
        assert picture.notes == (f"'{name}' has 3 {noun}: the first is used.",)
        assert picture.tensor[0, :, 4, 4].tolist() == pytest.approx([1, 0, 0], abs=0.02)
    with tifffile.TiffWriter(tmp_path / "deep.tif") as file:
        for value in (1, 2):
            file.write(np.full((4, 4, 3), value, np.uint16), photometric="rgb")
    assert "has 2 pages" in read_picture(tmp_path / "deep.tif").notes[0]


def test_floats_beyond_the_range_are_cut_off_and_said(tmp_path):
    path = _tiff(tmp_path / "hdr.tif", np.linspace(-1, 2, 48, dtype="f4").reshape(4, 4, 3))
    picture = read_picture(path)
    assert picture.notes == ("'hdr.tif' holds values outside 0 to 1, which are clipped.",)
    assert (picture.tensor.min(), picture.tensor.max()) == (0, 1)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.full((4, 4, 3), np.nan, "f4"), "not numbers"),
        (np.zeros((4, 4, 3), np.int16), "convert it to PNG"),
        (np.zeros((1, 1, 3), np.uint16), "1 x 1 pixels: too small"),
    ],
    ids=["nan", "signed", "dot"],
)
def test_tiffs_that_are_no_pictures(array, words, tmp_path):
    path = _tiff(tmp_path / "odd.tif", array)
    with pytest.raises(PictureError, match=rf"'odd.tif'.*{words}.*\.$"):
        read_picture(path)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_deep_pictures_that_are_cut_or_damaged(kind, tmp_path, levels):
    path = tmp_path / "cut.bin"
    (_png if kind == "PNG" else _tiff)(path, np.tile(levels[..., :3], (9, 9, 1)))
    whole = path.read_bytes()
    for share in (0.1, 0.5, 0.9):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(PictureError, match=r"'cut.bin' is (damaged|no picture)"):
            read_picture(path)
    for index in range(0, len(whole), 1 + len(whole) // 60):
        flipped = bytearray(whole)
        flipped[index] ^= 0x5A
        path.write_bytes(flipped)
        try:
            read_picture(path)
        except PictureError as error:
            assert "cut.bin" in str(error)


def test_pixels_are_counted_before_they_are_decoded(tmp_path, monkeypatch):
    flat = np.zeros((100, 200, 3), np.uint8)
    Image.fromarray(flat).save(tmp_path / "a.png")
    _tiff(tmp_path / "a.tif", flat.astype(np.uint16))

    def never(*args, **options):
        raise AssertionError("it was decoded")

    monkeypatch.setattr(Image.Image, "load", never)
    monkeypatch.setattr(tifffile.TiffPage, "asarray", never)
    for name in ("a.png", "a.tif"):
        with pytest.raises(
            PictureError, match=r"200 x 100 pixels, more than 0.01 million.*--max-p"
        ):
            read_picture(tmp_path / name, max_pixels=10_000)


def test_a_limit_of_one_s_own_lets_more_in(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 50)  # Pillow's own would refuse it
    path = tmp_path / "a.png"
    Image.new("RGB", (40, 30)).save(path)
    assert read_picture(path, max_pixels=1200).size == (30, 40)
    assert Image.MAX_IMAGE_PIXELS == 50  # and is as it was


def test_without_the_extra_eight_bits_are_read_and_said(tmp_path, levels, monkeypatch):
    monkeypatch.setattr(deep, "available", lambda: False)
    for path in (
        _png(tmp_path / "a.png", levels[..., :3]),
        _tiff(tmp_path / "a.tif", levels[..., :3]),
    ):
        picture = read_picture(path)
        assert picture.notes == (
            f"{path.name!r} has 16 bits a channel but is read at 8: "
            "to read all, pip install 'impasto[deep]'.",
        )
        _same(path, levels[..., :3], 257)
    path = _tiff(tmp_path / "f.tif", (levels[..., :3] / 65535).astype("f4"))
    with pytest.raises(PictureError, match=r"needs pip install 'impasto\[deep\]'"):
        read_picture(path)


def test_without_pillow_heif_the_command_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(opening, "has_heif", lambda: False)
    path = tmp_path / "a.heic"
    path.write_bytes(b"\0\0\0\x18ftypheic" + bytes(99))
    with pytest.raises(PictureError, match=r"'a.heic' .*pip install 'impasto\[heic\]'"):
        read_picture(path)


def test_notes_of_a_camera_that_are_damaged_say_nothing(tmp_path):
    path = tmp_path / "a.jpg"
    Image.new("RGB", (8, 8), "red").save(path, exif=b"Exif\0\0II*\0\xff\xff\xff\xff\x01\x02")
    assert read_picture(path).size == (8, 8)


def test_a_picture_opaque_all_over_has_no_alpha(tmp_path):
    path = tmp_path / "a.png"
    Image.new("RGBA", (8, 8), (1, 2, 3, 255)).save(path)
    assert read_picture(path).alpha is None
    Image.new("RGBA", (8, 8), (1, 2, 3, 254)).save(path)
    assert read_picture(path).alpha.shape == (1, 1, 8, 8)


@pytest.mark.parametrize("kind", ["avif", "hif"])
def test_colours_that_avif_and_heic_note_by_number(kind, tmp_path):
    make = avif if kind == "avif" else heic
    y, x = np.mgrid[0:32, 0:40] / np.array([32, 40])[:, None, None]
    color = np.stack([0.2 + 0.7 * x, 0.2 + 0.7 * y, 0.9 - 0.3 * (x + y)], -1)
    path = tmp_path / f"a.{kind}"
    p3 = np.round(curve(light(color) @ SRGB_TO_P3.T).clip(0, 1) * 255).astype(np.uint8)
    path.write_bytes(make(p3, 12, 13))
    found = read_picture(path)
    assert np.abs(found.tensor[0].permute(1, 2, 0).numpy() - color).mean() * 255 < 2
    assert found.notes == ()
    for transfer, level in ((16, pq(203)), (18, 0.75)):
        white = np.full((32, 32, 3), round(level * 255), np.uint8)
        path.write_bytes(make(white, 9, transfer))
        found = read_picture(path)
        assert found.tensor.mean() * 255 == pytest.approx(249, abs=4)
        assert "high dynamic range" in found.notes[0]
