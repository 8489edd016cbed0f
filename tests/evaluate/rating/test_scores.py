"""Scores: by hand, by other means, and from made raters."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from impasto.evaluate.rating.choices import Ballot, Choice
from impasto.evaluate.rating.scores import Scores, fit, score_ballots, wins_by_item


def test_two_contenders_by_hand():
    """Four wins of four: 4 (1 - p) = d / (2 prior^2), with p = 3/4 at d = log 3."""
    wins = np.array([[0.0, 4], [0, 0]])
    scores, covariance = fit(wins, prior=math.sqrt(math.log(3) / 2))
    assert scores == pytest.approx([math.log(3) / 2, -math.log(3) / 2])
    # -log posterior of d has the second derivative 4 p (1 - p) + 1 / (2 prior^2)
    curvature = 4 * 3 / 16 + 1 / math.log(3)
    found = Scores(("a", "b"), scores, covariance)
    value, low, high = found.difference("a", "b")
    assert value == pytest.approx(math.log(3))
    assert (high - low) / 2 == pytest.approx(1.959964 / math.sqrt(curvature))
    assert found.score("a")[0] == pytest.approx(value / 2)
    assert found.difference("b", "a") == pytest.approx((-value, -high, -low))


def test_ties_are_half_a_win_each():
    choices = [Choice("i", "a", "b", "tie"), Choice("i", "b", "a", "tie")]
    wins = wins_by_item([Ballot(tuple(choices))], ("a", "b"))
    assert wins.tolist() == [[[0, 1], [1, 0]]]
    assert fit(wins[0])[0] == pytest.approx([0, 0])


@given(seed=st.integers(0, 10**6), prior=st.floats(0.1, 5))
def test_the_fit_is_scipys_maximum(seed, prior):
    wins = np.random.default_rng(seed).integers(0, 7, (4, 4)).astype(float)
    np.fill_diagonal(wins, 0)

    def loss(s):
        ahead = s[:, None] - s[None, :]
        return (wins * np.log1p(np.exp(-ahead))).sum() + (s**2).sum() / (2 * prior**2)

    wanted = minimize(loss, np.zeros(4), method="BFGS", options={"gtol": 1e-8}).x
    scores, covariance = fit(wins, prior=prior)
    assert scores == pytest.approx(wanted, abs=1e-4)
    assert scores.sum() == pytest.approx(0, abs=1e-9)
    assert covariance.sum(0) == pytest.approx(np.zeros(4), abs=1e-9)


def test_extremes_stay_finite():
    wins = np.zeros((3, 3))
    wins[0, 1] = wins[1, 2] = wins[0, 2] = 1e4
    scores, covariance = fit(wins, prior=3)
    assert np.isfinite(covariance).all()
    assert scores[0] > scores[1] > scores[2]


TRUTH = {"a": 0.9, "b": 0.3, "c": -0.2, "d": -1.0}


def _rater(count: int, seed: int) -> Ballot:
    generator = np.random.default_rng(seed)
    choices = []
    for number in range(count):
        left, right = generator.permutation(list(TRUTH))[:2].tolist()
        chance = 1 / (1 + math.exp(TRUTH[right] - TRUTH[left]))
        choice = "left" if generator.random() < chance else "right"
        choices.append(Choice(f"item {number % 12}", left, right, choice))
    return Ballot(tuple(choices), f"rater {seed}")


def test_many_choices_recover_the_truth():
    found = score_ballots([_rater(6000, 0)], prior=10)
    assert found.ranked == ("a", "b", "c", "d")
    for name, truth in TRUTH.items():
        assert found.score(name)[0] == pytest.approx(truth, abs=0.1)


@pytest.mark.parametrize("bootstrap", [0, 30])
def test_intervals_cover_the_truth_as_often_as_they_say(bootstrap):
    covered = [
        low <= TRUTH["a"] - TRUTH["d"] <= high
        for seed in range(40)
        for _, low, high in [
            score_ballots([_rater(120, seed)], prior=2, bootstrap=bootstrap).difference("a", "d")
        ]
    ]
    assert 0.85 <= sum(covered) / len(covered) <= 1


def test_choices_that_hang_on_the_item_widen_the_bootstrap():
    """On every item all choices fall alike: 8 items are 8 observations, not 80."""
    winners = "left", "left", "right", "left", "right", "left", "left", "left"
    choices = [Choice(f"i{n}", "a", "b", w) for n, w in enumerate(winners) for _ in range(10)]
    ballots = [Ballot(tuple(choices))]
    plain = score_ballots(ballots, prior=5).difference("a", "b")
    drawn = score_ballots(ballots, prior=5, bootstrap=300).difference("a", "b")
    assert drawn[2] - drawn[1] > 2 * (plain[2] - plain[1])
    assert drawn == score_ballots(ballots, prior=5, bootstrap=300).difference("a", "b")
