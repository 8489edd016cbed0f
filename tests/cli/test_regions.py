"""--regions from the command line: a picture, many, a texture, a film, and made again."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

import impasto
from impasto.cli import main

QUICK = ["--size", "64", "--steps", "1", "--scales", "1", "--threads", "1", "-q"]


@pytest.fixture
def here(photo, painting, monkeypatch):
    monkeypatch.chdir(photo.parent)
    levels = np.zeros((40, 48), np.uint8)
    levels[:, 24:] = 255
    Image.fromarray(levels).save("map.png")
    Image.fromarray(np.full((48, 48, 3), (200, 30, 30), np.uint8)).save("red.png")
    return photo.parent


def _values(path):
    return np.asarray(Image.open(path).convert("RGB")).astype(float)


@pytest.mark.parametrize(
    "more", [[], ["--method", "statistics"], ["--method", "report"], ["--tile", "64"]]
)
def test_one_picture_and_the_same_again(more, here, capsys):
    words = ["photo.png", "painting.png", "red.png", "--regions", "map.png", "-o", "out.png"]
    assert main(["stylize", *words, *QUICK, *more]) == 0
    record = json.loads((here / "out.json").read_text())
    assert record["recipe"]["regions"] == "map.png"
    assert [each["name"] for each in record["inputs"]["regions"]] == ["map.png"]
    assert main(["reproduce", "out.png"]) == 0
    assert "identical" in capsys.readouterr().out
    (here / "elsewhere").mkdir()
    shutil.move("map.png", "elsewhere/other.png")
    assert main(["reproduce", "out.png", "--overwrite"]) == 2
    assert "--regions" in capsys.readouterr().err
    words = ["--regions", "elsewhere/other.png", "--overwrite"]
    assert main(["reproduce", "out.png", *words]) == 0


def test_each_region_takes_after_its_own(here):
    """The right half after a red painting; the instant picture shows it most clearly."""
    words = ["photo.png", "painting.png", "red.png", "--regions", "map.png", "-o", "out.png"]
    quick = ["--size", "96", "--threads", "1", "-q", "--quality", "instant", "--strength", "0.9"]
    assert main(["stylize", *words, *quick]) == 0
    plain = [*words[:2], "-o", "plain.png"]
    assert main(["stylize", *plain, *quick]) == 0
    redness = [(v[..., 0] - v[..., 1:].mean(-1)) for v in map(_values, ("out.png", "plain.png"))]
    left, right = redness[0][:, :40].mean(), redness[0][:, 56:].mean()
    assert right > left + 40
    assert abs(left - redness[1][:, :40].mean()) < 12


def test_parts_of_one_painting(here, capsys):
    shutil.copy("painting.png", "own.png")
    levels = np.zeros(_values("own.png").shape[:2], np.uint8)
    levels[:, levels.shape[1] // 2 :] = 255
    Image.fromarray(levels).save("parts.png")
    words = ["photo.png", "own.png", "--regions", "map.png", "--style-regions", "parts.png"]
    for more in ([], ["--quality", "instant"]):
        out = f"out{len(more)}.png"
        quick = QUICK if not more else ["--size", "64", "--threads", "1", "-q"]
        assert main(["stylize", *words, "-o", out, *quick, *more]) == 0
        assert main(["reproduce", out]) == 0
        assert "identical" in capsys.readouterr().out


@pytest.mark.slow
def test_a_texture_a_folder_and_a_crop(here, photo):
    words = ["painting.png", "red.png", "--regions", "map.png"]
    quick = ["--steps", "1", "--scales", "1", "--threads", "1", "-q"]
    assert main(["texture", *words, "-o", "t.png", "--size", "96x80", *quick]) == 0
    (here / "photos").mkdir()
    for name in "ab":
        shutil.copy("photo.png", f"photos/{name}.png")
    assert main(["stylize", "photos", *words, "-o", "out/", *QUICK]) == 0
    assert len(list((here / "out").glob("*.png"))) == 2
    stamps = {each: each.stat().st_mtime_ns for each in (here / "out").glob("*.png")}
    assert main(["stylize", "photos", *words, "-o", "out/", *QUICK]) == 0
    assert stamps == {each: each.stat().st_mtime_ns for each in (here / "out").glob("*.png")}
    crop = ["stylize", "photo.png", *words, "--crop-preview", "--size", "1100", "--steps", "1"]
    assert main([*crop, "--scales", "1", "--threads", "1", "-q", "-o", "big.png"]) == 0


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--regions", "none.png"], "none.png"),
        (["--regions", "red.png"], "red.png"),
        (["--style-regions", "map.png"], "--regions"),
        (["--regions", "map.png", "--blend", "1,2"], "--blend"),
        (["--regions", "map.png", "--match-color"], "--match-color"),
        (["--regions", "map.png", "-o", "map.png"], "map.png"),
    ],
)
def test_what_is_refused_is_refused_in_a_sentence(more, said, here, capsys):
    more = more if "-o" in more else [*more, "-o", "out.png"]
    words = ["stylize", "photo.png", "painting.png", "red.png"]
    assert main([*words, *QUICK, *more]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert "Traceback" not in told
    assert not (here / "out.png").exists()


@pytest.mark.slow
@pytest.mark.parametrize("quality", [["--quality", "instant"], ["--frame-steps", "1", *QUICK[2:6]]])
def test_a_film_s_maps_move_with_it_and_it_is_made_again(quality, here, make_film, capsys):
    """A bright square goes to the right; its map is given for the first frame, then for each."""
    frames, levels = [], []
    texture = torch.rand(1, 3, 24, 24, generator=torch.Generator().manual_seed(0))
    ground = 0.3 + 0.1 * torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(1))
    for index in range(4):
        frame, mask = ground.clone(), torch.zeros(1, 3, 64, 96)
        left = 10 + 4 * index
        frame[..., 20:44, left : left + 24] = 0.5 + 0.5 * texture
        mask[..., 20:44, left : left + 24] = 1
        frames.append(frame)
        levels.append(mask)
    film = make_film(here / "film.mkv", frames)
    (here / "maps").mkdir()
    for index, each in enumerate(levels):
        array = (255 * each[0, 0]).byte().numpy()
        Image.fromarray(array).save(here / "maps" / f"{index}.png")
    common = ["--size", "96", "--threads", "1", "-q", "--codec", "ffv1", *quality]
    words = ["video", film.name, "painting.png", "red.png"]
    for source in ("maps", "maps/0.png"):
        more = ["--regions", source, "--protect", source, "-o", "out.mkv", "--overwrite"]
        assert main([*words, *common, *more]) == 0
        assert main(["reproduce", "out.mkv", "--overwrite", *(["--regions", source, "--protect",
                     source] if source != "maps" else [])]) == 0  # fmt: skip
        assert "identical" in capsys.readouterr().out
        last = list(impasto_frames(here / "out.mkv"))[-1]
        inside = (slice(None), slice(None), slice(26, 38), slice(28, 40))
        assert float((last[inside] - frames[-1][inside]).abs().mean()) < 0.03
        assert float((last - frames[-1])[..., :16, :].abs().mean()) > 0.03


def impasto_frames(path):
    from impasto.files.films.reader import open_clip, read_frames

    return (each.picture for each in read_frames(open_clip(path)))


def test_untied_frames_need_a_map_for_each(here, make_film, moving, capsys):
    film = make_film(here / "film.mkv", moving(2, 40, 48))
    words = ["video", film.name, "painting.png", "red.png", "--temporal", "off"]
    assert main([*words, "--regions", "map.png", "-o", "out.mkv", "-q"]) == 2
    assert "one for each" in capsys.readouterr().err


def test_in_a_program(here):
    out = impasto.stylize(
        "photo.png", ["painting.png", "red.png"], regions="map.png", quality="instant",
        size=64, threads=1,
    )  # fmt: skip
    assert out.record["inputs"]["regions"][0]["name"] == "map.png"
