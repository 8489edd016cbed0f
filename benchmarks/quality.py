"""Time and distances of each ``--quality``, as a curve.

    python -m benchmarks.quality PHOTOS PAINTINGS --vgg FILE --small FILE [--pairs 3] [--size 512]
                                 [--plot FILE] [--page FILE]

The reference is a run of 500 evaluations, one scale, float32, on the 16x teacher with its heads.
Both are measured in float32 on the true VGG-19's first three blocks, which neither run optimised:
content at conv3_3, style as the mean over conv1_1, conv2_1 and conv3_1. A time is that of the
whole run without start-up; on a busy machine only the distances are meaningful.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, geometric_mean, median
from typing import Any, get_args, get_type_hints

from benchmarks.judges import TRUE, Judges, SmallNetwork
from benchmarks.page import put
from benchmarks.pairs import Pair, add_pair_options, pairs_of
from impasto import Stylizer
from impasto.files.pictures.images import read_picture
from impasto.ops.inits import resize
from impasto.plots.lines import Plot, Series
from impasto.recipe.still import Recipe
from training.teachers import VGG, Small, load_small, load_vgg

HEADING = (
    "| quality | seconds | content ÷ | style ÷ | content | style |",
    "| --- | --: | --: | --: | --: | --: |",
)
REFERENCE: dict[str, Any] = {"scales": 1, "steps": (500,), "precision": "fp32"}


@dataclass(frozen=True)
class Point:
    """One run: its seconds, and its relative distances to content and style."""

    seconds: float
    content: float
    style: float


def measure(
    stylizer: Stylizer, pair: Pair, vgg: VGG, small: Small, size: int, options: Mapping[str, Any]
) -> Point:
    """Run once and measure the result."""
    start = time.perf_counter()
    job = stylizer.job(*pair, size=size, **options)
    for _ in job:
        pass
    seconds = time.perf_counter() - start
    stage = job.plan.stages[-1]
    content, style = (read_picture(path).tensor for path in pair)
    judges = Judges(
        vgg, small, resize(content, stage.height, stage.width), resize(style, *stage.styles[0])
    )
    distance, styles = judges.judge(job.result().tensor)
    return Point(seconds, distance, fmean(styles[layer] for layer in TRUE))


def summary(name: str, points: Sequence[Point], references: Sequence[Point]) -> str:
    """One line of the table; ratios to the reference are geometric means over the pairs."""
    content, style = _ratios(points, references)
    return (
        f"| {name} | {median(p.seconds for p in points):.1f} | {content:.3f} | {style:.3f} | "
        f"{fmean(p.content for p in points):.3f} | {fmean(p.style for p in points):.3f} |"
    )


def plot(points_by_name: Mapping[str, Sequence[Point]], references: Sequence[Point]) -> Plot:
    """Ratios to the reference's distances over seconds, a point for each quality."""
    seconds = {name: median(p.seconds for p in points) for name, points in points_by_name.items()}
    ratios = {name: _ratios(points, references) for name, points in points_by_name.items()}
    lines = [
        Series(
            term,
            [(seconds[name], ratios[name][index]) for name in points_by_name],
            tuple(points_by_name),
        )
        for index, term in enumerate(("content", "style"))
    ]
    return Plot("seconds", "distance over that of 500 evaluations", lines, log_x=True)


def _ratios(points: Sequence[Point], references: Sequence[Point]) -> tuple[float, float]:
    pairs = list(zip(points, references, strict=True))
    return (
        geometric_mean(p.content / y.content for p, y in pairs),
        geometric_mean(p.style / y.style for p, y in pairs),
    )


def main() -> None:
    """Print the table; draw the curve if requested."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add_pair_options(parser, pairs=3)
    parser.add_argument("--vgg", type=Path, required=True, help="true blocks 1-3, safetensors")
    parser.add_argument("--small", type=Path, required=True, help="the small teacher, safetensors")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--plot", type=Path, help="draw the curve here, as .svg")
    parser.add_argument("--page", type=Path, help="the page whose table is to be updated")
    options = parser.parse_args()
    vgg, small = load_vgg(options.vgg), load_small(options.small)
    ours, theirs = Stylizer(), Stylizer(SmallNetwork(small))
    qualities = get_args(get_type_hints(Recipe)["quality"])
    points_by_name: dict[str, list[Point]] = {name: [] for name in qualities}
    references = []
    for pair in pairs_of(options):
        references.append(measure(theirs, pair, vgg, small, options.size, REFERENCE))
        print(f"{pair[0].stem} {pair[1].stem} {references[-1]}", flush=True)
        for name in qualities:
            points_by_name[name].append(
                measure(ours, pair, vgg, small, options.size, {"quality": name})
            )
            print(f"  {name} {points_by_name[name][-1]}", flush=True)
    lines = [*HEADING, summary("500 evaluations, 16x network", references, references)]
    lines += [summary(name, points, references) for name, points in points_by_name.items()]
    print("\n".join(lines))
    if options.page:
        put(options.page, "quality", "\n".join([*lines, ""]))
    if options.plot:
        options.plot.parent.mkdir(parents=True, exist_ok=True)
        options.plot.write_text(plot(points_by_name, references).svg())


if __name__ == "__main__":
    main()
