"""Every function and test that docs/equations.md names is there."""

from __future__ import annotations

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs" / "equations.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and "`" in line
]


def test_all_seven_equations_are_there():
    found = [match[1] for row in ROWS if (match := re.match(r"\((\d)\)", row[0]))]
    assert found == list("1234567")


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_its_function_and_its_test_exist(row):
    module, _, name = row[2].strip("`").rpartition(".")
    assert callable(getattr(import_module(module), name))
    path, _, test = row[3].strip("`").partition("::")
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    assert test in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_a_function_states_the_equation_that_it_is():
    for row in ROWS:
        if match := re.match(r"\((\d)\)", row[0]):
            module, _, name = row[2].strip("`").rpartition(".")
            about = getattr(import_module(module), name).__doc__ + import_module(module).__doc__
            assert f"({match[1]})" in about
