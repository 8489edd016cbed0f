"""Sections 1.2 and 3.4: starting pictures from which the transfer fails.

A start fails if its final loss exceeds the median of random starts by more than five median
absolute deviations. Attacked starts come from :mod:`impasto.experiments.attack`; whether one fails
is decided by a whole transfer from its 8-bit file.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import torch
from torch import Tensor

from impasto.engine.objective.objective import Objective
from impasto.experiments.attack import CHANGE, PROBE, UNROLLED, attack
from impasto.experiments.inputs import longest
from impasto.experiments.lab import Lab
from impasto.experiments.measures import failure_rate, outlier_limit
from impasto.experiments.model import Cell, Check, Diagram, Experiment, Finding, Sheet
from impasto.ops.inits import white_noise
from impasto.plots.lines import Plot, Series
from impasto.recipe.still import Recipe

FIRST_ATTACKED = 10_000  # first seed of the attacked starts; the random ones begin at 0


def _options(lab: Lab, scales: int) -> dict[str, object]:
    steps = (lab.preset.trial_steps // scales,) * scales
    return {"size": lab.preset.trial_size, "steps": steps, "scales": scales}


def _trial_label(seed: int, scales: int) -> str:
    return f"seed {seed}" + (", coarse to fine" if scales > 1 else "")


def _cells(lab: Lab) -> Sequence[Cell]:
    return [
        Cell(_trial_label(seed, scales), {**_options(lab, scales), "seed": seed}, shown=False)
        for scales in (1, 2)
        for seed in range(lab.preset.trials)
    ]


def _attack_label(number: int, kind: str, bound: int, scales: int) -> str:
    return f"start {number}, {kind} {bound}/255" + (", coarse to fine" if scales > 1 else "")


def _attacked_cells(lab: Lab) -> Sequence[Cell]:
    cells = []
    for number in range(lab.preset.attacks):
        for bound in lab.preset.bounds:
            for kind in ("attack", "random"):
                name = _add_start(lab, number, kind, bound)
                cells += [
                    Cell(
                        _attack_label(number, kind, bound, scales),
                        {**_options(lab, scales), "init": name},
                        shown=False,
                    )
                    for scales in (1, 2)
                ]
    return cells


def _add_start(lab: Lab, number: int, kind: str, bound: int) -> str:
    """Add an attacked start to the lab's pictures, as 8-bit changes of its noise; its name."""
    name = f"start-{number}-{kind}-{bound}"
    key = [
        lab.pictures.digest("photograph"),
        lab.pictures.digest("painting"),
        lab.preset.name,
        name,
        lab.preset.trial_size,
        lab.preset.attack_steps,
        lab.preset.bounds,
        UNROLLED,
        CHANGE,
        PROBE,
        lab.networks["own"].description,
    ]
    cached = lab.cached("start", key, lambda: {"levels": _start(lab, number, kind, bound)})
    levels = torch.tensor(cached["levels"], dtype=torch.float32)
    lab.pictures.add(name, levels / 255)
    return name


def _start(lab: Lab, number: int, kind: str, bound: int) -> list[object]:
    objective = trial_objective(lab)
    height, width = longest(lab.pictures["photograph"], lab.preset.trial_size).shape[-2:]
    seed = FIRST_ATTACKED + number
    noise = (255 * white_noise(height, width, seed=seed)).round() / 255
    if kind == "random":
        generator = torch.Generator().manual_seed(seed)
        signs = torch.randn(noise.shape, generator=generator).sign()
        attacked = (noise + signs * bound / 255).clamp(0, 1)
    else:
        attacked = attack(objective, noise, bound=bound / 255, steps=lab.preset.attack_steps)
    levels: list[object] = (255 * attacked).round().int().tolist()
    return levels


def trial_objective(lab: Lab) -> Objective:
    """Eq. (7) at the size of the trials."""
    size = lab.preset.trial_size
    recipe = Recipe.from_dict(lab.options(Cell("attack")))
    content, style = (longest(lab.pictures[name], size) for name in ("photograph", "painting"))
    return Objective(recipe, lab.networks["own"].network, content, [style])


