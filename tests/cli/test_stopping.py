"""Signals that come inside a step: the step is finished, and what is kept can be gone on with."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from impasto.api import stylize_job
from impasto.cli import main, making
from impasto.engine.interrupts import hold_back, let_through, whole_steps
from impasto.engine.objective.objective import Objective
from impasto.errors import RecordError
from impasto.files.films.reader import open_clip, read_frames

# Quiet, so that no trial is made for a forecast and every evaluation is the run's own.
EXACT = ["--precision", "fp32", "--threads", "1", "--quiet"]
QUICK = ["--size", "40", "--scales", "1", *EXACT]
STEPS = ["--steps", "6"]
FILM = [*QUICK, "--steps", "3", "--frame-steps", "3", "--codec", "ffv1"]

SignalIn = Callable[..., None]


@pytest.fixture(autouse=True)
def heeded() -> Iterator[None]:
    """Signals are not ignored, as they are where the tests were started in the background."""
    kinds = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
    before = {kind: signal.getsignal(kind) for kind in kinds}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for kind in kinds[1:]:
        signal.signal(kind, signal.SIG_DFL)
    yield
    for kind, old in before.items():
        signal.signal(kind, old)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    return here


@pytest.fixture
def signal_in(monkeypatch) -> SignalIn:
    """Have signals come inside an evaluation, counted from 1; before what it computes, or after."""
    evaluate = Objective.evaluate

    def arrange(number: int, *, times: int = 1, after: bool = False, kind=signal.SIGINT) -> None:
        count = 0

        def interrupted(self, image):
            nonlocal count
            count += 1
            found = evaluate(self, image) if after else None
            for _ in range(times if count == number else 0):
                os.kill(os.getpid(), kind)
            return found or evaluate(self, image)

        monkeypatch.setattr(Objective, "evaluate", interrupted)

    return arrange


def _names() -> set[str]:
    return {path.name for path in Path().iterdir()}


def _pixels(name: str) -> np.ndarray:
    with Image.open(name) as image:
        return np.asarray(image)


def _bytes() -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in Path().rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("optimizer", "after"), [("adam", False), ("sgd", True), ("lbfgs", False), ("lbfgs", True)]
)
def test_a_signal_inside_a_step_costs_no_bit(optimizer, after, photo, painting, signal_in, capsys):
    """The checkpoint is of the step that was in hand, and the picture so far can be made again."""
    words = ["stylize", str(photo), str(painting), *QUICK, *STEPS, "--optimizer", optimizer]
    assert main([*words, "-o", "whole.png"]) == 0
    signal_in(5, after=after)  # the start is an evaluation too
    assert main([*words, "-o", "out.png"]) == 130
    assert "stopped after 4 of 6 steps" in capsys.readouterr().err
    again = ["reproduce", "out.png", "again.png", "--content", str(photo)]
    assert main([*again, "--style", str(painting)]) == 0
    assert "are identical" in capsys.readouterr().out
    assert main([*words, "-o", "out.png", "--resume"]) == 0
    assert np.array_equal(_pixels("out.png"), _pixels("whole.png"))
    losses = [json.loads(Path(name).read_text())["losses"] for name in ("out.json", "whole.json")]
    assert losses[0] == losses[1]


@pytest.mark.slow
@pytest.mark.parametrize(
    "more",
    [
        ["--scales", "2", "--size", "64"],
        ["--size", "40", "--crop-preview"],
        ["--size", "40", "--average", "0"],
        ["--size", "40", "--preserve-color", "luminance"],
    ],
)
def test_whatever_the_step_is_of(more, photo, painting, signal_in, capsys):
    words = ["stylize", str(photo), str(painting), *EXACT, *STEPS, *more]
    suffix = ".crop.png" if "--crop-preview" in more else ".png"
    assert main([*words, "-o", "whole.png"]) == 0
    signal_in(4)
    assert main([*words, "-o", "out.png"]) == 130
    assert main([*words, "-o", "out.png", "--resume"]) == 0
    assert np.array_equal(_pixels(f"out{suffix}"), _pixels(f"whole{suffix}"))


@pytest.mark.slow
def test_textures_and_batches(photo, painting, tmp_path, signal_in, capsys):
    words = ["texture", str(painting), "--size", "48x32", "--steps", "5", "--threads", "1", "-q"]
    assert main([*words, "-o", "whole.png"]) == 0
    batch = ["stylize", str(photo.parent), str(painting), *QUICK, *STEPS]
    assert main([*batch, "-o", "all"]) == 0
    signal_in(4)
    assert main([*words, "-o", "out.png"]) == 130
    assert main([*words, "-o", "out.png", "--resume"]) == 0
    assert np.array_equal(_pixels("out.png"), _pixels("whole.png"))
    signal_in(4)
    assert main([*batch, "-o", "some"]) == 130
    assert "stopped with 0 of 1 pictures" in capsys.readouterr().err
    assert main([*batch, "-o", "some"]) == 0
    (name,) = (path.name for path in Path("all").glob("*.png"))
    assert np.array_equal(_pixels(f"some/{name}"), _pixels(f"all/{name}"))


@pytest.mark.parametrize(
    "number", [3, 9, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 7, 14))]
)
def test_a_film_loses_no_bit(number, make_film, moving, painting, tmp_path, signal_in, capsys):
    """In the first evaluation of a frame, and in the steps of the first and of later ones."""
    clip = make_film(tmp_path / "clip.mkv", moving(4))
    words = ["video", str(clip), str(painting), *FILM]
    assert main([*words, "-o", "whole.mkv"]) == 0
    signal_in(number)
    assert main([*words, "-o", "film.mkv"]) == 130
    assert "--resume goes on" in capsys.readouterr().err
    assert main([*words, "-o", "film.mkv", "--resume"]) == 0
    one, other = (
        [frame.picture for frame in read_frames(open_clip(Path(name)))]
        for name in ("film.mkv", "whole.mkv")
    )
    assert len(one) == len(other) == 4
    assert all(map(np.array_equal, one, other))


def test_a_film_s_step_is_finished(make_film, moving, painting, tmp_path, signal_in, monkeypatch):
    from impasto.jobs import film as films

    clip = make_film(tmp_path / "clip.mkv", moving(2))
    steps = []
    followed = films.whole_steps

    def noting(states):
        def noted(state):
            steps.append(state.step)
            return state

        return followed(map(noted, states))

    monkeypatch.setattr(films, "whole_steps", noting)
    signal_in(3)
    assert main(["video", str(clip), str(painting), *FILM, "-o", "film.mkv"]) == 130
    assert steps == [0, 1, 2]


def test_a_second_signal_ends_at_once_and_touches_nothing(photo, painting, signal_in, capsys):
    words = ["stylize", str(photo), str(painting), *QUICK, *STEPS, "-o"]
    assert main([*words, "whole.png"]) == 0
    words = [*words, "out.png"]
    signal_in(3)
    assert main(words) == 130
    kept = _bytes()
    signal_in(3, times=2)
    capsys.readouterr()
    assert main([*words, "--resume"]) == 130
    assert "stopped; what was kept is as it was" in capsys.readouterr().err
    assert _bytes() == kept
    assert main([*words, "--resume"]) == 0
    assert np.array_equal(_pixels("out.png"), _pixels("whole.png"))


def test_a_second_signal_while_the_picture_is_kept(photo, painting, signal_in, monkeypatch):
    """The first one is obeyed at the step's end; the second comes as the checkpoint is written."""
    words = ["stylize", str(photo), str(painting), *QUICK, *STEPS, "-o", "out.png"]
    signal_in(3)
    monkeypatch.setattr(making.Keeper, "keep", lambda *_: os.kill(os.getpid(), signal.SIGINT))
    assert main(words) == 130
    assert _names() == set()


