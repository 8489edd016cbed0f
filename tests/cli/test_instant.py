"""``--quality instant`` through the real command: files, colours, records, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

import impasto
from impasto.cli import main


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for name, size in (("photo", (80, 64)), ("painting", (72, 96)), ("other", (64, 64))):
        pixels = rng.integers(0, 256, (size[1] // 8, size[0] // 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC).save(f"{name}.png")
    return tmp_path


def _run(*words: str) -> int:
    return main(["stylize", "photo.png", *words, "--quality", "instant", "--quiet"])


def test_a_picture_its_record_and_the_same_again(here):
    assert _run("painting.png", "--size", "80", "-o", "out.png") == 0
    assert Image.open("out.png").size == (80, 64)
    record = json.loads((here / "out.json").read_text())
    assert record["recipe"]["quality"] == "instant"
    assert [stage["steps"] for stage in record["plan"]["stages"]].count(1) == record["result"][
        "steps"
    ]
    again = impasto.reproduce("out.png")
    assert again.identical is True
    assert again.changes == ()
    record["network"]["decoder"] = "0" * 64
    (here / "out.json").write_text(json.dumps(record))
    (change,) = impasto.reproduce("out.json").changes
    assert "decoder" in change


def test_several_paintings_scales_depth_and_transparency(here):
    photo = Image.open("photo.png").convert("RGBA")
    photo.putalpha(Image.linear_gradient("L").resize(photo.size))
    photo.save("photo.png")
    words = ("painting.png", "other.png", "--blend", "3,1", "--style-scale", "1,0.5")
    assert _run(*words, "--depth", "16", "--size", "96", "-o", "out.png") == 0
    result = Image.open("out.png")
    assert result.size == (96, 77)
    assert "A" in result.getbands()


@pytest.mark.slow
@pytest.mark.parametrize("how", ["luminance", "statistics"])
def test_colours_are_kept(here, how):
    assert _run("painting.png", "--preserve-color", how, "-o", "out.png") == 0
    plain = impasto.stylize("photo.png", "painting.png", quality="instant").tensor
    photo = np.asarray(Image.open("photo.png"), np.float64) / 255
    kept = np.asarray(Image.open("out.png"), np.float64) / 255
    moved = plain[0].permute(1, 2, 0).numpy()
    means = [abs(each.mean((0, 1)) - photo.mean((0, 1))).max() for each in (kept, moved)]
    assert means[0] < max(0.1, means[1])


def test_strength_goes_from_photograph_to_painting(here):
    photo = np.asarray(Image.open("photo.png"), np.float64) / 255
    far = []
    for strength in (0.0, 0.25, 0.5):
        made = impasto.stylize(
            "photo.png", "painting.png", quality="instant", strength=strength, size=80
        )
        far.append(np.abs(made.tensor[0].permute(1, 2, 0).numpy() - photo).mean())
    assert far == sorted(far)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--optimizer", "lbfgs"), "leave out --optimizer"),
        (("--steps", "10"), "--quality and --steps contradict"),
        (("--init", "noise"), "leave out --init"),
    ],
)
def test_what_optimises_is_refused(here, capsys, words, sentence):
    assert _run("painting.png", *words, "-o", "out.png") == 2
    assert sentence in capsys.readouterr().err
    assert not (here / "out.png").exists()


def test_no_texture_at_once(here):
    with pytest.raises(impasto.RecipeError, match="cannot be made at once"):
        impasto.texture("painting.png", 64, quality="instant")


def test_show_has_no_losses_to_draw_and_says_the_rest(here, capsys):
    assert _run("painting.png", "-o", "out.png") == 0
    assert main(["show", "out.png"]) == 0
    assert "--quality instant" in capsys.readouterr().out
    assert main(["show", "out.png", "--plot", "curve.svg"]) == 2
    assert "no losses" in capsys.readouterr().err


def test_an_optimised_picture_from_an_instant_one(here):
    words = ["stylize", "photo.png", "painting.png", "--init", "instant", "--neighbours", "1"]
    words += ["--scales", "1", "--steps", "3", "--size", "80", "--threads", "1", "-q"]
    assert main([*words, "-o", "out.png"]) == 0
    record = json.loads((here / "out.json").read_text())
    assert len(record["network"]["decoder"]) == 64
    assert impasto.reproduce("out.png").identical is True


@pytest.mark.parametrize(
    "make",
    [
        lambda: impasto.texture("painting.png", 64, neighbours=1.0),
        lambda: impasto.stylize_video("photo.png", "painting.png", "f.mp4", neighbours=1.0),
        lambda: impasto.stylize_video(
            "photo.png", "painting.png", "f.mp4", init="instant", method="statistics"
        ),
    ],
)
def test_neighbours_are_for_pictures(here, make):
    with pytest.raises(impasto.RecipeError, match="leave"):
        make()
