import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest
from PIL import Image

from benchmarks import busy
from benchmarks.busy import WORK, Files, Timings, busy_core, table


def test_ratios_are_those_of_medians():
    found = Timings("film", [2.0, 9.0, 1.0], [3.0, 5.0, 4.0], [6.0, 1.0, 7.0])
    assert table([found]).splitlines()[-1] == "| film | 2.0 | 4.0 | 2.00 | 6.0 | 3.00 |"


def test_every_kind_of_work_has_its_files(tmp_path):
    files = Files(tmp_path, 64, "2,1")
    files.write()
    assert Image.open(tmp_path / "photograph.png").size == (64, 48)
    assert len(list((tmp_path / "frames").iterdir())) == busy.FRAMES
    for make in WORK.values():
        words = make(files, tmp_path / "out")
        named = [Path(each) for each in words if Path(each).parent == tmp_path]
        inputs = [each for each in named if each.exists()]
        assert len(inputs) == 2
        assert [each.stem for each in named if each not in inputs] == ["out"]
        assert "2,1" in words


def test_the_busy_core_is_busy_until_the_block_ends(monkeypatch):
    begun = []

    class Noted(subprocess.Popen):
        def __init__(self, *args):
            super().__init__(*args)
            begun.append(self)

    monkeypatch.setattr(busy.subprocess, "Popen", Noted)
    with busy_core():
        assert begun[0].poll() is None
    assert begun[0].poll() is not None


def test_a_round_is_alone_busy_and_two_at_once(tmp_path, monkeypatch):
    script = "import sys; open(sys.argv[1], 'x')"
    monkeypatch.setitem(WORK, "none", lambda files, out: [sys.executable, "-c", script, str(out)])
    outs = (tmp_path / str(number) for number in count())
    found = busy.measure("none", Files(tmp_path, 64, ""), outs, 2)
    assert [len(each) for each in (found.alone, found.busy, found.two)] == [2, 2, 2]
    assert len(list(tmp_path.iterdir())) == 1 + 2 * 4


def test_a_run_that_fails_is_said(tmp_path, monkeypatch):
    monkeypatch.setitem(WORK, "none", lambda *_: [sys.executable, "-c", "raise SystemExit(1)"])
    with pytest.raises(SystemExit, match="failed"):
        busy.measure("none", Files(tmp_path, 64, ""), iter([tmp_path]), 1)
