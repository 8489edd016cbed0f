"""Records of films: written beside them, and read as untrusted input.

They have a schema of their own. Schema 2 added ``kind``, the starting picture, the result's name
and hash, and a hash of each frame; schema 1 had ``task: film``. Schema 3 added the method.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from impasto.engine.planning.plan import Plan
from impasto.errors import ImpastoError, RecordError
from impasto.files.films.reader import Clip
from impasto.files.pictures.images import Picture
from impasto.files.records.read import (
    LONGEST_SIDE,
    Input,
    Record,
    check_name,
    is_of_film,
    parse_record,
    plan_from,
    read_values,
    reason,
)
from impasto.files.records.write import versions
from impasto.recipe.film import FilmRecipe
from impasto.recipe.methods import brought_up
from impasto.recipe.still import Recipe
from impasto.recipe.typed import MismatchError, build, convert

SCHEMA = 3
_ROLES = ("clip", "styles", "init", "protect", "regions", "style_regions")


@dataclass(frozen=True)
class FilmFrame:
    """One frame.

    Attributes:
        time: in units of the source's time base, from the beginning of the part.
        begins_shot: True if it was made like a still.
        steps: the number of steps.
        content_distance: to the source's frame, as for a still; None where nothing is optimised.
        style_distance: likewise.
        temporal: loss compared with the frames before it; likewise.
        sha256: of its levels before any encoder; None before schema 2.

    """

    time: int
    begins_shot: bool
    steps: int
    content_distance: float | None
    style_distance: float | None
    temporal: float | None
    sha256: str | None = None


@dataclass(frozen=True)
class FilmOutcome:
    """The result: ``name`` of the film or folder, ``sha256`` of the file, from schema 2 on."""

    size: tuple[int, int]
    frames: int
    seconds: float
    name: str | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class FilmRecord:
    """A film's record, checked.

    Attributes:
        schema: the version of the record.
        recipe: the options of each picture; files by name only.
        film: the options of the film.
        plan: the automatic choices; None if it was written by another version and cannot be read.
        inputs: role (``clip``, ``styles``, ``init``, ``protect``, ``regions``,
            ``style_regions``) to its films and pictures.
        network: name, file, sha256, pooling; and the objects that the caller passed in.
        result: the result.
        frames: one entry each.
        versions: package to version.

    """

    schema: int
    recipe: Recipe
    film: FilmRecipe
    plan: Plan | None
    inputs: Mapping[str, tuple[Input, ...]]
    network: Mapping[str, str]
    result: FilmOutcome
    frames: tuple[FilmFrame, ...] = field(repr=False)
    versions: Mapping[str, str]


def make_film_record(
    recipe: Recipe,
    film: FilmRecipe,
    plan: Plan,
    *,
    clip: Clip,
    styles: Sequence[Picture],
    init: Picture | None,
    maps: Mapping[str, Sequence[Picture]],
    network: Mapping[str, str],
    frames: Sequence[Mapping[str, Any]],
    result: Mapping[str, Any],
) -> dict[str, Any]:
    """The record of a film, ready for JSON.

    Args:
        recipe: the options of each picture.
        film: the options of the film.
        plan: the automatic choices.
        clip: the source.
        styles: the paintings.
        init: the starting picture, if a file.
        maps: masks and maps by role: ``protect``, ``regions``, ``style_regions``.
        network: name, file and hash.
        frames: the fields of :class:`FilmFrame` for each.
        result: the fields of :class:`FilmOutcome`.

    """
    inputs: dict[str, Sequence[Clip | Picture]] = {
        "clip": [clip],
        "styles": styles,
        "init": [] if init is None else [init],
        **maps,
    }
    return {
        "kind": "film",
        "schema": SCHEMA,
        "recipe": recipe.as_dict(),
        "film": film.as_dict(),
        "plan": plan.as_dict(),
        "inputs": {
            role: [{"name": e.name, "sha256": e.sha256, "size": list(e.size)} for e in items]
            for role, items in inputs.items()
        },
        "network": dict(network),
        "result": dict(result),
        "frames": [dict(each) for each in frames],
        "versions": film_versions(),
    }


def film_versions() -> dict[str, str]:
    """Versions of the packages that a film depends on."""
    return versions("av", "opencv-python-headless")


def read_any_record(path: Path) -> Record | FilmRecord:
    """The record of a picture, a film or a folder of frames: inside it, beside it, or itself.

    Raises:
        RecordError: it is missing, damaged or of a later version.

    """
    values = read_values(path)
    return _film_from(values, path.name) if is_of_film(values) else parse_record(values, path.name)


def read_film_record(path: Path) -> FilmRecord:
    """The record of a film, beside it, in the folder of its frames, or the ``.json`` itself.

    Raises:
        RecordError: it is missing, a picture's, damaged or of a later version.

    """
    record = read_any_record(path)
    if not isinstance(record, FilmRecord):
        raise RecordError(f"The record of {path.name!r} is a picture's, not a film's.")
    return record


def _film_from(values: Any, name: str) -> FilmRecord:
    try:
        schema = convert(values["schema"], int)
        if schema > SCHEMA:
            raise RecordError(
                f"The record of {name!r} was written by a later impasto: update this one."
            )
        return _checked(values, schema)
    except RecordError:
        raise
    except (MismatchError, ImpastoError, KeyError, TypeError, OverflowError) as error:
        raise RecordError(
            f"The record of {name!r} was not written by impasto ({reason(error)})."
        ) from error


def _checked(values: Mapping[str, Any], schema: int) -> FilmRecord:
    inputs = convert(values["inputs"], dict[str, tuple[Input, ...]])
    record = FilmRecord(
        schema=schema,
        recipe=build(Recipe, brought_up(values["recipe"])),
        film=build(FilmRecipe, _with_times_as_text(values["film"])),
        plan=plan_from(values["plan"]),
        inputs={**dict.fromkeys(_ROLES, ()), **inputs},
        network=convert(values["network"], dict[str, str]),
        result=build(FilmOutcome, values["result"]),
        frames=convert(values["frames"], tuple[FilmFrame, ...]),
        versions=convert(values["versions"], dict[str, str]),
    )
    _check_whole(record)
    return record


def _with_times_as_text(film: Any) -> dict[str, Any]:
    """``start`` and ``end`` as text; a program may have given numbers."""
    return {
        name: str(value) if name in ("start", "end") and type(value) in (int, float) else value
        for name, value in film.items()
    }


def _check_whole(record: FilmRecord) -> None:
    """Checks that concern several values."""
    if set(record.inputs) != set(_ROLES):
        raise MismatchError("an unknown input")
    styles = len(record.inputs["styles"])
    if len(record.inputs["clip"]) != 1 or not styles:
        raise MismatchError("an input is missing")
    if len(record.inputs["init"]) > 1:
        raise MismatchError("more than one start")
    styles *= len(record.recipe.style_scales)
    if record.plan and any(len(stage.styles) != styles for stage in record.plan.stages):
        raise MismatchError("the plan is for other inputs")
    if (record.recipe.threads or 1) > 1024:
        raise MismatchError("too many threads")
    if not all(1 <= side <= LONGEST_SIDE for side in record.result.size):
        raise MismatchError("a size out of range")
    if record.result.frames != len(record.frames):
        raise MismatchError("the frames do not fit their number")
    names: list[str | None] = [each.name for items in record.inputs.values() for each in items]
    recipe = record.recipe
    names += [recipe.weights, recipe.init, recipe.protect, recipe.regions, record.result.name]
    for name in (*names, *(recipe.style_regions or ())):
        if name is not None:
            check_name(name)
