"""What a panel says, whatever was measured."""

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
        photograph: what the photograph itself would have; None where that says nothing.
        painting: what the painting itself would have; None where that says nothing.
        fault: what the value shows to be wrong; empty where nothing.

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
        facts: what was measured and with what, name to words.
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
        """Plain values, ready for JSON: what is not a number becomes None."""
        figures = {each.name: asdict(each) for each in self.figures}
        for values in figures.values():
            del values["name"]
            if not math.isfinite(values["value"]):
                values["value"] = None
        return {"subject": self.subject, "facts": self.facts, "figures": figures}
