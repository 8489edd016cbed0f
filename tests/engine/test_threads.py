"""How many threads compute what."""

from __future__ import annotations

import threading

import pytest
import torch

from impasto.engine import threads as module
from impasto.engine.threads import on_threads, side_by_side


def test_the_caller_s_count_is_given_back():
    torch.set_num_threads(2)
    with on_threads(1):
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2


def test_both_are_done_at_the_same_time_on_one_thread_each():
    torch.set_num_threads(2)
    both = threading.Barrier(2, timeout=10)

    def done() -> tuple[int, int]:
        both.wait()
        return torch.get_num_threads(), threading.get_ident()

    (mine, here), (theirs, there) = side_by_side(done, done)
    assert (mine, theirs) == (1, 1)
    assert here != there
    assert torch.get_num_threads() == 2


def test_what_the_helper_has_not_begun_is_done_here():
    release = threading.Event()
    module._helper.submit(release.wait, 10)
    try:
        here = threading.get_ident()
        assert side_by_side(threading.get_ident, threading.get_ident) == (here, here)
    finally:
        release.set()


def test_the_helper_s_error_is_the_caller_s():
    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        side_by_side(lambda: 1, fail)
