"""An iterator that works ahead."""

from __future__ import annotations

import threading
import time

import pytest
import torch

from impasto.files.films.prefetch import ahead


def test_the_same_items_in_order():
    assert list(ahead(range(50), most=3)) == list(range(50))


def test_an_error_comes_after_the_items_before_it():
    def items():
        yield 1
        raise ValueError("torn")

    found = ahead(items())
    assert next(found) == 1
    with pytest.raises(ValueError, match="torn"):
        next(found)


def test_the_thread_ends_with_its_consumer():
    before = threading.active_count()
    made = []

    def items():
        for number in range(1000):
            made.append(number)
            yield number

    found = ahead(items(), most=2)
    assert next(found) == 0
    found.close()
    assert threading.active_count() == before
    assert len(made) <= 5


def test_it_works_while_the_consumer_does():
    seen = []

    def items():
        for number in range(3):
            seen.append(number)
            yield number

    found = ahead(items())
    next(found)
    deadline = time.monotonic() + 5
    while len(seen) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert seen == [0, 1, 2]
    found.close()


def test_torch_has_one_thread_there_and_as_many_as_before_elsewhere():
    torch.set_num_threads(2)
    assert list(ahead(torch.get_num_threads() for _ in range(3))) == [1, 1, 1]
    later: list[int] = []
    thread = threading.Thread(target=lambda: later.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert (torch.get_num_threads(), later) == (2, [2])
