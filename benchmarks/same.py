"""Digests of five small runs, to see whether a change of the code changes the pictures.

    python -m benchmarks.same            # before and after, on the same machine

A still, a film, a texture, a picture in tiles, and L-BFGS on eq. (5), all by the command. It needs
the extras ``demo`` (the photograph) and ``video``.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data

SIDE = 192
FRAMES = 3
COMMANDS = {
    "still": ("stylize photo.png painting.jpg -o out.png",),
    "film": ("video frames painting.jpg -o out", "--frame-steps 3"),
    "texture": ("texture painting.jpg -o out.png", "--tileable"),
    "tiles": ("stylize photo.png painting.jpg -o out.png", "--tile 64"),
    "L-BFGS on eq. (5)": (
        "stylize photo.png painting.jpg -o out.png",
        "--optimizer lbfgs --style-loss gram --layer-weights equal --average 0 --tv 0",
    ),
}


def digest(folder: Path) -> str:
    """SHA-256 of the colours of a result, frame after frame."""
    hasher = hashlib.sha256()
    for path in sorted(folder.glob("out*.png")) or sorted((folder / "out").glob("*.png")):
        with Image.open(path) as picture:
            hasher.update(np.asarray(picture.convert("RGB")).tobytes())
    return hasher.hexdigest()


def make(folder: Path, parts: tuple[str, ...]) -> str:
    """Make one run in its own folder; return its digest."""
    _inputs(folder)
    words = " ".join((*parts, f"--size {SIDE} --steps 6 --threads 1 --quiet")).split()
    subprocess.run([sys.executable, "-m", "impasto", *words], cwd=folder, check=True)
    return digest(folder)


def _inputs(folder: Path) -> None:
    photo = Image.fromarray(data.astronaut())
    photo.save(folder / "photo.png")
    with as_file(files("impasto.experiments") / "painting.jpg") as path:
        (folder / "painting.jpg").write_bytes(path.read_bytes())
    (folder / "frames").mkdir()
    for index in range(FRAMES):
        shifted = photo.crop((4 * index, 0, 4 * index + 480, 480))
        shifted.save(folder / "frames" / f"{index:03d}.png")


def main() -> None:
    """Print the digest of each run."""
    for name, parts in COMMANDS.items():
        with tempfile.TemporaryDirectory() as folder:
            print(f"{make(Path(folder), parts)[:32]}  {name}", flush=True)


if __name__ == "__main__":
    main()
