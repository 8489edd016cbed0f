"""Agreement between raters."""

from __future__ import annotations

import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from impasto.evaluate.rating.agreement import agreement_of, krippendorff_alpha
from impasto.evaluate.rating.choices import Ballot, Choice

PUBLISHED = [  # Krippendorff 2011, Computing Krippendorff's Alpha-Reliability, example C; by rater
    [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
]


def test_alpha_is_the_published_one():
    units = [[v for v in unit if v is not None] for unit in zip(*PUBLISHED, strict=True)]
    assert krippendorff_alpha(units) == pytest.approx(0.849, abs=5e-4)


@given(st.lists(st.lists(st.sampled_from([-1, 0, 1]), min_size=1, max_size=4), max_size=8))
def test_alpha_by_its_definition_over_pairs(units):
    paired = [unit for unit in units if len(unit) > 1]
    values = [value for unit in paired for value in unit]
    expected = [(a - b) ** 2 for a, b in permutations(values, 2)]
    if not sum(expected):
        assert math.isnan(krippendorff_alpha(units))
        return
    within = [(a - b) ** 2 / (len(unit) - 1) for unit in paired for a, b in permutations(unit, 2)]
    wanted = 1 - (sum(within) / len(values)) / np.mean(expected)
    assert krippendorff_alpha(units) == pytest.approx(wanted)


def _ballot(rater: str, *answers: str) -> Ballot:
    """One answer an item: A or B for the contender preferred; = for a tie; . for none."""
    sides = {"A": "left", "B": "right", "=": "tie"}
    chosen = [
        Choice(f"item {n}", "A", "B", sides[answer])
        for n, answer in enumerate(answers)
        if answer != "."
    ]
    return Ballot(tuple(chosen), rater)


def test_pairs_are_counted_whichever_side_was_left():
    one, other = _ballot("one", *"AAB=."), _ballot("other", *"ABB=A")
    turned = tuple(
        Choice(c.item, "B", "A", {"left": "right", "right": "left", "tie": "tie"}[c.choice])
        for c in other.choices
    )
    for ballots in ([one, other], [one, Ballot(turned, "other")]):
        found = agreement_of(ballots)
        assert found.shared == 4
        (pair,) = found.pairs
        assert (pair.raters, pair.shared, pair.agreed) == (("one", "other"), 4, 3)


def test_perfect_chance_and_opposite():
    always, never = "AABBA=AB", "BBAAB=BA"
    assert agreement_of([_ballot("1", *always), _ballot("2", *always)]).alpha == 1
    assert agreement_of([_ballot("1", *always), _ballot("2", *never)]).alpha < -0.8
    generator = np.random.default_rng(0)
    random = ["".join(generator.choice(["A", "B"], 400)) for _ in range(3)]
    found = agreement_of([_ballot(str(n), *answers) for n, answers in enumerate(random)])
    assert found.alpha == pytest.approx(0, abs=0.08)
    assert len(found.pairs) == 3


def test_calling_the_contenders_otherwise_changes_nothing():
    one, other = _ballot("one", *"AAAAAB=A"), _ballot("other", *"AABAAA=A")

    def renamed(ballot: Ballot) -> Ballot:
        names = {"A": "Z", "B": "B"}
        return Ballot(
            tuple(Choice(c.item, names[c.left], names[c.right], c.choice) for c in ballot.choices),
            ballot.rater,
        )

    alpha = agreement_of([one, other]).alpha
    assert alpha == pytest.approx(agreement_of([renamed(one), renamed(other)]).alpha)
    assert 0 < alpha < 1


def test_one_rater_has_nobody_to_agree_with():
    found = agreement_of([_ballot("one", *"AAB")])
    assert (found.shared, found.pairs) == (0, ())
    assert math.isnan(found.alpha)
