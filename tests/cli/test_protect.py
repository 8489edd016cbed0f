"""--protect from the command line: one picture, many, and made again."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from PIL import Image

from impasto.cli import main

QUICK = ["--size", "40", "--steps", "1", "--scales", "1", "--threads", "1", "-q"]


@pytest.fixture
def here(photo, painting, monkeypatch):
    monkeypatch.chdir(photo.parent)
    levels = np.zeros((40, 48), np.uint8)
    levels[:, :24] = 255
    Image.fromarray(levels).save("mask.png")
    return photo.parent


def test_one_picture_and_the_same_again(here, capsys):
    assert main(["stylize", "photo.png", "painting.png", "--protect", "mask.png", *QUICK]) == 0
    assert main(["reproduce", "photo+painting.png"]) == 0
    assert "identical" in capsys.readouterr().out
    (here / "elsewhere").mkdir()
    shutil.move("mask.png", "elsewhere/other.png")
    assert main(["reproduce", "photo+painting.png", "--overwrite"]) == 2
    assert "mask 'mask.png' lies neither beside the record nor here" in capsys.readouterr().err
    words = ["--protect", "elsewhere/other.png", "--overwrite"]
    assert main(["reproduce", "photo+painting.png", *words]) == 0


def test_a_folder_goes_on_where_it_was(here, capsys):
    (here / "photos").mkdir()
    for name in ("a.png", "b.png"):
        shutil.copy("photo.png", here / "photos" / name)
    words = ["stylize", "photos", "painting.png", "--protect", "mask.png", "-o", "out", *QUICK]
    assert main(words) == 0
    made = {path.name: path.stat().st_mtime_ns for path in (here / "out").glob("*.png")}
    assert len(made) == 2
    assert main(words) == 0
    assert {path.name: path.stat().st_mtime_ns for path in (here / "out").glob("*.png")} == made


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["stylize", "photo.png", "painting.png", "--protect", "none.png"], "none.png"),
        (["stylize", "photo.png", "painting.png", "--protect", "wide.png"], "proportion"),
        (["texture", "painting.png", "--protect", "mask.png"], "--protect"),
    ],
)
def test_a_sentence_for_each_mistake(words, told, here, capsys):
    Image.new("L", (90, 30)).save("wide.png")
    assert main(words) == 2
    assert told in capsys.readouterr().err


def test_the_mask_is_never_replaced(here, capsys):
    words = ["stylize", "photo.png", "painting.png", "--protect", "mask.png", "-o", "mask.png"]
    assert main([*words, "--overwrite", *QUICK]) == 2
    assert "never replaced" in capsys.readouterr().err


def test_with_pydantic_at_hand_options_may_still_be_left_open(here):
    """cyclopts checks defaults where pydantic is loaded, as the studio's library loads it."""
    pytest.importorskip("pydantic")
    assert main(["stylize", "photo.png", "painting.png", *QUICK]) == 0
