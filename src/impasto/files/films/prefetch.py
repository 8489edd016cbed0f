"""An iterator whose items are made ahead of time in a thread."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterable, Iterator
from contextlib import suppress
from typing import TypeVar

import torch

T = TypeVar("T")


def ahead(items: Iterable[T], *, most: int = 2) -> Generator[T, None, None]:
    """The same items, made in a thread while earlier ones are used.

    An exception there is raised here, after the items before it. When the consumer stops, so does
    the thread, after the current item. Torch computes on one thread there: a second team of threads
    would compete with the consumer's, and both would wait at every barrier.

    Args:
        items: from an iterator that only the thread uses.
        most: the largest number of items that wait.

    """
    waiting: queue.Queue[tuple[bool, T | BaseException | None]] = queue.Queue(most)
    stopped = threading.Event()

    def put(item: tuple[bool, T | BaseException | None]) -> bool:
        while not stopped.is_set():
            with suppress(queue.Full):
                waiting.put(item, timeout=0.1)
                return True
        return False

    def work() -> None:
        torch.set_num_threads(1)  # for this thread only
        try:
            for item in items:
                if not put((True, item)):
                    return
        except BaseException as error:
            put((False, error))
        else:
            put((False, None))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield from _taken(waiting)
    finally:
        stopped.set()
        thread.join()
        torch.set_num_threads(torch.get_num_threads())  # the default of later threads


def _taken(waiting: queue.Queue[tuple[bool, T | BaseException | None]]) -> Iterator[T]:
    while True:
        is_item, item = waiting.get()
        if is_item:
            yield item  # type: ignore[misc]
        elif item is None:
            return
        else:
            raise item  # type: ignore[misc]
