"""Tiles, chosen by the memory that is free, on a made-up machine."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from impasto.engine.objective.objective import Objective
from impasto.engine.objective.shrinking import Shrinking
from impasto.engine.objective.tiling import TiledObjective, make_objective
from impasto.engine.planning.fitting import SHARE
from impasto.engine.planning.footprint import Footprint
from impasto.engine.planning.plan import Machine, make_plan
from impasto.engine.run import Pictures, run
from impasto.errors import RecipeError, ShortageError
from impasto.nets.topology import COMPACT_WIDTHS, layer_table
from impasto.recipe.still import Recipe

PHOTO, PAINTING = (3072, 4096), (1000, 1200)
GB = 10**9


def _machine(free: int, *devices: str) -> Machine:
    names = devices or ("cpu",)
    return Machine(names, frozenset(), 1, dict.fromkeys(names, free))


@pytest.fixture
def network(tiny_network):
    """Of compact's widths: what it holds does not matter here."""
    return tiny_network(COMPACT_WIDTHS)


@pytest.fixture
def plan(network):
    def plan(free, *devices, photo=PHOTO, **options):
        recipe = Recipe(**{"method": "statistics", "size": "full", "optimizer": "lbfgs", **options})
        return make_plan(recipe, photo, [PAINTING], _machine(free, *devices), network)

    return plan


def test_the_whole_at_once_where_it_fits(plan):
    assert all(stage.tile is None and not stage.mapped for stage in plan(100 * GB).stages)
    small = plan(4 * GB, photo=(500, 600)).stages
    assert all(stage.tile is None for stage in small)


def test_tiles_where_it_does_not_and_then_a_file_as_well(plan):
    tiled, mapped = plan(12 * GB).stages[-1], plan(3 * GB).stages[-1]
    assert tiled.tile
    assert not tiled.mapped
    assert mapped.tile
    assert mapped.mapped
    assert plan(12 * GB).stages[0].tile is None


@given(free=st.integers(2 * GB, 60 * GB))
def test_what_is_chosen_fits_and_more_memory_never_means_smaller_tiles(free, tiny_network):
    network = tiny_network((2, 4, 8, 16, 16))
    wide = layer_table(COMPACT_WIDTHS, last="conv5_1")
    network.table = wide
    recipe = Recipe(size="full", scales=1)
    sides = []
    for memory in (free, 2 * free):
        (stage,) = make_plan(recipe, PHOTO, [PAINTING], _machine(memory), network).stages
        assert Footprint(recipe, wide).stage(stage, PHOTO) <= SHARE * memory
        sides.append((not stage.mapped, stage.tile or 10**6))
    assert sides[0] <= sides[1]


