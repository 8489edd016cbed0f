"""Reading records: untrusted input, of which every value is checked.

Nothing in a record is executed or used as a path: names must be plain file names, numbers finite
and within limits, and every field of the type in its dataclass. Older schemas are
brought up to date before the check (:data:`_UPGRADES`).
"""

from __future__ import annotations

import json
import re
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Literal, NoReturn

from impasto.engine.planning.plan import Plan
from impasto.errors import ImpastoError, RecordError
from impasto.files.records.write import PNG_KEYWORD, SCHEMA, Change, record_path
from impasto.nets.topology import CELL
from impasto.recipe.checks import WIDEST_MARGIN
from impasto.recipe.methods import brought_up
from impasto.recipe.still import Recipe
from impasto.recipe.typed import MismatchError, build, convert

LONGEST_SIDE = 1_000_000
ROLES = (
    "content",
    "styles",
    "init",
    "protect",
    "regions",
    "style_regions",
)  # of pictures
MAX_BYTES = 32_000_000  # inside a picture
MAX_FILE_BYTES = 256_000_000  # a long film's record has a line for each frame
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Input:
    """An input picture: its file's name without folders, hash, height and width."""

    name: str
    sha256: str
    size: tuple[int, int]


@dataclass(frozen=True)
class StepLosses:
    """Losses after one step; None if not finite. Units: :class:`engine.state.Losses`."""

    step: int
    stage: int
    total: float | None
    content: float | None
    style: float | None
    variation: float | None = None
    temporal: float | None = None


@dataclass(frozen=True)
class StageWeights:
    """Weights of one size; None for one that is not finite: :class:`engine.state.LossWeights`."""

    alpha: float | None
    beta: float | None
    content_unit: float | None
    style_unit: float | None


@dataclass(frozen=True)
class Mishap:
    """An error of the optimiser and the remedy, ``times`` steps in a row.

    See :class:`engine.state.Trouble`; ``step`` is the first of them.
    """

    step: int
    stage: int
    fault: str
    remedy: str
    times: int


@dataclass(frozen=True)
class Outcome:
    """The result of a run.

    Schema 2 added ``size`` and ``sha256`` (of the pixels), schema 4 ``made_at``.
    """

    steps: int
    finished: bool
    seconds: float
    content_distance: float | None = None
    style_distance: float | None = None
    size: tuple[int, int] | None = None
    sha256: str | None = None
    made_at: tuple[int, int] | None = None


@dataclass(frozen=True)
class Record:
    """A record, checked.

    Attributes:
        schema: the version as written, before it was brought up to date.
        task: ``stylize`` or ``texture``.
        recipe: the options; files by name only.
        plan: the automatic choices; None if it was written by another version and cannot be read.
        inputs: role (one of :data:`ROLES`) to pictures.
        network: name, file, sha256, pooling; and the objects that the caller passed in.
        weights: alpha, beta and their units, of each stage.
        result: the result of the run.
        losses: one entry a step.
        versions: package to version.
        troubles: the optimiser's errors, in order.
        changes: other recipes that the picture went on by, in order.

    """

    schema: int
    task: Literal["stylize", "texture"]
    recipe: Recipe
    plan: Plan | None
    inputs: Mapping[str, tuple[Input, ...]]
    network: Mapping[str, str]
    weights: tuple[StageWeights, ...]
    result: Outcome
    losses: tuple[StepLosses, ...] = field(repr=False)
    versions: Mapping[str, str]
    troubles: tuple[Mishap, ...] = ()
    changes: tuple[Change, ...] = ()

    @property
    def latest(self) -> Recipe:
        """The recipe that the picture was finished by."""
        return self.changes[-1].recipe if self.changes else self.recipe


def read_record(path: Path) -> Record:
    """The record of a result: inside a PNG, beside any picture, or the ``.json`` itself.

    Raises:
        RecordError: it is missing, damaged or of a later version.

    """
    return parse_record(read_values(path), path.name)


def read_values(path: Path) -> Any:
    """The plain values of a record, unchecked.

    Raises:
        RecordError: it is missing or damaged.

    """
    text = _text_for(path)
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise RecordError(f"The record of {path.name!r} is damaged and cannot be read.") from error


def task_of(path: Path) -> str | None:
    """What a result's record says that it is: ``stylize``, ``paint``, ...; None where it says none.

    Raises:
        RecordError: there is no record, or it is damaged.

    """
    values = read_values(path)
    task = values.get("task") if isinstance(values, dict) else None
    return task if isinstance(task, str) else None


