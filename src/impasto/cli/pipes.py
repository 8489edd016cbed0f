"""``-`` in place of a file: standard input for one picture, standard output for the result."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from impasto.cli.naming import PIPE
from impasto.errors import OutputError, PictureError


def from_pipe(paths: Sequence[Path]) -> list[Path | bytes]:
    """The same, with what standard input holds in place of ``-``.

    Raises:
        PictureError: two pictures are to come from there, or nothing does.

    """
    if paths.count(PIPE) > 1:
        raise PictureError("Standard input holds one picture: name the others.")
    return [_standard_input() if path == PIPE else path for path in paths]


def _standard_input() -> bytes:
    if sys.stdin is None or sys.stdin.isatty():
        raise PictureError("'-' reads a picture from standard input: pipe one into the command.")
    data = sys.stdin.buffer.read()
    if not data:
        raise PictureError("Standard input is empty: pipe a picture into the command.")
    return data


@contextmanager
def to_pipe(usual: Path) -> Iterator[Path]:
    """A file whose bytes go to standard output when the block is done.

    Args:
        usual: the name that the result would have; its suffix chooses the format.

    Raises:
        OutputError: standard output is a terminal.

    """
    if sys.stdout.isatty():
        raise OutputError("A picture is no text for a terminal: name a file, or pipe it on.")
    with tempfile.TemporaryDirectory(prefix="impasto-") as folder:
        path = Path(folder) / usual.name
        try:
            yield path
        finally:
            if path.is_file():  # the picture so far as well, where the run was stopped
                sys.stdout.buffer.write(path.read_bytes())
                sys.stdout.buffer.flush()
