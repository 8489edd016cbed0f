"""Flags in sentences: ``--steps`` on the command line is ``steps=…`` in a program.

Standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager

_FLAG = re.compile(
    r"--(?P<name>[a-z][a-z-]*[a-z]|[a-z])"
    r"(?:[ ](?P<value>'[^']*'|\d[\d.]*\b|[A-Z]+x[A-Z]+\b|[a-z][a-z0-9+-]*\b))?"
)
_places: list[str] = []  # where sentences are seen; the command line, or nothing for a program
_known: dict[str, tuple[str, ...] | None] = {
    "overwrite": None,
    "resume": (),
    "content": (),
    "style": (),
}
"""Option to the words that it may be; None for one that is only ever True."""


def register(options: Mapping[str, Collection[str] | None]) -> None:
    """Make options known by name: with the words that each may be, or None for a switch."""
    for name, words in options.items():
        _known.setdefault(name, None if words is None else tuple(words))


@contextmanager
def on_the_command_line() -> Iterator[None]:
    """In the block sentences keep their flags."""
    _places.append("command line")
    try:
        yield
    finally:
        _places.pop()


def worded(sentence: str) -> str:
    """A sentence with flags as it reads where it is seen."""
    return sentence if _places else _FLAG.sub(_as_keyword, sentence)


def _as_keyword(found: re.Match[str]) -> str:
    name, value = found["name"].replace("-", "_"), found["value"]
    if name == "output":
        return "path" + (f" {value}" if value else "")
    if name not in _known:
        return found[0]
    words, rest = _known[name], f" {value}" if value else ""
    if words is None:
        return f"{name}=True{rest}"
    if value and (value[0] in "'" or value[0].isdigit()):
        return f"{name}={value}"
    if value and (value in words or value.isupper() or value.replace("x", "").isupper()):
        return f"{name}={value!r}"
    return f"{name}=…{rest}"
