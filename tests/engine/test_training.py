"""What one step of a training does."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
import torch

from impasto.engine.training import Trainer, Training
from impasto.errors import RecipeError
from impasto.nets.feedforward import Painter
from impasto.recipe.still import Recipe

RECIPE = Recipe(size=48, precision="fp32", threads=1, strength=0.9)
SMALL = partial(Painter, widths=(4, 6, 8), blocks=1)


def _trainer(tiny_network, waves, *, count: int = 1, **options) -> Trainer:
    paintings = [waves(40, 52, phase=1.7 + i).float().clamp(0, 1) for i in range(count)]
    training = Training(size=32, batch=2, rate=1e-2, **options)
    return Trainer(training, RECIPE, tiny_network(), paintings, SMALL)


def _crops(waves) -> torch.Tensor:
    return torch.cat([waves(32, 32, phase=p).float().clamp(0, 1) for p in (0.2, 0.9)])


def test_it_learns(tiny_network, waves):
    trainer = _trainer(tiny_network, waves)
    losses = [trainer.advance(_crops(waves), step / 60).total for step in range(60)]
    assert losses[-1] < 0.7 * losses[0]


def test_the_loss_is_the_objective_s_of_what_it_paints(tiny_network, waves):
    trainer, crops = _trainer(tiny_network, waves), _crops(waves)
    pictures = trainer.painted(crops)
    wanted = [
        trainer.objective(photograph[None]).evaluate(picture[None]).losses
        for photograph, picture in zip(crops, pictures, strict=True)
    ]
    found = trainer.advance(crops, 0.0)
    assert found.total == pytest.approx(sum(each.total for each in wanted) / 2, rel=1e-5)
    assert found.style == pytest.approx(sum(each.style for each in wanted) / 2, rel=1e-5)


def test_paintings_take_turns(tiny_network, waves):
    trainer = _trainer(tiny_network, waves, count=2)
    before = trainer.state_dict()
    trainer.advance(_crops(waves), 0.0)
    after = trainer.state_dict()
    name = "painter.enter.norm.gain"
    assert not torch.equal(before[name][0], after[name][0])
    assert torch.equal(before[name][1], after[name][1])


def test_gone_on_with_it_is_the_same_bit_for_bit(tiny_network, waves):
    whole, first, second = (_trainer(tiny_network, waves) for _ in range(3))
    for _ in range(4):
        whole.advance(_crops(waves), 0.5)
    for _ in range(2):
        first.advance(_crops(waves), 0.5)
    second.load_state_dict(first.state_dict(), first.step)
    for _ in range(2):
        second.advance(_crops(waves), 0.5)
    one, other = whole.state_dict(), second.state_dict()
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_another_network_s_state_is_refused(tiny_network, waves):
    trainer, other = _trainer(tiny_network, waves), _trainer(tiny_network, waves, count=2)
    other.advance(_crops(waves), 0.0)
    with pytest.raises((RuntimeError, KeyError, ValueError)):
        trainer.load_state_dict(other.state_dict(), 1)


def test_the_seed_decides_weights_and_crops(tiny_network, waves):
    one, same, other = (_trainer(tiny_network, waves, seed=s) for s in (1, 1, 2))
    name = "painter.enter.convolution.weight"
    assert torch.equal(one.state_dict()[name], same.state_dict()[name])
    assert not torch.equal(one.state_dict()[name], other.state_dict()[name])
    drawn = [torch.rand((), generator=each.generator()) for each in (one, same, other)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_the_caller_s_generator_is_left_alone(tiny_network, waves):
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    _trainer(tiny_network, waves)
    assert torch.equal(torch.rand(3), wanted)


@pytest.mark.parametrize(
    "options",
    [{"size": 30}, {"size": 34}, {"batch": 0}, {"rate": 0.0}, {"seed": -1}, {"size": 1e9}],
)
def test_what_is_out_of_range_is_refused(options):
    with pytest.raises(RecipeError, match=next(iter(options))):
        replace(Training(), **options)
