"""Section 3.4: a film, frame by frame."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

from impasto.engine.shots import Link, Shot
from impasto.experiments.lab import Lab
from impasto.experiments.measures import difference, failure_rate, outlier_limit
from impasto.experiments.model import Cell, Check, Diagram, Experiment, Finding
from impasto.ops.warp import inside
from impasto.plots.lines import Plot, Series
from impasto.recipe.film import FilmRecipe

MOVE = (1, 2)  # rows and columns that the camera moves with every frame
CROP = 0.8  # share of the photograph's sides that a frame shows
SHOWN = 6
FIRST = "frame 0"
NOISES = ("noise, seed 0", "noise, seed 1")


def camera_move(picture: Tensor, frames: int) -> list[Tensor]:
    """A small camera move over a still picture: in whole pixels, so the motion is known exactly."""
    height, width = (int(side * CROP) // 2 * 2 for side in picture.shape[-2:])
    down, across = MOVE
    return [
        picture[..., down * t : down * t + height, across * t : across * t + width]
        for t in range(min(frames, _longest(picture)))
    ]


def aligned(image: Tensor, later: Tensor) -> tuple[Tensor, Tensor]:
    """The parts of two consecutive pictures that show the same region."""
    down, across = MOVE
    height, width = image.shape[-2] - down, image.shape[-1] - across
    return image[..., down:, across:], later[..., :height, :width]


def tied_film(lab: Lab) -> list[Tensor]:
    """The same film made by the film engine, with the temporal loss."""
    first = lab.made[FIRST]
    frames = camera_move(lab.pictures["photograph"], lab.preset.frames)
    stylizer, style = lab.networks[first.cell.network], lab.pictures[first.cell.style]
    film = FilmRecipe()
    shot = Shot(
        stylizer.recipe(lab.options(first.cell)),
        lab.plan(first.cell),
        frames[0],
        (style,),
        stylizer.network,
        temporal=float(film.temporal),
        frame_steps=film.frame_steps,
    )
    down, across = MOVE
    flow = torch.tensor([float(across), float(down)]).view(1, 2, 1, 1)
    flow = flow.expand(1, 2, *frames[0].shape[-2:]).contiguous()
    results = [first.image]
    for frame in frames[1:]:
        link = Link(results[-1], flow, inside(flow).float())
        *_, last = shot.following(frame, [link])
        results.append(last.snapshot())
    return results


def _tied_difference(lab: Lab) -> float:
    """Change of aligned frames with the temporal loss; cached, since it takes long."""
    cell = lab.made[FIRST].cell
    key = [
        lab.options(cell),
        lab.pictures.digest("photograph"),
        lab.pictures.digest(cell.style),
        FilmRecipe(),
    ]
    key += [lab.preset.frames, lab.networks[cell.network].description]

    def make() -> dict[str, float]:
        steps = [difference(*aligned(a, b)) for a, b in pairwise(tied_film(lab))]
        return {"difference": statistics.fmean(steps)}

    return float(lab.cached("tied", key, make)["difference"])


def _longest(picture: Tensor) -> int:
    return 1 + min(
        int(side * (1 - CROP)) // move for side, move in zip(picture.shape[-2:], MOVE, strict=True)
    )


def _cells(lab: Lab) -> Sequence[Cell]:
    frames = camera_move(lab.pictures["photograph"], lab.preset.frames)
    size = {"size": max(frames[0].shape[-2:])}
    for number, frame in enumerate(frames):
        lab.pictures.add(f"frame-{number:02}", frame)
    film = [
        Cell(
            f"frame {number}",
            {**size, "init": "content"},
            content=f"frame-{number:02}",
            shown=number % max(1, len(frames) // SHOWN) == 0,
        )
        for number in range(len(frames))
    ]
    noises = [
        Cell(name, {**size, "init": "noise", "seed": seed}, content="frame-00", shown=False)
        for seed, name in enumerate(NOISES)
    ]
    return [*film, *noises]


def _measure(lab: Lab) -> Finding:
    film = [made for name, made in lab.made.items() if name.startswith("frame")]
    steps = [difference(*aligned(a.image, b.image)) for a, b in pairwise(film)]
    noises = difference(*(lab.made[name].image for name in NOISES))
    losses = [made.loss for made in film]
    failed = sum(loss > outlier_limit(losses) for loss in losses)
    alone, tied = statistics.fmean(steps), _tied_difference(lab)
    plot = Plot(
        "frame",
        "difference, in picture units",
        [
            Series("to the frame before, aligned", [(i + 1.0, v) for i, v in enumerate(steps)]),
            Series("of two noises", [(1.0, noises), (float(len(steps)), noises)]),
        ],
    )
    return Finding(
        {
            "instability": alone / noises,
            "failing frames": float(failed),
            "rate of failing frames, at most": failure_rate(failed, len(film)),
            "difference of aligned frames": alone,
            "the same, frames tied": tied,
            "tied over by itself": tied / alone,
        },
        {"total loss": {made.cell.label: made.loss for made in film}},
        [Diagram(plot.svg(), "How much of a frame changes, with the camera's motion taken out.")],
        [
            "The film is a camera move over the photograph, in whole pixels, so the motion is "
            "known. Instability is the change between aligned frames over the difference between "
            "two results from different noise. A frame fails when its final loss lies more than "
            "five median absolute deviations above the median; with few frames, 3/n bounds little. "
            "The report says that a time dependency does better: tied, each frame starts from the "
            "one before and is kept to it (impasto video), here with the camera's own motion."
        ],
    )


def _extra(lab: Lab) -> float:
    frames = camera_move(lab.pictures["photograph"], lab.preset.frames)
    return float(len(frames) * FilmRecipe().frame_steps * frames[0][0, 0].numel())


FRAMES = Experiment(
    name="frames",
    section="3.4",
    claim=(
        "A film made frame by frame, each from its content with a fixed seed, is quite stable; and "
        "none of its inputs fails."
    ),
    cells=_cells,
    measure=_measure,
    checks=(
        Check("instability", "at most", 0.5, "change of aligned frames over that of two noises"),
        Check("tied over by itself", "at most", 1 / 3, "a time dependency gives better results"),
        Check("failing frames", "at most", 0, "final losses beyond 5 MAD of the film's"),
    ),
    extra=_extra,
    columns=6,
    caption="Frames of a camera move, each made from its own content.",
)
