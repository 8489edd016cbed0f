"""TIFFs of several pages, and of kinds that Pillow does not read."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from impasto.files.pictures import deep
from impasto.files.pictures.images import read_picture
from impasto.files.pictures.tiff import largest_page

tifffile = pytest.importorskip("tifffile")


@pytest.fixture(scope="module")
def levels() -> np.ndarray:
    return np.random.default_rng(4).integers(0, 256, (12, 17, 5), dtype=np.uint8)


def _pages(path: Path, *pages: np.ndarray | tuple[np.ndarray, dict], **options) -> Path:
    with tifffile.TiffWriter(path, **options) as file:
        for page in pages:
            array, more = page if isinstance(page, tuple) else (page, {})
            file.write(array, **{"photometric": "rgb", "metadata": None, **more})
    return path


def _flat(value: int, height: int, width: int, dtype=np.uint8) -> np.ndarray:
    return np.full((height, width, 3), value, dtype)


@pytest.fixture(params=["extra", "no extra"])
def extra(request, monkeypatch) -> bool:
    if request.param == "no extra":
        monkeypatch.setattr(deep, "available", lambda: False)
    return request.param == "extra"


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("options", [{}, {"byteorder": ">"}, {"bigtiff": True}])
def test_the_largest_page_is_read(options, dtype, extra, tmp_path):
    most = np.iinfo(dtype).max
    small = (_flat(0, 4, 6, dtype), {"subfiletype": 1})
    pages = (small, _flat(most, 12, 18, dtype), _flat(0, 5, 5, dtype))
    picture = read_picture(_pages(tmp_path / "a.tif", *pages, **options))
    assert picture.size == (12, 18)
    assert picture.tensor.min() == 1
    assert picture.notes[0] == "'a.tif' has 3 pages: the largest is used."


def test_of_pages_of_one_size_the_first_is_read(extra, tmp_path):
    path = _pages(tmp_path / "a.tif", _flat(255, 8, 8), _flat(0, 8, 8), _flat(0, 4, 4))
    picture = read_picture(path)
    assert picture.tensor.min() == 1
    assert picture.notes == ("'a.tif' has 3 pages: the first is used.",)


def test_a_page_below_a_page_is_read(extra, tmp_path):
    """As raw formats and some scanners have it: a thumbnail, and the picture in SubIFDs."""
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as file:
        file.write(_flat(0, 4, 6), photometric="rgb", subifds=2, metadata=None)
        file.write(_flat(0, 6, 9), photometric="rgb", metadata=None)
        file.write(_flat(255, 12, 18), photometric="rgb", metadata=None)
        file.write(_flat(0, 5, 5), photometric="rgb", metadata=None)
    picture = read_picture(path)
    assert (picture.size, float(picture.tensor.min())) == ((12, 18), 1)
    assert picture.notes == ("'a.tif' has 4 pages: the largest is used.",)


def test_masks_and_what_is_no_picture_are_not_taken(extra, tmp_path):
    grey = {"photometric": "minisblack", "subfiletype": 1}
    pages = [(np.zeros((40 - 9 * i, 40), np.uint8), grey) for i in range(3)]
    path = _pages(tmp_path / "a.tif", *pages, _flat(255, 8, 8))
    with tifffile.TiffFile(path, mode="r+b") as file:  # which does not write such by itself
        file.pages[0].tags[254].overwrite(4)  # a mask
        for page, photometric in zip(file.pages[1:3], (4, 32803), strict=True):  # again, and raw
            page.tags[262].overwrite(photometric)
    picture = read_picture(path)
    assert (picture.size, float(picture.tensor.min())) == ((8, 8), 1)


def test_pages_that_go_round_in_a_circle_end(tmp_path):
    data = bytearray(_pages(tmp_path / "a.tif", _flat(255, 8, 8)).read_bytes())
    count = int.from_bytes(data[8:10], "little")
    at = 10 + 12 * count
    data[at : at + 4] = (8).to_bytes(4, "little")
    assert largest_page(bytes(data)).pages == 1


def test_what_cannot_be_looked_through_is_left_as_it_is():
    for data in (b"II*\0", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\0\xff", b"II+\0" + bytes(3)):
        assert largest_page(data).data == data


def test_the_first_page_costs_no_copy(tmp_path):
    data = _pages(tmp_path / "a.tif", _flat(1, 8, 8), _flat(1, 4, 4)).read_bytes()
    assert largest_page(data).data is data


INK = {"photometric": "separated", "metadata": None}


def _plain_ink(ink: np.ndarray) -> np.ndarray:
    """``(H, W, 4)`` in [0, 1] to RGB."""
    return (1 - ink[..., :3]) * (1 - ink[..., 3:])


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("kind", ["unassalpha", "unspecified"])
def test_ink_with_one_more_channel(kind, dtype, planar, levels, tmp_path):
    whole = levels.astype(dtype) * (257 if dtype is np.uint16 else 1)
    stored = whole if planar == "contig" else np.ascontiguousarray(np.moveaxis(whole, -1, 0))
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, stored, planarconfig=planar, extrasamples=[kind], **INK)
    picture = read_picture(path)
    assert picture.notes == ()
    ink, alpha = levels[..., :4] / 255, levels[..., 4:] / 255
    wanted = _plain_ink(ink)
    if kind == "unassalpha":
        np.testing.assert_allclose(picture.alpha[0, 0].numpy(), alpha[..., 0], atol=1e-5)
        ground = (wanted * alpha).sum((0, 1)) / alpha.sum()
        wanted = wanted * alpha + ground * (1 - alpha)
    else:
        assert picture.alpha is None
    found = picture.tensor[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(found, wanted, atol=1 / 255)


def test_without_the_extra_it_is_said_how_to_read_it(levels, tmp_path, monkeypatch):
    from impasto.errors import PictureError

    monkeypatch.setattr(deep, "available", lambda: False)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, levels, extrasamples=["unassalpha"], **INK)
    with pytest.raises(PictureError, match=r"'a.tif' .*needs pip install 'impasto\[deep\]'"):
        read_picture(path)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_alpha_after_a_channel_of_unknown_meaning(dtype, levels, tmp_path):
    whole = levels.astype(dtype) * (257 if dtype is np.uint16 else 1)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, whole, photometric="rgb", extrasamples=["unspecified", "unassalpha"])
    picture = read_picture(path)
    np.testing.assert_allclose(picture.alpha[0, 0].numpy(), levels[..., 4] / 255, atol=1e-5)


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("channels", [3, 4])
def test_planes_of_eight_bits(channels, planar, extra, levels, tmp_path):
    whole = levels[..., :channels].copy()
    whole[..., 3:] = 255
    stored = whole if planar == "contig" else np.ascontiguousarray(np.moveaxis(whole, -1, 0))
    more = {"extrasamples": ["unassalpha"]} if channels == 4 else {}
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, stored, photometric="rgb", planarconfig=planar, **more)
    found = read_picture(path).tensor[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(found * 255, whole[..., :3], atol=1e-3)


# sRGB's red, its middle grey and white, relative to D50.
LAB = np.array([[54.29, 80.81, 69.89], [53.585, 0, 0], [100, 0, 0], [0, 0, 0]])
LAB_COLORS = np.array([[255, 0, 0], [128] * 3, [255] * 3, [0] * 3])


@pytest.mark.parametrize("photometric", ["cielab", "icclab"])
@pytest.mark.parametrize("bits", [8, 16])
def test_cielab(bits, photometric, tmp_path):
    dtype, unit = (np.uint8, 1) if bits == 8 else (np.uint16, 256)
    coded = np.empty((4, 3), dtype)
    if photometric == "cielab":  # a and b are signed
        coded[:, 0] = np.round(LAB[:, 0] / 100 * (2**bits - 1))
        coded[:, 1:] = np.round(LAB[:, 1:] * unit).astype(int).astype(dtype)
    else:
        coded[:, 0] = np.round(LAB[:, 0] / 100 * 255 * unit)
        coded[:, 1:] = np.round((LAB[:, 1:] + 128) * unit)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.tile(coded, (3, 1, 1)), photometric=photometric, metadata=None)
    found = read_picture(path).tensor[0].permute(1, 2, 0).numpy() * 255
    np.testing.assert_allclose(found[0], LAB_COLORS, atol=4 if bits == 8 else 1)


def test_a_pillow_image_of_several_pages_is_read_where_it_stands():
    data = io.BytesIO()
    Image.new("RGB", (9, 8), "white").save(
        data, "TIFF", save_all=True, append_images=[Image.new("RGB", (30, 40))]
    )
    picture = read_picture(Image.open(data))
    assert picture.size == (8, 9)
