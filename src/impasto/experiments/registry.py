"""All experiments, in the order of the report."""

from __future__ import annotations

from collections.abc import Sequence

from impasto.errors import RecipeError
from impasto.experiments.adversarial import ADVERSARIAL
from impasto.experiments.agreement import NETWORKS
from impasto.experiments.anatomy import ARCHITECTURE, CONVOLUTION, POOLING
from impasto.experiments.film import FRAMES
from impasto.experiments.layers import CONTENT_LAYER, STYLE_LAYER
from impasto.experiments.model import Experiment
from impasto.experiments.optimisers import OPTIMISERS_COMPARED
from impasto.experiments.photographs import PHOTOREALISTIC, RESTORATION
from impasto.experiments.seeing import FEATURES, RECONSTRUCTIONS
from impasto.experiments.starts import INITIALISATION, SEEDED, STRIPES
from impasto.experiments.tradeoff import TRADEOFF

EXPERIMENTS = {
    experiment.name: experiment
    for experiment in (
        ARCHITECTURE,
        CONVOLUTION,
        POOLING,
        FEATURES,
        RECONSTRUCTIONS,
        OPTIMISERS_COMPARED,
        TRADEOFF,
        CONTENT_LAYER,
        STYLE_LAYER,
        INITIALISATION,
        STRIPES,
        SEEDED,
        FRAMES,
        PHOTOREALISTIC,
        RESTORATION,
        ADVERSARIAL,
        NETWORKS,
    )
}
EVERY = "all"


def find_experiments(names: Sequence[str]) -> list[Experiment]:
    """The experiments of these names, in the report's order; ``all`` means every one.

    Raises:
        RecipeError: there is no experiment of that name.

    """
    for name in names:
        if name != EVERY and name not in EXPERIMENTS:
            raise RecipeError(
                f"There is no experiment {name!r}: choose from {', '.join(EXPERIMENTS)}, or all."
            )
    wanted = EXPERIMENTS if EVERY in names else names
    return [experiment for name, experiment in EXPERIMENTS.items() if name in wanted]
