"""Every experiment, end to end, as small as it can be."""

from __future__ import annotations

import csv
import math
import re
from itertools import pairwise

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from impasto.errors import RecipeError
from impasto.experiments import (
    EXPERIMENTS,
    Cell,
    Check,
    Experiment,
    Finding,
    Verdict,
    carry_out,
    find_experiments,
    run,
)
from impasto.experiments.adversarial import trial_objective
from impasto.experiments.attack import attack, looked_ahead
from impasto.experiments.film import aligned, camera_move
from impasto.experiments.inputs import longest
from impasto.experiments.photographs import darkened
from impasto.experiments.runner import predicted_seconds
from impasto.nets.topology import VGG19_WIDTHS
from impasto.ops.inits import white_noise


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_is_carried_out_and_gives_a_verdict(name, lab):
    experiment = EXPERIMENTS[name]
    (outcome,) = carry_out([experiment], lab)
    expected = Verdict.UNTESTED if name == "networks" else None
    assert outcome.verdict is (expected or outcome.verdict)
    assert outcome.verdict is not Verdict.NO_CLAIM
    numbers = outcome.finding.numbers
    assert all(
        math.isfinite(numbers[check.name]) for check in experiment.checks if name != "networks"
    )
    folder = lab.folder / name
    for index in range(1, len(outcome.sheets) + 1):
        (path,) = folder.glob(f"figure-{index}.*")
        assert path.stat().st_size > 200
    rows = list(csv.reader((folder / "numbers.csv").open(encoding="utf-8")))
    assert [row[0] for row in rows[1 : len(experiment.checks) + 1]] == [
        check.name for check in experiment.checks
    ]
    if outcome.made:
        cells = list(csv.reader((folder / "cells.csv").open(encoding="utf-8")))
        assert [row[0] for row in cells[1:]] == [made.cell.label for made in outcome.made]
        assert all((folder / "records" / row[-1]).is_file() for row in cells[1:])
        assert (folder / "lines.txt").read_text().count("impasto stylize") == len(outcome.made)


def test_networks_agree_with_themselves(make_lab, tiny_tensors, tmp_path):
    path = tmp_path / "blocks.safetensors"
    save_file(tiny_tensors(VGG19_WIDTHS, last="conv2_2"), path)
    lab = make_lab(others=[path])
    (outcome,) = carry_out(find_experiments(["networks"]), lab)
    assert outcome.verdict is not Verdict.UNTESTED
    assert {made.cell.network for made in outcome.made} == {"own", "blocks"}
    page = (lab.folder / "index.html").read_text(encoding="utf-8")
    assert "compact, vgg19 (blocks.safetensors)" in page
    assert str(tmp_path) not in page
    assert str(tmp_path) not in (lab.folder / "networks" / "lines.txt").read_text()
    used = outcome.made[0].record.recipe
    assert (used.content_layers, used.style_layers) == (("conv2_2",), ("conv1_1", "conv2_1"))


def test_the_page_holds_everything_and_asks_for_nothing(lab):
    carry_out(find_experiments(["architecture", "seeds"]), lab)
    page = (lab.folder / "index.html").read_text(encoding="utf-8")
    assert "<script" not in page
    sources = re.findall(r"(?:src|href)=\"([^\"]{1,30})", page)
    assert sources
    assert all(source.startswith(("data:image/jpeg;base64,", "#")) for source in sources)
    assert "borne out" in page
    assert "1678312" in page
    claims = list(csv.reader((lab.folder / "claims.csv").open(encoding="utf-8")))
    assert [row[0] for row in claims] == ["experiment", "architecture", "seeds"]
    assert claims[1][3:5] == ["partly borne out", "compact"]


def test_a_sheet_is_as_wide_as_its_cells(lab):
    carry_out(find_experiments(["seeds"]), lab)
    with Image.open(lab.folder / "seeds" / "figure-1.png") as sheet:
        assert sheet.width == 4 * (252 + 10) + 10


def test_a_run_that_was_stopped_goes_on(make_lab):
    wanted = find_experiments(["seeds"])
    for progress in run(wanted, make_lab()):
        if progress.done == 2 and progress.state:
            break
    lab = make_lab()
    done = [cell for cell in wanted[0].cells(lab) if lab.is_done(cell)]
    assert len(done) == 2
    before = {path: path.stat().st_mtime_ns for path in map(lab.cell_path, done)}
    events = list(run(wanted, lab))
    assert {event.label for event in events if event.state} == {"seed 2", "seed 3"}
    assert all(path.stat().st_mtime_ns == time for path, time in before.items())
    assert predicted_seconds(wanted, lab) == 0


