"""Frames of a shot, on a network a few channels wide and motion that is known exactly."""

from __future__ import annotations

import pytest
import torch

from impasto.engine.objective.objective import Objective
from impasto.engine.objective.terms.temporal import Anchor, Temporal
from impasto.engine.planning.plan import Machine, make_plan
from impasto.engine.shots import Link, Shot, blended, is_cut, until_settled
from impasto.ops.color import match_color_map, match_color_statistics
from impasto.ops.inits import white_noise
from impasto.ops.warp import warp
from impasto.recipe.still import Recipe

MACHINE = Machine(("cpu",), frozenset(), 1)
OPTIONS = {
    "size": "full",
    "scales": 1,
    "steps": (12,),
    "content_layers": ("conv2_1",),
    "style_layers": ("conv1_1", "conv2_1"),
}
STEP = 2


class Counting:
    """A network that is no torch module, and counts the pictures that it is shown."""

    def __init__(self, network):
        self.network, self.layers, self.sizes = network, network.layers, []

    def features(self, image, layers):
        self.sizes.append(tuple(image.shape[-2:]))
        return self.network.features(image, layers)


@pytest.fixture
def network(tiny_network) -> Counting:
    return Counting(tiny_network(last="conv2_1"))


@pytest.fixture
def frames(moving) -> list[torch.Tensor]:
    return moving(3, 32, 48, step=STEP)


@pytest.fixture
def shot(network, frames, waves):
    def make(*, temporal=100.0, frame_steps=5, **options) -> Shot:
        recipe = Recipe(**{**OPTIONS, **options})
        painting = waves(44, 40, phase=1.7).float()
        plan = make_plan(recipe, (32, 48), [(44, 40)], MACHINE)
        ties = {"temporal": temporal, "frame_steps": frame_steps}
        return Shot(recipe, plan, frames[0], (painting,), network, **ties)

    return make


def _flow() -> torch.Tensor:
    """From a frame to the one before it: the camera pans to the right."""
    return torch.tensor([float(STEP), 0.0]).view(1, 2, 1, 1).expand(1, 2, 32, 48).contiguous()


def _weights() -> torch.Tensor:
    weights = torch.ones(1, 1, 32, 48)
    weights[..., -STEP:] = 0
    return weights


def _last(states) -> torch.Tensor:
    *_, last = states
    return last.snapshot()


def test_a_later_frame_starts_from_the_result_before_it(shot, frames):
    first = _last(shot().still())
    start = next(shot().following(frames[1], [Link(first, _flow(), _weights())]))
    moved = warp(first, _flow()).clamp(0, 1)
    torch.testing.assert_close(start.image[..., :-STEP], moved[..., :-STEP])
    colored = match_color_map(frames[1], frames[1], moved, _weights())
    torch.testing.assert_close(start.image[..., -STEP:], colored[..., -STEP:])
    assert start.losses.temporal == 0
    assert start.steps == 5


def test_what_the_moved_source_explains_starts_from_the_result_too(shot, frames):
    first = _last(shot().still())
    link = Link(first, _flow(), torch.zeros(1, 1, 32, 48), _weights())
    start = next(shot().following(frames[1], [link]))
    moved = warp(first, _flow()).clamp(0, 1)
    torch.testing.assert_close(start.image[..., :-STEP], moved[..., :-STEP])
    torch.testing.assert_close(start.image[..., -STEP:], frames[1][..., -STEP:])


def test_the_temporal_loss_keeps_a_frame_to_the_one_before(shot, frames):
    first = _last(shot().still())
    link = Link(first, _flow(), _weights())
    moved = warp(first, _flow()).clamp(0, 1)

    def apart(temporal: float) -> float:
        made = _last(shot(temporal=temporal).following(frames[1], [link]))
        return float(((made - moved).square() * _weights()).mean())

    assert apart(1000.0) < apart(10.0) < apart(0.0)


def test_what_no_earlier_frame_shows_is_free(shot, frames):
    first = _last(shot().still())
    link = Link(first, _flow(), _weights())
    made = _last(shot(frame_steps=12).following(frames[1], [link]))
    change = (made - frames[1])[..., -STEP:].abs().mean()
    assert change > 0.01


def test_paintings_are_measured_once_a_shot(shot, network, frames):
    made = shot()
    first = _last(made.still())
    link = Link(first, _flow(), _weights())
    list(made.following(frames[1], [link]))
    network.sizes.clear()
    list(made.following(frames[2], [link]))
    assert set(network.sizes) == {(48, 64)}  # the frame with its margin, and no painting


