"""Painted films through the real command: they move with the source, and are made again."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest

from impasto.cli import main
from impasto.files.films.silent import write_silent
from impasto.ops.natural import natural_picture

av = pytest.importorskip("av")
pytest.importorskip("cv2")
FRAMES = 6


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A camera that moves to the right by two pixels a frame; then another shot."""
    monkeypatch.chdir(tmp_path)
    wide = natural_picture(64, 120, seed=1)
    other = natural_picture(64, 96, seed=5)
    pan = [wide[..., 2 * index : 2 * index + 96] for index in range(FRAMES)]
    write_silent(tmp_path / "pan.mp4", pan, (64, 96))
    write_silent(tmp_path / "cut.mp4", [pan[0], pan[1], other, other], (64, 96))
    return tmp_path


def _frames(name):
    with av.open(name) as film:
        return [frame.to_ndarray(format="rgb24") / 255.0 for frame in film.decode(video=0)]


def _difference(one, other):
    return float(np.abs(one - other).mean())


def test_strokes_move_with_the_camera_and_do_not_boil(here):
    assert main(["paint", "strokes", "pan.mp4", "--size", "96", "-q"]) == 0
    assert main(["paint", "strokes", "pan.mp4", "--size", "96", "--seed", "1", "-o", "b.mp4"]) == 0
    made, other = _frames("pan.impressionist.mp4"), _frames("b.mp4")
    assert len(made) == FRAMES
    carried = np.mean([_difference(a[:, 2:], b[:, :-2]) for a, b in pairwise(made)])
    anew = np.mean([_difference(a, b) for a, b in zip(made, other, strict=True)])
    assert carried < 0.6 * anew
    record = json.loads((here / "pan.impressionist.json").read_text())
    assert record["result"]["frames"] == FRAMES
    assert record["result"]["finished"] is True


def test_a_cut_begins_anew(here):
    assert main(["paint", "strokes", "cut.mp4", "--size", "96", "-o", "out.mp4", "-q"]) == 0
    made, source = _frames("out.mp4"), _frames("cut.mp4")
    assert _difference(made[2], source[2]) < 1.5 * _difference(made[0], source[0]) + 0.01
    assert _difference(made[3], made[2]) < 0.4 * _difference(made[2], made[1])


def test_the_same_again(here, capsys):
    assert main(["paint", "filter", "pan.mp4", "--manner", "cartoon", "--size", "64", "-q"]) == 0
    assert main(["reproduce", "pan.cartoon.mp4"]) == 0
    assert "pan.cartoon.again.mp4\nThe frames are identical." in capsys.readouterr().out
    (here / "pan.mp4").write_bytes((here / "cut.mp4").read_bytes())
    assert main(["reproduce", "pan.cartoon.mp4", "--overwrite", "--content", "cut.mp4"]) == 1
    assert "not the one of the record" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["strokes", "pan.mp4", "--manner", "tiles"], "Films are painted by"),
        (["portrait", "pan.mp4"], "Films are painted by"),
        (["analogy", "pan.mp4", "cut.mp4"], "Films are painted by"),
        (["filter", "pan.mp4", "cut.mp4"], "takes no colours"),
        (["strokes", "pan.mp4", "-o", "pan.mp4", "--overwrite"], "never replaced"),
        (["strokes", "none.mp4"], "no file"),
        (["strokes", "pan.mp4", "-o", "out.svg"], "not a picture"),
    ],
)
def test_bad_input_is_one_sentence(here, words, sentence, capsys):
    before = sorted(path.name for path in here.iterdir())
    assert main(["paint", *words, "-q"]) == 2
    told = capsys.readouterr().err
    assert sentence in told
    assert told.count("\n") == 1
    assert sorted(path.name for path in here.iterdir()) == before


def test_an_interruption_keeps_the_film_so_far(here, monkeypatch, capsys):
    from impasto.jobs import painted_film

    calls = []

    def interrupted(picture):
        calls.append(1)
        if len(calls) > 3:
            raise KeyboardInterrupt
        return picture

    monkeypatch.setitem(painted_film.FILTERS, "ink", interrupted)
    words = ["paint", "filter", "pan.mp4", "--manner", "ink", "--size", "64", "-o", "out.mp4"]
    assert main(words) == 130
    assert "the film so far (3 frames) is in out.mp4" in capsys.readouterr().err
    assert len(_frames("out.mp4")) == 3