def test_time_is_predicted_for_what_is_to_be_made(lab):
    few = predicted_seconds(find_experiments(["seeds"]), lab)
    assert 0 < few < 60


@pytest.mark.slow
def test_cells_of_several_experiments_are_made_once(lab):
    carry_out(find_experiments(["seeds", "initialisation"]), lab)
    labels = {"seed 0": "from noise", "seed 1": "from another noise"}
    cells = {
        cell.label: lab.cell_path(cell)
        for name in ("seeds", "initialisation")
        for cell in EXPERIMENTS[name].cells(lab)
    }
    assert all(cells[a] == cells[b] for a, b in labels.items())


def test_a_check_without_a_number_is_said(lab):
    careless = Experiment(
        "careless",
        "",
        "",
        cells=lambda _: [Cell("one")],
        measure=lambda _: Finding({}),
        checks=(Check("a", "at most", 1, ""),),
    )
    with pytest.raises(RecipeError, match="no number 'a'"):
        carry_out([careless], lab)


def test_an_unknown_experiment_is_said():
    with pytest.raises(RecipeError, match="no experiment 'nothing': choose from before"):
        find_experiments(["nothing"])
    assert len(find_experiments(["all"])) == len(EXPERIMENTS)
    assert [each.name for each in find_experiments(["seeds", "tradeoff"])] == ["tradeoff", "seeds"]


def test_a_camera_move_shows_the_same_in_consecutive_frames():
    film = camera_move(white_noise(40, 60, seed=0), 4)
    assert len(film) == 4
    assert {frame.shape for frame in film} == {(1, 3, 32, 48)}
    for before, after in pairwise(film):
        assert torch.equal(*aligned(before, after))
    assert len(camera_move(white_noise(40, 60, seed=0), 1000)) == 6  # no frame leaves the picture


def test_darkened_has_an_eighth_of_the_light():
    dark = darkened(torch.full((1, 3, 2, 2), 0.8))
    torch.testing.assert_close(dark**2.2, torch.full((1, 3, 2, 2), 0.8**2.2 / 8))


def test_an_attack_stays_within_its_bound_and_does_harm(lab):
    objective = trial_objective(lab)
    height, width = longest(lab.pictures["photograph"], lab.preset.trial_size).shape[-2:]
    start = white_noise(height, width, seed=3)
    attacked = attack(objective, start, bound=8 / 255, steps=3)
    assert (attacked - start).abs().max() <= 8 / 255 + 1e-6
    assert attacked.min() >= 0
    assert attacked.max() <= 1
    signs = torch.randn(start.shape, generator=torch.Generator().manual_seed(0)).sign()
    random = (start + signs * 8 / 255).clamp(0, 1)
    assert looked_ahead(objective, attacked)[0] > looked_ahead(objective, random)[0]
    assert looked_ahead(objective, attacked)[0] > looked_ahead(objective, start)[0]


class _Quadratic:
    """L = x A x / 2 for a symmetric A, whose descent can be unrolled by hand."""

    def __init__(self, matrix):
        self.matrix = matrix

    def evaluate(self, image):
        from impasto.engine.objective.objective import Evaluation
        from impasto.engine.state import Losses

        flat = image.flatten()
        gradient = self.matrix @ flat
        loss = float(flat @ gradient) / 2
        return Evaluation(image, Losses(loss, 0, 0, 0), gradient.view(image.shape))


def test_the_attacks_derivative_is_that_of_the_unrolled_descent():
    generator = torch.Generator().manual_seed(0)
    root = torch.randn(12, 12, generator=generator, dtype=torch.float64)
    matrix = root @ root.mT / 12
    start = torch.rand(1, 3, 2, 2, generator=generator, dtype=torch.float64)
    loss, slope = looked_ahead(_Quadratic(matrix), start)
    gradient = matrix @ start.flatten()
    rate = 0.02 / float(gradient.abs().mean())
    step = torch.eye(12, dtype=torch.float64) - rate * matrix
    through = torch.linalg.matrix_power(step, 4)
    end = through @ start.flatten()
    assert loss == pytest.approx(float(end @ matrix @ end) / 2, rel=1e-9)
    torch.testing.assert_close(slope.flatten(), through @ matrix @ end, rtol=1e-6, atol=1e-9)
