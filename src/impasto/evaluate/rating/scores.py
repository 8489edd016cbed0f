"""Bradley-Terry scores of contenders, with a Gaussian prior, and their intervals.

i is preferred to j with probability 1 / (1 + exp(s_j - s_i)) (Bradley and Terry 1952). A tie
counts as half a win for each. The prior, normal with mean 0, keeps the scores of contenders finite
that won or lost every time, and pulls scores that rest on few comparisons towards 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from impasto.evaluate.rating.choices import Ballot, contenders

Array = npt.NDArray[np.float64]

PRIOR = 1.0  # standard deviation of the scores; odds of e : 1 against an average contender
COVERED = 1.959964  # standard deviations on either side that include 95% of a Gaussian
MOST_STEPS, ENOUGH = 100, 1e-10


@dataclass(frozen=True)
class Scores:
    """Scores on the scale of log-odds; they sum to 0.

    Attributes:
        names: contenders, sorted by name.
        values: their scores, ``(n,)``.
        covariance: of the estimated scores, ``(n, n)``.

    """

    names: tuple[str, ...]
    values: Array
    covariance: Array

    @property
    def ranked(self) -> tuple[str, ...]:
        """The contenders, best first."""
        return tuple(self.names[i] for i in np.argsort(-self.values, kind="stable"))

    def score(self, name: str) -> tuple[float, float, float]:
        """Score, and both ends of its 95% interval."""
        place = self.names.index(name)
        return _interval(self.values[place], self.covariance[place, place])

    def difference(self, name: str, other: str) -> tuple[float, float, float]:
        """The difference between two scores, and both ends of its 95% interval."""
        i, j = self.names.index(name), self.names.index(other)
        variance = self.covariance[i, i] + self.covariance[j, j] - 2 * self.covariance[i, j]
        return _interval(self.values[i] - self.values[j], variance)


def score_ballots(
    ballots: Sequence[Ballot], *, prior: float = PRIOR, bootstrap: int = 0, seed: int = 0
) -> Scores:
    """Scores of all contenders.

    Args:
        ballots: the choices; all have the same weight.
        prior: standard deviation of the prior.
        bootstrap: 0 computes the covariance from the curvature at the maximum, which assumes
            independent choices; otherwise the number of resamples of the items, with replacement,
            which accounts for correlated choices on the same item.
        seed: of the bootstrap.

    """
    names = contenders(ballots)
    items = wins_by_item(ballots, names)
    values, covariance = fit(items.sum(0), prior=prior)
    if bootstrap:
        generator = np.random.default_rng(seed)
        even = np.full(len(items), 1 / len(items))
        draws = generator.multinomial(len(items), even, size=bootstrap)
        sampled = [fit(np.tensordot(draw, items, 1), prior=prior)[0] for draw in draws]
        covariance = np.cov(np.array(sampled).T)
    return Scores(names, values, covariance)


def wins_by_item(ballots: Sequence[Ballot], names: Sequence[str]) -> Array:
    """How often the first was preferred to the second, ``(items, n, n)``; a tie counts half."""
    choices = [choice for ballot in ballots for choice in ballot.choices]
    places = {name: place for place, name in enumerate(names)}
    items = {item: place for place, item in enumerate(sorted({each.item for each in choices}))}
    wins = np.zeros((len(items), len(names), len(names)))
    for each in choices:
        left, right = places[each.left], places[each.right]
        wins[items[each.item], left, right] += each.points(each.left)
        wins[items[each.item], right, left] += each.points(each.right)
    return wins


def fit(wins: Array, *, prior: float = PRIOR) -> tuple[Array, Array]:
    """The most probable scores, by Newton's method, and their covariance.

    Args:
        wins: how often i was preferred to j, ``(n, n)``; a tie counts half.
        prior: standard deviation of the Gaussian prior.

    Returns:
        Scores ``(n,)``, which sum to 0, and the covariance ``(n, n)`` of the centred scores: the
        inverse of the negative log-posterior's Hessian.

    """
    games = wins + wins.T
    scores = np.zeros(len(wins))
    for _ in range(MOST_STEPS):
        step = np.linalg.solve(_hessian(scores, games, prior), _gradient(scores, wins, prior))
        while _log_posterior(scores + step, wins, prior) < _log_posterior(scores, wins, prior):
            if np.abs(step).max() < ENOUGH:
                break
            step = step / 2
        scores = scores + step
        if np.abs(step).max() < ENOUGH:
            break
    centring = np.eye(len(wins)) - 1 / len(wins)
    inverse = np.linalg.inv(_hessian(scores, games, prior))
    return scores - scores.mean(), centring @ inverse @ centring


def _preference(scores: Array) -> Array:
    return np.exp(-np.logaddexp(0, scores[None, :] - scores[:, None]))


def _log_posterior(scores: Array, wins: Array, prior: float) -> float:
    ahead = scores[:, None] - scores[None, :]
    return float(-(wins * np.logaddexp(0, -ahead)).sum() - (scores**2).sum() / (2 * prior**2))


def _gradient(scores: Array, wins: Array, prior: float) -> Array:
    expected = (wins + wins.T) * _preference(scores)
    gradient: Array = (wins - expected).sum(1) - scores / prior**2
    return gradient


def _hessian(scores: Array, games: Array, prior: float) -> Array:
    """Of the negative log-posterior."""
    chance = _preference(scores)
    weight = games * chance * chance.T
    hessian: Array = np.diag(weight.sum(1) + 1 / prior**2) - weight
    return hessian


def _interval(value: Any, variance: Any) -> tuple[float, float, float]:
    half = COVERED * float(np.sqrt(max(variance, 0.0)))
    return float(value), float(value) - half, float(value) + half
