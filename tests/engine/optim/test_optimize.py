"""The optimisers on functions whose minimum in the box is known or found by scipy."""

from __future__ import annotations

import io
import math
from collections.abc import Callable

import numpy as np
import pytest
import scipy.optimize
import torch

from impasto.engine.objective.objective import Evaluation
from impasto.engine.optim.optimize import LBFGS, SGD, Adam, make_optimizer
from impasto.engine.state import Losses
from impasto.recipe.still import Recipe

Function = Callable[[torch.Tensor], torch.Tensor]
SHAPE = (1, 3, 4, 5)
SIZE = 60


class Problem:
    """A function of a picture, as the engine presents it; counts and checks what it is asked."""

    def __init__(self, function: Function, *, faults: tuple[int, ...] = (), fault: str = "loss"):
        self.function, self.faults, self.fault, self.calls = function, faults, fault, 0

    def __call__(self, image: torch.Tensor) -> Evaluation:
        assert image.min() >= 0
        assert image.max() <= 1
        self.calls += 1
        x = image.detach().clone().requires_grad_()
        value = self.function(x)
        (gradient,) = torch.autograd.grad(value, x)
        total = value.item()
        if self.calls in self.faults:
            gradient = gradient * math.nan
            total = math.nan if self.fault == "loss" else total
        return Evaluation(image, Losses(total, 0.0, total, 0.0), gradient)

    def minimum(self) -> float:
        """By scipy's L-BFGS-B, an implementation with a proper treatment of the box."""

        def both(x: np.ndarray) -> tuple[float, np.ndarray]:
            t = torch.from_numpy(x.copy()).view(SHAPE).requires_grad_()
            value = self.function(t)
            return value.item(), torch.autograd.grad(value, t)[0].flatten().numpy()

        found = scipy.optimize.minimize(
            both,
            np.full(SIZE, 0.5),
            jac=True,
            method="L-BFGS-B",
            bounds=[(0, 1)] * SIZE,
            options={"maxiter": 5000, "maxfun": 50000, "ftol": 1e-15, "gtol": 1e-12},
        )
        return float(found.fun)


def _start(value: float = 0.5) -> torch.Tensor:
    return torch.full(SHAPE, value, dtype=torch.float64)


def _parabola(low: float, high: float) -> Function:
    """Curvatures from 1 to 100, the minimum of each coordinate between low and high."""
    generator = torch.Generator().manual_seed(0)
    center = low + (high - low) * torch.rand(SHAPE, generator=generator, dtype=torch.float64)
    curvature = torch.logspace(0, 2, SIZE, dtype=torch.float64).view(SHAPE)
    return lambda x: (curvature * (x - center).square()).sum() / 2


def _coupled(x: torch.Tensor) -> torch.Tensor:
    """A quadratic whose coordinates pull at each other, with half of its minimum outside."""
    generator = torch.Generator().manual_seed(1)
    factor = torch.randn(SIZE, SIZE, generator=generator, dtype=torch.float64) / 8
    matrix = factor @ factor.T + 0.05 * torch.eye(SIZE, dtype=torch.float64)
    center = 0.5 + torch.randn(SIZE, generator=generator, dtype=torch.float64)
    difference = x.flatten() - center
    return difference @ matrix @ difference / 2


def _rosenbrock(x: torch.Tensor) -> torch.Tensor:
    """A chain of curved valleys, whose end lies outside the box."""
    y = 2.5 * x.flatten() - 1
    return (20 * (y[1:] - y[:-1].square()).square() + (1.7 - y[:-1]).square()).sum()


def _minimise(optimizer, problem: Problem, steps: int, start: torch.Tensor | None = None):
    at = problem(_start() if start is None else start)
    for _ in range(steps):
        at = optimizer.step(at, problem)
    return at


def test_lbfgs_finds_the_bottom_of_a_parabola():
    problem = Problem(_parabola(0.2, 0.8))
    at = _minimise(LBFGS(), problem, 80)
    assert at.losses.total < 1e-10
    assert problem.calls < 2 * 80  # usually one evaluation a step


def test_lbfgs_settles_on_the_bounds_where_the_bottom_lies_outside():
    function = _parabola(-0.5, 1.5)
    at = _minimise(LBFGS(), Problem(function), 100)
    on_bounds = (at.image == 0) | (at.image == 1)
    assert 0.3 < on_bounds.double().mean() < 0.7
    assert at.losses.total == pytest.approx(Problem(function).minimum(), rel=1e-9)


