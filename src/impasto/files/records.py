"""The record beside a result: what it takes to make the picture again, and how it went.

JSON. It names files but no folders, and carries nothing of a picture's own metadata.
"""

from __future__ import annotations

import json
import math
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from impasto.config import Recipe
from impasto.engine.plan import Plan
from impasto.engine.state import State
from impasto.files.atomic import atomic_write
from impasto.files.images import Picture

SCHEMA = 1


def make_record(
    recipe: Recipe,
    plan: Plan,
    *,
    pictures: Mapping[str, Sequence[Picture]],
    network: Mapping[str, str],
    losses: Sequence[Mapping[str, float]],
    weights: Sequence[Mapping[str, float | None]],
    last: State,
    seconds: float,
) -> dict[str, Any]:
    """The record of a run.

    Args:
        recipe: what was asked for.
        plan: the automatic choices.
        pictures: role (``content``, ``styles``, ``init``) to pictures.
        network: name, file and hash.
        losses: one entry a step.
        weights: alpha, beta, C0 and S0 of each stage.
        last: the state that was delivered.
        seconds: wall time.

    """
    content, style = map(finite_or_none, last.weights.distances(last.losses))
    return {
        "schema": SCHEMA,
        "recipe": recipe.as_dict(),
        "plan": plan.as_dict(),
        "inputs": {
            role: [{"name": p.name, "sha256": p.sha256, "size": list(p.size)} for p in items]
            for role, items in pictures.items()
        },
        "network": dict(network),
        "weights": [dict(each) for each in weights],
        "result": {
            "steps": last.step,
            "finished": last.step == last.steps,
            "seconds": round(seconds, 3),
            "content_distance": content,
            "style_distance": style,
        },
        "losses": [dict(each) for each in losses],
        "versions": _versions(),
    }


def finite_or_none(value: float) -> float | None:
    """The number, or None where JSON has no word for it."""
    return value if math.isfinite(value) else None


def record_path(picture: Path) -> Path:
    """Where the record of a picture lies: beside it, ending in ``.json``."""
    return picture.with_suffix(".json")


def write_record(record: Mapping[str, Any], path: Path) -> None:
    """Write a record atomically.

    Raises:
        OutputError: the file cannot be written.

    """
    text = json.dumps(record, indent=1, allow_nan=False, default=str)
    with atomic_write(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in ("impasto", "torch", "numpy", "pillow"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "unknown"
    return found
