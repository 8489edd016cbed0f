"""HTML pages from templates of Jinja: values are escaped, without external resources."""

from __future__ import annotations

from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from impasto.files.atomic import atomic_write


def write_page(template: Traversable, path: Path, **values: Any) -> None:
    """Fill a template and write the page, atomically.

    Args:
        template: the template's file; values are escaped, or in scripts written by ``tojson``.
        path: the page's file.
        values: all values that the template uses.

    Raises:
        OutputError: the page cannot be written.

    """
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False}
    page = environment.from_string(template.read_text(encoding="utf-8")).render(values)
    with atomic_write(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
