"""The stream of states, on a network a few channels wide."""

from __future__ import annotations

import pytest
import torch

from impasto.engine.objective.objective import Objective
from impasto.engine.planning.plan import Machine, make_plan
from impasto.engine.run import RIM, Pictures, run
from impasto.engine.waiting import waiting
from impasto.errors import RecipeError
from impasto.ops.color import match_color_statistics, rgb_to_luma
from impasto.ops.inits import interpolate, resize, stripes, white_noise
from impasto.recipe.still import INITS, Recipe

MACHINE = Machine(("cpu",), frozenset(), 1)
SMALL = {
    "margin": 0,
    "size": 40,
    "scales": 2,
    "steps": (4, 3),
    "average": 0.0,
    "content_layers": ("conv2_1",),
    "style_layers": ("conv1_1", "conv2_1"),
}


class Counting:
    """A network that is no torch module, and counts what it is asked."""

    def __init__(self, network):
        self.network, self.layers, self.calls = network, network.layers, 0

    def features(self, image, layers):
        self.calls += 1
        return self.network.features(image, layers)


@pytest.fixture
def pictures(waves) -> Pictures:
    return Pictures(waves(50, 60).float(), (waves(44, 40, phase=1.7).float(),))


@pytest.fixture
def start(tiny_network, pictures):
    """Start a run with some options; a stream of states."""
    network = tiny_network(last="conv2_1")

    def start(*, network=network, pictures=pictures, make=None, **options):
        recipe = Recipe(**{**SMALL, **options})
        sizes = [tuple(style.shape[-2:]) for style in pictures.styles]
        plan = make_plan(recipe, tuple(pictures.content.shape[-2:]), sizes, MACHINE)
        return run(recipe, plan, pictures, network, optimizer=make)

    return start


def _drain(states):
    return [(state, state.snapshot()) for state in states]


def test_a_state_for_the_start_of_each_stage_and_for_every_step(start):
    states = [state for state, _ in _drain(start())]
    assert [(s.stage, s.step) for s in states] == [
        *((0, n) for n in range(5)),
        *((1, n) for n in range(4, 8)),
    ]
    assert {s.steps for s in states} == {7}
    shares = [s.progress for s in states]
    assert shares == sorted(set(shares))
    assert shares[-1] == 1
    sizes = [tuple(s.image.shape) for s in states]
    assert sizes == [(1, 3, 23, 28)] * 5 + [(1, 3, 33, 40)] * 4


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_pictures_stay_in_range_and_losses_fall_in_every_stage(optimizer, start):
    states = list(start(init="noise", steps=(8, 6), optimizer=optimizer))
    for state in states:
        assert state.image.dtype == torch.float32
        assert state.image.min() >= 0
        assert state.image.max() <= 1
    for stage in (0, 1):
        totals = [s.losses.total for s in states if s.stage == stage]
        assert totals[-1] < totals[0]


def test_losses_are_those_of_the_very_picture_of_the_state(start, tiny_network, pictures):
    recipe = Recipe(**SMALL, init="noise", tv=0.1)
    states = list(start(init="noise", tv=0.1))
    for state in (states[0], states[3], states[-1]):
        size = tuple(state.image.shape[-2:])
        style = {0: (28, 25), 1: (40, 36)}[state.stage]
        objective = Objective(
            recipe,
            tiny_network(last="conv2_1"),
            resize(pictures.content, *size),
            [resize(pictures.styles[0], *style)],
        )
        losses = objective.evaluate(state.image).losses
        assert state.weights.style_unit == pytest.approx(objective.weights.style_unit, rel=1e-3)
        for term in ("total", "content", "style", "variation"):
            assert getattr(state.losses, term) == pytest.approx(getattr(losses, term), rel=1e-3)


def test_to_cancel_is_to_stop_iterating(start, tiny_network):
    network = Counting(tiny_network(last="conv2_1"))
    states = start(network=network)
    assert network.calls == 0  # nothing is computed before the first state is asked for
    next(states)
    next(states)
    calls = network.calls
    states.close()
    assert next(states, None) is None
    assert network.calls == calls


def test_mistakes_are_said_before_the_first_state(start):
    with pytest.raises(RecipeError, match="conv5_1"):
        start(style_layers=("conv1_1", "conv5_1"))
    with pytest.raises(RecipeError, match=r"2 shares for 1 painting\b"):
        start(blend=(1, 2))


def _expected_start(init: str, pictures: Pictures, size: tuple[int, int]) -> torch.Tensor:
    return {
        "noise": white_noise(*size, seed=5),
        "stripes": stripes(*size),
        "content": resize(pictures.content, *size),
        "style": resize(pictures.styles[0], *size),
    }[init]


