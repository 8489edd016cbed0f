"""The parts of an experiment: cells to make, a measurement, and checks fixed beforehand.

A verdict depends only on the checks and the measured numbers. Thresholds are beside the
claim, in the experiment's own file, and are committed before its first full run.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from torch import Tensor

from impasto.files.records.read import Record

if TYPE_CHECKING:
    from impasto.experiments.lab import Lab


@dataclass(frozen=True)
class Cell:
    """One transfer.

    Attributes:
        label: shown on the sheet; unique within its experiment.
        options: of :class:`impasto.Recipe`, which override the preset's; ``alpha/beta`` sets both
            weights of eq. (7), in the report's units (:meth:`Lab.weights_for`).
        content: name of one of the lab's pictures.
        style: name of one of the lab's pictures.
        network: name of one of the lab's networks.
        copy: 1, 2, ... to make the same recipe more than once.
        shown: whether the sheet of all cells shows it.

    """

    label: str
    options: Mapping[str, Any] = field(default_factory=dict)
    content: str = "photograph"
    style: str = "painting"
    network: str = "own"
    copy: int = 0
    shown: bool = True


@dataclass(frozen=True)
class Made:
    """A finished cell: its picture ``(1, 3, H, W)`` in [0, 1], and its record."""

    cell: Cell
    path: Path
    image: Tensor = field(repr=False)
    record: Record = field(repr=False)

    @property
    def loss(self) -> float:
        """The total loss at the end, eq. (7); infinite if it is not a number."""
        value = self.record.losses[-1].total
        return math.inf if value is None else value

    @property
    def content(self) -> float:
        """Distance to its photograph, sqrt(L_content / C0)."""
        return _number(self.record.result.content_distance)

    @property
    def style(self) -> float:
        """Distance to its painting, sqrt(L_style / S0)."""
        return _number(self.record.result.style_distance)


@dataclass(frozen=True)
class Check:
    """A threshold, fixed before the experiment is run.

    Attributes:
        name: of the measured number.
        relation: the side of the bound on which the claim holds.
        bound: the threshold.
        about: the meaning of the number.

    """

    name: str
    relation: Literal["at least", "at most"]
    bound: float
    about: str

    def holds(self, number: float) -> bool | None:
        """Whether the number supports the claim; None without a number."""
        if math.isnan(number):
            return None
        return number >= self.bound if self.relation == "at least" else number <= self.bound


class Verdict(Enum):
    """The result of the checks of a claim."""

    BORNE_OUT = "borne out"
    PARTLY = "partly borne out"
    NOT_BORNE_OUT = "not borne out"
    UNTESTED = "not tested"
    NO_CLAIM = "no claim"


@dataclass(frozen=True)
class Sheet:
    """Labelled pictures in rows: tensors ``(1, 3, H, W)`` or ``(1, 1, H, W)`` in [0, 1]."""

    rows: Sequence[Sequence[tuple[str, Tensor]]]
    caption: str
    width: int = 0  # pixels of each picture on the sheet; 0 for the default
    smooth: bool = True  # enlarge with a smooth filter, not as squares


@dataclass(frozen=True)
class Diagram:
    """A drawing: an SVG document."""

    svg: str
    caption: str


@dataclass(frozen=True)
class Finding:
    """The result of a measurement.

    Attributes:
        numbers: name to number, for the checks and further ones.
        columns: additional columns of the cells' table: heading to label to number.
        figures: figures in addition to the sheet of all cells.
        notes: sentences on the meaning and limits of the numbers.

    """

    numbers: Mapping[str, float] = field(default_factory=dict)
    columns: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    figures: Sequence[Sheet | Diagram] = ()
    notes: Sequence[str] = ()


def no_cells(_: Lab) -> Sequence[Cell]:
    """For an experiment that makes no transfers."""
    return ()


@dataclass(frozen=True)
class Experiment:
    """A claim, the transfers that test it, and the checks that decide.

    Attributes:
        name: on the command line.
        section: of the report, and its figures.
        claim: the report's, in one sentence.
        cells: the transfers, for a lab; made before the measurement.
        measure: computes numbers and figures from the finished cells.
        checks: thresholds; the claim is borne out if all hold.
        then: further transfers, which depend on the first ones.
        extra: work of ``measure`` and ``then`` beyond the cells: steps times pixels.
        columns: of the sheet of all cells.
        caption: of that sheet.

    """

    name: str
    section: str
    claim: str
    measure: Callable[[Lab], Finding]
    cells: Callable[[Lab], Sequence[Cell]] = no_cells
    checks: Sequence[Check] = ()
    then: Callable[[Lab], Sequence[Cell]] = no_cells
    extra: Callable[[Lab], float] = field(default=lambda _: 0.0)
    columns: int = 4
    caption: str = ""

    def verdict(self, numbers: Mapping[str, float]) -> Verdict:
        """Whether all, some or no checks hold, or nothing could be measured."""
        held = [check.holds(numbers.get(check.name, math.nan)) for check in self.checks]
        tested = [each for each in held if each is not None]
        if not self.checks:
            return Verdict.NO_CLAIM
        if not tested:
            return Verdict.UNTESTED
        if all(held):
            return Verdict.BORNE_OUT
        return Verdict.PARTLY if any(tested) else Verdict.NOT_BORNE_OUT


@dataclass(frozen=True)
class Outcome:
    """A finished experiment."""

    experiment: Experiment
    made: Sequence[Made]
    finding: Finding
    sheets: Sequence[Sheet | Diagram]
    lines: Mapping[str, str]  # label to the command that makes the cell again

    @property
    def verdict(self) -> Verdict:
        """The verdict of the checks."""
        return self.experiment.verdict(self.finding.numbers)


def _number(value: float | None) -> float:
    return math.nan if value is None else value
