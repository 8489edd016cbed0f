"""Tables that a benchmark writes into a page, between two comments that name it."""

from __future__ import annotations

from pathlib import Path

from impasto.files.atomic import atomic_write


def put(page: Path, name: str, text: str) -> None:
    """Replace the text between ``<!-- name -->`` and ``<!-- /name -->`` in a Markdown page.

    Raises:
        ValueError: the page has no such comments.

    """
    before, start, rest = page.read_text().partition(f"<!-- {name} -->\n")
    _, end, after = rest.partition(f"<!-- /{name} -->")
    if not (start and end):
        raise ValueError(f"{page} has no place for the table {name!r}")
    with atomic_write(page) as part:
        part.write_text(f"{before}{start}{text}\n{end}{after}")
