"""``impasto classify``: what VGG-19's output layer sees in a photograph (section 2.1)."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

CLASSES = 1000
BEST = 5


def classify(
    photo: Annotated[Path, Parameter(help="The photograph.")],
    *,
    weights: Annotated[
        Path | None,
        Parameter(help="A safetensors file with the classifier; by default what is here."),
    ] = None,
    names: Annotated[
        Path | None,
        Parameter(help="Names of the 1,000 classes, one a line, or Keras' imagenet_class_index."),
    ] = None,
    debug: Annotated[
        bool, Parameter(help="On an error, show where it came from.", negative="")
    ] = False,
) -> int:
    """Print the five classes of ImageNet that a photograph most looks like."""
    del debug
    from impasto.files.images import read_picture
    from impasto.files.weights import load_classifier
    from impasto.nets.vgg import classifier_picture

    called = _class_names(names)
    picture = read_picture(photo).tensor
    probabilities = load_classifier(weights)(classifier_picture(picture))[0]
    best = probabilities.topk(BEST)
    for share, index in zip(best.values.tolist(), best.indices.tolist(), strict=True):
        print(f"{share:7.2%}  {called[index] if called else f'class {index}'}")
    if not called:
        print(
            "impasto: these are ImageNet's class numbers, from 0; --names FILE, or torchvision "
            "where it is installed, gives their names.",
            file=sys.stderr,
        )
    return 0


def _class_names(path: Path | None) -> Sequence[str]:
    """From a file, else from torchvision where it is installed; empty where there are none."""
    if path is not None:
        return _read_names(path)
    try:
        from torchvision.models import VGG19_Weights
    except (ImportError, RuntimeError):  # not installed, or of another torch
        return ()
    return list(VGG19_Weights.IMAGENET1K_V1.meta["categories"])


def _read_names(path: Path) -> list[str]:
    import json

    from impasto.errors import RecipeError

    try:
        text = path.read_text(encoding="utf-8")
        if text.lstrip().startswith("{"):
            table = json.loads(text)
            found = [str(table[str(index)][1]) for index in range(CLASSES)]
        else:
            found = [line.strip() for line in text.splitlines() if line.strip()]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise RecipeError(
            f"{str(path)!r} cannot be read as names of classes: check --names."
        ) from error
    if len(found) != CLASSES:
        raise RecipeError(f"{path.name!r} has {len(found)} names where 1,000 are needed.")
    return found
