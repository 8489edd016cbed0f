"""Agreement between raters: the report's figure 4 as a number."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from impasto.evaluate.rating.choices import Ballot

Shared = tuple[str, str, str]  # item, and two contenders in order of their names


@dataclass(frozen=True)
class PairAgreement:
    """Two raters: the comparisons that both rated, and those with the same choice."""

    raters: tuple[str, str]
    shared: int
    agreed: int


@dataclass(frozen=True)
class Agreement:
    """Agreement of all raters.

    Attributes:
        alpha: Krippendorff's alpha: 1 for perfect agreement, 0 for chance; NaN if no
            comparison was rated by two.
        shared: the number of comparisons rated by two or more raters.
        pairs: every two raters.

    """

    alpha: float
    shared: int
    pairs: tuple[PairAgreement, ...]


def agreement_of(ballots: Sequence[Ballot]) -> Agreement:
    """Agreement on the comparisons that raters share, on either side.

    A choice counts as 1, -1 or, for a tie, 0. As the order of the two contenders is arbitrary,
    every comparison enters alpha in both orders.
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
        units: for each unit (comparison), the values from all raters; units with a single
            value are ignored.

    Returns:
        1 - D_o / D_e; NaN if all values are equal or no unit has two values.

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
    """By comparison: 1 for the first name, -1 for the second, 0 for a tie; the last counts."""
    verdicts = {}
    for each in ballot.choices:
        first, second = sorted((each.left, each.right))
        verdicts[each.item, first, second] = 2 * each.points(first) - 1
    return verdicts


def _pairs(judged: dict[str, dict[Shared, float]]) -> Iterator[PairAgreement]:
    for one, other in combinations(judged, 2):
        shared = judged[one].keys() & judged[other].keys()
        agreed = sum(judged[one][key] == judged[other][key] for key in shared)
        yield PairAgreement((one, other), len(shared), agreed)