@pytest.mark.parametrize("init", [each for each in INITS if each != "instant"])
def test_starting_pictures(init, start, pictures):
    first = next(start(init=init, seed=5))
    assert torch.equal(first.image, _expected_start(init, pictures, (23, 28)))


def test_a_starting_picture_from_a_file(start, pictures, waves):
    given = waves(30, 30, phase=3.0).float()
    with_init = Pictures(pictures.content, pictures.styles, given)
    first = next(start(init="start.png", pictures=with_init))
    torch.testing.assert_close(first.image, resize(given, 23, 28))


def test_a_stage_starts_from_the_picture_of_the_one_before(start):
    states = _drain(start(init="noise"))
    end, begin = states[4][1], states[5][1]
    torch.testing.assert_close(begin, resize(_rimless(end), 33, 40))


def test_the_rim_is_not_enlarged_but_where_a_picture_has_none(start):
    for options in ({"init": "noise"}, {"init": "noise", "tileable": True}):
        made = [state.checkpoint().image.clone() for state in start(**options)]
        end, begin = made[4], made[5]
        expected = resize(end, *begin.shape[-2:], wrap=True)
        assert torch.allclose(begin, expected) == ("tileable" in options)


def _rimless(picture: torch.Tensor) -> torch.Tensor:
    """The third line from an edge in place of the first two."""
    rows, columns = (torch.arange(side).clamp(RIM, side - 1 - RIM) for side in picture.shape[-2:])
    return picture[..., rows, :][..., columns]


def test_a_run_from_the_photograph_enlarges_its_change_alone(start, pictures):
    states = _drain(start())
    end, begin = states[4][1], states[5][1]
    photograph, coarse = (resize(pictures.content, *p.shape[-2:]) for p in (begin, end))
    change = interpolate(_rimless(end - coarse), 33, 40)
    assert change.abs().max() > 0.01
    torch.testing.assert_close(begin, (photograph + change).clamp(0, 1))


@pytest.mark.parametrize("scales", [1, 2])
def test_strength_0_leaves_the_photograph_alone(scales, start, pictures):
    state, picture = _drain(start(strength=0.0, scales=scales, steps=(5,)))[-1]
    assert state.losses.content == pytest.approx(0, abs=1e-6 * state.weights.content_unit)
    torch.testing.assert_close(picture, resize(pictures.content, 33, 40), rtol=0, atol=1e-3)


def test_more_strength_is_more_style_and_less_content(start):
    distances = []
    for strength in (0.05, 0.2, 0.5):
        state = _drain(start(strength=strength, scales=1, steps=(60,)))[-1][0]
        distances.append(state.weights.distances(state.losses))
    content, style = zip(*distances, strict=True)
    assert content[0] < content[1] < content[2]
    assert style[0] > style[1] > style[2]


def test_the_same_plan_twice_is_the_same_picture_bit_for_bit(start):
    for options in ({"init": "noise"}, {"optimizer": "adam"}, {"precision": "bf16"}):
        one, other = (_drain(start(**options))[-1] for _ in range(2))
        assert torch.equal(one[1], other[1])
        assert one[0].losses == other[0].losses


def test_the_seed_matters_where_there_is_noise(start):
    one, other = (_drain(start(init="noise", seed=seed))[-1][1] for seed in (0, 1))
    assert not torch.equal(one, other)


def test_the_consumer_s_grad_mode_is_left_alone(start):
    expected = _drain(start())[-1][1]
    for state in start():
        assert torch.is_grad_enabled()
        assert not state.image.requires_grad
    with torch.no_grad():
        found = None
        for state in start():
            assert not torch.is_grad_enabled()
            found = state.snapshot()
    assert torch.equal(found, expected)


def test_the_number_of_threads_is_given_back(start, pictures, tiny_network):
    torch.set_num_threads(2)
    recipe = Recipe(**SMALL, threads=1)
    plan = make_plan(recipe, (50, 60), [(44, 40)], MACHINE)
    _drain(run(recipe, plan, pictures, tiny_network(last="conv2_1")))
    assert torch.get_num_threads() == 2


def test_after_every_step_it_is_looked_how_threads_wait(start, monkeypatch):
    looks: list[int] = []
    monkeypatch.setattr(waiting, "look", looks.append)
    last = _drain(start())[-1][0]
    assert looks == [torch.get_num_threads()] * (last.stage + 1 + last.steps)


def test_preserved_luminance_keeps_the_photograph_s_colours(start, pictures):
    plain = _drain(start(init="style"))[-1][1]
    state, picture = _drain(start(init="style", preserve_color="luminance"))[-1]
    photo = resize(pictures.content, 33, 40)
    torch.testing.assert_close(rgb_to_luma(picture), rgb_to_luma(state.image), rtol=0, atol=1e-5)
    chroma, wanted, without = (x - rgb_to_luma(x) for x in (picture, photo, plain))
    inside = ((rgb_to_luma(picture) + wanted).clamp(0, 1) == rgb_to_luma(picture) + wanted).all(1)
    assert inside.float().mean() > 0.5
    kept = (chroma - wanted).abs().amax(1)[inside]
    assert kept.max() < 1e-5  # exactly, wherever the pair lies inside the cube
    assert (without - wanted).abs().mean() > 0.05  # and not without being asked


