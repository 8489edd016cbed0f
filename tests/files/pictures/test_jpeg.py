"""JPEGs without their end mark, and JPEGs without their last pixels."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from impasto.errors import PictureError
from impasto.files.pictures.images import read_picture
from impasto.files.pictures.jpeg import mended
from tests.files.pictures.test_colors import SRGB_TO_ADOBE, light

KINDS = {
    "baseline": {},
    "progressive": {"progressive": True},
    "restarts": {"restart_marker_blocks": 3},
    "restarts-progressive": {"restart_marker_rows": 1, "progressive": True},
    "optimised": {"optimize": True, "quality": 20},
}


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    """61 x 90 pixels, smooth and noisy."""
    y, x = np.mgrid[0:61, 0:90]
    noise = np.random.default_rng(3).integers(0, 30, (61, 90, 3))
    return (np.stack([x * 2, y * 3, 220 - x - y], -1) + noise).astype(np.uint8)


def _jpeg(levels: np.ndarray, mode: str = "RGB", **options) -> bytes:
    data = io.BytesIO()
    Image.fromarray(levels).convert(mode).save(data, "JPEG", **options)
    return data.getvalue()


def _read(folder: Path, data: bytes):
    path = folder / "a.jpg"
    path.write_bytes(data)
    return read_picture(path)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("kind", KINDS)
def test_only_the_end_mark_is_missing(kind, mode, photo, tmp_path):
    whole = _jpeg(photo, mode, **KINDS[kind])
    wanted = _read(tmp_path, whole)
    assert wanted.notes == ()
    for data in (whole[:-2], whole[:-1], whole[:-2] + bytes(4096)):
        picture = _read(tmp_path, data)
        assert picture.tensor.equal(wanted.tensor)
        assert picture.notes == (
            "'a.jpg' lacks its end marker, but no pixel: it may be cut off there.",
        )


@pytest.mark.parametrize("end", ["nothing", "an end mark", "zeros", "another JPEG"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_lacks_pixels_is_refused(kind, end, photo, tmp_path):
    whole = _jpeg(photo, **KINDS[kind])
    tail = {"nothing": b"", "an end mark": b"\xff\xd9", "zeros": bytes(9999), "another JPEG": whole}
    for missing in (8, 40, 200, len(whole) // 4):
        with pytest.raises(PictureError, match=r"'a.jpg' is damaged"):
            _read(tmp_path, whole[:-missing] + tail[end])


def test_a_cut_at_a_restart_is_seen(photo, tmp_path):
    """Where the part that is going on is whole, the next one is missing."""
    whole = _jpeg(photo, restart_marker_blocks=3)
    start = whole.index(b"\xff\xda")
    cuts = [
        at for at in range(start, len(whole)) if whole[at] == 0xFF and 0xD0 <= whole[at + 1] < 0xD8
    ]
    assert len(cuts) > 3
    for at in cuts:
        for data in (whole[:at], whole[: at + 2]):
            with pytest.raises(PictureError, match="damaged"):
                _read(tmp_path, data)


def test_a_cut_between_scans_is_seen(photo, tmp_path):
    """Each scan of a progressive picture is whole, and the last ones are missing."""
    whole = _jpeg(photo, progressive=True)
    scans = [at for at in range(len(whole) - 1) if whole[at : at + 2] == b"\xff\xda"]
    tables = [at for at in range(len(whole) - 1) if whole[at : at + 2] == b"\xff\xc4"]
    assert len(scans) > 4
    for at in (*scans[1:], *tables[1:]):
        with pytest.raises(PictureError, match="damaged"):
            _read(tmp_path, whole[:at])


def test_what_follows_the_end_is_of_no_matter(photo, tmp_path):
    whole = _jpeg(photo)
    wanted = _read(tmp_path, whole).tensor
    for tail in (b"garbage" * 99, whole, bytes(5000), b"\xff"):
        picture = _read(tmp_path, whole + tail)
        assert picture.tensor.equal(wanted)
        assert picture.notes == ()


def test_the_picture_is_read_and_not_its_thumbnail(photo, tmp_path):
    thumbnail = _jpeg(photo[::4, ::4])
    exif = Image.Exif()
    exif[0x0201] = 1
    body = exif.tobytes() + thumbnail
    assert _read(tmp_path, _jpeg(photo, exif=body)).size == (61, 90)
    first, second = Image.fromarray(photo), Image.fromarray(photo[::4, ::4])
    first.save(tmp_path / "a.mpo", save_all=True, append_images=[second])
    picture = read_picture(tmp_path / "a.mpo")
    assert (picture.size, picture.notes) == ((61, 90), ())


def test_other_files_are_left_alone(photo):
    for data in (b"", b"\xff\xd8", b"\xff\xd8\xff\xe0\0\4", b"no picture", _jpeg(photo)):
        assert mended(data) == (data, False)


def _exif(tags: dict, inner: dict, interop: dict) -> Image.Exif:
    exif = Image.Exif()
    exif.update({271: "A camera", **tags})  # Pillow leaves out what has nothing here
    ifd = exif.get_ifd(0x8769)
    ifd.update({**inner, **({0xA005: interop} if interop else {})})
    return exif


ADOBE_POINTS = {318: (0.3127, 0.329), 319: (0.64, 0.33, 0.21, 0.71, 0.15, 0.06)}
R03 = {1: "R03", 2: b"0100"}


def _tiff(levels: np.ndarray, exif: Image.Exif) -> bytes:
    """A TIFF with EXIF, which Pillow does not write."""
    height, width, _ = levels.shape
    bits = levels.dtype.itemsize * 8
    exif.update({256: width, 257: height, 258: (bits,) * 3, 259: 1, 262: 2, 277: 3, 278: height})
    exif.update({273: 4096, 279: levels.nbytes})
    head = exif.tobytes().removeprefix(b"Exif\0\0")
    start = Image.open(io.BytesIO(head)).tag_v2[273][0]  # Pillow moves it
    order = ">" if head.startswith(b"MM") else "<"
    return head.ljust(start, b"\0") + levels.astype(levels.dtype.newbyteorder(order)).tobytes()


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".tif", ".16.tif", ".png"])
@pytest.mark.parametrize(
    ("tags", "inner", "interop"),
    [
        ({}, {0xA001: 0xFFFF}, R03),
        ({}, {0xA001: 2}, {}),
        (ADOBE_POINTS, {0xA001: 0xFFFF}, {}),
        (ADOBE_POINTS, {0xA001: 0xFFFF, 0xA500: 2.2}, R03),
    ],
    ids=["R03", "2", "primaries", "all"],
)
def test_adobe_rgb_of_cameras(tags, inner, interop, suffix, tmp_path):
    y, x = np.mgrid[0:32, 0:40] / np.array([32, 40])[:, None, None]
    color = np.stack([0.2 + 0.7 * x, 0.2 + 0.7 * y, 0.9 - 0.3 * (x + y)], -1)
    coded = (light(color) @ SRGB_TO_ADOBE.T) ** (256 / 563)
    whole = np.round(coded * 255).astype(np.uint8)
    path = tmp_path / f"camera{suffix}"
    exif = _exif(tags, inner, interop)
    if path.suffix == ".tif":
        path.write_bytes(_tiff(whole if suffix == ".tif" else whole * np.uint16(257), exif))
    else:
        options = {".jpg": {"quality": 98, "subsampling": 0}, ".webp": {"lossless": True}}
        Image.fromarray(whole).save(path, exif=exif, **options.get(suffix, {}))
    found = read_picture(path)
    assert found.notes == ()
    assert np.abs(found.tensor[0].permute(1, 2, 0).numpy() - color).mean() * 255 < 1.5


@pytest.mark.parametrize(
    ("tags", "inner", "interop"),
    [
        ({}, {0xA001: 1}, {}),
        (ADOBE_POINTS, {0xA001: 1, 0xA500: 2.2}, R03),
        ({}, {0xA001: 0xFFFF}, {}),
        ({}, {0xA001: 0xFFFF}, {1: "R98"}),
        ({}, {}, {}),
    ],
    ids=["sRGB", "sRGB before all", "unspecified", "R98", "nothing"],
)
def test_srgb_of_cameras_is_left_as_it_is(tags, inner, interop, photo, tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(photo).save(path, exif=_exif(tags, inner, interop))
    assert read_picture(path).tensor.equal(read_picture(photo).tensor)


def test_an_embedded_profile_counts_more_than_exif(photo, tmp_path):
    from impasto.files.pictures.profiles import srgb_profile

    path = tmp_path / "a.png"
    Image.fromarray(photo).save(
        path, exif=_exif({}, {0xA001: 0xFFFF}, R03), icc_profile=srgb_profile()
    )
    assert read_picture(path).tensor.equal(read_picture(photo).tensor)


def test_nonsense_of_a_camera_is_said(photo, tmp_path):
    path = tmp_path / "a.png"
    for tags in ({319: (0.3,) * 6}, {319: (0.64, 0.33)}, {319: (0.0,) * 6}):
        Image.fromarray(photo).save(path, exif=_exif(tags, {}, {}))
        assert "colour information of" in read_picture(path).notes[0]
