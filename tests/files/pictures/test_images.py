"""Pictures as people have them, made here one by one."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms, features

from impasto.errors import OutputError, PictureError
from impasto.files.pictures.images import read_picture, to_pillow, write_image


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    """6 x 9 pixels without any symmetry."""
    return np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)


def _levels(path: Path) -> np.ndarray:
    """What was read, as 8-bit levels ``(H, W, 3)``, not rounded."""
    tensor = read_picture(path).tensor
    assert tensor.dtype == torch.float32
    assert tensor.shape[:2] == (1, 3)
    return tensor[0].permute(1, 2, 0).numpy() * 255


def _same(found: np.ndarray, wanted: np.ndarray, tolerance: float = 1e-3) -> None:
    np.testing.assert_allclose(found, wanted, rtol=0, atol=tolerance)


def test_an_ordinary_picture(tmp_path, pixels):
    path = tmp_path / "plain.png"
    Image.fromarray(pixels).save(path)
    _same(_levels(path), pixels)
    picture = read_picture(path)
    assert picture.name == "plain.png"
    assert picture.size == (6, 9)
    assert picture.sha256 != read_picture(pixels).sha256  # of the file, and of the values


# Where the first row and column of the stored picture belong, by the EXIF standard.
ORIENTATIONS = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, -1),  # the camera was held so that it must be turned clockwise
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: lambda a: np.rot90(a, 1),
}


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_rotation_noted_in_exif_is_carried_out(orientation, tmp_path, pixels):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "phone.png"
    Image.fromarray(pixels).save(path, exif=exif)
    _same(_levels(path), ORIENTATIONS[orientation](pixels))


def test_grey_and_black_and_white(tmp_path, pixels):
    grey = Image.fromarray(pixels[..., 0])
    for image, wanted in (
        (grey, pixels[..., 0]),
        (grey.point(lambda v: 255 * (v > 99), "1"), 255.0 * (pixels[..., 0] > 99)),
    ):
        path = tmp_path / f"{image.mode}.png"
        image.save(path)
        _same(_levels(path), np.repeat(wanted[..., None], 3, 2))


def test_palette(tmp_path, pixels):
    image = Image.fromarray(pixels).quantize(54)  # as many colours as pixels
    path = tmp_path / "palette.gif"
    image.save(path)
    assert Image.open(path).mode == "P"
    _same(_levels(path), np.asarray(image.convert("RGB")))


def test_cmyk(tmp_path):
    image = Image.new("CMYK", (4, 3), (0, 255, 255, 0))  # magenta and yellow make red
    path = tmp_path / "print.tif"
    image.save(path)
    _same(_levels(path), np.broadcast_to([255, 0, 0], (3, 4, 3)))


def test_sixteen_bit_grey(tmp_path):
    levels = np.array([[0, 1000, 65535], [32768, 257, 40000]], dtype=np.uint16)
    path = tmp_path / "scan.png"
    Image.fromarray(levels).save(path)
    _same(_levels(path), np.repeat(levels[..., None] / 257, 3, 2))


def test_a_dark_sixteen_bit_scan_stays_dark(tmp_path):
    """Values below 256 are nearly black on a scale of 65535."""
    path = tmp_path / "night.png"
    Image.fromarray(np.array([[0, 100], [200, 255]], dtype=np.uint16)).save(path)
    assert _levels(path).max() < 2


def test_transparency_is_laid_on_the_mean_of_what_is_visible(tmp_path, pixels):
    alpha = np.full((6, 9), 255, np.uint8)
    alpha[:, 5:] = 0
    alpha[0, 0] = 51  # a fifth
    rgba = np.dstack([pixels, alpha])
    rgba[:, 5:, :3] = [255, 0, 255]  # hidden colour must not show
    path = tmp_path / "cut.png"
    Image.fromarray(rgba).save(path)
    found = _levels(path)
    weight = alpha[..., None] / 255
    ground = (rgba[..., :3] * weight).sum((0, 1)) / weight.sum()
    _same(found[1:, :5], pixels[1:, :5])
    _same(found[:, 5:], np.broadcast_to(ground, (6, 4, 3)), 0.01)
    _same(found[0, 0], 0.2 * pixels[0, 0] + 0.8 * ground, 0.01)


def test_a_transparent_palette_colour(tmp_path):
    image = Image.new("P", (4, 4))
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.paste(1, (2, 0, 4, 4))
    path = tmp_path / "sprite.png"
    image.save(path, transparency=1)
    _same(_levels(path), np.broadcast_to([255, 0, 0], (4, 4, 3)))


def test_a_picture_that_is_transparent_all_over(tmp_path):
    path = tmp_path / "nothing.png"
    Image.new("RGBA", (4, 4), (255, 255, 255, 0)).save(path)
    assert np.isfinite(_levels(path)).all()


def _swapped_profile() -> bytes:
    """sRGB with the primaries of red and green exchanged: its red is our green."""
    data = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return data.replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ").replace(b"????", b"gXYZ")


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_an_embedded_profile_is_converted(mode, tmp_path):
    image = Image.new("RGB", (4, 4), (255, 0, 0)).convert(mode)
    path = tmp_path / "wide.png"
    image.save(path, icc_profile=_swapped_profile())
    _same(_levels(path), np.broadcast_to([0, 255, 0], (4, 4, 3)), 2)


def test_alpha_survives_the_conversion_of_a_profile(tmp_path):
    image = Image.new("RGBA", (4, 4), (255, 0, 0, 255))
    image.paste((0, 0, 255, 0), (2, 0, 4, 4))
    path = tmp_path / "wide.png"
    image.save(path, icc_profile=_swapped_profile())
    _same(_levels(path), np.broadcast_to([0, 255, 0], (4, 4, 3)), 2)


def test_a_broken_profile_is_passed_over(tmp_path, pixels):
    path = tmp_path / "odd.png"
    Image.fromarray(pixels).save(path, icc_profile=b"no profile at all")
    _same(_levels(path), pixels)


def test_arrays(pixels):
    whole = read_picture(pixels).tensor
    assert torch.equal(whole, read_picture(pixels.astype(np.float64) / np.float32(255)).tensor)
    torch.testing.assert_close(whole, read_picture(pixels.astype(np.uint16) * 257).tensor)
    grey = read_picture(pixels[..., 0]).tensor
    assert torch.equal(grey, whole[:, :1].expand_as(grey))
    opaque = np.dstack([pixels, np.full((6, 9), 255, np.uint8)])
    torch.testing.assert_close(read_picture(opaque).tensor, whole)
    assert read_picture(pixels).name == "image"


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 4, 2), np.uint8),
        np.zeros((1, 3, 8, 8), np.float32),
        np.zeros((1, 8, 3), np.uint8),
        np.zeros((8, 8, 3), np.int64),
        np.full((8, 8, 3), 1.5),
        np.full((8, 8, 3), np.nan),
        np.full((8, 8, 3), -0.1),
    ],
    ids=lambda a: f"{a.dtype}-{a.shape}-{a.flat[0]}",
)
def test_arrays_that_are_no_pictures(array):
    with pytest.raises(PictureError, match=r"array must|between 0 and 1"):
        read_picture(array)


def _refused(path: Path, words: str) -> None:
    with pytest.raises(PictureError, match=words) as caught:
        read_picture(path)
    sentence = str(caught.value)
    assert path.name in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence


def test_a_missing_file_and_a_folder(tmp_path):
    _refused(tmp_path / "nowhere.png", "no file")
    _refused(tmp_path, "not a file")


@pytest.mark.parametrize("content", [b"", b"hello", b"\x89PNG\r\n\x1a\n"], ids=repr)
def test_what_is_no_picture(content, tmp_path):
    path = tmp_path / "thing.png"
    path.write_bytes(content)
    _refused(path, "not a picture|damaged")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP", "AVIF"])
def test_a_truncated_or_damaged_picture(kind, tmp_path, pixels):
    if kind == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow reads no AVIF")
    data = io.BytesIO()
    Image.fromarray(np.tile(pixels, (9, 9, 1))).save(data, kind)
    whole = data.getvalue()
    path = tmp_path / "cut.bin"
    for share in (0.3, 0.5, 0.7):
        path.write_bytes(whole[: int(len(whole) * share)])
        _refused(path, "not a picture|damaged")
    for index in range(0, len(whole), 1 + len(whole) // 100):
        flipped = bytearray(whole)
        flipped[index] ^= 0x5A
        path.write_bytes(flipped)
        try:
            read_picture(path)  # a format without a checksum may show noise
        except PictureError as error:
            assert "cut.bin" in str(error)


@pytest.mark.parametrize("mode", ["RGB", "L", "I;16", "RGBA"])
def test_one_pixel_is_too_small(mode, tmp_path):
    path = tmp_path / "dot.png"
    Image.new(mode, (1, 1)).save(path)
    _refused(path, "1 x 1 pixels: too small")


def _png_that_claims(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 99)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )


def test_a_picture_of_too_many_pixels_is_refused_as_that(tmp_path):
    path = tmp_path / "bomb.png"
    path.write_bytes(_png_that_claims(60000, 60000))
    _refused(path, "60000 x 60000 pixels, more than .* million")


def test_a_damaged_pillow_image_is_refused_in_words(tmp_path, pixels):
    path = tmp_path / "cut.png"
    Image.fromarray(np.tile(pixels, (9, 9, 1))).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(PictureError):
        read_picture(Image.open(path))


def test_to_pillow_rounds_to_nearest_and_clips():
    image = torch.tensor([-0.2, 0.4 / 255, 0.6 / 255, 254.6 / 255, 1.3]).view(1, 1, 1, 5)
    found = np.asarray(to_pillow(image.expand(1, 3, 1, 5)))
    assert found[0, :, 0].tolist() == [0, 0, 1, 255, 255]


@pytest.mark.parametrize("suffix", [".png", ".tif", ".TIFF", ".jpg", ".jpeg", ".webp"])
def test_written_pictures_come_back(suffix, tmp_path, waves):
    image = to_pillow(waves(32, 48).float())
    path = tmp_path / f"out{suffix}"
    write_image(image, path)
    with Image.open(path) as found:
        assert found.size == (48, 32)
        assert "sRGB" in ImageCms.getProfileName(
            ImageCms.ImageCmsProfile(io.BytesIO(found.info["icc_profile"]))
        )
        assert not found.getexif() or 0x8825 not in found.getexif()  # no GPS
    tolerance = 0 if suffix.lower() in (".png", ".tif", ".tiff") else 12
    error = np.abs(_levels(path) - np.asarray(image, dtype=np.float64))
    assert error.mean() <= tolerance + 1e-3
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["out", "out.xyz", "out.gif", ".png"])
def test_a_name_must_say_a_known_format(name, tmp_path):
    with pytest.raises(OutputError, match=r"\.png, \.jpg"):
        write_image(Image.new("RGB", (2, 2)), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt(), RuntimeError("!")])
def test_a_failure_in_the_middle_leaves_the_old_file(error, tmp_path, monkeypatch):
    path = tmp_path / "out.png"
    path.write_bytes(b"precious")

    def save(image, target, **options):
        Path(target).write_bytes(b"half of a pic")
        raise error

    monkeypatch.setattr(Image.Image, "save", save)
    wanted = OutputError if isinstance(error, OSError) else type(error)
    with pytest.raises(wanted):
        write_image(Image.new("RGB", (2, 2)), path)
    assert path.read_bytes() == b"precious"
    assert list(tmp_path.iterdir()) == [path]
