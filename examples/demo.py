"""The demo: a photograph from scikit-image, the example painting, one picture.

Run by ``make demo``. The photograph (a cup of coffee, by Rachel Michetti, CC0) is included in
scikit-image, the painting was made by ``painting.py``, the network is bundled: nothing is
downloaded.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from PIL import Image
from skimage import data

import impasto
from impasto.cli import main as command

PAINTING = Path(impasto.__file__).parent / "experiments" / "painting.jpg"


def main() -> int:
    """Write the photograph to a file and run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("out/demo.png"))
    options = parser.parse_args()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder) / "coffee.png"
        Image.fromarray(data.coffee()).save(photo)
        words = ["stylize", str(photo), str(PAINTING), "-o", str(options.out), "--overwrite"]
        return command([*words, "--style-scale", "1.5"])


if __name__ == "__main__":
    raise SystemExit(main())