def test_a_second_signal_ends_batches_and_films(
    photo, painting, make_film, moving, tmp_path, signal_in
):
    signal_in(3, times=2)
    batch = ["stylize", str(photo.parent), str(painting), *QUICK, *STEPS, "-o", "all"]
    assert main(batch) == 130
    assert list(Path("all").iterdir()) == []
    clip = make_film(tmp_path / "clip.mkv", moving(4))
    signal_in(7, times=2)
    assert main(["video", str(clip), str(painting), *FILM, "-o", "film.mkv"]) == 130
    assert not Path("film.mkv").exists()
    assert list(Path("film.mkv.frames").glob("*.png"))


@pytest.mark.parametrize("kind", [signal.SIGTERM, signal.SIGHUP])
def test_other_signals_alike(kind, photo, painting, signal_in, capsys):
    signal_in(3, kind=kind)
    words = ["stylize", str(photo), str(painting), *QUICK, *STEPS, "-o", "out.png"]
    assert main(words) == 128 + kind
    assert "stopped after 2 of 6 steps" in capsys.readouterr().err


def test_before_the_first_step_it_ends_at_once(photo, painting, signal_in, capsys):
    """Inside the evaluation of the start nothing is waited for, and nothing is written."""
    signal_in(1, after=True)
    assert main(["stylize", str(photo), str(painting), *QUICK, *STEPS, "-o", "out.png"]) == 130
    assert "nothing was written" in capsys.readouterr().err
    assert _names() == set()


@pytest.mark.slow
def test_between_two_sizes_it_ends_at_once(photo, painting, signal_in, capsys):
    """The next size's first evaluation is no step: what is kept is the last size's last step."""
    words = ["stylize", str(photo), str(painting), *EXACT, "--steps", "3,3", "--scales", "2"]
    words += ["--size", "64", "--average", "0"]
    assert main([*words, "-o", "whole.png"]) == 0
    signal_in(5)
    assert main([*words, "-o", "out.png"]) == 130
    assert "stopped after 3 of 6 steps" in capsys.readouterr().err
    assert main([*words, "-o", "out.png", "--resume"]) == 0
    assert np.array_equal(_pixels("out.png"), _pixels("whole.png"))


def test_in_the_last_step_the_picture_is_finished(photo, painting, signal_in, capsys):
    signal_in(7)
    words = ["stylize", str(photo), str(painting), *QUICK, *STEPS, "--average", "0"]
    assert main([*words, "-o", "out.png"]) == 0
    assert json.loads(Path("out.json").read_text())["result"]["finished"] is True
    assert _names() == {"out.png", "out.json"}


