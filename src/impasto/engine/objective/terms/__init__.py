"""The terms of the objective: each says what it needs, and computes a loss."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from impasto.engine.objective.regions import layer_of
from impasto.engine.objective.terms.content import Content
from impasto.engine.objective.terms.regional import RegionalStyle
from impasto.engine.objective.terms.statistics import Style
from impasto.engine.objective.terms.term import Activations, Painting, Pixels, Sums, Target, Term
from impasto.engine.objective.terms.variation import Variation
from impasto.recipe.still import Recipe

__all__ = [
    "Activations",
    "Content",
    "Needed",
    "Painting",
    "Pixels",
    "RegionalStyle",
    "Style",
    "Sums",
    "Target",
    "Term",
    "needed",
]


@dataclass(frozen=True)
class Needed:
    """What a set of terms needs of a network.

    Attributes:
        maps: layers whose maps are needed, each once.
        sums: names of the statistics that are needed, each once: layers', or regions' of layers.

    """

    maps: tuple[str, ...]
    sums: tuple[str, ...]

    @property
    def layers(self) -> tuple[str, ...]:
        """All layers, each once."""
        return tuple(dict.fromkeys([*self.maps, *map(layer_of, self.sums)]))


def needed(terms: Iterable[Term]) -> Needed:
    """What these terms need, in their order."""
    by_kind: dict[str, dict[str, None]] = {"maps": {}, "sums": {}, "pixels": {}}
    for term in terms:
        by_kind[term.needs].update(dict.fromkeys(term.layers))
    return Needed(tuple(by_kind["maps"]), tuple(by_kind["sums"]))


def standard(recipe: Recipe) -> tuple[Term, ...]:
    """The terms that a recipe asks for, before they are prepared: to ask what they need."""
    return Content(recipe.content_layers), Style(recipe), Variation(recipe)
