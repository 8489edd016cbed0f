"""impasto experiments and impasto sweep, as typed."""

from __future__ import annotations

import csv
import os
import shlex
import shutil
from pathlib import Path

import pytest
from PIL import Image

from impasto.cli import main
from impasto.engine.planning.plan import NEIGHBOURS_STEPS
from impasto.files.pictures.images import read_picture
from impasto.files.records.read import read_record
from impasto.recipe.still import Recipe

ROOT = Path(__file__).resolve().parents[2]
OWN = (ROOT / "examples" / "first_hour" / "smoothing.py").read_text(encoding="utf-8")
SMALL = ["--size", "32", "--steps", "2", "--scales", "1"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    return here


def test_the_list_names_every_experiment(capsys):
    from impasto.experiments import EXPERIMENTS

    assert main(["experiments", "list"]) == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in EXPERIMENTS)


def test_a_run_tells_its_time_its_verdict_and_its_page(photo, painting, folder, capsys):
    words = ["--content", str(photo), "--style", str(painting), "--preset", "quick"]
    words = ["experiments", "run", "tradeoff", *words, "--size", "32", "--steps", "2"]
    assert main(words) == 0
    printed = capsys.readouterr()
    assert printed.err.startswith("About ")
    assert "0/8 tradeoff: alpha/beta = 1e-1" in printed.err
    assert printed.out.splitlines()[-1] == "report/index.html"
    assert "borne out" in printed.out
    assert (folder / "report" / "tradeoff" / "figure-1.png").is_file()

    assert main([*words, "--quiet"]) == 0  # nothing is made again
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["run", "nothing"], "There is no experiment 'nothing'"),
        (["run"], "Name an experiment, or all"),
        (["run", "seeds", "--preset", "huge"], "There is no preset 'huge'"),
        (["run", "seeds", "--content", "none.jpg"], "There is no file 'none.jpg'"),
        (["run", "seeds", "--out", "a/b"], "The folder 'a' does not exist"),
        (["run", "seeds", "--steps", "-1"], "--steps must be at least 1"),
        (["run", "seeds", "--size", "8"], "--size must be at least 16"),
        (["run", "seeds", "--network", "resnet"], "resnet"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(words, sentence, folder, capsys):
    assert main(["experiments", *words]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1
    assert list(folder.iterdir()) == []


def test_an_unreadable_picture_is_one_sentence(folder, capsys):
    Path("torn.jpg").write_bytes(b"\xff\xd8 no picture")
    assert main(["experiments", "run", "seeds", "--content", "torn.jpg"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert [path.name for path in folder.iterdir()] == ["torn.jpg"]


def test_a_sweep_draws_its_grid(photo, painting, folder, capsys):
    pair = ["--content", str(photo), "--style", str(painting)]
    grid = ["--vary", "alpha/beta=1e-1,1e-4", "--vary", "init=noise,content"]
    assert main(["sweep", *grid, *pair, *SMALL]) == 0
    assert capsys.readouterr().out == "sweep/index.html\n"
    rows = list(csv.reader((folder / "sweep/sweep/cells.csv").open(encoding="utf-8")))
    assert [row[0] for row in rows[1:]] == [
        *("1e-1, noise", "1e-1, content", "1e-4, noise", "1e-4, content"),
    ]
    lines = (folder / "sweep/sweep/lines.txt").read_text()
    assert "--alpha 0.0001 --beta 1.0" in lines
    page = (folder / "sweep/index.html").read_text(encoding="utf-8")
    assert "distance to the style" in page
    assert "Claims and verdicts" not in page


@pytest.mark.slow
def test_a_grid_is_made_as_the_product_makes_it(photo, painting, folder, capsys):
    pair = ["--content", str(photo), "--style", str(painting)]
    assert main(["sweep", "--vary", "init=content,style", *pair, "--size", "32"]) == 0
    assert "About 1 s" not in capsys.readouterr().err
    for record in map(read_record, sorted((folder / "sweep/sweep/records").glob("*.json"))):
        assert record.recipe == Recipe(size=32, init=record.recipe.init)
        assert record.result.steps == sum(NEIGHBOURS_STEPS)
        assert record.network["normalisation"] == "normalised"
    line = (folder / "sweep/sweep/lines.txt").read_text().splitlines()[-1]
    words = shlex.split(line[line.index("impasto stylize ") :])[1:]
    os.chdir(folder / "sweep")
    assert main([*words, "--quiet"]) == 0
    again = read_record(Path("again.png")).result.sha256
    cells = [read_record(path) for path in Path("cells").glob("*.json")]
    assert again in {cell.result.sha256 for cell in cells if cell.recipe.init == "style"}
    source = read_picture(Path("inputs/photograph.png")).tensor
    (content,) = [path for path in Path("cells").glob("*.png") if "content" in _init(path)]
    assert (read_picture(content).tensor - source).abs().mean() > 0.02


def _init(cell: Path) -> str:
    return str(read_record(cell).recipe.init)


def test_a_grid_has_its_network_s_options(photo, painting, folder):
    pair = ["--content", str(photo), "--style", str(painting), "--quiet"]
    words = ["--vary", "seed=1,2", "--pooling", "avg", "--strength", "0.5", "--quality", "draft"]
    assert main(["sweep", *words, *pair, "--size", "32", "--scales", "1"]) == 0
    records = [read_record(path) for path in (folder / "sweep/cells").glob("*.json")]
    assert [each.network["pooling"] for each in records] == ["avg", "avg"]
    assert {each.recipe.strength for each in records} == {0.5}
    assert {each.result.steps for each in records} == {20}


def test_a_value_may_be_several_words(photo, painting, folder):
    pair = ["--content", str(photo), "--style", str(painting), "--quiet"]
    grid = ["--vary", "style-layers=conv1_1+conv2_1,conv3_1", "--strength", "0.55"]
    assert main(["sweep", *grid, *pair, *SMALL]) == 0
    lines = (folder / "sweep/sweep/lines.txt").read_text()
    assert "--strength 0.55" in lines
    assert "--style-layers conv1_1,conv2_1" in lines


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "Give the options to vary"),
        (["--vary", "init"], "has no values"),
        (["--vary", "init=noise", "--vary", "init=content"], "--vary init is given twice"),
        (["--vary", "brightness=1"], "--vary brightness is no option"),
        (["--vary", "network=compact"], "--vary network is no option"),
        (["--vary", "seed=x"], "seed"),
        (["--vary", "seed=1,2", "--steps", "0"], "makes a step: give --steps at least 1"),
        (["--vary", "steps=0"], "makes a step: give --steps at least 1"),
        (["--vary", "pooling=max,avg"], "--vary pooling is no option"),
        (["--vary", "strength=0.5,2"], "--strength must lie between 0 and 1"),
        (["--vary", "seed=" + ",".join(map(str, range(501)))], "501 cells, more than 500"),
    ],
)
def test_a_grid_that_makes_no_sense_is_one_sentence(words, sentence, folder, capsys):
    assert main(["sweep", *words]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1
    assert list(folder.iterdir()) == []


def test_many_cells_need_a_yes(photo, painting, monkeypatch):
    from impasto.cli import experiments

    asked = []
    monkeypatch.setattr(experiments, "_carry_out", lambda wanted, *_, **__: asked.append(wanted))
    monkeypatch.setattr("impasto.experiments.sweep.MOST_CELLS", 3)
    words = ["sweep", "--vary", "seed=1,2,3,4", "--content", str(photo), "--style", str(painting)]
    assert main(words) == 2
    main([*words, "--yes"])
    assert len(asked[0][0].cells(None)) == 4


def test_ctrl_c_says_how_to_go_on(photo, painting, monkeypatch, capsys):
    from impasto.experiments.lab import Lab

    make, calls = Lab.make, []

    def stopped(lab, cell):
        calls.append(cell)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return make(lab, cell)

    monkeypatch.setattr(Lab, "make", stopped)
    pair = ["--content", str(photo), "--style", str(painting)]
    words = ["experiments", "run", "seeds", *pair, "--size", "32", "--steps", "1", "--quiet"]
    assert main(words) == 130
    assert "2 of 4 cells finished; run the same command" in capsys.readouterr().err


def test_paintings_are_varied_by_naming_them(photo, painting, folder):
    shutil.copy(painting, "one.png")
    with Image.open(painting) as image:
        image.rotate(90).save("two.png")
    pair = ["--content", str(photo), "--quiet"]
    grid = ["--vary", "style=one.png,two.png", "--vary", "init=content,style"]
    assert main(["sweep", *grid, *pair, *SMALL]) == 0
    rows = list(csv.reader((folder / "sweep/sweep/cells.csv").open(encoding="utf-8")))
    assert [row[0] for row in rows[1:]] == [
        *("one, content", "one, style", "two, content", "two, style"),
    ]
    assert {path.name for path in Path("sweep/inputs").iterdir()} >= {"one.png", "two.png"}
    assert main(["sweep", "--vary", "style=nowhere.png", *pair]) == 2


def test_an_experiment_of_ones_own_from_the_command_line(photo, painting, folder, capsys):
    Path("mine.py").write_text(OWN)
    pair = ["--content", str(photo), "--style", str(painting)]
    words = ["experiments", "run", "--from", "mine.py", *pair, "--preset", "quick"]
    assert main([*words, "--size", "32", "--steps", "2"]) == 0
    assert "borne out" in capsys.readouterr().out
    rows = _rows(Path("report/smoothing/losses.csv"))
    assert rows[0] == ["cell", "step", "size", "total", "content", "style", "variation"]
    assert [row[0] for row in rows[1:]] == [*(3 * ["tv 0"]), *(3 * ["tv 0.1"])]
    assert main(["experiments", "list", "--from", "mine.py"]) == 0
    assert "smoothing" in capsys.readouterr().out


def _rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.reader(file))