@pytest.mark.slow
def test_experiments_and_sweeps_finish_the_step(photo, painting, signal_in, capsys):
    words = ["sweep", "--content", str(photo), "--style", str(painting), "--vary", "seed=0,1"]
    words += ["--steps", "3", "--size", "40", "--scales", "1", "--out", "grid"]
    assert main([*words, "--quiet"]) == 0
    whole = {path.name: _pixels(str(path)) for path in Path("grid/cells").glob("*.png")}
    words[-1] = "other"
    signal_in(3)
    assert main([*words, "--quiet"]) == 130
    assert "run the same command" in capsys.readouterr().err
    assert main([*words, "--quiet"]) == 0
    for path in Path("other/cells").glob("*.png"):
        assert np.array_equal(_pixels(str(path)), whole[path.name])


def test_reproduce_writes_nothing_when_stopped(photo, painting, signal_in, capsys):
    made = str(photo.parent / "made.png")
    assert main(["stylize", str(photo), str(painting), *QUICK, *STEPS, "-o", made]) == 0
    signal_in(3)
    capsys.readouterr()
    assert main(["reproduce", made, "again.png", "--style", str(painting)]) == 130
    assert "nothing was written" in capsys.readouterr().err
    assert _names() == set()


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["adam", "lbfgs", "sgd"])
def test_a_program_interrupted_inside_a_step_cannot_keep_it(
    optimizer, photo, painting, monkeypatch
):
    """Of an old picture and a newer memory no checkpoint is made; the one before is left."""
    evaluate, count = Objective.evaluate, 0

    def interrupted(self, image):
        nonlocal count
        count += 1
        if count == 5:
            raise KeyboardInterrupt
        return evaluate(self, image)

    options = {"size": 40, "steps": (6,), "scales": 1, "threads": 1, "optimizer": optimizer}
    whole = stylize_job(photo, painting, **options)
    *_, last = whole
    monkeypatch.setattr(Objective, "evaluate", interrupted)
    job = stylize_job(photo, painting, **options)
    with pytest.raises(KeyboardInterrupt):
        for state in job:
            if state.step == 2:
                job.keep("out.checkpoint")
    assert job.last.step == 3
    assert not job.is_whole
    kept = Path("out.checkpoint").read_bytes()
    with pytest.raises(RecordError, match="inside a step"):
        job.keep("out.checkpoint")
    assert Path("out.checkpoint").read_bytes() == kept
    monkeypatch.setattr(Objective, "evaluate", evaluate)
    *_, again = stylize_job(photo, painting, resume="out.checkpoint", **options)
    assert np.array_equal(again.snapshot(), last.snapshot())


def test_a_program_interrupted_between_steps_can_keep_it(photo, painting):
    options = {"size": 40, "steps": (6,), "scales": 1, "threads": 1}
    *_, last = stylize_job(photo, painting, **options)
    job = stylize_job(photo, painting, **options)
    for state in job:
        if state.step == 3:
            break
    assert job.is_whole
    job.keep("out.checkpoint")
    *_, again = stylize_job(photo, painting, resume="out.checkpoint", **options)
    assert np.array_equal(again.snapshot(), last.snapshot())


def test_a_state_left_behind_has_no_checkpoint(photo, painting):
    states = iter(stylize_job(photo, painting, size=40, steps=(3,), scales=1))
    first = next(states)
    assert first.is_whole()
    next(states)
    assert not first.is_whole()
    with pytest.raises(RecordError):
        first.checkpoint()


def test_keeping_replaces_nothing_but_a_checkpoint(photo, painting):
    job = stylize_job(photo, painting, size=40, steps=(3,), scales=1)
    next(iter(job))
    before = photo.read_bytes()
    with pytest.raises(OSError, match="no checkpoint of impasto's"):
        job.keep(photo)
    assert photo.read_bytes() == before


class TestWholeSteps:
    def test_what_is_held_back_is_raised_once_the_item_is_made(self):
        made = []

        def items():
            for number in range(3):
                if number == 1:
                    assert hold_back(KeyboardInterrupt())
                made.append(number)
                yield number

        got = []
        with pytest.raises(KeyboardInterrupt):
            got.extend(whole_steps(items()))
        assert made == [0, 1]
        assert not hold_back(KeyboardInterrupt())  # not inside one any more

    def test_where_it_is_let_through_nothing_is_held_back(self):
        def items():
            with let_through():
                assert not hold_back(KeyboardInterrupt())
            yield 1

        assert list(whole_steps(items())) == [1]

    def test_what_waits_already_is_raised_there(self):
        def items():
            hold_back(KeyboardInterrupt())
            with let_through():
                pytest.fail("it should have been raised")
            yield 1

        with pytest.raises(KeyboardInterrupt):
            list(whole_steps(items()))

    def test_it_is_not_forgotten_over_another_error(self):
        def items():
            hold_back(KeyboardInterrupt())
            raise ValueError
            yield 1

        with pytest.raises(KeyboardInterrupt):
            list(whole_steps(items()))
