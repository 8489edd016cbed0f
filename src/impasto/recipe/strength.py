"""How a strength and the weights of the objective belong together. Standard library only."""

from __future__ import annotations

EVEN, EVENLY = 5.0, 2.7


def style_share(strength: float) -> float:
    """The share s of the style at a strength t: s / (1 - s) = 5 (t / (1 - t))^2.7.

    So equal steps of the strength are changes of about the same size; of s itself, nearly all that
    is seen happens between .9 and 1.
    """
    if strength in (0, 1):
        return float(strength)
    ratio = EVEN * (strength / (1 - strength)) ** EVENLY
    return float(ratio / (1 + ratio))


def strength_for(share: float) -> float:
    """The strength that has a style share: the inverse of :func:`style_share`."""
    if share in (0, 1):
        return float(share)
    ratio = (share / (1 - share) / EVEN) ** (1 / EVENLY)
    return float(ratio / (1 + ratio))
