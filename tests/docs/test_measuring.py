"""What docs/measuring.md says of formats and names is so."""

import json
import re
from pathlib import Path

import torch

from impasto.evaluate.panel import Trio, figures_of
from impasto.evaluate.rating.choices import Ballot, read_ballots
from impasto.evaluate.rating.sheet import Manifest
from impasto.recipe.typed import build

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "measuring.md").read_text(encoding="utf-8")
SHEET, CHOICES = re.findall(r"```json\n(.*?)```", PAGE, flags=re.DOTALL)


def test_the_sheet_is_one():
    (item,) = build(Manifest, json.loads(SHEET)).items
    assert set(item.results) == {"ours", "rival"}


def test_the_choices_are_some(tmp_path):
    (tmp_path / "choices.json").write_text(CHOICES)
    (ballot,) = read_ballots([tmp_path / "choices.json"])
    assert isinstance(ballot, Ballot)
    assert ballot.rater == "anna"


def test_every_figure_is_explained(tiny_network):
    trio = Trio(*(torch.rand(1, 3, 32, 32) for _ in range(3)))
    for figure in figures_of(trio, tiny_network(), ("conv1_2",)):
        assert f"| `{figure.name.replace('conv1_2', 'LAYER')}` |" in PAGE
