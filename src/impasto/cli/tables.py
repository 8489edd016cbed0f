"""Where tables are printed."""

from __future__ import annotations

from rich.console import Console

WIDEST = 200  # columns of a table that goes into a file


def plain_console() -> Console:
    """A console that prints words as they are, and cuts no table that goes into a file."""
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = WIDEST
    return console