def test_an_earlier_pass_gives_half_of_the_start(shot, frames):
    first, before = _last(shot().still()), white_noise(32, 48, seed=1)
    link = Link(first, _flow(), _weights())
    start = next(shot().following(frames[1], [link], before=before))
    moved = warp(first, _flow()).clamp(0, 1)
    torch.testing.assert_close(start.image[..., :-STEP], ((moved + before) / 2)[..., :-STEP])
    torch.testing.assert_close(start.image[..., -STEP:], before[..., -STEP:])


def test_colors_of_the_paintings_come_from_the_first_frame(shot, frames, waves):
    made = shot(preserve_color="statistics")
    first = _last(made.still())
    later = made.following(frames[2], [Link(first, _flow(), _weights())])
    next(later)
    painting = match_color_statistics(waves(44, 40, phase=1.7).float(), frames[0])
    torch.testing.assert_close(
        made._prepared(None).styles[0].mean(), painting.mean(), atol=0.02, rtol=0
    )


def test_earlier_frames_have_their_parts_and_the_rest_has_what_is_left():
    near, far, rest = (torch.full((1, 3, 1, 3), value) for value in (0.1, 0.2, 0.4))
    weights = [torch.tensor([[[[1.0, 0.5, 0]]]]), torch.tensor([[[[0.0, 0.5, 0]]]])]
    made = blended([near, far], weights, rest)
    assert made[0, 0, 0].tolist() == pytest.approx([0.1, 0.15, 0.4])


def test_a_run_is_left_once_it_has_settled(shot):
    states = list(shot(steps=(60,)).still())
    totals = [state.losses.total for state in states]
    kept = list(until_settled(shot(steps=(60,)).still(), tolerance=0.05))
    assert 2 < len(kept) < len(states)
    slow = (i for i in range(3, 60) if totals[i - 3] - totals[i] < 0.15 * totals[i - 3])
    assert len(kept) == next(slow) + 1
    assert len(list(until_settled(shot().still(), tolerance=-1e9))) == 13


def test_cuts(frames, waves):
    noise = white_noise(32, 48, seed=3)
    assert not is_cut(frames[1], frames[0], _flow())
    assert is_cut(noise, frames[0], _flow())
    half = torch.cat([frames[1][..., :24], noise[..., 24:]], dim=-1)
    assert is_cut(half, frames[0], _flow())


def test_the_gradient_of_the_temporal_loss(tiny_network, waves):
    recipe = Recipe(**{**OPTIONS, "strength": 0.5})
    network = tiny_network(last="conv2_1").double()
    content, painting = waves(16, 18), waves(20, 16, phase=1.0)
    anchors = [
        Anchor(waves(16, 18, phase=2.0), 7 * torch.ones(1, 1, 16, 18, dtype=torch.float64)),
        Anchor(waves(16, 18, phase=3.0), torch.zeros(1, 1, 16, 18, dtype=torch.float64)),
    ]
    free = Objective(recipe, network, content, [painting])
    tied = Objective(recipe, network, content, [painting], terms=[Temporal(anchors)])
    image = waves(16, 18, phase=0.3)
    a, b = free.evaluate(image), tied.evaluate(image)
    difference = image - anchors[0].picture
    assert b.losses.temporal == pytest.approx(7 * float(difference.square().mean()))
    assert b.losses.total == pytest.approx(a.losses.total + b.losses.temporal)
    torch.testing.assert_close(b.gradient - a.gradient, 14 * difference / difference.numel())


def test_the_weight_means_the_same_with_alpha_and_beta(tiny_network, waves):
    network = tiny_network(last="conv2_1").double()
    content, painting = waves(16, 18), waves(20, 16, phase=1.0)
    anchor = Anchor(waves(16, 18, phase=2.0), torch.ones(1, 1, 16, 18, dtype=torch.float64))
    image = waves(16, 18, phase=0.3)

    def share(**options) -> float:
        recipe = Recipe(**{**OPTIONS, "tv": 0.0, **options})
        objective = Objective(recipe, network, content, [painting], terms=[Temporal([anchor])])
        found, weights = objective.evaluate(image).losses, objective.weights
        plain = weights.alpha * found.content + weights.beta * found.style
        return (found.total - plain) / found.temporal / weights.unit

    assert share(strength=0.5) == pytest.approx(1)
    assert share(alpha=2.0, beta=1e4) == pytest.approx(1)