def test_beyond_memory_even_in_tiles_is_said_beforehand(plan):
    with pytest.raises(RecipeError, match=r"4096 x 3072 pixels needs .* GB .* even in tiles"):
        plan(GB // 10)


def test_a_gpu_s_memory_cannot_lie_in_a_file(plan):
    stage = plan(12 * GB, "cuda", "cpu").stages[-1]
    assert stage.tile
    assert not stage.mapped
    with pytest.raises(RecipeError, match="even in tiles"):
        plan(3 * GB, "cuda", "cpu")


def test_tiles_as_asked_for(plan):
    assert plan(100 * GB, tile=1000).stages[-1].tile == 992  # whole cells of 16
    assert plan(100 * GB, tile=1000).stages[0].tile is None  # which is smaller
    assert all(stage.tile is None for stage in plan(GB // 10, tile="none").stages)


def test_nothing_is_chosen_where_nothing_is_known(network):
    recipe = Recipe(method="statistics", size="full")
    for machine, net in ((Machine(("cpu",), frozenset(), 1), network), (_machine(GB), object())):
        plan = make_plan(recipe, PHOTO, [PAINTING], machine, net)
        assert all(stage.tile is None for stage in plan.stages)
    with pytest.raises(RecipeError, match="own networks"):
        make_plan(Recipe(method="statistics", tile=512), PHOTO, [PAINTING], _machine(GB), object())


def test_the_tiles_are_part_of_the_record(plan):
    values = json.loads(json.dumps(plan(3 * GB).as_dict()))
    assert values["stages"][-1]["tile"] == plan(3 * GB).stages[-1].tile
    assert values["stages"][-1]["mapped"] is True


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
@pytest.mark.parametrize("options", [{}, {"tileable": True}, {"average": 0.5}], ids=str)
def test_a_run_in_tiles_is_the_run(optimizer, options, tiny_network, waves):
    recipe = Recipe(
        method="statistics",
        size=96,
        scales=2,
        steps=(2, 3),
        optimizer=optimizer,
        seed=3,
        init="noise",
        **options,
    )
    photo, painting = waves(100, 130).float(), waves(60, 200, phase=1.7).float()
    sizes = (photo.shape[-2:], [painting.shape[-2:]])
    plain = make_plan(recipe, *sizes, Machine(("cpu",), frozenset(), 1))
    stages = tuple(replace(stage, tile=48, mapped=True) for stage in plain.stages)
    lent = []

    def storage(like, shape):
        lent.append(shape)
        return like.new_empty(shape)

    network = tiny_network()
    runs = [
        list(run(recipe, plan, Pictures(photo, (painting,)), network, storage=storage))
        for plan in (plain, replace(plain, stages=stages))
    ]
    assert lent
    for whole, tiled in zip(*runs, strict=True):
        assert tiled.losses.total == pytest.approx(whole.losses.total, rel=1e-3)
        assert (tiled.image - whole.image).abs().mean() < 1e-3
        assert (whole.tile, tiled.tile) == (None, 48)


def test_out_of_a_gpu_s_memory_into_smaller_tiles(tiny_network, waves):
    """The evaluation of everything but the smallest tiles fails, as a GPU's would."""
    network, photo = tiny_network(), waves(40, 60).float()
    made = []

    class Full(Objective):
        def evaluate(self, image):
            raise torch.OutOfMemoryError

    def make(tile):
        made.append(tile)
        if tile == 1536:
            raise torch.OutOfMemoryError
        if tile != 512:
            return Full(Recipe(), network, photo, [photo])
        return make_objective(Recipe(), network, photo, [photo], None, tile)

    objective = Shrinking(make, None)
    expected = TiledObjective(Recipe(), network, photo, [photo], tile=512).evaluate(photo)
    assert torch.equal(objective.evaluate(photo).gradient, expected.gradient)
    assert made == [None, 1536, 1024, 960, 768, 512]
    assert objective.tile == 512


def test_out_of_the_machine_s_memory_into_tiles_too(tiny_network, waves):
    network, photo = tiny_network(), waves(40, 60).float()
    made = []

    def make(tile):
        made.append(tile)
        if tile != 960:
            torch.empty(2**50)
        return make_objective(Recipe(), network, photo, [photo], None, tile)

    expected = TiledObjective(Recipe(), network, photo, [photo], tile=960).evaluate(photo)
    objective = Shrinking(make, None)
    assert torch.equal(objective.evaluate(photo).gradient, expected.gradient)
    assert made == [None, 1536, 1024, 960]


@pytest.mark.parametrize("can_tile", [True, False])
def test_a_machine_too_small_for_any_tile_is_one_sentence(can_tile):
    made = []

    def make(tile):
        made.append(tile)
        raise MemoryError

    with pytest.raises(ShortageError, match=r"^Memory ran out: .*\.$"):
        Shrinking(make, None, can_tile=can_tile)
    assert made == ([None, 1536, 1024, 960, 768, 512] if can_tile else [None])


def test_other_errors_of_an_objective_are_left_alone():
    def make(tile):
        raise RuntimeError("shapes do not fit")

    with pytest.raises(RuntimeError, match="shapes do not fit"):
        Shrinking(make, None)


def test_a_gpu_too_small_for_any_tile_is_one_sentence():
    def make(tile):
        raise torch.OutOfMemoryError

    with pytest.raises(RecipeError, match=r"even in tiles.*device='cpu'"):
        Shrinking(make, None)
