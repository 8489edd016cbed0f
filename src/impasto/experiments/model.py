"""What an experiment is: cells to be made, checks fixed beforehand, and a measurement.

A verdict is nothing but the checks applied to the measured numbers. Thresholds stand beside the
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
        label: on the sheet; unique within its experiment.
        options: of :class:`impasto.Recipe`, over the preset's; ``alpha/beta`` stands for both
            weights of eq. (7), in the report's units (:meth:`Lab.weights_for`).
        content: name of one of the lab's pictures.
        style: name of one of the lab's pictures.
        network: name of one of the lab's networks.
        copy: 1, 2, ... make the same recipe anew, where it shall be made more than once.
        shown: whether it has a place on the sheet of all cells.

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
    """A cell that is done: its picture ``(1, 3, H, W)`` in [0, 1], and its record."""

    cell: Cell
    path: Path
    image: Tensor = field(repr=False)
    record: Record = field(repr=False)

    @property
    def loss(self) -> float:
        """The total loss at the end, eq. (7); infinite where it is not a number."""
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
    """A threshold, fixed before anything is run.

    Attributes:
        name: of the measured number.
        relation: which side of the bound bears the claim out.
        bound: the threshold.
        about: what the number is.

    """

    name: str
    relation: Literal["at least", "at most"]
    bound: float
    about: str

    def holds(self, number: float) -> bool | None:
        """Whether the number bears the claim out; None where there is no number."""
        if math.isnan(number):
            return None
        return number >= self.bound if self.relation == "at least" else number <= self.bound


class Verdict(Enum):
    """What the checks say of a claim."""

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
    width: int = 0  # pixels of each picture on the sheet; 0 takes a usual one
    smooth: bool = True  # enlarge with a filter, not in squares


@dataclass(frozen=True)
class Diagram:
    """A drawing: an SVG document."""

    svg: str
    caption: str


@dataclass(frozen=True)
class Finding:
    """What a measurement found.

    Attributes:
        numbers: name to number, for the checks; others are listed too.
        columns: more columns of the cells' table: heading to label to number.
        figures: besides the sheet of all cells, which comes first.
        notes: sentences on what the numbers mean or how far they reach.

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
    """A claim, what is made to examine it, and what counts for and against it.

    Attributes:
        name: on the command line.
        section: of the report, and its figures.
        claim: the report's, in one sentence.
        cells: the transfers, from the lab; made before anything is measured.
        measure: numbers and figures from what was made.
        checks: thresholds; every one must hold for the claim to be borne out.
        then: more transfers, which depend on the first ones.
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
        """All checks hold, some, none; or nothing could be measured."""
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
    """An experiment, carried out."""

    experiment: Experiment
    made: Sequence[Made]
    finding: Finding
    sheets: Sequence[Sheet | Diagram]
    lines: Mapping[str, str]  # label to the command that makes the cell again

    @property
    def verdict(self) -> Verdict:
        """By the checks alone."""
        return self.experiment.verdict(self.finding.numbers)


def _number(value: float | None) -> float:
    return math.nan if value is None else value
