"""Every automatic choice, as a function of a recipe, sizes and a made-up machine."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impasto.engine.planning.plan import NARROWEST, Machine, fit, make_plan
from impasto.errors import PictureError, RecipeError
from impasto.recipe.still import Recipe

PLAIN = Machine(devices=("cpu",), fast_bf16=frozenset(), threads=3)
FAST = Machine(devices=("cuda", "cpu"), fast_bf16=frozenset({"cuda"}), threads=8)
PHOTO = (600, 800)


def test_the_last_stage_has_the_size_that_was_asked_for():
    plan = make_plan(Recipe(size=512), PHOTO, [PHOTO], PLAIN)
    assert (plan.stages[-1].height, plan.stages[-1].width) == (384, 512)
    tall = make_plan(Recipe(size=300), (1000, 500), [PHOTO], PLAIN)
    assert (tall.stages[-1].height, tall.stages[-1].width) == (300, 150)


def test_two_scales_on_a_picture_is_twice_as_large():
    recipe = Recipe(method="statistics", size=512, scales=4)
    plan = make_plan(recipe, PHOTO, [PHOTO], PLAIN)
    assert [(s.height, s.width) for s in plan.stages] == [
        (136, 181), (192, 256), (272, 362), (384, 512),
    ]  # fmt: skip


def test_matched_pictures_are_made_at_one_size_and_others_coarse_to_fine():
    (stage,) = make_plan(Recipe(size=512), PHOTO, [PHOTO], PLAIN).stages
    assert (stage.height, stage.width, stage.steps) == (384, 512, 50)
    (draft,) = make_plan(Recipe(size=512, quality="draft"), PHOTO, [PHOTO], PLAIN).stages
    assert draft.steps == 20
    plain = Recipe(method="statistics", size=1024)
    assert len(make_plan(plain, PHOTO, [PHOTO], PLAIN).stages) > 1
    assert len(make_plan(plain.but({"scales": 1}), PHOTO, [PHOTO], PLAIN).stages) == 1


def test_steps_are_one_number_for_all_or_one_for_each():
    for steps in ((7,), (7, 7, 7)):
        plan = make_plan(Recipe(size=512, scales=3, steps=steps), PHOTO, [PHOTO], PLAIN)
        assert [stage.steps for stage in plan.stages] == [7, 7, 7]
    plan = make_plan(Recipe(size=512, steps=(9, 5, 2)), PHOTO, [PHOTO], PLAIN)  # three scales
    assert [stage.steps for stage in plan.stages] == [9, 5, 2]
    assert plan.steps == 16
    assert [plan.steps_before(index) for index in range(3)] == [0, 9, 14]


@pytest.mark.parametrize("size", [100, 256, 700, 2048])
def test_every_stage_has_steps_by_default(size: int):
    assert all(s.steps > 0 for s in make_plan(Recipe(size=size), PHOTO, [PHOTO], PLAIN).stages)


def test_a_better_quality_takes_more_steps_at_every_size():
    plans = [
        make_plan(Recipe(size=700, quality=quality), PHOTO, [PHOTO], PLAIN)
        for quality in ("draft", "standard", "fine", "best")
    ]
    for worse, better in pairwise(plans):
        pairs = zip(worse.stages, better.stages, strict=True)
        assert all(a.steps < b.steps for a, b in pairs)
    assert plans[1] == make_plan(Recipe(size=700), PHOTO, [PHOTO], PLAIN)
    with pytest.raises(RecipeError, match="quality=… and steps=… contradict"):
        Recipe(quality="fine", steps=(3,))


def test_more_scales_than_the_size_has_room_for():
    with pytest.raises(RecipeError, match=r"5 scales need a larger size=.*room for 3"):
        make_plan(Recipe(method="statistics", size=40, scales=5), (40, 40), [PHOTO], PLAIN)
    with pytest.raises(RecipeError, match="larger size="):
        make_plan(Recipe(size=40, steps=(1, 2, 3, 4)), (40, 40), [PHOTO], PLAIN)


def test_a_photograph_that_would_be_too_narrow():
    with pytest.raises(PictureError, match=r"100 x 10 pixels.*larger size="):
        make_plan(Recipe(size=100), (100, 1000), [PHOTO], PLAIN)


def test_paintings_follow_the_stage_and_the_style_scale():
    recipe = Recipe(method="statistics", size=512, scales=3, style_scale=0.5)
    plan = make_plan(recipe, PHOTO, [(900, 1200), (1200, 900)], PLAIN)
    assert [stage.styles for stage in plan.stages] == [
        ((96, 128), (128, 96)),
        ((136, 181), (181, 136)),
        ((192, 256), (256, 192)),
    ]


def test_every_painting_at_every_style_scale():
    recipe = Recipe(size=256, scales=1, style_scale=(0.5, 1.0))
    (stage,) = make_plan(recipe, PHOTO, [(900, 1200), (1200, 900)], PLAIN).stages
    assert stage.styles == ((96, 128), (192, 256), (128, 96), (256, 192))


@given(
    height=st.integers(NARROWEST, 900),
    width=st.integers(NARROWEST, 900),
    scale=st.floats(0.05, 20),
    size=st.integers(32, 1500),
)
def test_a_painting_is_never_enlarged_nor_too_narrow(height, width, scale, size):
    plan = make_plan(Recipe(size=size, style_scale=scale), (300, 300), [(height, width)], PLAIN)
    for stage in plan.stages:
        (found,) = stage.styles
        assert NARROWEST <= found[0] <= height
        assert NARROWEST <= found[1] <= width


def test_a_painting_that_is_too_narrow_itself():
    """make_plan promises a PictureError "where a picture would be too narrow to have a style"."""
    with pytest.raises(PictureError):
        make_plan(Recipe(), PHOTO, [(4, 300)], PLAIN)


def test_device_and_precision_follow_the_machine():
    plan = make_plan(Recipe(), PHOTO, [PHOTO], FAST)
    assert plan.device == "cuda"
    assert [stage.precision for stage in plan.stages] == ["bf16"]
    slow = make_plan(Recipe(device="cpu"), PHOTO, [PHOTO], FAST)
    assert slow.device == "cpu"
    assert {stage.precision for stage in slow.stages} == {"fp32"}
    asked = make_plan(Recipe(precision="bf16"), PHOTO, [PHOTO], PLAIN)
    assert {stage.precision for stage in asked.stages} == {"bf16"}
    fine = make_plan(Recipe(precision="fp32"), PHOTO, [PHOTO], FAST)
    assert {stage.precision for stage in fine.stages} == {"fp32"}


def test_a_device_that_is_not_there():
    with pytest.raises(RecipeError, match=r"device='mps' .* use cuda or cpu"):
        make_plan(Recipe(device="mps"), PHOTO, [PHOTO], FAST)


def test_threads_are_the_machine_s_unless_asked_for():
    assert make_plan(Recipe(), PHOTO, [PHOTO], PLAIN).threads == 3
    assert make_plan(Recipe(threads=2), PHOTO, [PHOTO], PLAIN).threads == 2


def test_the_plan_is_a_function_and_plain_values():
    recipe = Recipe(size=256, steps=(3, 2))
    plan = make_plan(recipe, PHOTO, [PHOTO], PLAIN)
    assert plan == make_plan(recipe, PHOTO, [PHOTO], PLAIN)
    values = json.loads(json.dumps(plan.as_dict()))
    assert [stage["steps"] for stage in values["stages"]] == [3, 2]
    assert values["device"] == "cpu"


@given(steps=st.lists(st.integers(0, 300), min_size=1, max_size=4), size=st.integers(256, 1111))
def test_progress_rises_and_ends_at_one(steps: list[int], size: int):
    recipe = Recipe(size=size, scales=len(steps), steps=tuple(steps))
    plan = make_plan(recipe, (711, 800), [PHOTO], PLAIN)
    shares = [
        plan.progress(index, step)
        for index, stage in enumerate(plan.stages)
        for step in range(stage.steps + 1)
    ]
    assert shares[0] > 0
    assert all(a < b for a, b in pairwise(shares))
    assert shares[-1] == 1.0


@given(height=st.integers(1, 5000), width=st.integers(1, 5000), longest=st.integers(1, 3000))
def test_fit_keeps_the_proportions(height: int, width: int, longest: int):
    h, w = fit((height, width), longest)
    assert max(h, w) == longest
    assert min(h, w) >= 1
    assert abs(min(h, w) - longest * min(height, width) / max(height, width)) <= 1


def test_this_machine_has_a_cpu():
    machine = Machine.here()
    assert machine.devices[-1] == "cpu"
    assert machine.threads >= 1
    assert machine.fast_bf16 <= set(machine.devices)
