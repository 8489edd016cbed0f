"""One part of a large picture at its final scale."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
import torch

from impasto.engine.crop import crop_plan, cropped, run_cropped
from impasto.engine.planning.plan import Machine, make_plan
from impasto.engine.run import Pictures, run
from impasto.ops.inits import resize
from impasto.recipe.still import Recipe

PLAIN = Machine(devices=("cpu",), fast_bf16=frozenset(), threads=1)
RECIPE = Recipe(method="statistics", size=160, scales=3, steps=(4, 3, 2), crop_preview=True)


@pytest.fixture
def pictures(waves) -> Pictures:
    return Pictures(waves(120, 160).float(), (waves(90, 100, phase=1.7).float(),))


def _plan(recipe, pictures, side=64):
    sizes = [tuple(style.shape[-2:]) for style in pictures.styles]
    whole = make_plan(recipe, tuple(pictures.content.shape[-2:]), sizes, PLAIN)
    return whole, crop_plan(whole, pictures.content, side=side)


def test_small_sizes_are_whole_and_large_ones_windows_around_one_spot(pictures):
    whole, plan = _plan(RECIPE, pictures)
    assert [stage.window is None for stage in plan.stages] == [True, False, False]
    assert [stage.styles for stage in plan.stages] == [stage.styles for stage in whole.stages]
    far = make_plan(replace(RECIPE, size=900, scales=4, steps=None), (120, 160), [(90, 100)], PLAIN)
    spotted = crop_plan(far, pictures.content, side=64)
    assert [stage.window is None for stage in spotted.stages] == [False] * 4
    centres = []
    for stage in spotted.stages:
        top, left, height, width = stage.window
        assert 0 <= top <= stage.height - height
        assert 0 <= left <= stage.width - width
        assert (height, width) == (64, 64)
        centres.append(((left + width / 2) / stage.width, (top + height / 2) / stage.height))
    for one, other in pairwise(centres):
        assert one == pytest.approx(other, abs=0.25)
    assert spotted.share < 0.1
    assert 0.1 < plan.share < 0.6
    assert whole.share == 1


def test_the_stream_is_that_of_any_run(pictures, tiny_network):
    _, plan = _plan(RECIPE, pictures)
    states = list(run_cropped(RECIPE, plan, pictures, tiny_network()))
    assert [state.step for state in states] == [0, 1, 2, 3, 4, 4, 5, 6, 7, 7, 8, 9]
    assert [state.stage for state in states] == [0] * 5 + [1] * 4 + [2] * 3
    assert {state.steps for state in states} == {9}
    shares = [state.progress for state in states]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert states[-1].snapshot().shape == (1, 3, 64, 64)


def test_nothing_is_changed_where_nothing_is_cut(pictures, tiny_network):
    whole, plan = _plan(RECIPE, pictures, side=512)
    assert plan == whole
    *_, last = run(RECIPE, whole, pictures, tiny_network())
    *_, same = run_cropped(RECIPE, plan, pictures, tiny_network())
    assert torch.equal(last.snapshot(), same.snapshot())


@pytest.mark.parametrize("init", ["content", "noise"])
def test_the_part_lies_where_it_lies_in_the_whole(init, pictures, tiny_network):
    """With hardly a step, what the stages before have found is enlarged to the right place."""
    recipe = Recipe(size=160, scales=3, steps=(3, 0, 0), crop_preview=True, init=init)
    whole, plan = _plan(recipe, pictures)
    *_, last = run(recipe, whole, pictures, tiny_network())
    *_, part = run_cropped(recipe, plan, pictures, tiny_network())
    wanted = cropped(last.snapshot(), plan.stages[-1])
    other = resize(last.snapshot(), 64, 64)
    error = (part.snapshot() - wanted)[..., 8:-8, 8:-8].abs().mean()
    assert error < (0.01 if init == "content" else 0.03)  # half a pixel, which noise shows most
    assert error < 0.2 * (other - wanted)[..., 8:-8, 8:-8].abs().mean()


def test_one_scale_and_the_photograph_s_colours(pictures, tiny_network):
    for options in ({"preserve_color": "statistics"}, {"preserve_color": "luminance"}):
        recipe = Recipe(size=160, scales=1, steps=(2,), crop_preview=True, **options)
        _, plan = _plan(recipe, pictures)
        states = list(run_cropped(recipe, plan, pictures, tiny_network()))
        assert [state.step for state in states] == [0, 1, 2]
        assert states[-1].snapshot().shape == (1, 3, 64, 64)


def test_a_starting_picture_is_cut_as_well(pictures, tiny_network, waves):
    recipe = Recipe(size=160, scales=1, steps=(0,), crop_preview=True, init="start.png")
    _, plan = _plan(recipe, pictures)
    start = Pictures(pictures.content, pictures.styles, waves(120, 160, phase=3.0).float())
    (state,) = run_cropped(recipe, plan, start, tiny_network())
    torch.testing.assert_close(state.image, cropped(start.init, plan.stages[0]))
