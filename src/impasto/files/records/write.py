"""Writing the record of a result: what is needed to make the picture again, and how the run went.

JSON, beside the picture and, for PNG, inside it as compressed text. It names files but no folders,
and contains no metadata of the pictures. :mod:`impasto.files.records.read` reads it.

Schema 2 added ``task``, and the size and hash of the result's pixels; schema 3 the style loss;
schema 4 the margin, and the size at which a picture is made; schema 5 the method, and a strength of
an even feel; schema 6 what was changed while the picture was being made.
"""

from __future__ import annotations

import hashlib
import json
import math
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from PIL import Image

from impasto import native
from impasto.engine.planning.plan import Plan
from impasto.engine.state import State
from impasto.files.atomic import atomic_write
from impasto.files.pictures.images import Picture
from impasto.recipe.still import Recipe

SCHEMA = 6
PNG_KEYWORD = "impasto"
MAX_TEXT = 900_000  # characters; Pillow and other readers refuse PNG text of more than a megabyte


@dataclass(frozen=True)
class Change:
    """Another recipe that a picture goes on by, from the picture as it stands.

    Attributes:
        step: the last step before it; the next one shows the same picture, or what the new recipe
            starts from, with the new recipe's losses.
        stage: the stage of that step, counted from the first recipe's on: where a size follows
            another, both have a state of the same step.
        recipe: the new options.
        plan: the automatic choices for them: of the size that the picture has, and larger ones.

    """

    step: int
    stage: int
    recipe: Recipe
    plan: Plan

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        recipe, plan = self.recipe.as_dict(), self.plan.as_dict()
        return {"step": self.step, "stage": self.stage, "recipe": recipe, "plan": plan}


def make_record(
    recipe: Recipe,
    plan: Plan,
    *,
    changes: Sequence[Change] = (),
    task: str,
    image: Image.Image,
    pictures: Mapping[str, Sequence[Picture]],
    network: Mapping[str, str],
    losses: Iterable[Mapping[str, float | None]],
    weights: Sequence[Mapping[str, float | None]],
    troubles: Sequence[Mapping[str, Any]] = (),
    last: State,
    seconds: float,
) -> dict[str, Any]:
    """The record of a run.

    Args:
        recipe: the options.
        plan: the automatic choices.
        changes: other recipes, and their plans, that it went on by.
        task: ``stylize`` or ``texture``.
        image: the result.
        pictures: role (see :data:`impasto.files.records.read.ROLES`) to pictures.
        network: name, file and hash.
        losses: one entry a step.
        weights: alpha, beta, C0 and S0 of each stage.
        troubles: the optimiser's errors and their remedies.
        last: the state of the result.
        seconds: wall time.

    """
    content, style = map(finite_or_none, last.weights.distances(last.losses))
    latest = changes[-1].plan if changes else plan
    return {
        "schema": SCHEMA,
        "task": task,
        "recipe": recipe.as_dict(),
        "plan": plan.as_dict(),
        "changes": [each.as_dict() for each in changes],
        "inputs": {
            role: [{"name": p.name, "sha256": p.sha256, "size": list(p.size)} for p in items]
            for role, items in pictures.items()
        },
        "network": dict(network),
        "weights": [dict(each) for each in weights],
        "result": {
            "size": [image.height, image.width],
            "made_at": list(latest.stages[last.stage].size),
            "sha256": pixels_sha256(image),
            "steps": last.step,
            "finished": last.step == last.steps,
            "seconds": round(seconds, 3),
            "content_distance": content,
            "style_distance": style,
        },
        "losses": [dict(each) for each in losses],
        "troubles": [dict(each) for each in troubles],
        "versions": versions(),
    }


def finite_or_none(value: float) -> float | None:
    """The number, or None if it is not finite, which JSON cannot express."""
    return value if math.isfinite(value) else None


def record_path(picture: Path) -> Path:
    """The path of a picture's record: beside it, ending in ``.json``."""
    return picture.with_suffix(".json")


def write_record(record: Mapping[str, Any], path: Path) -> None:
    """Write a record atomically.

    Raises:
        OutputError: the file cannot be written.

    """
    text = json.dumps(record, indent=1, allow_nan=False, default=str)
    with atomic_write(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def png_text(record: Mapping[str, Any]) -> dict[str, str]:
    """The record as PNG text; of a very long run every other, fourth, ... step."""
    kept, every = dict(record), 1
    while len(text := json.dumps(kept, allow_nan=False, default=str)) > MAX_TEXT:
        every *= 2
        kept = {**record, "losses": record["losses"][::every]}
        if every > len(record["losses"]):
            break
    return {PNG_KEYWORD: text}


def pixels_sha256(image: Image.Image) -> str:
    """Hash of a picture's 8-bit RGB values, row by row: the same in every lossless format."""
    return hashlib.sha256(image.convert("RGB").tobytes()).hexdigest()


def versions(*others: str) -> dict[str, str]:
    """Versions of the packages that a picture depends on, and of others."""
    by_package = {"python": platform.python_version()}
    for package in ("impasto", "torch", "numpy", "pillow", *others):
        try:
            by_package[package] = version(package)
        except PackageNotFoundError:
            by_package[package] = "unknown"
    by_package["kernels"] = "own" if native.are_available() else "torch's"
    return by_package


def changed_versions(known: Mapping[str, str], here: Mapping[str, str]) -> list[str]:
    """A sentence for each package that has another version here."""
    return [
        f"{package} was {known.get(package, 'not recorded')} and is {version} here."
        for package, version in here.items()
        if known.get(package) != version
    ]
