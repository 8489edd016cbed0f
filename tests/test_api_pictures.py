"""Depth, transparency, sizes and previews, from the file that goes in to the one that comes out."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from PIL import Image

import impasto
from impasto.api import stylize_job
from impasto.files.pictures.images import read_picture

QUICK = {"size": 40, "scales": 1, "steps": (2,), "precision": "fp32", "threads": 1}
FAST = {key: value for key, value in QUICK.items() if key != "size"}


@pytest.fixture
def cut_out(tmp_path, waves):
    """48 x 40 pixels; the right half is transparent."""
    levels = (waves(40, 48)[0].permute(1, 2, 0) * 255).round().numpy().astype(np.uint8)
    alpha = np.full((40, 48, 1), 255, np.uint8)
    alpha[:, 24:] = 0
    path = tmp_path / "cut.png"
    Image.fromarray(np.dstack([levels, alpha])).save(path)
    return path


@pytest.mark.parametrize("steps", [0, 2])
def test_a_sixteen_bit_ramp_keeps_its_levels_through_the_whole_path(steps, painting, tmp_path):
    imagecodecs = pytest.importorskip("imagecodecs")
    ramp = np.broadcast_to(np.arange(2048, dtype=np.uint16)[None, :, None] * 32, (64, 2048, 3))
    source = tmp_path / "ramp.png"
    source.write_bytes(imagecodecs.png_encode(np.ascontiguousarray(ramp)))
    options = {
        **FAST,
        "steps": (steps,),
        "size": "full",
        "strength": 0.3,
        "depth": 16,
        "method": "statistics",
    }
    result = impasto.stylize(source, painting, **options)
    path = result.save(tmp_path / "out.png")
    found = read_picture(path).tensor
    assert found.shape == (1, 3, 64, 2048)
    assert found[0, 0, 32].unique().numel() > 1000
    torch.testing.assert_close(found, result.tensor, rtol=0, atol=1e-5)
    if steps == 0:
        wanted = torch.from_numpy(ramp / np.float32(65535)).permute(2, 0, 1)[None]
        torch.testing.assert_close(found, wanted, rtol=0, atol=1e-5)
    assert result.image.mode == "RGB"  # eight bits, for a look


def test_transparency_is_kept(cut_out, painting, tmp_path):
    result = impasto.stylize(cut_out, painting, **QUICK)
    assert result.image.mode == "RGBA"
    assert result.alpha.shape == (1, 1, 33, 40)
    assert result.tensor.shape == (1, 3, 33, 40)
    saved = np.asarray(Image.open(result.save(tmp_path / "out.png")))
    assert saved.shape == (33, 40, 4)
    assert (saved[:, :18, 3] == 255).all()
    assert (saved[:, 22:, 3] == 0).all()
    opaque = tmp_path / "opaque.jpg"
    result.save(opaque)
    assert Image.open(opaque).mode == "RGB"


def test_sizes_as_people_say_them(photo, painting):
    for options, size in (
        ({"size": "full"}, (48, 40)),
        ({"size": "60x33"}, (40, 33)),
        ({"print": "3x4cm", "dpi": 30}, (42, 35)),
    ):
        result = impasto.stylize(photo, painting, **FAST, **options)
        assert result.image.size == size
        assert result.record["plan"]["stages"][-1]["width"] == size[0]
        assert impasto.Recipe.from_dict(json.loads(json.dumps(result.record["recipe"])))


def test_the_resolution_is_in_the_file(photo, painting, tmp_path):
    result = impasto.stylize(photo, painting, **FAST, print="3x4cm", dpi=30)
    path = result.save(tmp_path / "out.png")
    assert Image.open(path).info["dpi"] == pytest.approx((30, 30), abs=0.05)
    plain = impasto.stylize(photo, painting, **QUICK).save(tmp_path / "plain.png")
    assert "dpi" not in Image.open(plain).info


def test_one_limit_for_what_is_read_and_what_is_made(photo, painting):
    with pytest.raises(impasto.PictureError, match=r"48 x 40 pixels, more than .*max_pixels="):
        impasto.stylize(photo, painting, max_pixels=1000, **QUICK)
    with pytest.raises(impasto.RecipeError, match=r"300 x 250 pixels, .*max_pixels="):
        impasto.stylize(photo, painting, max_pixels=4000, **{**QUICK, "size": 300})


def test_notes_are_there_for_who_asks(photo, painting, tmp_path):
    frames = [Image.open(photo), Image.open(painting).resize((48, 40))]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    job = stylize_job(tmp_path / "a.gif", [tmp_path / "a.gif", painting], **QUICK)
    assert job.notes == ("'a.gif' has 2 frames: the first is used.",)
    for _ in job:
        pass
    assert job.result().notes == job.notes


def test_nothing_of_the_originals_own_notes_reaches_a_result(photo, painting, tmp_path):
    exif = Image.Exif()
    exif[0x010E] = "at home with Zaphod"
    exif[0x8825] = {1: "N", 2: (51.0, 30.0, 0.0)}
    source = tmp_path / "holiday-in-private" / "phone.jpg"
    Image.open(photo).save(source, exif=exif, comment=b"Zaphod was here")
    result = impasto.stylize(source, painting, **QUICK, dpi=300)
    for name in ("a.png", "b.jpg", "c.tif", "d.webp", "e.avif"):
        path = result.save(tmp_path / name)
        for file in (path, path.with_suffix(".json")):
            data = file.read_bytes()
            assert b"Zaphod" not in data
            assert b"holiday-in-private" not in data
            assert str(tmp_path).encode() not in data
        with Image.open(path) as image:
            assert 0x8825 not in image.getexif()


@pytest.mark.slow
def test_a_preview_of_one_part(painting, waves, tmp_path):
    big = waves(700, 900)[0].permute(1, 2, 0).float().numpy()
    options = {"size": "full", "steps": (1,), "scales": 2, "precision": "fp32", "threads": 1}
    options |= {"method": "statistics"}
    job = stylize_job(big, painting, crop_preview=True, **options)
    assert job.plan.share < 0.7
    for _ in job:
        pass
    result = job.result()
    assert result.image.size == (512, 512)
    top, left, *_ = result.record["plan"]["stages"][-1]["window"]
    there = read_picture(big).tensor[..., top : top + 512, left : left + 512]
    elsewhere = read_picture(big).tensor[..., :512, :512]
    near = (result.tensor - there).abs().mean()
    assert near < 0.5 * (result.tensor - elsewhere).abs().mean() or (top, left) == (0, 0)


@pytest.mark.slow
def test_a_preview_of_a_transparent_picture(painting):
    rgba = np.full((600, 700, 4), 255, np.uint8)
    rgba[:, 350:, 3] = 0
    options = {**FAST, "steps": (0,), "size": "full"}
    result = impasto.stylize(rgba, painting, **options, crop_preview=True)
    assert result.alpha.shape == (1, 1, 512, 512)
    assert result.image.mode == "RGBA"
