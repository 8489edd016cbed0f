"""Pictures without any detail, or with nothing else: a result always, in bfloat16 too."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from impasto.engine.planning.plan import Machine, make_plan
from impasto.engine.run import Pictures, run
from impasto.files.weights.store import load_network
from impasto.ops.natural import natural_picture
from impasto.recipe.still import Recipe

SIZE = 48


def _stripes(dimension: int) -> torch.Tensor:
    line = torch.arange(SIZE) % 2
    grid = line[:, None] if dimension == 0 else line[None, :]
    return grid.expand(1, 3, SIZE, SIZE).float().contiguous()


EXTREMES = {
    "black": torch.zeros(1, 3, SIZE, SIZE),
    "white": torch.ones(1, 3, SIZE, SIZE),
    "one saturated channel": torch.tensor([1.0, 0, 0]).view(1, 3, 1, 1).repeat(1, 1, SIZE, SIZE),
    "stripes of one pixel": _stripes(0),
    "upright stripes": _stripes(1),
    "grey": torch.full((1, 3, SIZE, SIZE), 0.5),
    "a photograph": natural_picture(SIZE, SIZE, seed=0),
}
RECIPES = {
    "lbfgs": {"optimizer": "lbfgs", "style_loss": "gram", "average": 0.0},
    "adam": {"optimizer": "adam", "style_loss": "w2", "average": 0.9},
}
SAME = [(name, name, recipe) for name in EXTREMES for recipe in RECIPES]
PAIRS = SAME + [(*pair, "adam") for pair in pairwise(reversed(EXTREMES))]


@pytest.mark.parametrize(("content", "style", "name"), PAIRS)
def test_a_picture_comes_of_any_pictures(content, style, name):
    recipe = Recipe(size=SIZE, scales=2, steps=(4,), precision="bf16", threads=1, **RECIPES[name])
    plan = make_plan(recipe, (SIZE, SIZE), [(SIZE, SIZE)], Machine(("cpu",), frozenset(), 1))
    pictures = Pictures(EXTREMES[content], (EXTREMES[style],))
    states = list(run(recipe, plan, pictures, load_network(recipe).network))
    assert len(states) == plan.steps + 2
    for state in states:
        assert state.losses.finite
        assert state.image.isfinite().all()
        assert state.image.min() >= 0
        assert state.image.max() <= 1
        assert all(map(torch.isfinite, map(torch.tensor, state.weights.distances(state.losses))))
    for stage in (0, 1):
        losses = [state.losses.total for state in states if state.stage == stage]
        assert min(losses) <= losses[0]
