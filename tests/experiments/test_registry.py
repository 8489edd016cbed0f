"""Experiments by name, by the report's figures and sections, and from a file of one's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from impasto.errors import RecipeError
from impasto.experiments import EXPERIMENTS, experiments_in, find_experiments
from impasto.experiments.registry import figures_of

ROOT = Path(__file__).resolve().parents[2]
OWN = (ROOT / "examples" / "first_hour" / "smoothing.py").read_text(encoding="utf-8")


def _names(*words: str) -> list[str]:
    return [each.name for each in find_experiments(words)]


@pytest.mark.parametrize(
    ("word", "names"),
    [
        ("14", ["tradeoff"]),
        ("figure14", ["tradeoff"]),
        ("Figure 15", ["tradeoff"]),
        ("fig. 12", ["features", "reconstructions"]),
        ("figure18e", ["initialisation", "stripes"]),
        ("2.4", ["optimisers"]),
        ("tradeoff", ["tradeoff"]),
        ("all", list(EXPERIMENTS)),
    ],
)
def test_what_the_report_calls_them(word, names):
    assert _names(word) == names


def test_the_order_is_the_reports_and_none_comes_twice():
    assert _names("figure22", "14", "tradeoff") == ["tradeoff", "restoration"]


def test_figures_of_a_section():
    assert figures_of(EXPERIMENTS["architecture"]) == {6, 7, 10}
    assert figures_of(EXPERIMENTS["adversarial"]) == {5}
    assert figures_of(EXPERIMENTS["networks"]) == set()


@pytest.mark.parametrize(
    ("word", "said"),
    [("tradeof", "did you mean tradeoff"), ("figure99", "figure14"), ("9.9", "choose from")],
)
def test_what_there_is_not(word, said):
    with pytest.raises(RecipeError, match=said):
        find_experiments([word])


def test_experiments_of_ones_own(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(OWN)
    among = experiments_in(path)
    assert [each.name for each in find_experiments(["all"], among)] == ["smoothing"]
    with pytest.raises(RecipeError, match="smoothing"):
        find_experiments(["tradeoff"], among)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("none.py", "x = 1", "holds no Experiment"),
        ("torn.py", "def f(:", "SyntaxError"),
        ("wrong.py", "x = 1\ny = 1 / 0", "ZeroDivisionError in line 2"),
        ("two.py", OWN + "\nother = Experiment(**{**vars(smoothing)})", "two experiments"),
        ("text.txt", "x", "no Python file"),
    ],
)
def test_a_file_that_will_not_do(name, text, said, tmp_path):
    (tmp_path / name).write_text(text)
    with pytest.raises(RecipeError, match=said):
        experiments_in(tmp_path / name)


def test_a_missing_file(tmp_path):
    with pytest.raises(RecipeError, match="no file"):
        experiments_in(tmp_path / "nowhere.py")
