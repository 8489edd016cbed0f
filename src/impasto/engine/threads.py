"""Torch's CPU threads: how many compute what."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import torch

from impasto.forks import check_threads

A = TypeVar("A")
B = TypeVar("B")

_helper = ThreadPoolExecutor(1, "impasto")


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


def side_by_side(one: Callable[[], A], other: Callable[[], B]) -> tuple[A, B]:
    """What both return: at the same time, each on one thread of torch's.

    The helper that does the other may be busy, or lost in a forked process: what it has not begun
    is done here.
    """

    def alone() -> B:
        with on_threads(1):
            return other()

    with on_threads(1):
        waiting = _helper.submit(alone)
        mine = one()
        return mine, alone() if waiting.cancel() else waiting.result()
