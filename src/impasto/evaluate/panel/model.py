"""The panel of a result: its figures and faults."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One line of the panel.

    Attributes:
        name: such as ``gram conv2_2``.
        value: the result's.
        photograph: the photograph's own value; None where it has no meaning.
        painting: the painting's own value; None where it has no meaning.
        fault: the fault that the value shows; empty for none.

    """

    name: str
    value: float
    photograph: float | None = None
    painting: float | None = None
    fault: str = ""


@dataclass(frozen=True)
class Panel:
    """All figures of one result.

    Attributes:
        subject: the result's name.
        facts: facts of the measurement, name to text.
        figures: the lines.

    """

    subject: str
    facts: dict[str, str]
    figures: tuple[Figure, ...]

    @property
    def faults(self) -> tuple[str, ...]:
        """Each fault once, in the order of the figures."""
        return tuple(dict.fromkeys(each.fault for each in self.figures if each.fault))

    def __getitem__(self, name: str) -> float:
        """The value of a figure."""
        return {each.name: each.value for each in self.figures}[name]

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON; NaN and infinity become None."""
        figures = {each.name: asdict(each) for each in self.figures}
        for values in figures.values():
            del values["name"]
            if not math.isfinite(values["value"]):
                values["value"] = None
        return {"subject": self.subject, "facts": self.facts, "figures": figures}
