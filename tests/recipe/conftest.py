"""Sentences with the command line's flags, as they are written."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from impasto.wording import on_the_command_line


@pytest.fixture(autouse=True)
def _flags() -> Iterator[None]:
    with on_the_command_line():
        yield
