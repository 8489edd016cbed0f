"""Compiles the kernels of ``impasto.native`` where a C compiler is at hand; a wheel works without.

Hatchling runs it for every wheel, editable ones too. By hand: ``python hatch_build.py``.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDER = Path(__file__).parent / "src" / "impasto" / "native"
LIBRARY = FOLDER / "kernels.so"
COMMON = ["-O3", "-std=gnu11", "-fPIC", "-fvisibility=default"]
FOR_KERNELS = [
    "-fopenmp",
    *(f"-mavx512{part}" for part in ("f", "dq", "bw", "vl", "bf16")),
    "-mamx-tile",
    "-mamx-bf16",
    "-mfma",
    "-mtune=sapphirerapids",
]
ANYWHERE = {"support.c"}  # asks what the processor can do, so it may use nothing of it


class CompileKernels(BuildHookInterface[Any]):
    """Adds the library to the wheel, and the platform to the wheel's name."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Compile; say so where that cannot be."""
        reason = compile_kernels()
        if reason:
            self.app.display_warning(f"impasto is installed without its own kernels: {reason}")
            return
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{sysconfig.get_platform().replace('-', '_')}"
        build_data["artifacts"].append("src/impasto/native/*.so")


def compile_kernels() -> str:
    """Why there are no kernels; nothing where there are."""
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        return "they are for Linux on x86-64 processors."
    compiler = shlex.split(os.environ.get("CC") or "cc")
    if not shutil.which(compiler[0]):
        return f"there is no C compiler {compiler[0]!r}."
    try:
        LIBRARY.unlink(missing_ok=True)
        _compile(compiler)
    except OSError as problem:
        return f"{FOLDER} cannot be written to ({problem.strerror})."
    except subprocess.CalledProcessError as problem:
        return f"the C compiler could not compile them: {problem.stderr.strip()[-500:]}"
    if b"__kmpc_" in LIBRARY.read_bytes():  # clang's OpenMP, which torch does not bring
        LIBRARY.unlink()
        return "the C compiler has another OpenMP than torch's: they need gcc (CC=gcc)."
    return ""


def sources_digest(folder: Path) -> str:
    """What ``impasto.native.library`` knows a library by that other sources were compiled to."""
    found = hashlib.sha256()
    for source in sorted(folder.glob("*.[ch]")):
        found.update(source.read_bytes())
    return found.hexdigest()


def _compile(compiler: list[str]) -> None:
    """To a folder of its own first: a half-written library would be loaded."""
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        objects = []
        for source in sorted(FOLDER.glob("*.c")):
            flags = COMMON if source.name in ANYWHERE else [*COMMON, *FOR_KERNELS]
            objects.append(str(Path(folder, source.stem + ".o")))
            named = f'-DIMPASTO_SOURCES="{sources_digest(FOLDER)}"'
            _run([*compiler, *flags, named, "-c", str(source), "-o", objects[-1]])
        # OpenMP's library is torch's own, loaded before: a second one would bring more threads.
        linked = Path(folder, LIBRARY.name)
        _run([*compiler, "-shared", *objects, "-o", str(linked)])
        linked.replace(LIBRARY)


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)


if __name__ == "__main__":
    raise SystemExit(compile_kernels() or None)
