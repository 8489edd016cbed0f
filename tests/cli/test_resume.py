"""Stopped, killed and resumed from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.kills import kills
from impasto.cli import keeping, main
from impasto.files.atomic import claimed
from impasto.files.records.checkpoints import is_checkpoint

QUICK = ["--size", "40", "--steps", "6", "--scales", "1", "--precision", "fp32", "--threads", "1"]
OUT = ["-o", "out.png", *QUICK]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    return here


@pytest.fixture
def stop_after(monkeypatch):
    """Ctrl-C after so many steps."""
    original = keeping.Keeper.__call__

    def arrange(steps: int) -> None:
        def call(self, job):
            original(self, job)
            if job.last.step == steps:
                raise KeyboardInterrupt

        monkeypatch.setattr(keeping.Keeper, "__call__", call)

    yield arrange
    monkeypatch.setattr(keeping.Keeper, "__call__", original)


def _names(folder: Path = Path()) -> set[str]:
    return {path.name for path in folder.iterdir()}


def _pixels(name: str) -> np.ndarray:
    with Image.open(name) as image:
        return np.asarray(image)


def _losses(name: str) -> list:
    return json.loads(Path(name).read_text())["losses"]


def test_stopped_and_resumed(photo, painting, stop_after, monkeypatch, capsys):
    words = ["stylize", str(photo), str(painting)]
    assert main([*words, *QUICK, "-o", "whole.png", "--checkpoint", "0"]) == 0
    stop_after(3)
    assert main([*words, *OUT]) == 130
    assert "stopped after 3 of 6 steps" in capsys.readouterr().err
    assert {"out.png", "out.json", "out.checkpoint"} < _names()
    assert json.loads(Path("out.json").read_text())["result"]["finished"] is False
    stop_after(-1)
    assert main([*words, *OUT, "--resume"]) == 0
    assert "step 3/6" in capsys.readouterr().err  # it did not start anew
    assert _names() == {"out.png", "out.json", "whole.png", "whole.json"}
    assert np.array_equal(_pixels("out.png"), _pixels("whole.png"))
    assert _losses("out.json") == _losses("whole.json")


def test_a_texture_stopped_and_resumed(painting, stop_after, capsys):
    words = ["texture", str(painting), "--size", "48x32", "--steps", "4", "--threads", "1"]
    assert main([*words, "-o", "whole.png"]) == 0
    stop_after(2)
    assert main([*words, "-o", "out.png"]) == 130
    stop_after(-1)
    assert main([*words, "-o", "out.png", "--resume"]) == 0
    assert np.array_equal(_pixels("out.png"), _pixels("whole.png"))


def test_resuming_what_is_finished_or_was_never_begun(photo, painting, capsys):
    words = ["stylize", str(photo), str(painting), *OUT, "--resume"]
    assert main(words) == 0
    assert "step 0/6" in capsys.readouterr().err
    before = Path("out.png").stat().st_mtime_ns
    assert main(words) == 0
    printed = capsys.readouterr()
    assert "finished before" in printed.err
    assert Path("out.png").stat().st_mtime_ns == before


def test_resume_does_not_replace_somebody_s_picture(photo, painting, capsys):
    Path("out.png").write_bytes(b"precious")
    assert main(["stylize", str(photo), str(painting), *OUT, "--resume"]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert Path("out.png").read_bytes() == b"precious"


def test_checkpoints_are_written_every_so_often(photo, painting, monkeypatch):
    written = []
    original = Path.replace

    def replace(self, target):
        written.append(Path(target).name)
        return original(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    monkeypatch.setattr(keeping, "MOST_OF_THE_TIME", 1e9)
    words = ["stylize", str(photo), str(painting), *OUT, "--checkpoint", "0.000001"]
    assert main(words) == 0
    assert written == ["out.checkpoint"] * 7 + ["out.png", "out.json"]
    assert _names() == {"out.png", "out.json"}


def test_writing_takes_a_small_part_of_the_time(monkeypatch, tmp_path):
    """A checkpoint that took a second is followed by twenty seconds without one."""
    now = [100.0]
    monkeypatch.setattr(keeping.time, "monotonic", lambda: now[0])

    class Slow:
        kept, is_whole = 0, True

        def keep(self, path):
            self.kept += 1
            now[0] += 1

    job, keeper = Slow(), keeping.Keeper(tmp_path / "out.png", 2.0)
    for _ in range(100):
        now[0] += 0.5
        keeper(job)
    assert job.kept == 3  # after 2 s, and then every 20


def test_a_checkpoint_of_another_run_is_refused(photo, painting, stop_after, capsys):
    words = ["stylize", str(photo), str(painting)]
    stop_after(2)
    assert main([*words, *OUT]) == 130
    stop_after(-1)
    before = Path("out.checkpoint").read_bytes()
    capsys.readouterr()
    assert main([*words, *OUT, "--seed", "3", "--resume", "--overwrite"]) == 2
    assert "another recipe" in capsys.readouterr().err
    assert Path("out.checkpoint").read_bytes() == before
    assert main([*words, *OUT, "--seed", "3", "--overwrite"]) == 0
    assert "holds an earlier run" in capsys.readouterr().err
    assert _names() == {"out.png", "out.json"}


def test_somebody_s_file_by_the_name_of_a_checkpoint_is_kept(photo, painting, capsys):
    Path("out.checkpoint").write_bytes(b"precious")
    words = ["stylize", str(photo), str(painting), *OUT]
    assert main(words) == 2
    assert "no checkpoint of impasto's" in capsys.readouterr().err
    assert main([*words, "--checkpoint", "0"]) == 0
    assert Path("out.checkpoint").read_bytes() == b"precious"


@pytest.mark.parametrize("seconds", ["-1", "nan", "inf", "soon"])
def test_seconds_between_checkpoints_are_a_number(seconds, photo, painting, capsys):
    assert main(["stylize", str(photo), str(painting), *OUT, "--checkpoint", seconds]) == 2
    assert "checkpoint" in capsys.readouterr().err
    assert _names() == set()


def test_a_second_run_of_the_same_output_is_refused(photo, painting, capsys):
    with claimed(Path("out.png")):
        assert main(["stylize", str(photo), str(painting), *OUT]) == 2
        assert "Another impasto is making 'out.png'" in capsys.readouterr().err
    assert main(["stylize", str(photo), str(painting), *OUT]) == 0
    assert _names() == {"out.png", "out.json"}


@pytest.mark.slow
def test_a_batch_goes_on_in_the_middle_of_a_picture(
    photo, painting, stop_after, tmp_path, monkeypatch, capsys
):
    (tmp_path / "photos").mkdir()
    photo.rename(tmp_path / "photos" / "b.png")
    words = ["stylize", str(tmp_path / "photos"), str(painting), *QUICK]
    assert main([*words, "-o", "whole"]) == 0
    stop_after(4)
    assert main([*words, "-o", "out"]) == 130
    assert "run the same command to go on" in capsys.readouterr().err
    assert _names(Path("out")) == {f"b+painting.{kind}" for kind in ("png", "json", "checkpoint")}
    assert is_checkpoint(Path("out/b+painting.checkpoint"))
    steps = []
    stop_after(-1)
    original = keeping.Keeper.__call__

    def call(self, job):
        steps.append(job.last.step)
        original(self, job)

    monkeypatch.setattr(keeping.Keeper, "__call__", call)
    assert main([*words, "-o", "out"]) == 0
    assert steps == [4, 5, 6]
    assert _names(Path("out")) == {"b+painting.png", "b+painting.json"}
    assert np.array_equal(_pixels("out/b+painting.png"), _pixels("whole/b+painting.png"))


@pytest.mark.slow
def test_a_slice_of_the_kills(tmp_path):
    (result,) = kills(1, tmp_path / "kills", seed=5)
    assert result.identical


@pytest.mark.slow
def test_fifty_of_fifty_kills(tmp_path):
    results = list(kills(50, tmp_path / "kills", jobs=2))
    assert sum(each.identical for each in results) == 50
    assert {"nothing", "checkpoint"} <= {each.found for each in results}