@pytest.mark.parametrize("function", [_coupled, _rosenbrock])
def test_lbfgs_reaches_scipy_s_minimum_in_the_box(function: Function):
    problem = Problem(function)
    start, best = problem(_start()).losses.total, problem.minimum()
    at = _minimise(LBFGS(history=20), problem, 400)
    assert ((at.image == 0) | (at.image == 1)).any()  # bounds are active there
    assert (at.losses.total - best) < 1e-4 * (start - best)


def test_the_pairs_are_worth_their_memory():
    """Curvatures from 1 to 100: ten pairs beat a single one by orders of magnitude."""
    function = _parabola(0.2, 0.8)
    losses = [_minimise(LBFGS(history=h), Problem(function), 60).losses.total for h in (1, 15)]
    assert losses[1] < losses[0] / 100


def test_lbfgs_never_climbs_above_its_last_few_losses():
    optimizer, problem = LBFGS(), Problem(_rosenbrock)
    at = problem(_start(0.1))
    losses = [at.losses.total]
    for _ in range(60):
        at = optimizer.step(at, problem)
        assert at.losses.total <= max(losses[-optimizer.memory_of_losses :]) * (1 + 1e-12)
        losses.append(at.losses.total)
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("optimizer", [LBFGS(), Adam(), SGD()], ids=["lbfgs", "adam", "sgd"])
def test_what_a_step_gives_belongs_together(optimizer):
    problem = Problem(_rosenbrock)
    at = problem(_start())
    for _ in range(5):
        before = at.image.clone()
        after = optimizer.step(at, problem)
        assert torch.equal(at.image, before)  # the consumer's view is not changed under its hands
        fresh = problem(after.image)
        assert fresh.losses == after.losses
        assert torch.equal(fresh.gradient, after.gradient)
        at = after


def test_lbfgs_stays_where_nothing_can_be_gained():
    center = Problem(lambda x: (x - 0.5).square().sum())
    at = center(_start())
    assert LBFGS().step(at, center) is at
    outside = Problem(lambda x: (x - 2).square().sum())
    at = outside(_start(1.0))
    assert LBFGS().step(at, outside) is at
    assert center.calls == outside.calls == 1


def test_lbfgs_remembers_no_more_pairs_than_it_is_told():
    optimizer = LBFGS(history=3)
    _minimise(optimizer, Problem(_rosenbrock), 9)
    assert optimizer.state_dict()["rows"].shape == (2 * 3, SIZE)


def test_lbfgs_starts_with_the_change_that_it_is_told():
    problem = Problem(_coupled)
    at = problem(_start())
    after = LBFGS(first_change=0.003).step(at, problem)
    assert (after.image - at.image).abs().mean().item() == pytest.approx(0.003, rel=1e-6)


def test_adam_finds_the_bottom_of_a_parabola_and_the_bounds():
    assert (
        _minimise(Adam(learning_rate=0.02), Problem(_parabola(0.2, 0.8)), 600).losses.total < 1e-4
    )
    function = _parabola(-0.5, 1.5)
    at = _minimise(Adam(learning_rate=0.02), Problem(function), 600)
    assert at.losses.total == pytest.approx(Problem(function).minimum(), rel=1e-4)


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_adam_steps_by_its_learning_rate_at_any_scale_of_the_loss(scale: float):
    """Down a slope both moments, corrected for their start, are constant."""
    problem = Problem(lambda x: -scale * x.sum())
    for steps in (1, 2, 5):
        at = _minimise(Adam(learning_rate=0.03), problem, steps)
        torch.testing.assert_close(at.image, _start(0.5 + 0.03 * steps), rtol=1e-3, atol=0)


def test_adam_takes_one_evaluation_a_step():
    problem = Problem(_rosenbrock)
    _minimise(Adam(), problem, 7)
    assert problem.calls == 1 + 7


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_sgd_gathers_momentum_at_any_scale_of_the_loss(scale: float):
    """Down a slope the steps are r, r (1 + m), r (1 + m + m^2), ..."""
    problem = Problem(lambda x: -scale * x.sum())
    for steps, moved in ((1, 1.0), (2, 2.9), (3, 5.61)):
        at = _minimise(SGD(learning_rate=0.03, momentum=0.9), problem, steps)
        torch.testing.assert_close(at.image, _start(0.5 + 0.03 * moved), rtol=1e-4, atol=0)


