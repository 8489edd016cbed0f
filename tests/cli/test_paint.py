"""``impasto paint`` through the real command: one picture, many, a drawing, and made again."""

from __future__ import annotations

import json
from importlib.util import find_spec

import numpy as np
import pytest
from PIL import Image

import impasto
from impasto.cli import main
from impasto.ops.natural import natural_picture
from impasto.recipe.paint import MANNERS

OVER = ["-q", "--overwrite"]


def _marks(manner):
    if manner == "pencil":
        return [pytest.mark.skipif(find_spec("cv2") is None, reason="OpenCV draws it")]
    return [pytest.mark.slow] * (manner in ("expressionist", "wash", "tiles"))


def _save(seed, name):
    levels = (255 * natural_picture(48, 64, seed=seed)[0].permute(1, 2, 0)).round().byte().numpy()
    Image.fromarray(levels).save(name)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _save(1, "photo.png")
    _save(2, "painting.png")
    Image.new("RGB", (400, 6)).save("thin.png")
    return tmp_path


@pytest.mark.parametrize(
    ("method", "manner"),
    [
        pytest.param(method, each, marks=_marks(each))
        for method, names in MANNERS.items()
        if method != "portrait"  # of a face, below
        for each in names
    ],
)
def test_every_manner_and_the_same_again(here, method, manner, capsys):
    paintings = ["painting.png"] if method in ("regions", "analogy") else []
    words = ["paint", method, "photo.png", *paintings, "--manner", manner, "--size", "64"]
    assert main(words) == 0
    assert capsys.readouterr().out == f"photo.{manner}.png\n"
    assert Image.open(f"photo.{manner}.png").size == (64, 48)
    assert main(["reproduce", f"photo.{manner}.png"]) == 0
    assert "identical" in capsys.readouterr().out
    assert impasto.reproduce(here / f"photo.{manner}.json").identical is True


def test_colours_of_a_painting_alpha_and_another_size(here):
    photo = Image.open("photo.png").convert("RGBA")
    photo.putalpha(Image.linear_gradient("L").resize(photo.size))
    photo.save("photo.png")
    words = ["paint", "strokes", "photo.png", "painting.png", "--size", "96", "-o", "out.png", "-q"]
    assert main(words) == 0
    assert (Image.open("out.png").size, Image.open("out.png").mode) == ((96, 72), "RGBA")
    assert [
        each["name"] for each in json.loads((here / "out.json").read_text())["inputs"]["styles"]
    ]
    (here / "painting.png").rename("kept.png")
    assert main(["reproduce", "out.png", "-q"]) == 2
    assert main(["reproduce", "out.png", "--style", "kept.png", "-q"]) == 0


def test_a_filter_learnt_from_a_pair_and_the_same_again(here, capsys):
    assert main(["paint", "filter", "painting.png", "--manner", "ink", "-o", "ink.png", "-q"]) == 0
    words = ["analogy", "photo.png", "ink.png", "--original", "painting.png", "--size", "64"]
    assert main(["paint", *words, "-o", "out.png", "-q"]) == 0
    made = np.asarray(Image.open("out.png"), float)
    assert np.abs(made - np.asarray(Image.open("photo.png"), float)).mean() > 5
    assert main(["reproduce", "out.png", "-q"]) == 0
    (here / "painting.png").rename("kept.png")
    assert main(["reproduce", "out.png", "-q", "--overwrite"]) == 2
    assert "'painting.png'" in capsys.readouterr().err
    again = ["reproduce", "out.png", "-q", "--overwrite", "--style", "ink.png"]
    assert main([*again, "--style", "kept.png"]) == 0


@pytest.mark.slow
def test_a_portrait_and_the_same_again(here, capsys):
    data = pytest.importorskip("skimage.data")
    Image.fromarray(data.astronaut()[40:240, 120:320]).save("face.png")
    assert main(["paint", "portrait", "face.png", "--size", "200", "-q"]) == 0
    assert main(["reproduce", "face.portrait.png"]) == 0
    assert "identical" in capsys.readouterr().out
    assert main(["paint", "portrait", "face.png", "painting.png", "-o", "face.svg", "-q"]) == 0


def test_sixteen_bits(here):
    imageio = pytest.importorskip("tifffile")
    words = ["paint", "filter", "photo.png", "--size", "64", "--depth", "16", "-o", "out.tif"]
    assert main([*words, "-q"]) == 0
    levels = imageio.imread("out.tif")
    assert levels.dtype == np.uint16
    assert (levels % 257).any()