def is_of_film(values: Any) -> bool:
    """True for the values of a film's record: :mod:`impasto.files.records.films` checks them."""
    return isinstance(values, dict) and "film" in (values.get("kind"), values.get("task"))


def embedded_text(path: Path) -> str | None:
    """The text of the record inside a PNG; None if there is none.

    Raises:
        RecordError: the file is damaged.

    """
    try:
        with path.open("rb") as file:
            if file.read(8) != PNG_SIGNATURE:
                return None
            return next(_records_in(file), None)
    except (OSError, ValueError, struct.error, zlib.error) as error:
        raise RecordError(f"{path.name!r} is damaged: its record cannot be read.") from error


def parse_record(values: Any, name: str) -> Record:
    """Check the plain values of a record of any schema.

    Raises:
        RecordError: they are no record, or one of a later version.

    """
    if is_of_film(values):
        raise RecordError(f"The record of {name!r} is a film's: give a picture.")
    if isinstance(values, dict) and values.get("task") == "trained":
        raise RecordError(
            f"{name!r} was made in one pass by a trained network: it has no steps to show."
        )
    try:
        schema = convert(values.get("schema") if isinstance(values, dict) else None, int)
        if schema > SCHEMA:
            raise RecordError(
                f"The record of {name!r} was written by a later impasto: update this one."
            )
        while values["schema"] < SCHEMA:
            values = _UPGRADES[values["schema"]](values)
        return _checked(values, schema)
    except RecordError:
        raise
    except (MismatchError, ImpastoError, KeyError, TypeError, OverflowError) as error:
        raise RecordError(
            f"The record of {name!r} was not written by impasto ({reason(error)})."
        ) from error


def _text_for(path: Path) -> str:
    if path.is_dir():
        path = path / "film.json"
    if not path.is_file():
        raise RecordError(f"There is no file {str(path)!r}: check the name.")
    if path.suffix.lower() != ".json":
        embedded = embedded_text(path)
        if embedded is not None:
            return embedded
        if not record_path(path).is_file():
            raise RecordError(
                f"{path.name!r} has no record inside it or beside it: give a result of impasto."
            )
        path = record_path(path)
    if path.stat().st_size > MAX_FILE_BYTES:
        raise RecordError(f"{path.name!r} is too large to be a record: check the name.")
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RecordError(f"{path.name!r} is damaged and cannot be read.") from error


def _records_in(file: BinaryIO) -> Iterator[str]:
    """Texts of impasto's own chunks (iTXt), without decoding a pixel."""
    while len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        if kind != b"iTXt":
            file.seek(length + 4, 1)
            continue
        if length > MAX_BYTES:
            raise ValueError("a chunk too large")
        keyword, _, rest = file.read(length).partition(b"\0")
        file.seek(4, 1)
        if keyword == PNG_KEYWORD.encode():
            yield _unpacked(rest)


def _unpacked(rest: bytes) -> str:
    """The text of an iTXt chunk after its keyword: two flags, language, translation, text."""
    is_compressed = rest[:1] == b"\1"
    text = rest[2:].split(b"\0", 2)[2:]
    if not text:
        raise ValueError("a torn chunk")
    if not is_compressed:
        return text[0].decode()
    inflater = zlib.decompressobj()
    inflated = inflater.decompress(text[0], MAX_BYTES)
    if not inflater.eof:
        raise ValueError("a text too large, or torn")
    return inflated.decode()


def _checked(values: Mapping[str, Any], schema: int) -> Record:
    inputs = convert(values["inputs"], dict[str, tuple[Input, ...]])
    record = Record(
        schema=schema,
        task=convert(values["task"], Literal["stylize", "texture"]),
        recipe=build(Recipe, values["recipe"]),
        plan=plan_from(values["plan"]),
        inputs={**dict.fromkeys(ROLES, ()), **inputs},
        network=convert(values["network"], dict[str, str]),
        weights=convert(values["weights"], tuple[StageWeights, ...]),
        result=build(Outcome, values["result"]),
        losses=convert(values["losses"], tuple[StepLosses, ...]),
        versions=convert(values["versions"], dict[str, str]),
        troubles=convert(values.get("troubles", []), tuple[Mishap, ...]),
        changes=convert(values["changes"], tuple[Change, ...]),
    )
    _check_whole(record)
    return record


def plan_from(values: Any) -> Plan | None:
    """A record's plan, checked; None if its fields are another version's."""
    try:
        plan = build(Plan, values)
    except MismatchError as error:
        if error.is_about_names:
            return None
        raise
    check_plan(plan)
    return plan


