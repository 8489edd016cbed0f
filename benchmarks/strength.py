"""Whether a strength has the same effect at every size and for every pair.

``python -m benchmarks.strength PHOTOS PAINTINGS [--pairs 4] [--sizes 256,512,1024]``

For each pair, strength and size it prints the relative distances to content and style
(sqrt(L/C0) and sqrt(L/S0): 0 and 1 for the photograph itself) and their ratio.
"""

from __future__ import annotations

import argparse
import statistics
from collections import defaultdict
from itertools import pairwise

from benchmarks.pairs import Pair, add_pair_options, pairs_of
from impasto import Stylizer

STRENGTHS = (0.25, 0.5, 0.75)


def main() -> None:
    """Print a line for each run, then the spreads over sizes and over pairs."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_pair_options(parser, pairs=4)
    parser.add_argument("--sizes", default="256,512,1024")
    options = parser.parse_args()
    sizes = [int(size) for size in options.sizes.split(",")]
    ratios: dict[tuple[Pair, float], list[float]] = defaultdict(list)
    for pair in pairs_of(options):
        for strength in STRENGTHS:
            for size in sizes:
                ratios[pair, strength].append(_ratio(pair, strength, size))
    _report(ratios)


def _ratio(pair: Pair, strength: float, size: int) -> float:
    job = Stylizer().job(*pair, strength=strength, size=size)
    for state in job:
        last = state
    content, style = last.weights.distances(last.losses)
    print(
        f"{pair[0].stem:18} {pair[1].stem:22} s={strength:.2f} {size:5} px  "
        f"content {content:.4f}  style {style:.4f}  ratio {content / style:.3f}",
        flush=True,
    )
    return content / style


def _report(ratios: dict[tuple[Pair, float], list[float]]) -> None:
    spreads = [max(of_sizes) / min(of_sizes) - 1 for of_sizes in ratios.values()]
    print(f"spread over sizes: median {statistics.median(spreads):.1%}, worst {max(spreads):.1%}")
    medians = {key: statistics.median(of_sizes) for key, of_sizes in ratios.items()}
    for strength in STRENGTHS:
        of_pairs = [ratio for (_, s), ratio in medians.items() if s == strength]
        print(f"between pairs at s={strength}: {max(of_pairs) / min(of_pairs):.2f}x")
    pairs = {pair for pair, _ in ratios}
    rising = all(
        medians[pair, low] < medians[pair, high]
        for pair in pairs
        for low, high in pairwise(STRENGTHS)
    )
    print(f"rises with the strength for every pair: {'yes' if rising else 'NO'}")


if __name__ == "__main__":
    main()
