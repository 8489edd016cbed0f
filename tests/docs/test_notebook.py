"""The notebook runs from its first cell to its last, and is kept without results."""

from __future__ import annotations

import json
from pathlib import Path

from PIL import Image

NOTEBOOK = Path(__file__).resolve().parents[2] / "examples" / "report.ipynb"
CELLS = [cell for cell in json.loads(NOTEBOOK.read_text())["cells"] if cell["cell_type"] == "code"]
SIZES = "SIZE, STEPS = 160, 150"


def _run(source: str, names: dict[str, object]) -> object:
    """Run a cell; the value of its last line where that is an expression."""
    import ast

    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, NOTEBOOK.name, "exec"), names)
    return None if last is None else eval(compile(ast.Expression(last.value), "", "eval"), names)


def test_the_notebook_runs():
    names: dict[str, object] = {}
    sources = ["".join(cell["source"]) for cell in CELLS]
    assert SIZES in sources[0]
    shown = [_run(source.replace(SIZES, "SIZE, STEPS = 32, 1"), names) for source in sources]
    assert len(shown) >= 10
    assert all(value is not None for value in shown)
    assert sum(isinstance(value, Image.Image) for value in shown) >= 5
    content, itself = shown[2]
    assert content > 0
    assert itself == 0
    losses = shown[-1]
    assert set(losses) == {"noise", "content", "style", "stripes"}


def test_no_results_are_kept_in_it():
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in CELLS)
