"""Runs the notebook beside this file and stores its results in it: ``python examples/notebook.py``.

Without Jupyter; pictures are stored as JPEG, so that the file stays small.
"""

from __future__ import annotations

import ast
import base64
import contextlib
import io
import json
from pathlib import Path
from typing import Any

from PIL import Image

NOTEBOOK = Path(__file__).with_name("report.ipynb")


def run_cell(source: str, names: dict[str, Any]) -> tuple[object, str]:
    """Run a cell; the value of its last line where that is an expression, and what was printed."""
    tree = ast.parse(source)
    last = tree.body[-1]
    if isinstance(last, ast.Expr):
        tree.body.pop()
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, NOTEBOOK.name, "exec"), names)
        if not isinstance(last, ast.Expr):
            return None, printed.getvalue()
        value: object = eval(compile(ast.Expression(last.value), NOTEBOOK.name, "eval"), names)
    return value, printed.getvalue()


def outputs_of(value: object, printed: str, count: int) -> list[dict[str, Any]]:
    """A cell's outputs as a notebook stores them."""
    outputs: list[dict[str, Any]] = []
    if printed:
        lines = printed.splitlines(keepends=True)
        outputs.append({"output_type": "stream", "name": "stdout", "text": lines})
    if value is None:
        return outputs
    data: dict[str, Any] = {"text/plain": [repr(value)]}
    if isinstance(value, Image.Image):
        file = io.BytesIO()
        value.convert("RGB").save(file, "JPEG", quality=82, optimize=True)
        data = {"image/jpeg": base64.b64encode(file.getvalue()).decode("ascii")}
        data["text/plain"] = [f"<picture of {value.width}x{value.height}>"]
    result = {"output_type": "execute_result", "execution_count": count, "metadata": {}}
    return [*outputs, {**result, "data": data}]


def main() -> None:
    """Run every cell in turn and write the notebook."""
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    names: dict[str, Any] = {}
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for count, cell in enumerate(cells, start=1):
        value, printed = run_cell("".join(cell["source"]), names)
        cell["execution_count"] = count
        cell["outputs"] = outputs_of(value, printed, count)
        print(f"{count} of {len(cells)}")
    text = json.dumps(notebook, indent=1, ensure_ascii=False)
    NOTEBOOK.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
