"""``impasto classify``: what VGG-19's output layer sees in a photograph (section 2.1)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

import impasto
from impasto.cli.flags import Debug

CLASSES = 1000
BEST = 5
BUNDLED_NAMES = Path(impasto.__file__).parent / "files" / "weights" / "imagenet_classes.txt"


def classify(
    photo: Annotated[Path, Parameter(help="The photograph.")],
    *,
    weights: Annotated[
        Path | None,
        Parameter(help="A safetensors file with the classifier; by default what is here."),
    ] = None,
    names: Annotated[
        Path | None,
        Parameter(
            help="Other names for the 1,000 classes, one a line, or Keras' imagenet_class_index."
        ),
    ] = None,
    debug: Debug = False,
) -> int:
    """Print the five classes of ImageNet that a photograph most looks like."""
    del debug
    from impasto.files.pictures.images import read_picture
    from impasto.files.weights.store import load_classifier
    from impasto.nets.vgg import classifier_picture

    called = _read_names(names or BUNDLED_NAMES)
    picture = read_picture(photo).tensor
    probabilities = load_classifier(weights)(classifier_picture(picture))[0]
    best = probabilities.topk(BEST)
    for share, index in zip(best.values.tolist(), best.indices.tolist(), strict=True):
        print(f"{share:7.2%}  {called[index]}")
    return 0


def _read_names(path: Path) -> list[str]:
    import json

    from impasto.errors import RecipeError

    try:
        text = path.read_text(encoding="utf-8")
        if text.lstrip().startswith("{"):
            table = json.loads(text)
            names = [str(table[str(index)][1]) for index in range(CLASSES)]
        else:
            names = [line.strip() for line in text.splitlines() if line.strip()]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise RecipeError(
            f"{str(path)!r} cannot be read as names of classes: check --names."
        ) from error
    if len(names) != CLASSES:
        raise RecipeError(f"{path.name!r} has {len(names)} names where 1,000 are needed.")
    return names