def _measure(lab: Lab) -> Finding:
    trials = range(lab.preset.trials)
    random = {s: [lab.made[_trial_label(n, s)].loss for n in trials] for s in (1, 2)}
    limit = {scales: outlier_limit(losses) for scales, losses in random.items()}
    failures = sum(loss > limit[1] for loss in random[1])
    failed = {
        (kind, scales, bound): sum(
            lab.made[_attack_label(number, kind, bound, scales)].loss > limit[scales]
            for number in range(lab.preset.attacks)
        )
        for kind in ("attack", "random")
        for scales in (1, 2)
        for bound in lab.preset.bounds
    }
    sufficient = [bound for bound in lab.preset.bounds if failed["attack", 1, bound]]
    attempts = lab.preset.attacks * len(lab.preset.bounds)
    return Finding(
        {
            "rate of failing random starts, at most": failure_rate(failures, len(trials)),
            "attacked starts that fail": float(
                sum(failed["attack", 1, b] for b in lab.preset.bounds)
            ),
            "failing random starts": float(failures),
            "random starts": float(len(trials)),
            "attacked starts": float(attempts),
            "smallest bound that suffices, 255ths": float(min(sufficient, default=float("nan"))),
            "random changes that fail": float(
                sum(failed["random", 1, b] for b in lab.preset.bounds)
            ),
            "coarse to fine: attacked that fail": float(
                sum(failed["attack", 2, b] for b in lab.preset.bounds)
            ),
            "final loss at the largest bound, over the median": _mean_loss(
                lab, "attack", max(lab.preset.bounds), 1
            )
            / statistics.median(random[1]),
            "the failure limit, over the median": limit[1] / statistics.median(random[1]),
        },
        figures=[
            Sheet(_rows(lab), "Starts and results: with a random change, and attacked by as much."),
            _plot(lab, random, limit),
        ],
        notes=[
            "A start fails when its final loss lies more than five median absolute deviations "
            "above the median of the random starts. The attack is projected gradient ascent on "
            f"the loss after {UNROLLED} steps of gradient descent, with "
            f"{lab.preset.attack_steps} steps; random changes of the same size stand beside it. "
            "Coarse to fine is judged by its own random starts. With no failure among n the rate "
            "is at most 3/n (95%)."
        ],
    )


def _mean_loss(lab: Lab, kind: str, bound: int, scales: int) -> float:
    return statistics.fmean(
        lab.made[_attack_label(number, kind, bound, scales)].loss
        for number in range(lab.preset.attacks)
    )


def _rows(lab: Lab) -> list[list[tuple[str, Tensor]]]:
    largest = max(lab.preset.bounds)
    return [
        [
            (
                f"start {number}, {kind} {largest}/255",
                lab.pictures[f"start-{number}-{kind}-{largest}"],
            )
            for kind in ("random", "attack")
        ]
        + [
            (f"result, {kind}", lab.made[_attack_label(number, kind, largest, 1)].image)
            for kind in ("random", "attack")
        ]
        for number in range(min(2, lab.preset.attacks))
    ]


def _plot(lab: Lab, random: dict[int, list[float]], limit: dict[int, float]) -> Diagram:
    middle = {scales: statistics.median(losses) for scales, losses in random.items()}
    names = {
        ("attack", 1): "attacked",
        ("random", 1): "random change",
        ("attack", 2): "attacked, coarse to fine",
    }
    series = [
        Series(
            words,
            [
                (float(b), _mean_loss(lab, kind, b, scales) / middle[scales])
                for b in lab.preset.bounds
            ],
        )
        for (kind, scales), words in names.items()
    ]
    bounds = [float(b) for b in (min(lab.preset.bounds), max(lab.preset.bounds))]
    series.append(Series("limit", [(b, limit[1] / middle[1]) for b in bounds]))
    plot = Plot("bound, 255ths", "final loss over the median", series, log_x=True)
    return Diagram(plot.svg(), "Final losses over the median of random starts.")


def _extra(lab: Lab) -> float:
    preset = lab.preset
    height, width = longest(lab.pictures["photograph"], preset.trial_size).shape[-2:]
    evaluations = 1 + UNROLLED + 2 * UNROLLED
    ascent = preset.attacks * len(lab.preset.bounds) * (preset.attack_steps + 1) * evaluations
    transfers = preset.attacks * len(lab.preset.bounds) * 4 * preset.trial_steps
    return float((ascent + transfers) * height * width)


ADVERSARIAL = Experiment(
    name="adversarial",
    section="1.2 and 3.4, figure 5, references 8 and 10",
    claim=(
        "There are starting pictures from which the transfer fails, but a random one is such a "
        "start with very low probability."
    ),
    cells=_cells,
    then=_attacked_cells,
    measure=_measure,
    checks=(
        Check(
            "rate of failing random starts, at most",
            "at most",
            0.03,
            "share of random starts beyond 5 MAD; 3/n where there is none",
        ),
        Check(
            "attacked starts that fail",
            "at least",
            1,
            "attacked starts within 32/255 from which the final loss lies beyond 5 MAD",
        ),
    ),
    extra=_extra,
)
