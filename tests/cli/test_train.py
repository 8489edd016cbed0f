"""impasto train, and impasto stylize with what it has made."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

import impasto
from impasto.cli import main
from impasto.cli import train as command
from impasto.files.weights.trained import read_trained

QUICK = ["--size", "32", "--for-size", "64", "--batch", "1"]
QUICK += ["--precision", "fp32", "--threads", "1"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    return here


def _train(painting, photo, *more, steps: int = 2) -> int:
    words = ["train", str(painting), "--photos", str(photo.parent), "--steps", str(steps)]
    return main([*words, *QUICK, *more])


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_network_by_its_default_name(painting, photo, folder, capsys):
    assert _train(painting, photo) == 0
    assert _names(folder) == {"painting.safetensors"}
    printed = capsys.readouterr()
    assert printed.out == "painting.safetensors\n"
    assert "learns from 1 photograph of" in printed.err
    assert "100%" in printed.err
    about = read_trained(Path("painting.safetensors")).about
    assert (about.step, about.is_finished, about.seconds > 0) == (2, True, True)
    assert [each.name for each in about.paintings] == ["painting.png"]
    assert _train(painting, photo, "-q") == 2  # it is there already
    assert _train(painting, photo, "-q", "--overwrite") == 0


def test_without_photographs_of_one_s_own(painting, folder, capsys):
    assert main(["train", str(painting), "--steps", "2", *QUICK]) == 0
    assert "generated pictures" in capsys.readouterr().err


def test_a_preview_is_of_the_way_only(painting, photo, folder, monkeypatch):
    seen = []
    original = command._Run._look

    def look(self, job, state):
        original(self, job, state)
        seen.append(Path("n.preview.png").is_file())

    monkeypatch.setattr(command._Run, "_look", look)
    assert _train(painting, photo, "-o", "n.safetensors", "--preview", "1", "-q") == 0
    assert seen == [False, True, True]
    assert _names(folder) == {"n.safetensors"}


def _stop_after(monkeypatch, steps: int) -> None:
    original = command._Run._look

    def look(self, job, state):
        original(self, job, state)
        if state.step == steps:
            raise KeyboardInterrupt

    monkeypatch.setattr(command._Run, "_look", look)


def test_stopped_and_resumed_it_is_the_same_bit_for_bit(
    painting, photo, folder, monkeypatch, capsys
):
    assert _train(painting, photo, "-o", "whole.safetensors", "-q", steps=4) == 0
    words = ["-o", "n.safetensors", "-q"]
    with monkeypatch.context() as patch:
        _stop_after(patch, 2)
        assert _train(painting, photo, *words, steps=4) == 130
    assert "stopped after 2 steps" in capsys.readouterr().err
    assert _names(folder) == {"whole.safetensors", "n.safetensors", "n.checkpoint"}
    assert read_trained(Path("n.safetensors")).about.is_finished is False
    assert _train(painting, photo, *words, steps=4) == 2  # nothing is lost unasked
    assert _train(painting, photo, *words, "--resume", "--seed", "1", steps=4) == 2
    assert len(capsys.readouterr().err.splitlines()) == 2
    assert _train(painting, photo, *words, "--resume", steps=4) == 0
    assert _names(folder) == {"whole.safetensors", "n.safetensors"}
    whole, resumed = (read_trained(Path(f"{name}.safetensors")) for name in ("whole", "n"))
    assert resumed.about.step == 4
    assert whole.tensors.keys() == resumed.tensors.keys()
    assert all(torch.equal(whole.tensors[name], resumed.tensors[name]) for name in whole.tensors)


class Killed(BaseException):
    pass


def test_killed_and_resumed(painting, photo, folder, monkeypatch):
    assert _train(painting, photo, "-o", "whole.safetensors", "-q", steps=4) == 0
    words = ["-o", "n.safetensors", "-q", "--checkpoint", "1e-9"]
    with monkeypatch.context() as patch:
        original = command._Run._look

        def look(self, job, state):
            original(self, job, state)
            if state.step == 3:
                raise Killed

        patch.setattr(command._Run, "_look", look)
        with pytest.raises(Killed):
            _train(painting, photo, *words, steps=4)
    assert _names(folder) == {"whole.safetensors", "n.checkpoint"}
    assert read_trained(Path("n.checkpoint")).about.step == 2
    assert _train(painting, photo, *words, "--resume", steps=4) == 0
    whole, resumed = (read_trained(Path(f"{name}.safetensors")) for name in ("whole", "n"))
    assert all(torch.equal(whole.tensors[name], resumed.tensors[name]) for name in whole.tensors)


def test_a_photograph_that_cannot_be_read_is_said_once(painting, photo, folder, capsys):
    (photo.parent / "notes.txt").write_text("no picture")
    (photo.parent / "broken.png").write_bytes(b"no picture")
    assert _train(painting, photo, steps=6) == 0
    said = capsys.readouterr().err
    assert said.count("notes.txt") == 1
    assert said.count("broken.png is left out") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "painting"),
        (["nowhere.jpg"], "nowhere.jpg"),
        (["PAINTING", "--photos", "no/such"], "no/such"),
        (["PAINTING", "-o", "n.png"], ".safetensors"),
        (["PAINTING", "-o", "no/such.safetensors"], "does not exist"),
        (["PAINTING", "--minutes", "0"], "--minutes"),
        (["PAINTING", "--minutes", "1", "--steps", "2"], "leave one out"),
        (["PAINTING", "--steps", "0"], "--steps"),
        (["PAINTING", "--size", "30"], "--size"),
        (["PAINTING", "--batch", "0"], "--batch"),
        (["PAINTING", "--rate", "nan"], "--rate"),
        (["PAINTING", "--preview", "0"], "--preview"),
        (["PAINTING", "--init", "noise"], "--init"),
    ],
)
def test_bad_input_is_one_sentence(words, said, painting, folder, capsys):
    words = [str(painting) if word == "PAINTING" else word for word in words]
    assert main(["train", *words]) == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert len(printed.err.splitlines()) == 1
    assert list(folder.iterdir()) == []


@pytest.fixture
def network(painting, photo, folder) -> Path:
    assert _train(painting, photo, "-o", "n.safetensors", "-q") == 0
    return folder / "n.safetensors"


PAINT = ["--size", "40", "--precision", "fp32", "--threads", "1"]


def test_a_picture_by_a_network_and_again(network, photo, folder, capsys):
    assert main(["stylize", str(photo), "n.safetensors", *PAINT]) == 0
    assert capsys.readouterr().out == "photo+n.png\n"
    with Image.open("photo+n.png") as image:
        assert image.size == (40, 33)
    record = json.loads(Path("photo+n.json").read_text())
    assert record["task"] == "trained"
    assert record["network"]["name"] == "n.safetensors"
    assert main(["reproduce", "photo+n.png", "--content", str(photo)]) == 0
    assert "The pixels are identical." in capsys.readouterr().out
    assert main(["reproduce", "photo+n.png"]) == 2
    assert "--content" in capsys.readouterr().err
    record["network"]["name"] = "../n.safetensors"
    Path("bad.json").write_text(json.dumps(record))
    assert main(["reproduce", "bad.json", "--content", str(photo)]) == 2
    assert main(["show", "photo+n.png"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_many_photographs_are_each_made_once(network, photo, painting, capsys):
    words = ["stylize", str(photo.parent), "n.safetensors", "-o", "out", *PAINT]
    (photo.parent / "broken.png").write_bytes(b"no picture")
    assert main(words) == 1
    assert "2 made, 0 finished before, 1 failed." in capsys.readouterr().err
    (photo.parent / "broken.png").unlink()
    assert main(words) == 0
    assert "0 made, 2 finished before, 0 failed." in capsys.readouterr().err


def test_the_photograph_s_colours_and_transparency_are_kept(network, photo):
    with Image.open(photo) as image:
        clear = image.convert("RGBA")
    clear.putalpha(Image.linear_gradient("L").resize(clear.size))
    clear.save("clear.png")
    words = ["stylize", "clear.png", "n.safetensors", "-o", "o.png", "-q", "--depth", "16"]
    assert main([*words, "--preserve-color", "luminance", *PAINT]) == 0
    with Image.open("o.png") as image:
        assert image.mode == "RGBA"


def test_two_paintings_in_one_network(painting, photo, folder, capsys):
    words = ["train", str(painting), str(photo), "--photos", str(photo.parent), "--steps", "2"]
    (folder.parent / "holiday-in-private" / "other.png").write_bytes(photo.read_bytes())
    assert main([*words, "-o", "two.safetensors", "-q", *QUICK]) == 0
    both = ["stylize", str(photo), "two.safetensors", "-q", *PAINT]
    assert main([*both, "-o", "a.png", "--blend", "1,0"]) == 0
    assert main([*both, "-o", "b.png", "--blend", "0,1"]) == 0
    assert Image.open("a.png").tobytes() != Image.open("b.png").tobytes()
    assert main([*both, "-o", "c.png", "--blend", "1,2,3"]) == 2
    assert "--blend" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere.safetensors"], "nowhere.safetensors"),
        (["n.safetensors", "--strength", "0.5"], "--strength"),
        (["n.safetensors", "--tileable"], "--tileable"),
        (["n.safetensors", "n.safetensors"], "one network"),
        (["n.safetensors", "--size", "8"], "16"),
        (["text.safetensors"], "damaged"),
        (["other.safetensors"], "impasto train"),
        (["torn.safetensors"], "damaged"),
        (["edited.safetensors"], "damaged"),
        (["n.safetensors", "-o", "n.safetensors"], "format"),
    ],
)
def test_a_bad_network_or_option_is_one_sentence(words, said, network, photo, capsys):
    data = network.read_bytes()
    Path("text.safetensors").write_text("no network")
    save_file({"a": torch.zeros(1)}, "other.safetensors")
    Path("torn.safetensors").write_bytes(data[:-100])
    Path("edited.safetensors").write_bytes(data[:-4] + b"\0\0\x80\x7f")
    before = set(Path().iterdir())
    assert main(["stylize", str(photo), *words]) == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert len(printed.err.splitlines()) == 1
    assert set(Path().iterdir()) == before


def test_the_same_from_python(network, photo):
    options = {"size": 40, "precision": "fp32", "threads": 1}
    result = impasto.stylize(photo, network, **options)
    result.save("python.png")
    assert main(["stylize", str(photo), str(network), "-o", "command.png", "-q", *PAINT]) == 0
    assert Image.open("command.png").tobytes() == result.image.tobytes()
    again = impasto.reproduce("python.png", content=photo)
    assert again.identical is True
    assert again.changes == ()
    with pytest.raises(impasto.PictureError, match="a network, not a picture"):
        impasto.stylize(photo, [network, network], **options)
    with pytest.raises(impasto.RecipeError, match="strength="):
        impasto.stylize(photo, network, strength=0.3)
