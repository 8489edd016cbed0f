"""The documentation's own experiment, as it stands."""

from __future__ import annotations

import re
from pathlib import Path

from impasto.experiments import Preset, Verdict

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_example_of_one_s_own_runs(photo, painting, monkeypatch, capsys):
    text = (DOCS / "experiments.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    monkeypatch.chdir(photo.parent)
    monkeypatch.setattr("impasto.experiments.QUICK", Preset("small", 32, steps=6, long_steps=6))
    code = code.replace("photo.jpg", photo.name).replace("painting.jpg", painting.name)
    names: dict[str, object] = {}
    exec(code, names)
    assert names["outcome"].verdict in (Verdict.BORNE_OUT, Verdict.NOT_BORNE_OUT)
    assert capsys.readouterr().out.startswith("Verdict.")
    assert (photo.parent / "own" / "smoothing" / "figure-1.png").is_file()
