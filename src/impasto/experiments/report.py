"""Writing an experiment's folder: sheets, curves, numbers, records, and commands."""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from impasto.experiments.lab import Lab
from impasto.experiments.model import Diagram, Outcome
from impasto.experiments.sheets import draw_sheet
from impasto.files.atomic import atomic_write, make_folder
from impasto.files.pictures.images import write_image
from impasto.files.records.tables import LOSSES, Row, losses_of, write_table
from impasto.files.records.write import record_path


def write_outcome(outcome: Outcome, lab: Lab) -> None:
    """Write an experiment's folder, each file atomically.

    Raises:
        OutputError: a file cannot be written.

    """
    folder = lab.folder / outcome.experiment.name
    records = folder / "records"
    make_folder(records)
    for number, figure in enumerate(outcome.sheets, start=1):
        if isinstance(figure, Diagram):
            _write_text(folder / f"figure-{number}.svg", figure.svg)
        else:
            write_image(draw_sheet(figure), folder / f"figure-{number}.png")
    if outcome.made:
        write_table(folder / "cells.csv", cell_table(outcome))
        lines = [f"# {label}\n{line}\n" for label, line in outcome.lines.items()]
        _write_text(folder / "lines.txt", "".join(lines))
        write_table(folder / "losses.csv", loss_table(outcome))
    write_table(folder / "numbers.csv", number_table(outcome))
    for made in outcome.made:
        source = record_path(made.path)
        with atomic_write(records / source.name) as temporary:
            shutil.copyfile(source, temporary)


def cell_table(outcome: Outcome) -> list[Row]:
    """A row for each cell, after the headings: distances, loss, seconds, other columns, record."""
    columns = outcome.finding.columns
    headings = ["cell", "content distance", "style distance", "total loss", "steps", "seconds"]
    rows: list[Row] = [[*headings, *columns, "record"]]
    for made in outcome.made:
        label, result = made.cell.label, made.record.result
        own = [made.content, made.style, made.loss, result.steps, result.seconds]
        more = [values.get(label, math.nan) for values in columns.values()]
        rows.append([label, *map(written, (*own, *more)), record_path(made.path).name])
    return rows


def loss_table(outcome: Outcome) -> list[Row]:
    """A row for each step of each cell, after the headings."""
    rows: list[Row] = [["cell", *LOSSES]]
    for made in outcome.made:
        rows += [[made.cell.label, *row] for row in losses_of(made.record)]
    return rows


def number_table(outcome: Outcome) -> list[Row]:
    """A row for each number, after the headings: its check, and whether that holds."""
    rows: list[Row] = [["number", "measured", "asked for", "holds", "what it is"]]
    numbers = dict(outcome.finding.numbers)
    for check in outcome.experiment.checks:
        number = numbers.pop(check.name)
        holds = {True: "yes", False: "no", None: "not tested"}[check.holds(number)]
        asked = f"{check.relation} {written(check.bound)}"
        rows.append([check.name, written(number), asked, holds, check.about])
    rows += [[name, written(number), "", "", ""] for name, number in numbers.items()]
    return rows


def claim_table(outcomes: Sequence[Outcome], network: str) -> list[Row]:
    """A row for each experiment, after the headings; ``network`` is the lab's own."""
    rows: list[Row] = [["experiment", "report", "claim", "verdict", "network", "numbers"]]
    for outcome in outcomes:
        experiment = outcome.experiment
        numbers: Mapping[str, float] = outcome.finding.numbers
        checked = [f"{c.name} {written(numbers[c.name])}" for c in experiment.checks]
        rows.append(
            [
                experiment.name,
                experiment.section,
                experiment.claim,
                outcome.verdict.value,
                _networks(outcome, network),
                "; ".join(checked),
            ]
        )
    return rows


def _networks(outcome: Outcome, own: str) -> str:
    """The lab's own network, and other networks of an experiment's cells."""
    used = {made.cell.network: made.record.network for made in outcome.made}
    others = {f"{each['name']} ({each['file']})" for each in used.values() if each["name"] != own}
    return ", ".join([own, *sorted(others)])


def written(number: float) -> str:
    """Four significant digits; a dash for a missing value."""
    return "–" if math.isnan(number) else f"{number:,.0f}" if _is_count(number) else f"{number:.4g}"


def write_claims(outcomes: Sequence[Outcome], lab: Lab) -> None:
    """Write ``claims.csv``, the verdicts of a run."""
    write_table(lab.folder / "claims.csv", claim_table(outcomes, lab.network_name))


def _is_count(number: float) -> bool:
    return math.isfinite(number) and abs(number) >= 10_000 and number == round(number)


def _write_text(path: Path, text: str) -> None:
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
