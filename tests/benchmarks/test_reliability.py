"""The figures of docs/reliability.md: a slice of each here, all of them where it is said."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.longrun import long_run


def _hostile(count: int, commands: int, *, seed: int = 1) -> subprocess.CompletedProcess[str]:
    """In a process of its own: it forks, which torch in this one may not survive."""
    words = ["--count", str(count), "--commands", str(commands), "--seed", str(seed)]
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.hostile", *words],
        check=False,
        capture_output=True,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
        timeout=3600,
    )


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="forks, and reads /proc")
def test_a_slice_of_the_hostile_inputs():
    done = _hostile(160, 6, seed=7)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "160 through readers" in done.stdout
    assert "6 through the command" in done.stdout
    assert "code of an input has run: no" in done.stdout


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="forks, and reads /proc")
def test_all_hostile_inputs():
    done = _hostile(3600, 150)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.alone
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.slow
def test_a_slice_of_a_long_run(tmp_path):
    found = long_run(200, 32, tmp_path)
    assert found.files[0] == found.files[1]
    assert min(found.memory) > 0
    assert all(0.2 < each < 5 for each in found.own_left)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_long_run(tmp_path):
    found = long_run(10_000, 64, tmp_path)
    assert found.files[0] == found.files[1]
    assert abs(found.growth) < 0.02
    assert len(found.own_left) == 4
    assert all(0.8 < each < 1.25 for each in found.own_left)
