"""What a terminal shows of a run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from impasto.cli.progress import describe, experiments_display, lasting, progress_display
from impasto.engine.planning.plan import Machine, make_plan
from impasto.engine.state import Losses, LossWeights, State
from impasto.experiments.runner import Progress
from impasto.recipe.still import Recipe

PLAN = make_plan(
    Recipe(size=64, scales=2, steps=(20, 20)),
    (48, 64),
    [(48, 64)],
    Machine(("cpu",), frozenset(), 1),
)


def _states() -> list[State]:
    weights = LossWeights(1.0, 1.0, content_unit=4.0, style_unit=1.0)
    losses = Losses(1.0, 1.0, 0.25, 1.0)
    return [
        State(
            step=PLAN.steps_before(stage) + step,
            steps=PLAN.steps,
            stage=stage,
            progress=PLAN.progress(stage, step),
            losses=losses,
            weights=weights,
            image=None,
            finish=None,
            checkpoint=None,
        )
        for stage in range(2)
        for step in range(21)
    ]


def _shown(quiet: bool) -> None:
    with progress_display(PLAN, quiet=quiet) as show:
        for state in _states():
            show(state)


def test_scale_size_step_and_relative_distances():
    text = describe(PLAN, _states()[30])
    assert text == "scale 2/2 64x48  step 29/40  content 0.50 style 0.500"


def test_plain_lines_at_every_tenth_of_the_work(monkeypatch, capsys):
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    _shown(quiet=False)
    printed = capsys.readouterr()
    lines = printed.err.splitlines()
    assert 10 <= len(lines) <= 12
    assert "step 0/40" in lines[0]
    assert lines[-1].startswith("100%")
    assert "it/s" in lines[-1]
    assert printed.out == ""


def test_a_bar_in_a_terminal(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "160")
    _shown(quiet=False)
    printed = capsys.readouterr()
    assert "\x1b[" in printed.err
    assert "scale 2/2 64x48  step 40/40" in printed.err
    assert "100%" in printed.err
    assert printed.out == ""


@pytest.mark.parametrize("terminal", [False, True])
def test_quiet(terminal, monkeypatch, capsys):
    if terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")
    _shown(quiet=True)
    assert capsys.readouterr() == ("", "")


def test_a_bar_over_the_cells_and_one_within(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "160")
    with experiments_display(quiet=False) as show:
        for number, label in enumerate(("seed 0", "seed 1")):
            at = Progress("seeds", label, number, 2, PLAN)
            for state in _states():
                show(replace(at, state=state))
        show(Progress("seeds", "measuring", 2, 2))
    printed = capsys.readouterr()
    assert "seeds: measuring" in printed.err
    assert "scale 2/2 64x48  step 40/40" in printed.err
    assert "100%" in printed.err
    assert printed.out == ""


def test_a_waiting_time_is_said_in_its_own_unit():
    assert [lasting(seconds) for seconds in (0.2, 80, 600, 3 * 3600)] == [
        *("1 s", "80 s", "10 min", "3 h"),
    ]
