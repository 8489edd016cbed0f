"""The quality of a trained network: its loss in L-BFGS iterations, as in Johnson et al. (2016).

For each photograph the network's picture is evaluated by eq. (7) with the weights of its
training; then L-BFGS minimises the same, from white noise as in the paper, or from that photograph.
The figure is the number of iterations after which its loss is as low. Use photographs that were not
in the training.

    python -m benchmarks.feedforward painting.safetensors painting.jpg photos/*.jpg
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean, median

import torch
from torch import Tensor

from impasto.engine.objective.objective import Objective
from impasto.engine.painting import paint
from impasto.engine.planning.plan import Plan, make_plan
from impasto.engine.run import Pictures, placed, run
from impasto.engine.threads import on_threads
from impasto.files.pictures.images import read_picture
from impasto.files.weights.store import load_network
from impasto.files.weights.trained import read_trained
from impasto.nets.feedforward import Painter
from impasto.nets.network import Network
from impasto.ops.inits import resize
from impasto.recipe.still import Recipe

ROUNDS = 5  # runs of the network for each photograph; the fastest counts


@dataclass(frozen=True)
class Figure:
    """The measurements of one photograph.

    Attributes:
        start: loss of the photograph itself.
        network: loss of the network's picture.
        curve: losses of L-BFGS at the start and after each iteration, until one is as low.
        seconds: the network's time.

    """

    start: float
    network: float
    curve: tuple[float, ...]
    seconds: float

    @property
    def iterations(self) -> int | None:
        """The number of iterations until the optimiser's loss is as low; None if it never is."""
        return next((i for i, loss in enumerate(self.curve) if loss <= self.network), None)


def measure(
    painter: Painter,
    shares: Tensor,
    recipe: Recipe,
    network: Network,
    pictures: tuple[Tensor, Tensor],
    *,
    most: int,
    init: str = "noise",
) -> Figure:
    """Compare a network with the optimiser.

    Args:
        painter: the network.
        shares: the share of each painting.
        recipe: the objective.
        network: computes its features.
        pictures: photograph and painting, ``(1, 3, H, W)`` in [0, 1].
        most: iterations, at most.
        init: what the optimiser starts from: ``noise``, or ``content``, which is harder.

    """
    photograph, painting = pictures
    own = replace(
        recipe, optimizer="lbfgs", init=init, steps=(most,), scales=1, margin=0, average=0.0
    )
    plan = make_plan(own, _size_of(photograph), [_size_of(painting)])
    stage = plan.stages[-1]
    sized = resize(photograph, *stage.size)
    seconds, picture = _painted(painter, shares, sized, plan)
    styles = [resize(painting, *size) for size in stage.styles]
    with on_threads(plan.threads):
        objective = Objective(own, placed(network, plan, stage), sized, styles)
        network_loss, start = (objective.evaluate(each).losses.total for each in (picture, sized))
    curve = list[float]()
    for state in run(own, plan, Pictures(photograph, (painting,)), network):
        curve.append(state.losses.total)
        if state.losses.total <= network_loss:
            break
    return Figure(start, network_loss, tuple(curve), seconds)


def _painted(
    painter: Painter, shares: Tensor, photograph: Tensor, plan: Plan
) -> tuple[float, Tensor]:
    is_half = plan.stages[-1].precision == "bf16"
    own = painter.to(torch.bfloat16 if is_half else torch.float32)
    own = own.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    best = float("inf")
    with on_threads(plan.threads):
        for _ in range(ROUNDS):
            start = time.perf_counter()
            *_, (_, picture) = paint(own, photograph, shares)
            best = min(best, time.perf_counter() - start)
    return best, picture


def _size_of(picture: Tensor) -> tuple[int, int]:
    return picture.shape[-2], picture.shape[-1]


def _line(name: str, start: float, network: float, iterations: object, seconds: float) -> str:
    return f"{name[:24]:24} {start:8.4f} {network:8.4f} {iterations!s:>18} {seconds:6.2f} s"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a line for each photograph, and the means."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("network", type=Path)
    parser.add_argument("painting", type=Path)
    parser.add_argument("photographs", type=Path, nargs="+")
    parser.add_argument("--which", type=int, default=0, help="painting of the network, from 0")
    parser.add_argument("--size", type=int, help="longest side; the network's own when not given")
    parser.add_argument("--most", type=int, default=300, help="iterations, at most")
    parser.add_argument("--init", choices=("noise", "content"), default="noise")
    given = parser.parse_args(arguments)
    trained = read_trained(given.network)
    about = trained.about
    recipe = replace(about.recipe, size=given.size or about.recipe.size)
    network, painting = load_network(recipe).network, read_picture(given.painting).tensor
    shares = torch.eye(len(about.paintings))[given.which]
    print(f"{'photograph':24} {'start':>8} {'network':>8} {'L-BFGS iterations':>18} {'time':>8}")
    figures = list[Figure]()
    for path in given.photographs:
        pair = read_picture(path).tensor, painting
        figure = measure(
            trained.painter(), shares, recipe, network, pair, most=given.most, init=given.init
        )
        figures.append(figure)
        count = f"over {given.most}" if figure.iterations is None else figure.iterations
        print(_line(path.name, figure.start, figure.network, count, figure.seconds), flush=True)
    counts = [given.most if each.iterations is None else each.iterations for each in figures]
    starts, losses = [each.start for each in figures], [each.network for each in figures]
    seconds = median(each.seconds for each in figures)
    print(_line("mean", mean(starts), mean(losses), round(mean(counts)), seconds))
    trained_for = f"{about.step} steps in {about.seconds / 60:.1f} minutes"
    print(f"from {given.init}; after {trained_for}, on {about.photographs}")


if __name__ == "__main__":
    main()
