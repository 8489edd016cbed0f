"""The committed page of the experiments, as files and in a real browser."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from impasto.experiments import EXPERIMENTS, Verdict

PAGE = Path(__file__).resolve().parents[2] / "docs" / "experiments" / "index.html"


def test_the_page_has_every_experiment_and_is_small():
    page = PAGE.read_text(encoding="utf-8")
    assert [name for name in EXPERIMENTS if f'<h2 id="{name}">' not in page] == []
    files = [path for path in PAGE.parent.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 6_000_000
    claims = list(csv.DictReader((PAGE.parent / "claims.csv").open(encoding="utf-8")))
    assert [row["experiment"] for row in claims] == list(EXPERIMENTS)
    assert {row["verdict"] for row in claims} <= {verdict.value for verdict in Verdict}


def test_the_documentation_tells_the_verdicts_of_the_page():
    text = (PAGE.parent.parent / "experiments.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| `([a-z-]+)` \| ([a-z ]+) \|", text, flags=re.MULTILINE)
    claims = csv.DictReader((PAGE.parent / "claims.csv").open(encoding="utf-8"))
    assert [row for row in told if row[0] in EXPERIMENTS] == [
        (row["experiment"], row["verdict"]) for row in claims
    ]


def test_the_page_states_the_thresholds_of_the_code():
    """A threshold that was changed after the run would stand here with another number."""
    for experiment in EXPERIMENTS.values():
        path = PAGE.parent / experiment.name / "numbers.csv"
        rows = {row["number"]: row for row in csv.DictReader(path.open(encoding="utf-8"))}
        for check in experiment.checks:
            assert rows[check.name]["asked for"] == f"{check.relation} {check.bound:.4g}"


@pytest.mark.alone
def test_every_picture_of_the_page_loads_and_nothing_is_fetched(chromium):
    asked: list[str] = []
    tab = chromium.new_page()
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(PAGE.as_uri())
    loaded = "[...document.images].filter(i => i.complete && i.naturalWidth > 1).length"
    assert tab.evaluate(loaded) == PAGE.read_text(encoding="utf-8").count("<img ") > 10
    assert {url for url in asked if not url.startswith("data:")} == {PAGE.as_uri()}
    tab.close()
