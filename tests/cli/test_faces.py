"""--protect faces from the command line, in films, and made again."""

from __future__ import annotations

import json

import pytest
import torch
from PIL import Image

from impasto.cli import main
from impasto.files.films.reader import open_clip, read_frames
from impasto.files.pictures.images import read_picture

data = pytest.importorskip("skimage.data")
QUICK = ["--threads", "1", "-q", "--quality", "instant"]
FACE = (..., slice(40, 72), slice(54, 90))


@pytest.fixture
def here(painting, monkeypatch):
    monkeypatch.chdir(painting.parent)
    Image.fromarray(data.astronaut()[10:230, 100:360]).resize((144, 122)).save("face.png")
    return painting.parent


def _difference(path):
    made, source = (read_picture(each).tensor for each in (path, "face.png"))
    return (made - source).abs().mean(1)


@pytest.mark.parametrize("amount", [None, "0.5"])
def test_a_face_stays_as_far_as_is_said(amount, here, capsys):
    words = ["face.png", painting_name(here), "--size", "full", *QUICK]
    more = [] if amount is None else ["--protect-amount", amount]
    assert main(["stylize", *words, "-o", "plain.png"]) == 0
    assert main(["stylize", *words, "--protect", "faces", *more, "-o", "out.png"]) == 0
    inside = float(_difference("out.png")[FACE].mean())
    plain = float(_difference("plain.png")[FACE].mean())
    low, high = (0.0, 0.08) if amount is None else (0.2, 0.75)
    assert low <= inside / plain <= high
    record = json.loads((here / "out.json").read_text())
    assert record["recipe"]["protect"] == "faces"
    assert main(["reproduce", "out.png"]) == 0
    assert "identical" in capsys.readouterr().out


def painting_name(folder):
    return next(each.name for each in folder.iterdir() if each.name.startswith("painting"))


@pytest.mark.slow
def test_a_film_s_faces_are_followed(here, make_film, capsys):
    face = read_picture("face.png").tensor
    frames = [torch.roll(face, 3 * index, -1) for index in range(3)]
    make_film(here / "film.mkv", frames)
    words = ["film.mkv", painting_name(here), "--size", "144", "--codec", "ffv1", *QUICK]
    assert main(["video", *words, "--protect", "faces", "-o", "out.mkv"]) == 0
    for index, made in enumerate(read_frames(open_clip(here / "out.mkv"))):
        moved = (*FACE[:2], slice(54 + 3 * index, 90 + 3 * index))
        assert float((made.picture - frames[index])[moved].abs().mean()) < 0.03
    assert main(["reproduce", "out.mkv"]) == 0
    assert "identical" in capsys.readouterr().out


def test_an_amount_of_nothing_is_refused(here, capsys):
    words = ["stylize", "face.png", painting_name(here), "--protect-amount", "0.5", "-o", "o.png"]
    assert main(words) == 2
    assert "--protect" in capsys.readouterr().err