def check_plan(plan: Plan) -> None:
    """Make sure that a plan's numbers are within limits.

    Raises:
        MismatchError: one is not.

    """
    for stage in plan.stages:
        sizes = ((stage.height, stage.width), *stage.styles)
        if any(min(size) < 1 or max(size) > LONGEST_SIDE for size in sizes):
            raise MismatchError("a size out of range")
        top, left, height, width = stage.window or (0, 0, *sizes[0])
        inside = top + height <= stage.height and left + width <= stage.width
        if min(top, left) < 0 or min(height, width) < 1 or not inside:
            raise MismatchError("a window out of range")
        if stage.tile is not None and not CELL <= stage.tile <= LONGEST_SIDE:
            raise MismatchError("a tile out of range")
        if not 0 <= stage.margin <= WIDEST_MARGIN:
            raise MismatchError("a margin out of range")
        if not 0 <= stage.steps <= 1_000_000:
            raise MismatchError("steps out of range")
    if not 1 <= len(plan.stages) <= 12 or not 1 <= plan.threads <= 1024:
        raise MismatchError("a plan out of range")


def _check_whole(record: Record) -> None:
    """Checks that concern several values."""
    styles = len(record.inputs["styles"])
    if not styles or len(record.inputs["content"]) != (record.task == "stylize"):
        raise MismatchError("an input is missing")
    if len(record.inputs["init"]) > 1:
        raise MismatchError("more than one start")
    planned = [(each.recipe, each.plan) for each in record.changes]
    planned += [(record.recipe, record.plan)] if record.plan else []
    for recipe, plan in planned:
        check_plan(plan)
        count = styles * len(recipe.style_scales)
        if any(len(stage.styles) != count for stage in plan.stages):
            raise MismatchError("the plan is for other inputs")
    places = [(each.step, each.stage) for each in record.changes]
    inside = all(0 <= step < record.result.steps and stage >= 0 for step, stage in places)
    if places != sorted(set(places)) or not inside:
        raise MismatchError("a change out of order")
    if record.plan and record.task == "texture":
        sizes = {(stage.height, stage.width) for stage in record.plan.stages}
        if record.result.size not in sizes:
            raise MismatchError("the plan is for another size")
    if set(record.inputs) != set(ROLES):
        raise MismatchError("an unknown input")
    names: list[str | None] = [p.name for several in record.inputs.values() for p in several]
    for recipe in (record.recipe, *(each.recipe for each in record.changes)):
        if (recipe.threads or 1) > 1024:
            raise MismatchError("too many threads")
        names += [recipe.weights, recipe.init, recipe.protect, recipe.regions]
        names += recipe.style_regions or ()
    for name in names:
        if name is not None:
            check_name(name)


def check_name(name: str) -> None:
    """Make sure that a name is a plain file name.

    Raises:
        MismatchError: it is not.

    """
    if name in ("", ".", "..") or re.search(r"[/\\\0]", name) or len(name) > 255:
        raise MismatchError("a name that is not a file name")


def _from_1(values: dict[str, Any]) -> dict[str, Any]:
    """Schema 2 added the task, and the size and hash of the result's pixels."""
    return {**values, "schema": 2, "task": "stylize"}


def _from_2(values: dict[str, Any]) -> dict[str, Any]:
    """Schema 3 added the style loss; before, it was eq. (5), and equal weights had no name."""
    recipe = {"average": 0.0, **values["recipe"], "style_loss": "gram"}
    if recipe.get("layer_weights") is None:
        recipe["layer_weights"] = "equal"
    return {**values, "schema": 3, "recipe": recipe}


def _from_3(values: dict[str, Any]) -> dict[str, Any]:
    """Schema 4 added the margin, and with it the size at which a picture is made."""
    return {**values, "schema": 4, "recipe": {"margin": 0, **values["recipe"]}}


def _from_4(values: dict[str, Any]) -> dict[str, Any]:
    """Schema 5 added the method, and gave the strength an even feel."""
    return {**values, "schema": 5, "recipe": brought_up(values["recipe"])}


def _from_5(values: dict[str, Any]) -> dict[str, Any]:
    """Schema 6 added changes, and what is protected."""
    return {**values, "schema": 6, "changes": []}


_UPGRADES: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {
    1: _from_1,
    2: _from_2,
    3: _from_3,
    4: _from_4,
    5: _from_5,
}


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def reason(error: Exception) -> str:
    """A few words on why a record is invalid."""
    if isinstance(error, KeyError):
        return f"no {str(error.args[0])[:40]!r}"
    return (
        str(error).rstrip(".")
        if isinstance(error, MismatchError | ImpastoError)
        else "a wrong type"
    )
