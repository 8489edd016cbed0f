"""Somebody who builds on the library: pictures from memory, progress, ending, results in memory.

python developer.py photo.jpg painting.jpg
"""

from __future__ import annotations

import io
import logging
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import impasto


def first_hour(photo: Path, painting: Path, **options: Any) -> dict[str, impasto.Result]:
    """What is tried first, each in a call or two."""
    recipe = impasto.Recipe(**options)
    made = {"paths": impasto.stylize(photo, painting, recipe)}
    stylizer = impasto.Stylizer(recipe=recipe)  # the network is loaded once
    made["bytes"] = stylizer(photo.read_bytes(), painting.read_bytes())
    made["array"] = stylizer(np.asarray(Image.open(photo).convert("RGB")), painting)
    made["override"] = stylizer(photo, painting, strength=0.3)

    done = list[float]()
    stylizer(photo, painting, progress=lambda state: done.append(state.progress))
    assert done[-1] == 1

    cancel = threading.Event()
    threading.Timer(0.3, cancel.set).start()
    made["ended"] = stylizer(photo, painting, cancel=cancel, timeout=60)

    file = io.BytesIO()
    made["paths"].save(file, format="jpg")
    assert Image.open(io.BytesIO(file.getvalue())).size == made["paths"].image.size
    try:
        stylizer(photo, painting, strength=2)
    except impasto.RecipeError as error:
        logging.getLogger(__name__).info("refused: %s", error)
    return made


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    for name, result in first_hour(Path(sys.argv[1]), Path(sys.argv[2]), size=256).items():
        print(f"{name}: {result.array.shape}, finished: {result.finished}")
