"""What a result carries, and what it does not."""

from __future__ import annotations

import io
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from impasto.errors import OutputError
from impasto.files.pictures import deep, profiles
from impasto.files.pictures.images import (
    check_suffix,
    left_out,
    read_picture,
    to_pillow,
    write_result,
)


@pytest.fixture(scope="module")
def picture() -> torch.Tensor:
    return torch.rand(1, 3, 12, 17, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def alpha() -> torch.Tensor:
    return torch.linspace(0, 1, 17).expand(1, 1, 12, 17).contiguous()


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bits_come_back(suffix, picture, alpha, tmp_path):
    pytest.importorskip("imagecodecs")
    path = tmp_path / f"out{suffix}"
    write_result(picture, path, depth=16, dpi=240)
    found = read_picture(path)
    torch.testing.assert_close(found.tensor, picture, rtol=0, atol=0.51 / 65535)
    assert found.notes == ()
    with Image.open(path) as image:
        image.load()
        assert image.info["dpi"] == pytest.approx((240, 240), abs=0.01)
        assert image.info["icc_profile"][36:40] == b"acsp"
    write_result(picture, path, depth=16, alpha=alpha)
    torch.testing.assert_close(read_picture(path).alpha, alpha, rtol=0, atol=0.51 / 65535)
    assert list(tmp_path.iterdir()) == [path]


def test_values_out_of_range_are_clipped_at_sixteen_bits_too(tmp_path):
    pytest.importorskip("imagecodecs")
    wild = torch.tensor([-0.5, 0, 1, 1.5]).expand(1, 3, 2, 4)
    write_result(wild, tmp_path / "a.png", depth=16)
    found = read_picture(tmp_path / "a.png").tensor
    assert found[0, 0, 0].tolist() == [0, 0, 1, 1]


@given(
    height=st.integers(2, 9),
    width=st.integers(2, 9),
    opaque=st.booleans(),
    case=st.sampled_from([(".png", 8), (".tif", 8), (".png", 16), (".tif", 16)]),
    seed=st.integers(0, 99),
)
def test_any_picture_comes_back_to_half_a_level(height, width, opaque, case, seed):
    suffix, depth = case
    if depth == 16:
        pytest.importorskip("imagecodecs")
    whole = torch.rand(1, 4, height, width, generator=torch.Generator().manual_seed(seed))
    image, alpha = whole[:, :3], None if opaque else whole[:, 3:]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a{suffix}"
        write_result(image, path, depth=depth, alpha=alpha)
        found = read_picture(path)
    level = 0.501 / (2**depth - 1)
    if opaque:
        assert found.alpha is None
        torch.testing.assert_close(found.tensor, image, rtol=0, atol=level + 1e-7)
    else:
        torch.testing.assert_close(found.alpha, alpha, rtol=0, atol=level + 1e-7)


@pytest.mark.parametrize("name", ["a.jpg", "a.webp", "a.avif"])
def test_sixteen_bits_need_a_format_that_has_them(name, picture, tmp_path):
    with pytest.raises(OutputError, match=r"cannot hold 16 bits: end it in \.png or \.tif"):
        write_result(picture, tmp_path / name, depth=16)
    assert list(tmp_path.iterdir()) == []


def test_sixteen_bits_without_the_extra(tmp_path, monkeypatch):
    monkeypatch.setattr(deep, "available", lambda: False)
    with pytest.raises(OutputError, match=r"--depth 16 needs pip install 'impasto\[deep\]'\."):
        check_suffix(tmp_path / "a.png", depth=16)


@pytest.mark.parametrize("depth", [8, 16])
def test_texts_in_a_png(depth, picture, tmp_path):
    if depth == 16:
        pytest.importorskip("imagecodecs")
    text = {"impasto": '{"recipe": "Größe ×"}' * 500}
    write_result(picture, tmp_path / "a.png", depth=depth, text=text)
    with Image.open(tmp_path / "a.png") as image:
        image.load()
        assert image.text == text
    assert read_picture(tmp_path / "a.png").size == (12, 17)


def test_transparency_is_left_out_of_a_jpeg_and_said(picture, alpha, tmp_path):
    path = tmp_path / "a.jpg"
    write_result(picture, path, alpha=alpha)
    with Image.open(path) as image:
        assert image.mode == "RGB"
        error = np.abs(np.asarray(image, float) - np.asarray(to_pillow(picture), float))
    assert error.mean() < 6  # the colours beneath, not black
    assert left_out(path, alpha=True)[0].startswith("JPEG has no transparency")
    assert left_out(path, alpha=False) == left_out(tmp_path / "a.png", alpha=True) == ()


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.webp"])
def test_an_image_with_transparency(name, picture, alpha, tmp_path):
    image = to_pillow(picture, alpha)
    assert image.mode == "RGBA"
    write_result(picture, tmp_path / name, alpha=alpha)
    with Image.open(tmp_path / name) as found:
        assert found.mode == "RGBA"
        error = np.abs(np.asarray(found.getchannel("A"), float) - np.asarray(image.getchannel("A")))
        assert error.max() <= 1


def test_no_resolution_is_stated_unless_asked_for(picture, tmp_path):
    for name in ("a.png", "a.jpg", "a.tif"):
        write_result(picture, tmp_path / name)
        with Image.open(io.BytesIO((tmp_path / name).read_bytes())) as image:
            assert image.info.get("dpi") in (None, (1, 1), (1.0, 1.0))


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.jpg", "a.webp"])
def test_the_same_picture_is_the_same_file_at_any_time(name, picture, tmp_path):
    write_result(picture, tmp_path / name, dpi=300)
    first = (tmp_path / name).read_bytes()
    profiles.srgb_profile.cache_clear()
    time.sleep(1.1)  # a profile states the second of its making
    write_result(picture, tmp_path / name, dpi=300)
    assert (tmp_path / name).read_bytes() == first
