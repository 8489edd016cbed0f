"""One thread for all: the urgent first, and everybody in turn."""

from __future__ import annotations

import threading
import time

import pytest

from impasto.errors import PictureError
from impasto.studio.painter import AT_ONCE, LATER, LIVE, OPEN, Painter


class Work:
    def __init__(self, name: str, parts: int, log: list[str], urgency: int = LIVE) -> None:
        self.name, self.parts, self.log, self.urgency = name, parts, log, urgency
        self.failed = ""

    def advance(self) -> bool:
        self.log.append(self.name)
        self.parts -= 1
        return self.parts > 0

    def fail(self, sentence: str) -> None:
        self.failed = sentence


@pytest.fixture
def painter():
    own = Painter()
    yield own
    own.close()


def _held(painter: Painter) -> threading.Event:
    """A work that holds the thread until it is let go."""
    let_go, began = threading.Event(), threading.Event()

    class Held(Work):
        def advance(self) -> bool:
            began.set()
            let_go.wait(10)
            return False

    painter.submit(Held("", 1, [], AT_ONCE))
    assert began.wait(10)
    return let_go


def _run(painter: Painter, *works: Work) -> None:
    let_go = _held(painter)
    for each in works:
        painter.submit(each)
    let_go.set()
    end = time.monotonic() + 10
    while any(each.parts > 0 and not each.failed for each in works):
        assert time.monotonic() < end
        time.sleep(0.005)


def test_everybody_in_turn(painter):
    log: list[str] = []
    _run(painter, *(Work(name, 3, log) for name in "abc"))
    assert log == list("abcabcabc")


def test_the_urgent_first_and_the_patient_last(painter):
    log: list[str] = []
    works = [Work("p", 2, log, LATER), Work("q", 1, log, LATER)]
    works += [Work("l", 2, log), Work("u", 2, log, AT_ONCE)]
    _run(painter, *works)
    assert "".join(log) == "uullppq"


def test_only_a_few_are_open_at_a_time(painter):
    log: list[str] = []
    _run(painter, *(Work(str(n), 2, log) for n in range(2 * OPEN)))
    assert set(log[: 2 * OPEN]) == {str(n) for n in range(OPEN)}
    assert len(log) == 4 * OPEN


def test_what_is_asked_for_meanwhile_is_not_lost(painter):
    log: list[str] = []

    class Asked(Work):
        def advance(self) -> bool:
            if len(self.log) == 0:
                painter.submit(self)  # somebody asks while it says that it is done
            self.log.append("x")
            return False

    work = Asked("x", 0, log)
    painter.submit(work)
    end = time.monotonic() + 10
    while len(log) < 2:
        assert time.monotonic() < end
        time.sleep(0.005)
    time.sleep(0.05)
    assert len(log) == 2


@pytest.mark.parametrize(
    ("error", "told"),
    [(PictureError("It is no picture."), "It is no picture."), (KeyError("x"), "went wrong here")],
)
def test_a_work_that_fails_ends_alone(error, told, painter, caplog):
    log: list[str] = []

    class Bad(Work):
        def advance(self) -> bool:
            raise error

    bad, good = Bad("bad", 1, log), Work("good", 2, log)
    _run(painter, bad, good)
    assert told in bad.failed
    assert log == ["good", "good"]
