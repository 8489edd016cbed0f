"""Compare an existing result with the requested one, by its record."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from impasto.errors import RecordError
from impasto.files.formats import written_as
from impasto.files.records.read import Record, embedded_text, read_record
from impasto.files.records.write import record_path, write_record
from impasto.recipe.still import Recipe


@dataclass(frozen=True)
class Wanted:
    """What a result must have been made from.

    Attributes:
        recipe: every option.
        inputs: role to the hashes of its files.
        network: name, file and hash.
        task: ``stylize`` or ``texture``.

    """

    recipe: Recipe
    inputs: Mapping[str, Sequence[str]]
    network: Mapping[str, str]
    task: str = "stylize"

    def matches(self, record: Record) -> bool:
        """True if the record has the same recipe, inputs and network."""
        made_of = {
            role: [each.sha256 for each in pictures] for role, pictures in record.inputs.items()
        }
        return (
            record.task == self.task
            and not record.changes
            and record.recipe.as_dict() == self.recipe.as_dict()
            and made_of == {role: list(self.inputs.get(role, ())) for role in made_of}
            and all(
                record.network.get(key) == self.network.get(key)
                for key in ("sha256", "means_sha256")
            )
        )


def is_finished(path: Path, wanted: Wanted) -> bool:
    """True if the picture exists, is complete and matches ``wanted``.

    If its record beside it is missing or older, because the run was killed between the two files,
    it is written again from the record inside the picture. Any other file of that name is kept.
    """
    record = _record_of(path)
    if not path.is_file() or record is None or not record.result.finished:
        return False
    if not wanted.matches(record):
        return False
    _mend(path, record, wanted)
    return True


def may_replace(path: Path, wanted: Wanted) -> bool:
    """True if the existing files are an earlier stage of this picture, its record, or both."""
    existing = [each for each in (path, record_path(path)) if os.path.lexists(each)]
    return bool(existing) and all(_is_of(each, wanted) for each in existing)


def _is_of(path: Path, wanted: Wanted) -> bool:
    """Whether a file belongs to this picture, by the record inside it if it can hold one."""
    try:
        known = written_as(path, "still")
        if known is not None and known.text and embedded_text(path) is None:
            return False
        return wanted.matches(read_record(path))
    except RecordError:
        return False


def _record_of(path: Path) -> Record | None:
    source = path if path.is_file() else record_path(path)
    try:
        return read_record(source)
    except RecordError:
        return None


def _mend(path: Path, record: Record, wanted: Wanted) -> None:
    inside = embedded_text(path)
    beside = record_path(path)
    if inside is None:
        return
    is_there = os.path.lexists(beside)
    if is_there and not _is_of(beside, wanted):
        return
    if is_there and read_record(beside).result.sha256 == record.result.sha256:
        return
    write_record(json.loads(inside), beside)
