"""Strengths at which contenders keep as much of the photograph as the reference."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean

from benchmarks.contenders import REFERENCE, REPORT, Contender
from benchmarks.notes import Notes
from benchmarks.pairs import Pair
from benchmarks.rounds import Entry, Round

TOLERANCE = 0.03  # of the matched distance
TARGET: float = REPORT["strength"]
SLOPE = 0.35  # of the logarithm of the distance over the strength's log-odds, as a first guess


def match(
    contenders: Sequence[Contender], pairs: Sequence[Pair], heat: Round, notes: Notes
) -> dict[str, float]:
    """The strength at which each contender has the reference's distance to the content."""
    known: dict[str, float] = notes.of("strength")
    target: float | None = None
    for each in contenders:
        if each.balance or each.name in known:
            continue
        if each == REFERENCE:
            known[each.name] = TARGET
        else:
            target = target or _distance(REFERENCE, TARGET, pairs, heat)
            known[each.name] = _matched(each, target, pairs, heat)
        notes.keep("strength", known)
    return known


def _matched(contender: Contender, target: float, pairs: Sequence[Pair], heat: Round) -> float:
    """Find the strength by the secant method, on its log-odds and the logarithm of the distance."""

    def error(odds: float) -> float:
        distance = _distance(contender, _sigmoid(odds), pairs, heat)
        print(f"{contender.name:20} s={_sigmoid(odds):.4f}  {distance:.3f} for {target:.3f}")
        return math.log(distance / target)

    before, odds, slope = math.nan, math.log(TARGET / (1 - TARGET)), SLOPE
    excess = error(odds)
    for _ in range(4):
        if abs(excess) < TOLERANCE:
            break
        before, last, odds = excess, odds, min(max(odds - excess / slope, -3.0), 9.0)
        excess = error(odds)
        slope = min(max((excess - before) / (odds - last), 0.1), 1.5) if odds != last else slope
    return _sigmoid(odds)


def _distance(contender: Contender, strength: float, pairs: Sequence[Pair], heat: Round) -> float:
    """Geometric mean over pairs of sqrt(L_content / C0), on the reference's network and pooling."""
    logarithms = []
    for pair in pairs:
        job = heat.job(contender, pair, strength=strength)
        for _ in job:
            pass
        objective = Entry(REFERENCE, pair, heat.size, {}).scene().objective()
        losses = objective.evaluate(job.result().tensor).losses
        logarithms.append(math.log(max(objective.weights.distances(losses)[0], 1e-6)))
    return math.exp(fmean(logarithms))


def _sigmoid(odds: float) -> float:
    return 1 / (1 + math.exp(-odds))
