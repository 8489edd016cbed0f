"""An optimiser that falls, seen from the command: a picture, a sentence, and the record."""

from __future__ import annotations

import json

import pytest

from impasto.cli import main
from impasto.engine import run as pyramid
from impasto.engine.optim.optimize import LBFGS, Adam

OPTIONS = ["--size", "40", "--scales", "2", "--steps", "8", "--precision", "fp32", "--threads", "1"]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "kind"), [("lbfgs", LBFGS), ("adam", Adam)])
def test_stalls_at_both_scales_are_in_the_record(
    name, kind, monkeypatch, photo, painting, tmp_path, capsys
):
    counts: dict[int, int] = {}

    class Stalling(kind):
        def step(self, at, evaluate):
            width = at.image.shape[-1]
            counts[width] = counts.get(width, 0) + 1
            return at if 3 <= counts[width] <= 5 else super().step(at, evaluate)

    monkeypatch.setattr(pyramid, "make_optimizer", lambda *_, **__: Stalling())
    words = ["stylize", str(photo), str(painting), "-o", str(tmp_path / "out.png"), *OPTIONS]
    assert main([*words, "--optimizer", name]) == 0
    said = capsys.readouterr().err
    assert "the optimiser stumbled in 6 steps; the record says how it went on" in said
    record = json.loads((tmp_path / "out.json").read_text())
    assert record["result"]["finished"]
    assert record["troubles"] == [
        {"step": step, "stage": stage, "fault": "stalled", "remedy": remedy, "times": times}
        for stage in (0, 1)
        for step, remedy, times in (
            (8 * stage + 3, "a fresh start", 2),
            (8 * stage + 5, "adam", 1),
        )
    ]
