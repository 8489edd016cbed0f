"""How far raters agree: the report's figure 4 as a number."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from impasto.evaluate.rating.choices import Ballot

Shared = tuple[str, str, str]  # item, and two contenders in order of their names


@dataclass(frozen=True)
class PairAgreement:
    """Two raters: how many comparisons both judged, and in how many they chose the same."""

    raters: tuple[str, str]
    shared: int
    agreed: int


@dataclass(frozen=True)
class Agreement:
    """Agreement of all raters.

    Attributes:
        alpha: Krippendorff's alpha: 1 for perfect agreement, 0 for chance; not a number where no
            comparison was judged by two.
        shared: comparisons that two raters or more have judged.
        pairs: every two raters.

    """

    alpha: float
    shared: int
    pairs: tuple[PairAgreement, ...]


def agreement_of(ballots: Sequence[Ballot]) -> Agreement:
    """Agreement on the comparisons that raters share, whichever side was shown left.

    A choice counts as 1, -1 or, for a tie, 0. Which contender is called the first is arbitrary, so
    every comparison enters alpha both ways round.
    """
    judged = {ballot.rater: _verdicts(ballot) for ballot in ballots}
    everything = {key for verdicts in judged.values() for key in verdicts}
    units = [
        [verdicts[key] for verdicts in judged.values() if key in verdicts] for key in everything
    ]
    units = [unit for unit in units if len(unit) > 1]
    turned = [[-value for value in unit] for unit in units]
    return Agreement(krippendorff_alpha(units + turned), len(units), tuple(_pairs(judged)))


def krippendorff_alpha(units: Sequence[Sequence[float]]) -> float:
    """Krippendorff's alpha with the interval metric (Krippendorff 2011, Computing alpha).

    Args:
        units: the values that each thing judged was given, by however many raters; those with a
            single value are left out.

    Returns:
        1 - D_o / D_e; not a number where no two values differ or none belong to one unit.

    """
    units = [unit for unit in units if len(unit) > 1]
    values = [value for unit in units for value in unit]
    if len(set(values)) < 2:
        return math.nan
    observed = sum(_squares(unit) / (len(unit) - 1) for unit in units) / len(values)
    expected = _squares(values) / (len(values) * (len(values) - 1))
    return 1 - observed / expected


def _squares(values: Sequence[float]) -> float:
    """Sum of squared differences over ordered pairs."""
    total = sum(values)
    return 2 * (len(values) * sum(value**2 for value in values) - total**2)


def _verdicts(ballot: Ballot) -> dict[Shared, float]:
    """By comparison: 1 for the first name, -1 for the second, 0 for a tie; the last one counts."""
    found = {}
    for each in ballot.choices:
        first, second = sorted((each.left, each.right))
        found[each.item, first, second] = 2 * each.points(first) - 1
    return found


def _pairs(judged: dict[str, dict[Shared, float]]) -> Iterator[PairAgreement]:
    for one, other in combinations(judged, 2):
        shared = judged[one].keys() & judged[other].keys()
        agreed = sum(judged[one][key] == judged[other][key] for key in shared)
        yield PairAgreement((one, other), len(shared), agreed)