def test_preserved_statistics_recolour_the_paintings_beforehand(start, pictures):
    recolored = match_color_statistics(pictures.styles[0], pictures.content)
    by_hand = _drain(start(pictures=Pictures(pictures.content, (recolored,))))[-1][1]
    found = _drain(start(preserve_color="statistics"))[-1][1]
    assert torch.equal(found, by_hand)
    assert not torch.equal(found, _drain(start())[-1][1])


def test_the_photograph_takes_the_paintings_colours_beforehand(start, pictures):
    matched = match_color_statistics(pictures.content, pictures.styles[0])
    by_hand = _drain(start(pictures=Pictures(matched, pictures.styles)))[-1][1]
    assert torch.equal(_drain(start(match_color=True))[-1][1], by_hand)
    other = pictures.styles[0].flip(1)
    two = Pictures(pictures.content, (pictures.styles[0], other))
    first = next(start(pictures=two, match_color=True, blend=(3.0, 1.0), scales=1, steps=(1,)))
    mixed = 0.75 * matched + 0.25 * match_color_statistics(pictures.content, other)
    torch.testing.assert_close(first.image, resize(mixed, 33, 40))


def test_an_average_is_shown_and_handed_on_but_the_steps_go_their_own_way(start):
    plain = _drain(start(optimizer="adam", scales=1, steps=(4,)))
    found = _drain(start(optimizer="adam", scales=1, steps=(4,), average=0.5))
    iterates = [picture for _, picture in plain]
    for (state, _), (as_before, _) in zip(found[:-1], plain[:-1], strict=True):
        assert torch.equal(state.image, as_before.image)
        assert state.losses == as_before.losses
    torch.testing.assert_close(found[0][1], iterates[0])
    torch.testing.assert_close(found[2][1], (iterates[1] + 2 * iterates[2]) / 3)
    last, shown = found[-1]
    weights = [1, 2, 4, 8]
    expected = sum(w * x for w, x in zip(weights, iterates[1:], strict=True)) / 15
    torch.testing.assert_close(shown, expected)
    assert torch.equal(last.image, shown)  # and its losses are its own
    assert last.losses.total != plain[-1][0].losses.total


def test_the_next_stage_starts_from_the_average(start):
    states = _drain(start(init="noise", average=0.9))
    end, begin = states[4][1], states[5][1]
    torch.testing.assert_close(begin, resize(_rimless(end), 33, 40))


def test_several_style_scales_make_another_picture(start):
    one, several = (_drain(start(style_scale=scale))[-1][1] for scale in (1.0, (0.6, 1.0)))
    assert not torch.equal(one, several)


def test_total_variation_smooths(start):
    def roughness(picture: torch.Tensor) -> float:
        return (picture.diff(dim=-1).square().mean() + picture.diff(dim=-2).square().mean()).item()

    rough, smooth = (
        roughness(_drain(start(init="noise", tv=tv, scales=1, steps=(15,)))[-1][1])
        for tv in (0.0, 1.0)
    )
    assert smooth < rough / 2


def test_an_optimiser_is_made_afresh_for_each_stage(start):
    made = []

    class Downhill:
        def step(self, at, evaluate):
            change = 0.01 * at.gradient / at.gradient.abs().mean()
            return evaluate((at.image - change).clamp(0, 1))

        def state_dict(self):
            return {}

        def load_state_dict(self, state):
            pass

    def make():
        made.append(Downhill())
        return made[-1]

    states = list(start(make=make))
    assert len(made) == 2
    assert states[4].losses.total < states[0].losses.total


def test_a_torch_network_is_copied_and_left_as_it_was(start, tiny_network):
    network = tiny_network(last="conv2_1")
    before = {name: p.clone() for name, p in network.named_parameters()}
    _drain(start(network=network, precision="bf16"))
    for name, parameter in network.named_parameters():
        assert parameter.dtype == torch.float32
        assert torch.equal(parameter, before[name])


def test_bfloat16_gives_nearly_the_picture_of_float32(start):
    exact = [state.losses.total for state, _ in _drain(start(precision="fp32"))]
    state, picture = _drain(start(precision="bf16"))[-1]
    assert state.image.dtype == picture.dtype == torch.float32
    # Each way a step rounds leads elsewhere; what a run gains must be the same.
    assert state.losses.total == pytest.approx(exact[-1], abs=0.05 * (exact[0] - exact[-1]))