def test_a_drawing_of_any_size(here):
    assert main(["paint", "strokes", "photo.png", "-o", "out.svg", "-q"]) == 0
    text = (here / "out.svg").read_text()
    record = json.loads((here / "out.json").read_text())
    assert text.count("<path") == record["result"]["strokes"] > 100


def test_a_film_of_the_painting_being_made(here):
    av = pytest.importorskip("av")
    assert main(["paint", "strokes", "photo.png", "--size", "64", "-o", "out.mp4", "-q"]) == 0
    with av.open("out.mp4") as film:
        frames = [frame.to_ndarray(format="rgb24").astype(float) for frame in film.decode(video=0)]
    assert len(frames) > 225
    assert frames[0].shape == (48, 64, 3)
    photo = np.asarray(Image.open("photo.png"), float)
    left = [np.abs(frame - photo).mean() for frame in (frames[0], frames[75], frames[-1])]
    assert left[0] > 1.5 * left[1] > 1.5 * left[2]
    assert main(["paint", "strokes", "photo.png", "--size", "64", "-o", "out.png", *OVER]) == 0
    held = np.asarray(Image.open("out.png"), float)
    assert np.abs(frames[-1] - held).mean() < 0.5 * left[-1]


def test_a_folder_where_one_fails(here, capsys):
    (here / "photos").mkdir()
    for index in (1, 2):
        _save(index, f"photos/{index}.png")
    (here / "photos" / "3.png").write_bytes(b"no picture")
    words = ["paint", "filter", "photos", "--manner", "ink", "--size", "64"]
    assert main([*words, "-o", "out/"]) == 1
    assert {path.name for path in (here / "out").glob("*.png")} == {"1.ink.png", "2.ink.png"}
    assert "3.png" in capsys.readouterr().err
    assert main([*words, "-o", "one.png"]) == 2
    assert "--output FOLDER/" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["oils", "photo.png"], "choose strokes, portrait, filter, regions, analogy"),
        (["strokes", "photo.png", "--manner", "oil"], "impressionist"),
        (["filter", "photo.png", "--manner", "wash"], "oil, ink, cartoon, pencil"),
        (["filter", "photo.png", "painting.png"], "takes no colours"),
        (["regions", "photo.png"], "A painting is needed"),
        (["portrait", "photo.png"], "No face was found"),
        (["analogy", "photo.png"], "A painting is needed as the example"),
        (["strokes", "photo.png", "--original", "painting.png"], "leave it out"),
        (["analogy", "photo.png", "painting.png", "--original", "thin.png"], "same proportions"),
        (["strokes", "photo.png", "--depth", "16", "-o", "out.jpg"], "16"),
        (["regions", "photo.png", "thin.png"], "too small to be cut"),
        (["filter", "photo.png", "-o", "out.svg"], "Only strokes"),
        (["filter", "photo.png", "-o", "out.mp4"], "Only strokes"),
        (["strokes", "photo.png", "--size", "4"], "--size must be"),
        (["strokes", "photo.png", "--seed", "-1"], "--seed"),
        (["strokes", "nowhere.png"], "nowhere.png"),
        (["strokes", "photo.png", "-o", "photo.png", "--overwrite"], "never replaced"),
        (["strokes", "photo.png", "-o", "painting.png"], "exists already"),
        (["strokes", "photo.png", "painting.png", "-o", "painting.png", "--overwrite"], "input"),
        (["strokes", "photo.png", "-o", "out.xyz"], ".xyz"),
    ],
)
def test_bad_input_is_one_sentence_and_nothing_is_lost(here, words, sentence, capsys):
    before = {path.name: path.read_bytes() for path in here.iterdir()}
    assert main(["paint", *words]) == 2
    told = capsys.readouterr().err
    assert sentence in told
    assert told.count("\n") == 1
    assert {path.name: path.read_bytes() for path in here.iterdir()} == before


def test_show_says_that_there_are_no_losses(here, capsys):
    assert main(["paint", "filter", "photo.png", "--manner", "ink", "-o", "out.png", "-q"]) == 0
    assert main(["show", "out.png"]) in (0, 2)
    assert "Traceback" not in "".join(capsys.readouterr())


def test_the_picture_is_that_of_the_numbers(here):
    assert main(["paint", "filter", "photo.png", "--manner", "ink", "-o", "a.png", "-q"]) == 0
    assert main(["paint", "filter", "photo.png", "--manner", "ink", "-o", "b.jpg", "-q"]) == 0
    difference = np.asarray(Image.open("a.png"), float) - np.asarray(Image.open("b.jpg"), float)
    assert np.abs(difference).mean() < 8
