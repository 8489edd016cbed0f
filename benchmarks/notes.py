"""The intermediate results of a long benchmark in a JSON file, so that it can be resumed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from impasto.files.atomic import atomic_write


class Notes:
    """Tables by name.

    Args:
        path: the file; it need not exist.

    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._values: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}

    def of(self, name: str) -> dict[str, Any]:
        """A table; empty if nothing has been stored."""
        return dict(self._values.get(name, {}))

    def keep(self, name: str, values: Mapping[str, Any]) -> None:
        """Store a table."""
        self._values[name] = dict(values)
        with atomic_write(self._path) as temporary:
            temporary.write_text(json.dumps(self._values, indent=1) + "\n")
