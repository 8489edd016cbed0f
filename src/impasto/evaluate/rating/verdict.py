"""The result of a set of choices: scores, counts, agreement of the raters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

from impasto.evaluate.rating.agreement import Agreement
from impasto.evaluate.rating.choices import Ballot
from impasto.evaluate.rating.scores import Scores


@dataclass(frozen=True)
class Verdict:
    """Ballots and their evaluation.

    Attributes:
        ballots: the choices, by rater.
        scores: of the contenders.
        agreement: between the raters.
        reference: the contender with whom the others are compared.

    """

    ballots: Sequence[Ballot]
    scores: Scores
    agreement: Agreement
    reference: str

    def tally(self, name: str) -> tuple[int, int, int]:
        """How often a contender won, tied and lost."""
        points = [
            choice.points(name)
            for ballot in self.ballots
            for choice in ballot.choices
            if name in (choice.left, choice.right)
        ]
        return points.count(1.0), points.count(0.5), points.count(0.0)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON; the contenders best first."""
        ranked = self.scores.ranked
        agreement = asdict(self.agreement)
        if math.isnan(self.agreement.alpha):
            agreement["alpha"] = None
        return {
            "raters": {ballot.rater: len(ballot.choices) for ballot in self.ballots},
            "contenders": [self._contender(name) for name in ranked],
            "differences": [
                {"contenders": [one, other], **_named(self.scores.difference(one, other))}
                for one, other in combinations(ranked, 2)
            ],
            "agreement": agreement,
        }

    def _contender(self, name: str) -> dict[str, Any]:
        won, tied, lost = self.tally(name)
        counts = {"won": won, "tied": tied, "lost": lost}
        return {"name": name, **_named(self.scores.score(name)), **counts}


def _named(interval: tuple[float, float, float]) -> dict[str, float]:
    value, low, high = interval
    return {"score": value, "low": low, "high": high}
