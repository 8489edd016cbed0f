"""--photorealistic and --restore from the command line: one picture, many, and made again."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from impasto.cli import main
from impasto.files.pictures.images import read_picture
from impasto.ops.metrics import psnr
from impasto.ops.natural import natural_picture

QUICK = ["--threads", "1", "-q"]


def _save(picture, name):
    levels = (255 * picture[0].permute(1, 2, 0)).round().byte().numpy()
    Image.fromarray(levels).save(name)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _save(natural_picture(72, 96, seed=1), "photo.png")
    warm = torch.tensor([1.0, 0.6, 0.3]).view(3, 1, 1)
    _save(natural_picture(64, 80, seed=2) * warm, "warm.png")
    levels = np.zeros((72, 96), np.uint8)
    levels[:, 48:] = 255
    Image.fromarray(levels).save("map.png")
    return tmp_path


def _values(name):
    return read_picture(name).tensor


@pytest.mark.parametrize("how", [["--photorealistic"], ["--restore"], ["--quality", "instant"]])
def test_what_takes_long_enough_for_a_checkpoint_has_none(here, how):
    words = ["photo.png", "warm.png", *how, "--checkpoint", "0.000001", "-o", "out.png"]
    assert main(["stylize", *words, *QUICK]) == 0
    assert {path.name for path in here.glob("out*")} == {"out.png", "out.json"}


def test_one_picture_and_the_same_again(here, capsys):
    words = ["photo.png", "warm.png", "--photorealistic", "--size", "full", "-o", "out.png"]
    assert main(["stylize", *words, *QUICK]) == 0
    made, photo = _values("out.png"), _values("photo.png")
    assert made.shape == photo.shape
    assert float((made[:, 0] - made[:, 2]).mean()) > float((photo[:, 0] - photo[:, 2]).mean()) + 0.1
    record = json.loads((here / "out.json").read_text())
    assert record["recipe"]["photorealistic"] is True
    assert record["recipe"]["strength"] == 1
    assert record["result"]["finished"] is True
    assert main(["reproduce", "out.png"]) == 0
    assert "identical" in capsys.readouterr().out


def test_no_strength_is_the_photograph_and_what_is_protected_stays(here):
    words = ["photo.png", "warm.png", "--photorealistic", "--size", "full", *QUICK]
    assert main(["stylize", *words, "--strength", "0", "-o", "none.png"]) == 0
    assert torch.equal(_values("none.png"), _values("photo.png"))
    assert main(["stylize", *words, "--protect", "map.png", "-o", "part.png"]) == 0
    assert torch.equal(_values("part.png")[..., 52:], _values("photo.png")[..., 52:])
    assert not torch.allclose(_values("part.png")[..., :44], _values("photo.png")[..., :44])


def test_regions_take_after_their_own(here):
    shutil.copy("photo.png", "same.png")
    words = ["photo.png", "same.png", "warm.png", "--photorealistic", "--regions", "map.png"]
    assert main(["stylize", *words, "--size", "full", "-o", "out.png", *QUICK]) == 0
    apart = (_values("out.png") - _values("photo.png")).abs().mean((0, 1, 2))
    assert float(apart[:40].mean()) < 0.4 * float(apart[56:].mean())


@pytest.mark.slow
def test_sixteen_bits_and_a_size_of_one_s_own(here):
    words = ["photo.png", "warm.png", "--photorealistic", "--depth", "16", "-o", "out.png"]
    assert main(["stylize", *words, "--size", "200", *QUICK]) == 0
    assert _values("out.png").shape[-2:] == (150, 200)


def test_a_dark_photograph_is_brightened(here, capsys):
    photo = _values("photo.png")
    noise = torch.randn(photo.shape, generator=torch.Generator().manual_seed(0))
    _save((photo * 0.125 ** (1 / 2.2) + 0.01 * noise).clamp(0, 1), "dark.png")
    words = ["dark.png", "warm.png", "--restore", "--size", "full", "-o", "out.png", *QUICK]
    assert main(["stylize", *words]) == 0
    assert psnr(_values("out.png"), photo) > psnr(_values("dark.png"), photo) + 5
    assert main(["reproduce", "out.png"]) == 0
    assert "identical" in capsys.readouterr().out


@pytest.mark.slow
def test_a_folder(here):
    (here / "photos").mkdir()
    for name in "ab":
        shutil.copy("photo.png", f"photos/{name}.png")
    words = ["photos", "warm.png", "--photorealistic", "--size", "64", "-o", "out/", *QUICK]
    assert main(["stylize", *words]) == 0
    assert len(list((here / "out").glob("*.png"))) == 2


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--photorealistic", "--restore"], "--restore"),
        (["--photorealistic", "--quality", "instant"], "--quality"),
        (["--photorealistic", "--style-scale", "2"], "--style-scale"),
        (["--restore", "--init", "noise"], "--init"),
        (["--photorealistic", "--crop-preview"], "--crop-preview"),
        (["--photorealistic", "--network", "vgg19"], "--network"),
    ],
)
def test_what_means_nothing_is_refused(more, said, here, capsys):
    assert main(["stylize", "photo.png", "warm.png", *more, "-o", "out.png", *QUICK]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert "Traceback" not in told