def test_sgd_gathers_no_momentum_at_the_edge_of_the_box():
    problem = Problem(lambda x: -x.sum())
    optimizer = SGD(learning_rate=0.2)
    at = _minimise(optimizer, problem, 6)
    assert (at.image == 1).all()
    assert not optimizer.state_dict()["change"].any()


def test_sgd_finds_the_bottom_of_a_parabola_and_the_bounds():
    function = _parabola(-0.5, 1.5)
    at = _minimise(SGD(), Problem(function), 300)
    assert at.losses.total == pytest.approx(Problem(function).minimum(), rel=1e-4)


def test_sgd_stays_where_there_is_no_slope():
    problem = Problem(lambda x: 0 * x.sum())
    at = problem(_start())
    assert SGD().step(at, problem) is at


@pytest.mark.parametrize(
    "make", [lambda: LBFGS(history=4), Adam, SGD], ids=["lbfgs", "adam", "sgd"]
)
def test_a_restored_state_goes_on_bit_for_bit(make):
    problem = Problem(_rosenbrock)
    optimizer = make()
    at = _minimise(optimizer, problem, 9)
    file = io.BytesIO()
    torch.save(optimizer.state_dict(), file)
    image = at.image.clone()
    straight = [at := optimizer.step(at, problem) for _ in range(2)][-1]

    file.seek(0)
    resumed = make()
    resumed.load_state_dict(torch.load(file, weights_only=True))  # plain values and tensors only
    at = problem(image)
    again = [at := resumed.step(at, problem) for _ in range(2)][-1]
    assert torch.equal(again.image, straight.image)
    assert again.losses == straight.losses
    for key, value in optimizer.state_dict().items():
        found = resumed.state_dict()[key]
        if not _tensors(value):
            assert found == value
        assert all(map(torch.equal, _tensors(found), _tensors(value)))


def test_a_saved_state_is_not_moved_by_later_steps():
    for optimizer in (LBFGS(history=3), Adam(), SGD()):
        problem = Problem(_rosenbrock)
        at = _minimise(optimizer, problem, 4)
        saved = optimizer.state_dict()
        copies = {k: [t.clone() for t in _tensors(v)] for k, v in saved.items()}
        for _ in range(4):
            at = optimizer.step(at, problem)
        for key, tensors in copies.items():
            found = _tensors(saved[key])
            assert len(found) == len(tensors)
            assert all(torch.equal(a, b) for a, b in zip(found, tensors, strict=True))


def _tensors(value) -> list[torch.Tensor]:
    values = value if isinstance(value, list) else [value]
    return [v for v in values if isinstance(v, torch.Tensor)]


@pytest.mark.parametrize("fault", ["loss", "gradient"])
@pytest.mark.parametrize("call", [2, 6])
@pytest.mark.parametrize(
    ("make", "steps"), [(LBFGS, 120), (Adam, 600), (SGD, 200)], ids=["lbfgs", "adam", "sgd"]
)
def test_one_evaluation_that_is_not_a_number_does_not_end_the_run(make, steps, call, fault):
    problem = Problem(_parabola(0.2, 0.8), faults=(call,), fault=fault)
    at = _minimise(make(), problem, steps)
    assert problem.calls > call
    assert at.image.isfinite().all()
    assert at.losses.total < 1e-3


def test_lbfgs_gives_up_quietly_where_every_evaluation_fails():
    problem = Problem(_rosenbrock, faults=tuple(range(2, 1000)))
    at = problem(_start())
    assert LBFGS().step(at, problem) is at
    assert problem.calls < 40


def test_the_recipe_names_its_optimiser():
    adam = make_optimizer(Recipe(optimizer="adam", learning_rate=0.07))
    assert isinstance(adam, Adam)
    assert adam.learning_rate == 0.07
    sgd = make_optimizer(Recipe(optimizer="sgd", learning_rate=0.07))
    assert isinstance(sgd, SGD)
    assert sgd.learning_rate == 0.07
    lbfgs = make_optimizer(Recipe(optimizer="lbfgs", history=17))
    assert isinstance(lbfgs, LBFGS)
    assert lbfgs.history == 17
