"""Free memory and processors that this process may use, within a container's limits.

A container sees the whole machine's memory and processors, but is ended, or slowed down, at the
limits of its control groups (cgroups, of version 1 or 2). They are nested: every group from the
process's own up to the top has limits of its own, and the tightest one counts.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import psutil

from impasto.forks import is_forked

ROOT = Path("/")


def free_memory(root: Path = ROOT) -> int:
    """Bytes that this process can still take: the least of what machine, groups and shell allow.

    Args:
        root: where ``proc`` and ``sys`` lie.

    """
    machine = psutil.virtual_memory().available
    return max(0, min([int(machine), *_free_in_groups(root), *_free_by_resource_limits()]))


def processors(root: Path = ROOT) -> int:
    """How many processors this process can keep busy; at least 1, and 1 in a forked child.

    Args:
        root: where ``proc`` and ``sys`` lie.

    """
    if is_forked():
        return 1
    affinity = getattr(os, "sched_getaffinity", None)  # Linux has it
    allowed = len(affinity(0)) if affinity else os.cpu_count() or 1
    return int(max(1, min([allowed, *map(math.ceil, _shares_of_groups(root))])))


def _free_in_groups(root: Path) -> Iterator[int]:
    """Of each group with a limit: it, less what is used by all but files that may be dropped."""
    for folder, is_second in _groups(root, "memory"):
        if is_second:
            limits = [_number(folder / name) for name in ("memory.max", "memory.high")]
            used, dropped = _number(folder / "memory.current"), "inactive_file"
        else:
            limits = [_number(folder / "memory.limit_in_bytes")]
            used, dropped = _number(folder / "memory.usage_in_bytes"), "total_inactive_file"
        known = [limit for limit in limits if limit is not None]
        if known:
            cached = _entries(folder / "memory.stat").get(dropped, 0)
            yield min(known) - max(0, (used or 0) - cached)


def _shares_of_groups(root: Path) -> Iterator[float]:
    """Of each group with a limit: processors' time that it may take for each second."""
    for folder, is_second in _groups(root, "cpu"):
        if is_second:
            words = _text(folder / "cpu.max").split()
            quota, period = (_parsed(word) for word in (*words, "", "")[:2])
        else:
            quota, period = (_number(folder / f"cpu.cfs_{n}_us") for n in ("quota", "period"))
        if quota is not None and quota > 0 and period:
            yield quota / period


def _groups(root: Path, controller: str) -> Iterator[tuple[Path, bool]]:
    """Folders of the process's groups, innermost first, and whether they are of version 2."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        mounts = root / "sys/fs/cgroup"
        if number == "0" and not controllers:
            for mount in (mounts, mounts / "unified"):
                yield from ((folder, True) for folder in _up(mount, path))
        elif controller in controllers.split(","):
            folders = [mounts / name for name in (controller, controllers)]
            mount = next((each for each in folders if each.is_dir()), mounts / controller)
            yield from ((folder, False) for folder in _up(mount, path))


def _up(mount: Path, path: str) -> Iterator[Path]:
    """A group's folder and those above it.

    A container may see its own group as the top while the path still names it as the machine does:
    then so many first parts of the path are left out that the rest is there.
    """
    parts = [part for part in PurePosixPath(path).parts if part not in ("/", "..")]
    while parts and not mount.joinpath(*parts).is_dir():
        del parts[0]
    for count in range(len(parts), -1, -1):
        yield mount.joinpath(*parts[:count])


def _free_by_resource_limits() -> Iterator[int]:
    """Of ``ulimit -v`` and ``-d``, where they are set."""
    try:
        import resource
    except ImportError:  # there is none on Windows
        return
    used = psutil.Process().memory_info()
    for name, taken in (("RLIMIT_AS", used.vms), ("RLIMIT_DATA", getattr(used, "data", 0))):
        limit = resource.getrlimit(getattr(resource, name))[0]
        if limit != resource.RLIM_INFINITY:
            yield limit - taken


def _entries(path: Path) -> dict[str, int]:
    """Numbers by name, a line each."""
    pairs = (line.split() for line in _text(path).splitlines())
    numbers = {pair[0]: _parsed(pair[1]) for pair in pairs if len(pair) == 2}
    return {name: number for name, number in numbers.items() if number is not None}


def _number(path: Path) -> int | None:
    return _parsed(_text(path).strip())


def _parsed(word: str) -> int | None:
    """None for what is no number, as ``max`` is."""
    try:
        return int(word)
    except ValueError:
        return None


def _text(path: Path) -> str:
    """Empty where there is no such file, or it may not be read."""
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
