"""Resumed from any state, a run ends in the same pixels and losses, bit for bit."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from impasto.engine.crop import crop_plan, run_cropped
from impasto.engine.planning.plan import Machine, make_plan
from impasto.engine.run import Pictures, run
from impasto.engine.state import Checkpoint
from impasto.errors import RecordError
from impasto.recipe.still import Recipe

OPTIONS = [
    {},
    {"optimizer": "adam"},
    {"init": "noise", "precision": "bf16"},
    {"preserve_color": "statistics"},
    {"crop_preview": True},
    {"average": 0.9, "style_loss": "w2"},
]


class Run:
    """A run of two scales, whole or from a checkpoint."""

    def __init__(self, tiny_network, waves, *, steps=(5, 4), **options):
        given = {"size": 64, "content_layers": ("conv2_1",), "style_layers": ("conv2_1",)}
        self.recipe = Recipe(**{**given, "steps": steps, **options})
        self.network = tiny_network(last="conv2_1")
        self.pictures = Pictures(waves(64, 64).float(), (waves(44, 40, phase=1.7).float(),))
        plan = make_plan(self.recipe, (64, 64), [(44, 40)], Machine(("cpu",), frozenset(), 1))
        self.go = run
        if self.recipe.crop_preview:
            self.go, plan = run_cropped, crop_plan(plan, self.pictures.content, side=24)
        self.plan = plan

    def __call__(self, resume=None):
        return self.go(self.recipe, self.plan, self.pictures, self.network, resume=resume)


def _copied(value):
    """As from a file: other tensors of the same numbers."""
    if isinstance(value, torch.Tensor):
        return value.clone()
    if isinstance(value, dict):
        return {name: _copied(each) for name, each in value.items()}
    return [_copied(each) for each in value] if isinstance(value, list) else value


def _stored(point: Checkpoint) -> Checkpoint:
    tensors = {name: getattr(point, name).clone() for name in ("image", "gradient")}
    return replace(point, optimizer=_copied(dict(point.optimizer)), **tensors)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_resumed_at_any_step_it_ends_in_the_same_bits(options, tiny_network, waves):
    go = Run(tiny_network, waves, **options)
    whole, points = [], []
    for state in go():
        points.append(_stored(state.checkpoint()))
        whole.append((state.step, state.stage, state.progress, state.losses, state.snapshot()))
    for index, point in enumerate(points):
        rest = list(go(point))
        assert len(rest) == len(whole) - index
        for state, (step, stage, progress, losses, _) in zip(rest, whole[index:], strict=True):
            assert (state.step, state.stage, state.progress) == (step, stage, progress)
            assert state.losses == losses
        assert torch.equal(rest[-1].snapshot(), whole[-1][-1])


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_nothing_is_drawn_at_random_once_a_run_has_started(optimizer, tiny_network, waves):
    """So a checkpoint needs no generator's state."""
    states = Run(tiny_network, waves, init="noise", optimizer=optimizer)()
    next(states)
    before = torch.get_rng_state()
    assert len(list(states)) > 5
    assert torch.equal(torch.get_rng_state(), before)


def _point(tiny_network, waves) -> tuple[Run, Checkpoint]:
    go = Run(tiny_network, waves, optimizer="lbfgs")
    return go, [_stored(state.checkpoint()) for state in go()][3]


@pytest.mark.parametrize(
    "wrong",
    [
        {"stage": 2},
        {"stage": -1},
        {"step": 99},
        {"image": torch.zeros(1, 3, 9, 9)},
        {"gradient": torch.zeros(1, 3, 32, 32, dtype=torch.float64)},
        {"optimizer": {}},
        {"optimizer": {"is_adam": True, "optimizer": {}}},
    ],
    ids=str,
)
def test_another_run_s_checkpoint_is_refused(wrong, tiny_network, waves):
    go, point = _point(tiny_network, waves)
    with pytest.raises(RecordError, match="leave out resume="):
        go(replace(point, **wrong))


def test_the_other_optimiser_s_state_is_refused(tiny_network, waves):
    _, point = _point(tiny_network, waves)
    with pytest.raises(RecordError, match="another optimiser"):
        Run(tiny_network, waves, optimizer="adam")(point)
