"""The margin in which a picture goes on: made, and cut off again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from impasto.engine.crop import crop_plan, run_cropped
from impasto.engine.framing import asked, made, surrounded
from impasto.engine.objective.terms.temporal import Anchor
from impasto.engine.planning.plan import Machine, make_plan
from impasto.engine.planning.stages import Stage
from impasto.engine.run import Pictures, run
from impasto.errors import RecipeError
from impasto.ops.inits import resize
from impasto.recipe.still import Recipe

MACHINE = Machine(("cpu",), frozenset(), 1)
STEPS = {"size": 60, "scales": 2, "steps": (3, 2)}


@pytest.fixture
def pictures(waves) -> Pictures:
    return Pictures(waves(50, 60).float(), (waves(44, 40, phase=1.7).float(),))


def _plan(recipe: Recipe, pictures: Pictures):
    sizes = [tuple(style.shape[-2:]) for style in pictures.styles]
    return make_plan(recipe, tuple(pictures.content.shape[-2:]), sizes, MACHINE)


@given(
    height=st.integers(1, 40), width=st.integers(1, 40), margin=st.integers(1, 50),
    seed=st.integers(0, 99),
)  # fmt: skip
def test_a_margin_is_numpy_s_mirror_and_is_cut_off_again(height, width, margin, seed):
    picture = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))
    stage = Stage(height, width, (), 1, "fp32", margin=margin)
    found = surrounded(picture, stage)
    assert tuple(found.shape[-2:]) == stage.size
    assert all(side % 16 == 0 for side in stage.size)
    after = [made - asked - margin for made, asked in zip(stage.size, (height, width), strict=True)]
    assert all(margin <= each < margin + 16 for each in after)
    pads = ((0, 0), (0, 0), (margin, after[0]), (margin, after[1]))
    if min(height, width) > 1:
        np.testing.assert_array_equal(found.numpy(), np.pad(picture.numpy(), pads, mode="reflect"))
    assert torch.equal(asked(found, stage), picture)


def test_without_a_margin_nothing_is_put_around_or_copied():
    picture = torch.rand(1, 3, 30, 41)
    stage = Stage(30, 41, (), 1, "fp32")
    assert stage.size == (30, 41)
    assert made(picture, stage) is picture
    assert surrounded(picture, stage) is picture
    assert asked(picture, stage) is picture


def test_a_picture_is_resized_before_its_margin_is_put_around():
    picture = torch.rand(1, 3, 40, 60, generator=torch.Generator().manual_seed(1))
    stage = Stage(20, 30, (), 1, "fp32", margin=8)
    assert torch.equal(asked(made(picture, stage), stage), resize(picture, 20, 30))


@pytest.mark.parametrize("init", ["content", "noise", "style", "stripes"])
def test_states_show_what_is_asked_for_and_checkpoints_hold_what_is_made(
    init, pictures, tiny_network
):
    recipe = Recipe(**STEPS, init=init, margin=5)
    plan = _plan(recipe, pictures)
    for state in run(recipe, plan, pictures, tiny_network()):
        stage = plan.stages[state.stage]
        whole = state.checkpoint().image
        assert tuple(whole.shape[-2:]) == stage.size
        assert tuple(state.image.shape[-2:]) == (stage.height, stage.width)
        assert tuple(state.snapshot().shape[-2:]) == (stage.height, stage.width)
        assert torch.equal(state.image, asked(whole, stage))


def test_a_stage_starts_from_the_one_before_without_its_margin(pictures, tiny_network):
    recipe = Recipe(**STEPS, init="noise", margin=5, average=0.0)
    plan = _plan(recipe, pictures)
    states = [(s, s.snapshot()) for s in run(recipe, plan, pictures, tiny_network())]
    (_, end), (_, begin) = states[3], states[4]
    assert torch.equal(begin, resize(end, *begin.shape[-2:]))


def test_the_photograph_keeps_its_luminance_and_place(pictures, tiny_network):
    recipe = Recipe(
        **{**STEPS, "steps": (0, 0)}, margin=7, method="statistics", preserve_color="luminance"
    )
    *_, last = run(recipe, _plan(recipe, pictures), pictures, tiny_network())
    torch.testing.assert_close(last.snapshot(), resize(pictures.content, 50, 60), atol=1e-5, rtol=0)


def test_tiles_give_the_losses_of_the_whole(pictures, tiny_network):
    recipe = Recipe(**STEPS, margin=8, init="noise")
    plan = _plan(recipe, pictures)
    tiled = replace(plan, stages=tuple(replace(each, tile=32) for each in plan.stages))
    network = tiny_network().double()
    for whole, parts in zip(
        *(run(recipe, each, pictures, network) for each in (plan, tiled)), strict=True
    ):
        assert parts.losses.total == pytest.approx(whole.losses.total, rel=1e-3)


def test_a_run_goes_on_from_a_checkpoint_bit_for_bit(pictures, tiny_network):
    recipe = Recipe(**STEPS, margin=6)
    plan = _plan(recipe, pictures)
    points = []
    for state in run(recipe, plan, pictures, tiny_network()):
        point = state.checkpoint()
        points.append(replace(point, image=point.image.clone(), gradient=point.gradient.clone()))
        if state.step == 0:
            break
    *_, last = run(recipe, plan, pictures, tiny_network())
    *_, again = run(recipe, plan, pictures, tiny_network(), resume=points[0])
    assert torch.equal(last.snapshot(), again.snapshot())


def test_a_preview_s_window_has_a_margin_of_its_own(pictures, tiny_network):
    recipe = Recipe(size=160, scales=3, steps=(2, 1, 1), crop_preview=True, margin=8)
    plan = crop_plan(_plan(recipe, pictures), pictures.content, side=64)
    *_, last = run_cropped(recipe, plan, pictures, tiny_network())
    assert plan.stages[-1].size == (80, 80)
    assert tuple(last.image.shape[-2:]) == (64, 64)
    assert tuple(last.checkpoint().image.shape[-2:]) == (80, 80)


def test_what_ties_a_film_s_frame_has_the_margin_too(pictures, tiny_network):
    recipe = Recipe(size=60, scales=1, steps=(1,), margin=8)
    plan = _plan(recipe, pictures)
    content = resize(pictures.content, 50, 60)
    free, tied = (
        next(run(recipe, plan, replace(pictures, anchors=anchors), tiny_network())).losses
        for anchors in ((), (Anchor(content, torch.ones(1, 1, 50, 60)),))
    )
    assert tied.total == pytest.approx(free.total)  # the start is the photograph, as is the anchor
    assert tied.temporal == pytest.approx(0, abs=1e-9)


def test_tiles_and_the_report_s_method_have_no_margin(pictures):
    assert _plan(Recipe(**STEPS), pictures).stages[-1].margin == Recipe().margin > 0
    assert _plan(Recipe(**STEPS, tileable=True), pictures).stages[-1].margin == 0
    plain = _plan(Recipe(**STEPS, margin=0), pictures).stages[-1]
    assert plain.size == (plain.height, plain.width)


@pytest.mark.parametrize("margin", [-1, 513])
def test_a_margin_out_of_range_is_refused(margin):
    with pytest.raises(RecipeError, match="margin="):
        Recipe(margin=margin)
