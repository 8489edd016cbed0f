"""Methods: what an option is where a recipe leaves it open. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from impasto.recipe.strength import strength_for

if TYPE_CHECKING:
    from impasto.recipe.still import Recipe

NEIGHBOURS, STATISTICS, REPORT = "neighbours", "statistics", "report"
_STATISTICS: Mapping[str, Any] = {
    "strength": 0.68,
    "init": "content",
    "neighbours": 0.0,
    "style_loss": "w2",
    "layer_weights": "falling",
    "optimizer": "adam",
    "average": 0.9,
    "margin": 8,
    "precision": "auto",
    "style_layers": ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"),
}
METHODS: Mapping[str, Mapping[str, Any]] = {
    NEIGHBOURS: {**_STATISTICS, "strength": 0.6, "init": "instant", "neighbours": 0.3},
    STATISTICS: _STATISTICS,
    REPORT: {
        "strength": 0.62,
        "init": "noise",
        "neighbours": 0.0,
        "style_loss": "gram",
        "style_layers": _STATISTICS["style_layers"],
        "layer_weights": "equal",
        "optimizer": "lbfgs",
        "average": 0.0,
        "margin": 0,
        "precision": "fp32",
        "scales": 1,
        "tv": 0.0,
    },
}
"""By method: the values of the options that are left open."""
_INSTANT: Mapping[str, Any] = {**_STATISTICS, "strength": 0.6}
_GRADED: Mapping[str, Any] = {**_STATISTICS, "strength": 1.0, "margin": 0, "precision": "fp32"}
_OF_STATISTICS = ("style_loss", "style_layers", "layer_weights", "alpha", "beta")


def automatic(given: Mapping[str, Any]) -> str:
    """The method where none is named.

    Neighbours need the bundled network and something to optimise; and who names what eq. (7) is
    made of is after statistics.

    Args:
        given: options by name, without those that are left open.

    """
    is_other = given.get("network", "compact") != "compact" or given.get("weights") is not None
    is_other = is_other or given.get("tileable", False) or given.get("quality") == "instant"
    is_other = is_other or given.get("photorealistic", False) or given.get("restore", False)
    return STATISTICS if is_other or any(name in given for name in _OF_STATISTICS) else NEIGHBOURS


def settled(recipe: Recipe) -> Mapping[str, Any]:
    """What the options that are left open are in a recipe, by its method and quality."""
    if recipe.is_graded:
        return _GRADED
    return _INSTANT if recipe.is_instant else METHODS.get(recipe.method, {})


def settle(recipe: Recipe) -> None:
    """Give what is left open in a recipe that is being made its method's value."""
    named = {name: value for name, value in vars(recipe).items() if value is not None}
    if recipe.method is None:
        object.__setattr__(recipe, "method", automatic(named))
    for name, value in settled(recipe).items():
        if getattr(recipe, name) is None:
            object.__setattr__(recipe, name, value)


def told(name: str) -> str:
    """The end of an option's explanation: what it is by which method where it is not given."""
    usual = METHODS[STATISTICS][name]
    others = {method: own[name] for method, own in METHODS.items() if own[name] != usual}
    apart = "".join(f"; {value} with --method {method}" for method, value in others.items())
    return f" When not given: {usual}{apart}."


def brought_up(recipe: Any) -> Any:
    """The values of a recipe from before there were methods, when a strength was a share.

    What is none stays as it is. An instant picture's strength said how evenly the painting is used,
    from one half on.
    """
    if not isinstance(recipe, Mapping) or "method" in recipe:
        return recipe
    old = recipe.get("strength", 0.975)
    if recipe.get("quality") == "instant":
        strength = old if old < 0.5 else (2 * old + 1) / 4
    else:
        strength = strength_for(old)
    return {**recipe, "method": STATISTICS, "strength": strength}
