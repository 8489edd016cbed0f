"""Tables as CSV: the losses of a record, and whatever else has rows."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from impasto.errors import RecordError
from impasto.files.atomic import atomic_write
from impasto.files.records.read import Record

Row = Sequence[str]
LOSSES = ("step", "size", "total", "content", "style", "variation")
"""Headings of :func:`losses_of`: ``size`` counts from coarse to fine, the rest is eq. (7)'s."""


def losses_of(record: Record) -> list[Row]:
    """A row for each step: what the losses were; empty where one was not finite."""
    return [
        [
            str(each.step),
            str(each.stage + 1),
            *(_number(v) for v in (each.total, each.content, each.style, each.variation)),
        ]
        for each in record.losses
    ]


def write_losses(record: Record, path: Path) -> None:
    """Write a record's losses as CSV, atomically.

    Raises:
        RecordError: it has none.
        OutputError: the file cannot be written.

    """
    if not record.losses:
        raise RecordError("The record has no losses: nothing was optimised.")
    write_table(path, [LOSSES, *losses_of(record)])


def write_table(path: Path, rows: Sequence[Row]) -> None:
    """Write rows as CSV, atomically.

    Raises:
        OutputError: the file cannot be written.

    """
    with (
        atomic_write(path) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        csv.writer(file).writerows(rows)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.9g}"
