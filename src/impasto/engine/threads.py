"""Torch's CPU threads: how many compute what."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from impasto.forks import check_threads


@contextmanager
def on_threads(count: int) -> Iterator[None]:
    """Torch's CPU threads while the block runs; the caller's own setting is given back.

    Raises:
        RecipeError: the process was forked, and so many would be waited for forever.

    """
    check_threads(count)
    before = torch.get_num_threads()
    if before == count:
        yield
        return
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
