"""The notebook runs from its first cell to its last, and its results are stored in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from examples.notebook import run_cell

NOTEBOOK = Path(__file__).resolve().parents[2] / "examples" / "report.ipynb"
CELLS = [cell for cell in json.loads(NOTEBOOK.read_text())["cells"] if cell["cell_type"] == "code"]
SIZES = "SIZE, STEPS = 160, 150"


@pytest.mark.slow
def test_the_notebook_runs():
    names: dict[str, object] = {}
    sources = ["".join(cell["source"]) for cell in CELLS]
    assert SIZES in sources[0]
    shown = [run_cell(source.replace(SIZES, "SIZE, STEPS = 32, 1"), names)[0] for source in sources]
    assert len(shown) >= 10
    assert all(value is not None for value in shown)
    assert sum(isinstance(value, Image.Image) for value in shown) >= 5
    content, itself = shown[2]
    assert content > 0
    assert itself == 0
    losses = shown[-1]
    assert set(losses) == {"noise", "content", "style", "stripes"}


def test_its_transfers_are_the_reports():
    names: dict[str, object] = {}
    for source in map("".join, (cell["source"] for cell in CELLS[:4])):
        run_cell(source.replace(SIZES, "SIZE, STEPS = 32, 1"), names)
    recipe = names["transfer"]().record["recipe"]
    asked = {"optimizer": "lbfgs", "init": "noise", "style_loss": "gram", "precision": "fp32"}
    assert {name: recipe[name] for name in asked} == asked
    assert (recipe["scales"], recipe["tv"], recipe["average"]) == (1, 0.0, 0.0)
    assert recipe["layer_weights"] == "equal"


def test_its_results_are_stored_in_it():
    assert [cell["execution_count"] for cell in CELLS] == [*range(1, len(CELLS) + 1)]
    kinds = [kind for cell in CELLS for out in cell["outputs"] for kind in out.get("data", {})]
    assert kinds.count("image/jpeg") >= 5
    assert all(cell["outputs"] for cell in CELLS)
    assert NOTEBOOK.stat().st_size < 1_500_000
    printed = "".join(CELLS[6]["outputs"][0]["text"])
    assert "alpha/beta" in printed
