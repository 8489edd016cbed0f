"""The contest from end to end on one tiny pair, and its arithmetic."""

from __future__ import annotations

import json
import math

import pytest
import torch

from benchmarks import contest, matching, rounds
from benchmarks.contenders import (
    CONTENDERS,
    CROWSONKB,
    REFERENCE,
    Contender,
    crowsonkb_balance,
    named,
)
from benchmarks.notes import Notes
from benchmarks.rounds import Entry, Round
from benchmarks.verdict import COLUMNS, table_of
from impasto.ops.losses import total_variation
from impasto.recipe.still import Recipe
from impasto.recipe.strength import style_share


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(rounds, "WARM_UP", 1)
    monkeypatch.setattr(rounds, "TIMED", 2)
    monkeypatch.setattr(contest, "CALIBRATION", 1)


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_two_contenders_on_one_pair(photo, painting, tmp_path, capsys):
    out = tmp_path / "out"
    folder = str(photo.parent)
    words = [folder, folder, "--out", str(out), "--pairs", "photo+painting", "--size", "48"]
    words += ["--match-size", "40", "--budget", "0.2", "--only", "gram,crowsonkb-matched"]
    contest.main(words)
    made = sorted((out / "photo+painting").glob("*.png"))
    assert [path.stem for path in made] == ["crowsonkb-matched", "gram"]
    recipes = [json.loads(path.with_suffix(".json").read_text())["recipe"] for path in made]
    assert [each["style_loss"] for each in recipes] == ["w2", "gram"]
    notes = json.loads((out / "contest.json").read_text())
    strengths = notes["strength"]
    assert style_share(strengths["gram"]) == pytest.approx(0.95)
    assert 0 < strengths["crowsonkb-matched"] == recipes[0]["strength"] < 1
    assert set(notes["pace 48"]) == {"gram", "crowsonkb-matched"}
    (item,) = json.loads((out / "sheet.json").read_text())["items"]
    assert (out / item["results"]["gram"]).is_file()
    assert (out / "photo+painting.jpg").stat().st_size > 1000
    table = (out / "table.md").read_text()
    assert table in capsys.readouterr().out
    assert table.count("\n| ") == 3
    made[0].unlink()
    contest.main([*words, "--verdict-only"])  # what is not there is left out
    assert (out / "table.md").read_text().count("\n| ") == 2
    contest.main([*words, "--pictures-only"])
    before = [path.stat().st_mtime_ns for path in made]
    contest.main(words)  # nothing is made or measured twice
    assert [path.stat().st_mtime_ns for path in made] == before
    assert json.loads((out / "contest.json").read_text()) == notes


def test_sizes_and_steps_of_each_schedule():
    assert REFERENCE.sizes(384) == [192, 384]
    assert CROWSONKB.sizes(384) == [136, 192, 272, 384]
    one_scale = Contender("one", "", ratio=math.inf)
    assert one_scale.sizes(384) == [384]
    assert REFERENCE.sizes(48) == [48]
    # 1000 : 500 : 500 steps of 1, 2 and 4 ms would take 4 s; 400 ms pay for a tenth.
    assert CROWSONKB.steps([1e-3, 2e-3, 4e-3], 0.4) == (100, 50, 50)
    assert one_scale.steps([0.5], 0.1) == (1,)


def test_plans_have_the_sizes_and_steps_of_the_entry():
    recipe = Recipe(precision="bf16")
    plan = CROWSONKB.plan(recipe, (300, 400), (500, 500), {136: 4, 192: 2, 272: 2, 384: 2})
    assert [(s.height, s.width, s.steps) for s in plan.stages] == [
        (102, 136, 4), (144, 192, 2), (204, 272, 2), (288, 384, 2),
    ]  # fmt: skip
    assert [s.precision for s in plan.stages] == ["bf16"] * 4


def test_the_rival_s_weights_become_a_strength(photo, painting):
    scene = Entry(CROWSONKB, (photo, painting), 48, {}).scene()
    found = crowsonkb_balance(scene)
    share = style_share(found["strength"])
    objective = scene.objective()
    image = (scene.content + 0.1 * torch.rand_like(scene.content)).clamp(0, 1)
    losses, weights = objective.evaluate(image).losses, objective.weights
    features = scene.network.features(torch.cat([image, scene.content]), ["conv4_2"])["conv4_2"]
    head = scene.network.heads["conv4_2"]
    moved = torch.einsum("kc,bchw->bkhw", head.weight, features)
    mean = (moved[0] - moved[1]).square().sum() / (head.channels * moved[0, 0].numel())
    theirs = 0.015 * mean + losses.style + 2 * total_variation(image).sum()
    ours = (
        (1 - share) * losses.content / weights.content_unit
        + share * losses.style / weights.style_unit
        + found["tv"] * losses.variation
    )
    # The same objective but for a factor.
    assert ours * weights.style_unit / share == pytest.approx(theirs.item(), rel=1e-4)


def test_strengths_are_found_by_distance(monkeypatch, tmp_path):
    def distance(contender, strength, pairs, heat):
        odds = math.log(strength / (1 - strength))
        return 0.6 if contender == REFERENCE else 0.1 * math.exp(0.8 * odds)

    monkeypatch.setattr(matching, "_distance", distance)
    heat = Round(48, {}, 1.0)
    found = matching.match(named("gram,w2,crowsonkb"), [], heat, Notes(tmp_path / "notes.json"))
    assert set(found) == {"gram", "w2"}  # crowsonkb keeps its own weights
    assert style_share(found["gram"]) == pytest.approx(0.95)
    odds = math.log(6) / 0.8
    assert found["w2"] == pytest.approx(1 / (1 + math.exp(-odds)), rel=0.01)


@pytest.mark.usefixtures("quick")
def test_what_is_measured_later_is_brought_to_the_level_of_the_first(
    photo, painting, tmp_path, monkeypatch
):
    ticks = iter(range(10**6))
    monkeypatch.setattr(
        rounds, "measure_paces", lambda c, *_: {e.name: [next(ticks) + 1.0] for e in c}
    )
    notes = Notes(tmp_path / "notes.json")
    go = {"notes": notes, "clock": lambda: 0.0, "budget": None}
    pair = (photo, painting)
    rounds.prepare(named("gram"), pair, 48, **go)
    later = rounds.prepare(named("gram,w2"), pair, 48, **go)
    assert later.paces == {"gram": [1.0], "w2": [1.5]}  # measured as 2 and 3


def test_a_name_that_nobody_has():
    with pytest.raises(SystemExit, match="'cubism'"):
        named("gram,cubism")
    assert named(None) == list(CONTENDERS)


def test_a_table_has_median_worst_and_faults():
    figures = {title: 1.0 for title, *_ in COLUMNS}
    rows = {"a": {**figures, "faults": []}, "b": {**figures, "w2": 3.0, "faults": ["flat"]}}
    *_, line = table_of({"gram": rows}, ["gram"])
    assert line.startswith("| gram | 2 | 1.000 (1.000) |")
    assert "| 2.000 (3.000) |" in line
    assert line.endswith("| 1 |")
