"""Pictures, weights and cells."""

from __future__ import annotations

import json
import shlex

import pytest
import torch

from impasto.cli import main
from impasto.errors import PictureError, RecipeError, RecordError
from impasto.experiments import Cell, Inputs, Lab, Made
from impasto.experiments.inputs import filled, longest
from impasto.files.pictures.images import read_picture
from tests.experiments.conftest import TINY


def _make(lab: Lab, cell: Cell) -> Made:
    lab.made.pop(cell.label, None)
    for _ in lab.make(cell):
        pass
    return lab.made[cell.label]


def test_the_painting_has_the_photographs_size(lab):
    assert lab.pictures["photograph"].shape == (1, 3, 27, 32)
    assert lab.pictures["painting"].shape == (1, 3, 27, 32)


def test_filled_cuts_what_is_too_wide(waves):
    wide, like = waves(20, 60), torch.zeros(1, 3, 20, 20)
    torch.testing.assert_close(filled(wide, like), wide[..., 20:40])
    assert longest(wide, 30).shape == (1, 3, 10, 30)


def test_1e_minus_3_is_balanced_as_a_strength_of_95_hundredths(lab):
    weights, units = lab.weights_for(1e-3), lab.objective.weights
    content, style = weights["alpha"] * units.content_unit, weights["beta"] * units.style_unit
    assert content / (content + style) == pytest.approx(0.05, rel=1e-2)
    assert lab.weights_for(1e-1)["alpha"] == pytest.approx(100 * weights["alpha"], rel=1e-2)


def test_ratios_as_stated_are_the_ratios(make_lab):
    from dataclasses import replace

    lab = make_lab(replace(TINY, as_stated=True))
    assert lab.weights_for(1e-4) == {"alpha": 1e-4, "beta": 1.0}


def test_a_cell_has_the_reports_method_and_its_own_options(lab):
    options = lab.options(Cell("x", {"seed": 5}))
    assert (options["seed"], options["init"], options["tv"], options["style_loss"]) == (
        *(5, "noise", 0.0, "gram"),
    )
    assert options["steps"] == (2,)
    assert "alpha" not in lab.options(Cell("x", {"strength": 0.5}))


def test_a_cell_is_made_once_and_found_by_what_it_is_made_of(lab, make_lab):
    cell = Cell("one")
    made = _make(lab, cell)
    assert lab.is_done(cell)
    before = made.path.stat().st_mtime_ns
    again = make_lab()
    assert again.work(cell) == 0
    assert _make(again, Cell("another name")).path == made.path
    assert made.path.stat().st_mtime_ns == before
    others = [Cell("x", {"seed": 1}), Cell("x", style="photograph"), Cell("x", copy=1)]
    paths = {lab.cell_path(each) for each in others}
    assert len(paths | {made.path}) == 4
    assert all(lab.work(each) > 0 for each in others)


def test_what_a_stopped_cell_had_done_is_no_result(lab):
    cell = Cell("one")
    next(iter(lab.make(cell)))
    assert not lab.is_done(cell)
    assert "one" not in lab.made


def test_two_cells_of_one_name_are_refused(lab):
    _make(lab, Cell("one"))
    with pytest.raises(RecipeError, match="Two cells have the label 'one'"):
        next(iter(lab.make(Cell("one", {"seed": 3}))))


def test_the_line_makes_the_same_pixels(lab, monkeypatch):
    lab.pictures.add("start", torch.rand(1, 3, 27, 32, generator=torch.Generator().manual_seed(0)))
    for cell in (Cell("one", {"seed": 2}), Cell("two", {"init": "start"})):
        made = _make(lab, cell)
        words = shlex.split(lab.command(cell))
        monkeypatch.chdir(lab.folder)
        assert words[0] == "impasto"
        assert main([*words[1:], "--quiet", "--overwrite"]) == 0
        assert torch.equal(read_picture(lab.folder / "again.png").tensor, made.image)


def test_values_that_are_costly_are_kept(lab):
    calls = []

    def find():
        calls.append(1)
        return {"answer": 42}

    assert lab.cached("x", [1], find) == lab.cached("x", [1], find) == {"answer": 42}
    assert len(calls) == 1
    lab.cached("x", [2], find)
    assert len(calls) == 2
    path = next((lab.folder / "cells").glob("x-*.json"))
    path.write_text("{")
    with pytest.raises(RecordError, match="remove it and run again"):
        [lab.cached("x", [n], find) for n in (1, 2)]


def test_an_unknown_picture_is_one_sentence(lab):
    with pytest.raises(PictureError, match="no picture 'x'"):
        lab.pictures["x"]


def test_nothing_is_written_where_a_picture_cannot_be_read(photo, painting, tmp_path):
    for inputs in (
        Inputs(photo, tmp_path / "nothing.png"),
        Inputs(photo, painting, dark=tmp_path / "nothing.png"),
    ):
        with pytest.raises(PictureError, match="check the name"):
            Lab(tmp_path / "new", TINY, inputs)
    assert not (tmp_path / "new").exists()


def test_the_examples_are_there_or_are_said_to_be_missing(tmp_path, monkeypatch):
    lab = Lab(tmp_path / "lab", TINY)
    assert lab.pictures["photograph"].shape == lab.pictures["painting"].shape == (1, 3, 21, 32)
    assert lab.pictures["photo"].shape == (1, 3, 21, 32)
    assert lab.pictures["dark"].shape == (1, 3, 21, 32)
    monkeypatch.setitem(__import__("sys").modules, "skimage", None)
    with pytest.raises(PictureError, match=r"impasto\[demo\].*content="):
        Lab(tmp_path / "other", TINY)


def test_records_name_no_folder(lab, photo):
    made = _make(lab, Cell("one"))
    record = made.path.with_suffix(".json").read_text()
    assert photo.parent.name not in record
    assert json.loads(record)["inputs"]["content"][0]["name"] == "photograph.png"
