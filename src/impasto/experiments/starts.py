"""Sections 3.3 and 3.4: starting pictures."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import torch

from impasto.experiments.lab import Lab
from impasto.experiments.measures import difference, mean_difference, stripe_contrast
from impasto.experiments.model import Cell, Check, Diagram, Experiment, Finding
from impasto.plots.lines import Plot, Series

SEEDS = (0, 1, 2, 3)
STARTS = ("noise", "content", "style", "stripes")


def _start_cells(_: Lab) -> Sequence[Cell]:
    return [
        *(Cell(f"from {start}", {"init": start}) for start in STARTS),
        Cell("from another noise", {"init": "noise", "seed": 1}, shown=False),
        Cell("from noise, again", {"init": "noise"}, copy=1, shown=False),
        Cell("from content, again", {"init": "content"}, copy=1, shown=False),
    ]


def _start_measure(lab: Lab) -> Finding:
    image = {name: made.image for name, made in lab.made.items()}
    between_seeds = difference(image["from noise"], image["from another noise"])
    losses = [lab.made[f"from {start}"].loss for start in ("noise", "content", "style")]
    changed = [
        int((image[f"from {start}"] != image[f"from {start}, again"]).any(1).sum())
        for start in ("noise", "content")
    ]
    return Finding(
        {
            "noise and content": difference(image["from noise"], image["from content"])
            / between_seeds,
            "noise and style": difference(image["from noise"], image["from style"]) / between_seeds,
            "loss, largest / smallest": max(losses) / min(losses),
            "pixels changed, run again": float(sum(changed)),
            "difference between two noises": between_seeds,
        },
        figures=[_loss_curves(lab, [f"from {start}" for start in STARTS])],
    )


def _loss_curves(lab: Lab, labels: Sequence[str]) -> Diagram:
    series = [
        Series(label, [(s.step + 1.0, s.total or 0.0) for s in lab.made[label].record.losses])
        for label in labels
    ]
    plot = Plot("step + 1", "total loss", series, log_x=True, log_y=True)
    return Diagram(plot.svg(), "Total loss, eq. (7), over the steps.")


def _stripe_cells(lab: Lab) -> Sequence[Cell]:
    n, more = lab.preset.steps, lab.preset.long_steps
    return [
        Cell(f"stripes, n = {n}", {"init": "stripes"}),
        Cell(f"stripes, n = {more}", {"init": "stripes", "steps": (more,)}),
        Cell(f"noise, n = {n}", {"init": "noise"}),
    ]


def _stripe_measure(lab: Lab) -> Finding:
    contrast = {name: stripe_contrast(made.image) for name, made in lab.made.items()}
    short, long, noise = contrast.values()
    own = stripe_contrast(lab.pictures["photograph"])
    return Finding(
        {
            "stripes after n": short / noise,
            "stripes after 10,000 / 3,000 n": long / noise,
            "contrast in the photograph": own,
        },
        {"stripe contrast": contrast},
        notes=[
            "Stripe contrast is the amplitude at 16 periods a width over that of the neighbouring "
            "frequencies; the checks divide it by the result from noise. Below their bound stripes "
            "may still be faintly seen."
        ],
    )


def _seed_cells(_: Lab) -> Sequence[Cell]:
    return [Cell(f"seed {seed}", {"init": "noise", "seed": seed}) for seed in SEEDS]


def _seed_measure(lab: Lab) -> Finding:
    made = list(lab.made.values())
    losses = [each.loss for each in made]
    middle = torch.stack([each.image for each in made]).mean(0)
    return Finding(
        {
            "difference": mean_difference([each.image for each in made]),
            "spread of losses": statistics.stdev(losses) / statistics.fmean(losses),
        },
        {"difference to the mean": {m.cell.label: difference(m.image, middle) for m in made}},
    )


INITIALISATION = Experiment(
    name="initialisation",
    section="3.3, figure 18",
    claim=(
        "Starting from noise or from the content (the authors: or from the style) does not "
        "drastically change the result; and the same start gives the same picture."
    ),
    cells=_start_cells,
    measure=_start_measure,
    checks=(
        Check(
            "noise and content",
            "at most",
            1.5,
            "difference of the two results, over that of two seeds of noise",
        ),
        Check(
            "noise and style",
            "at most",
            1.5,
            "difference of the two results, over that of two seeds of noise",
        ),
        Check(
            "loss, largest / smallest", "at most", 1.1, "final losses from noise, content and style"
        ),
        Check(
            "pixels changed, run again",
            "at most",
            0,
            "pixels that differ after a second run from noise and from content",
        ),
    ),
    caption="alpha/beta = 1e-3; the same n from every start.",
)

STRIPES = Experiment(
    name="stripes",
    section="3.3, figures 18e, 18f and 19",
    claim="From black stripes on white the stripes are still seen, also after 10,000 iterations.",
    cells=_stripe_cells,
    measure=_stripe_measure,
    checks=(
        Check("stripes after n", "at least", 2.0, "stripe contrast over that from noise"),
        Check(
            "stripes after 10,000 / 3,000 n",
            "at least",
            2.0,
            "stripe contrast over that from noise, with as much longer a run as in the report",
        ),
    ),
    columns=3,
    caption="From stripes, with n and with 10,000 / 3,000 n iterations; from noise to compare.",
)

SEEDED = Experiment(
    name="seeds",
    section="3.4, figure 20",
    claim="Four white noises give quite different pictures, all of them satisfactory.",
    cells=_seed_cells,
    measure=_seed_measure,
    checks=(
        Check(
            "difference",
            "at least",
            0.05,
            "mean over pairs of the root mean squared difference, in picture units",
        ),
        Check(
            "spread of losses", "at most", 0.05, "standard deviation of the final losses over mean"
        ),
    ),
    caption="Four seeds of white noise, alpha/beta = 1e-3.",
)
