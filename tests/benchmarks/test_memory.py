import json
import mmap
import os
import sys

import pytest

from benchmarks import memory


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_run_is_watched_in_a_process_of_its_own(tmp_path, capsys):
    out = tmp_path / "memory.json"
    words = ["--sizes", "160x96", "--kinds", "tiles", "--free", "2", "--threads", "1"]
    memory.main([*words, "--out", str(out)])
    (peak,) = json.loads(out.read_text())
    assert peak["tile"] is None  # smaller than one
    assert 50e6 < peak["anonymous"] < 2e9
    assert "| 160×96 |" in capsys.readouterr().out


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_resident_memory_is_read_from_the_system():
    before, _ = memory.resident(os.getpid())
    with mmap.mmap(-1, 50_000_000, flags=mmap.MAP_PRIVATE) as held:  # fresh pages
        held.write(b"x" * len(held))
        after, files = memory.resident(os.getpid())
    assert after - before > 0.9 * 50_000_000
    assert files > 0
    assert memory.resident(2**30) == (0, 0)
