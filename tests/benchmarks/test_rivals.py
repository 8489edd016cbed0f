"""Rivals as programs, with stand-ins that take the documented command lines and pretend to work."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from PIL import Image

from benchmarks import rivals, rounds

# Both stand-ins note how they were called and write the photograph, darker with each iteration.
COMMON = """
import json, os, sys
from pathlib import Path
from PIL import Image

def pretend(name, content, out, size, iterations, weights):
    if "broken" in Path(weights).read_text():
        raise RuntimeError("these weights are broken")
    image = Image.open(content).convert("RGB")
    image.thumbnail((size, size))
    image.point(lambda value: max(0, value - iterations)).save(out)
    called = {"name": name, "iterations": iterations, "words": sys.argv[1:]}
    with Path(os.environ["CALLS"]).open("a") as file:
        file.write(json.dumps(called) + chr(10))
    clock = Path(os.environ["CLOCK"])
    clock.write_text(str(float(clock.read_text()) + 3 + 0.02 * iterations))
"""
CROWSONKB = """
import argparse, os
from stand_in import pretend

parser = argparse.ArgumentParser()
parser.add_argument("content")
parser.add_argument("styles", nargs="+")
parser.add_argument("--output", "-o")
parser.add_argument("--end-scale", "-s", type=int)
parser.add_argument("--iterations", "-i", type=int)
parser.add_argument("--initial-iterations", "-ii", type=int)
given = parser.parse_args()
assert given.initial_iterations == 2 * given.iterations
weights = os.path.join(os.environ["TORCH_HOME"], "hub", "checkpoints", "vgg19-dcbb9e9d.pth")
pretend("crowsonkb", given.content, given.output, given.end_scale, given.iterations, weights)
"""
NEURAL_STYLE_PT = """
import argparse
from stand_in import pretend

parser = argparse.ArgumentParser()
for name in ("style_image", "content_image", "output_image", "gpu", "model_file", "seed"):
    parser.add_argument("-" + name)
for name in ("image_size", "num_iterations", "print_iter", "save_iter"):
    parser.add_argument("-" + name, type=int)
given = parser.parse_args()
assert given.gpu == "c"
pretend("neural-style-pt", given.content_image, given.output_image, given.image_size,
        given.num_iterations, given.model_file)
"""


@pytest.fixture
def clones(tmp_path, monkeypatch) -> dict[str, Path]:
    found = {name: tmp_path / name for name in ("crowsonkb", "neural-style-pt")}
    (found["crowsonkb"] / "style_transfer").mkdir(parents=True)
    found["neural-style-pt"].mkdir()
    (found["crowsonkb"] / "style_transfer" / "__init__.py").touch()
    (found["crowsonkb"] / "style_transfer" / "cli.py").write_text(CROWSONKB)
    (found["neural-style-pt"] / "neural_style.py").write_text(NEURAL_STYLE_PT)
    for clone in found.values():
        (clone / "stand_in.py").write_text(COMMON)
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    clock = tmp_path / "clock"  # 3 s for each start and 20 ms for each iteration
    clock.write_text("0")
    monkeypatch.setenv("CLOCK", str(clock))
    looks = count()
    monkeypatch.setattr(
        rivals, "perf_counter", lambda: float(clock.read_text()) + 1e-3 * next(looks)
    )
    monkeypatch.setattr(rounds, "WARM_UP", 1)
    monkeypatch.setattr(rounds, "TIMED", 2)
    return found


def _words(photo: Path, clones: dict[str, Path], vgg: Path, out: Path) -> list[str]:
    folder = str(photo.parent)
    words = [folder, folder, "--pairs", "photo+painting", "--out", str(out), "--vgg", str(vgg)]
    words += ["--size", "48", "--seconds", "0.2"]
    return words + [word for name, clone in clones.items() for word in (f"--{name}", str(clone))]


@pytest.mark.slow
def test_everybody_on_one_pair(photo, painting, clones, tmp_path):
    vgg = tmp_path / "vgg.pth"
    vgg.write_text("weights")
    rivals.main(_words(photo, clones, vgg, tmp_path / "out"))
    out = tmp_path / "out"
    calls = [json.loads(line) for line in (tmp_path / "calls").read_text().splitlines()]
    known = json.loads((out / "rivals.json").read_text())["iterations"]
    for name in clones:
        tried = [call["iterations"] for call in calls if call["name"] == name]
        assert tried == [1, 2, 6, 10]  # once to warm up, twice to measure, once for good
        assert known[name] == 10  # 20 ms each make 0.2 s, the start not counted
        with Image.open(out / "photo+painting" / f"{name}.png") as image:
            assert image.size == (48, 40)
    (item,) = json.loads((out / "sheet.json").read_text())["items"]
    assert list(item["results"]) == ["impasto", *clones]
    assert "| impasto |" in (out / "table.md").read_text()
    assert (out / "photo+painting.jpg").is_file()
    rivals.main(_words(photo, clones, vgg, out))  # nobody works twice
    assert len((tmp_path / "calls").read_text().splitlines()) == len(calls)


@pytest.mark.slow
def test_all_default_iterations_where_asked(photo, painting, clones, tmp_path, monkeypatch):
    vgg = tmp_path / "vgg.pth"
    vgg.write_text("weights")
    made = rivals.crowsonkb(clones["crowsonkb"], vgg)
    monkeypatch.setattr(rivals, "crowsonkb", lambda *_: replace(made, iterations=8))
    words = _words(photo, {"crowsonkb": clones["crowsonkb"]}, vgg, tmp_path / "out")
    rivals.main([*words, "--defaults"])
    names = {path.stem for path in (tmp_path / "out" / "photo+painting").glob("*.png")}
    assert names == {"impasto", "crowsonkb", "crowsonkb-default"}
    last = json.loads((tmp_path / "calls").read_text().splitlines()[-1])
    assert last["iterations"] == 8


def test_a_rival_s_failure_is_passed_on(photo, painting, clones, tmp_path):
    vgg = tmp_path / "vgg.pth"
    vgg.write_text("broken")
    with pytest.raises(SystemExit, match=r"crowsonkb failed: RuntimeError: these weights are"):
        rivals.main(_words(photo, clones, vgg, tmp_path / "out"))


def test_without_a_clone_there_is_nothing_to_run(photo, tmp_path):
    with pytest.raises(SystemExit, match="give a program's clone"):
        rivals.main(_words(photo, {}, tmp_path / "vgg.pth", tmp_path / "out"))


def test_programs_run_in_a_folder_of_their_own(clones, photo, painting, tmp_path):
    """Whatever a rival leaves behind does not lie about."""
    (tmp_path / "vgg.pth").write_text("weights")
    rival = rivals.neural_style_pt(clones["neural-style-pt"], tmp_path / "vgg.pth")
    before = sorted(path.name for path in Path().iterdir())
    assert rival.run((photo, painting), tmp_path / "made.png", 48, 1) > 0
    assert sorted(path.name for path in Path().iterdir()) == before
