"""What is printed of results on standard output: their names, or a line of JSON for each."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from impasto.files.records.write import record_path


def tell_results(paths: Iterable[Path], *, quiet: bool, as_json: bool) -> None:
    """Print one line for each result.

    Args:
        paths: the results, each with its record beside it.
        quiet: print no names; JSON that was asked for is printed even so.
        as_json: print JSON.

    """
    for path in paths:
        if as_json:
            print(json.dumps(described(path), allow_nan=False))
        elif not quiet:
            print(path)


def described(path: Path) -> dict[str, Any]:
    """A result by its record: where it lies, its size, the time it took, whether it is whole."""
    record = record_path(path)
    values = json.loads(record.read_text(encoding="utf-8"))
    result: dict[str, Any] = values["result"]
    known = ("seconds", "finished", "steps", "frames", "sha256")
    height, width = result.get("size") or (None, None)
    return {
        "output": str(path),
        "record": str(record),
        "width": width,
        "height": height,
        **{name: result[name] for name in known if name in result},
    }
