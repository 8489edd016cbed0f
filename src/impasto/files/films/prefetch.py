"""An iterator that works ahead in a thread of its own."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterable, Iterator
from contextlib import suppress
from typing import TypeVar

import torch

T = TypeVar("T")


def ahead(items: Iterable[T], *, most: int = 2) -> Generator[T, None, None]:
    """The same items, made in a thread while the ones before are worked on.

    What is raised there is raised here, after the items before it. When the consumer stops, so does
    the thread, after the item in hand. Torch computes on one processor there: a second team of
    threads beside the consumer's would have both sleep at every barrier.

    Args:
        items: made by an iterator that is used by the thread alone.
        most: items that wait at any time.

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
        torch.set_num_threads(1)  # of this thread alone
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
        torch.set_num_threads(torch.get_num_threads())  # what threads to come begin with


def _taken(waiting: queue.Queue[tuple[bool, T | BaseException | None]]) -> Iterator[T]:
    while True:
        is_item, item = waiting.get()
        if is_item:
            yield item  # type: ignore[misc]
        elif item is None:
            return
        else:
            raise item  # type: ignore[misc]
