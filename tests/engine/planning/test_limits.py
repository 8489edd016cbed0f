"""Limits of containers, on made-up trees of files as Linux shows them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import torch

from impasto.engine.planning import limits
from impasto.engine.planning.limits import free_memory, processors
from impasto.engine.planning.plan import Machine

GB = 10**9
NO_LIMIT = 9223372036854771712  # as version 1 writes it


@pytest.fixture(autouse=True)
def plenty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with 64 GB free and 16 processors."""
    memory = type("Memory", (), {"available": 64 * GB})
    monkeypatch.setattr(psutil, "virtual_memory", memory)
    monkeypatch.setattr(limits, "_free_by_resource_limits", lambda: iter(()))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)), raising=False)


def _tree(root: Path, files: dict[str, object]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{content}\n")
    return root


def _second(folder: str, limit: object, used: int = 0, cached: int = 0) -> dict[str, object]:
    top = f"sys/fs/cgroup{folder}"
    return {
        f"{top}/memory.max": limit,
        f"{top}/memory.current": used,
        f"{top}/memory.stat": f"anon 5\ninactive_file {cached}\nactive_file 7",
    }


def _first(folder: str, limit: int, used: int = 0, cached: int = 0) -> dict[str, object]:
    top = f"sys/fs/cgroup/memory{folder}"
    return {
        f"{top}/memory.limit_in_bytes": limit,
        f"{top}/memory.usage_in_bytes": used,
        f"{top}/memory.stat": f"inactive_file 1\ntotal_inactive_file {cached}",
    }


@pytest.mark.parametrize(
    ("cgroup", "files", "free"),
    [
        ("0::/", _second("", 4 * GB, 3 * GB, GB), 2 * GB),
        ("0::/", _second("", "max", 3 * GB), 64 * GB),
        ("0::/", {**_second("", "max", GB), "sys/fs/cgroup/memory.high": 3 * GB}, 2 * GB),
        ("0::/", _second("", 4 * GB, 5 * GB), 0),
        ("0::/", _second("", 100 * GB, GB), 64 * GB),
        ("0::/", _second("", "nonsense"), 64 * GB),
        ("0::/", {}, 64 * GB),
        ("", {}, 64 * GB),
        (
            "0::/pod/box",
            {**_second("/pod/box", "max", GB), **_second("/pod", 6 * GB, 2 * GB)},
            4 * GB,
        ),
        (
            "0::/pod/box",
            {**_second("/pod/box", 2 * GB, GB), **_second("/pod", 6 * GB, 2 * GB)},
            GB,
        ),
        # The container's own group is mounted as the top.
        ("0::/pod/box", _second("", 4 * GB, GB), 3 * GB),
        ("0::/pod/box/inner", {**_second("", "max"), **_second("/inner", 5 * GB)}, 5 * GB),
        ("0::/../../box", _second("", 4 * GB, GB), 3 * GB),
        ("5:memory:/", _first("", 4 * GB, 3 * GB, GB), 2 * GB),
        ("5:memory:/", _first("", NO_LIMIT, 3 * GB), 64 * GB),
        ("5:cpuset:/\n4:memory:/docker/ab", _first("", 4 * GB, GB), 3 * GB),
        (
            "4:memory:/docker/ab",
            {**_first("/docker/ab", 8 * GB, GB), **_first("/docker", 5 * GB, GB)},
            4 * GB,
        ),
        # Both versions side by side.
        (
            "4:memory:/ab\n0::/ab",
            {**_first("/ab", 8 * GB), "sys/fs/cgroup/unified/ab/cgroup.procs": 1},
            8 * GB,
        ),
    ],
)
def test_free_memory_is_the_tightest_group_s(cgroup, files, free, tmp_path):
    root = _tree(tmp_path, {"proc/self/cgroup": cgroup, **files})
    assert free_memory(root) == free


CPU = "sys/fs/cgroup/cpu"


@pytest.mark.parametrize(
    ("cgroup", "files", "count"),
    [
        ("0::/", {"sys/fs/cgroup/cpu.max": "200000 100000"}, 2),
        ("0::/", {"sys/fs/cgroup/cpu.max": "150000 100000"}, 2),
        ("0::/", {"sys/fs/cgroup/cpu.max": "20000 100000"}, 1),
        ("0::/", {"sys/fs/cgroup/cpu.max": "max 100000"}, 16),
        ("0::/", {"sys/fs/cgroup/cpu.max": ""}, 16),
        ("0::/", {"sys/fs/cgroup/cpu.max": "6400000 100000"}, 16),
        (
            "0::/a/b",
            {"sys/fs/cgroup/a/b/cpu.max": "max 100000", "sys/fs/cgroup/a/cpu.max": "30 10"},
            3,
        ),
        ("3:cpu,cpuacct:/", {f"{CPU}/cpu.cfs_quota_us": 400, f"{CPU}/cpu.cfs_period_us": 100}, 4),
        ("3:cpu,cpuacct:/", {f"{CPU}/cpu.cfs_quota_us": -1, f"{CPU}/cpu.cfs_period_us": 100}, 16),
        (
            "3:cpu,cpuacct:/x",
            {
                "sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_quota_us": 400,
                "sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_period_us": 100,
            },
            4,
        ),
        ("", {}, 16),
    ],
)
def test_processors_are_the_tightest_group_s(cgroup, files, count, tmp_path):
    root = _tree(tmp_path, {"proc/self/cgroup": cgroup, **files})
    assert processors(root) == count


def test_processors_that_the_process_may_not_run_on_do_not_count(monkeypatch, tmp_path):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5}, raising=False)
    assert processors(tmp_path) == 2


def test_this_machine_s_plan_is_made_by_them(monkeypatch):
    monkeypatch.setattr("impasto.engine.planning.plan.free_memory", lambda: 123)
    monkeypatch.setattr("impasto.engine.planning.plan.processors", lambda: 2)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 64)
    machine = Machine.here()
    assert machine.memory["cpu"] == 123
    assert machine.threads == 2
    monkeypatch.setattr("impasto.engine.planning.plan.processors", lambda: 16)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    assert Machine.here().threads == 4


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not keep to RLIMIT_AS")
def test_a_limit_of_the_shell_counts():
    code = (
        "import psutil, resource; from impasto.engine.planning.limits import free_memory;"
        "taken = psutil.Process().memory_info().vms;"
        "resource.setrlimit(resource.RLIMIT_AS, (taken + 200_000_000,) * 2);"
        "print(free_memory())"
    )
    words = [sys.executable, "-c", code]
    free = int(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
    assert 150_000_000 < free <= 200_000_000
