"""The cost of the bundled network, compared with the small teacher.

``python -m benchmarks.cost --small FILE [--size 512] [--repeats 9]``

Prints the median seconds of an iteration through the bundled network with its heads, over those
of the small teacher without heads (under its own reflection padding, and under zero padding), all
alternating in one run; the bytes of the file; the milliseconds for loading and checking it.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from statistics import median

from benchmarks.judges import SmallNetwork
from benchmarks.speed import Engine, Precision
from impasto.files.weights.store import COMPACT_FILE, load_network
from impasto.nets.network import Network
from impasto.recipe.still import Recipe
from training.teachers import load_small

PRECISIONS: tuple[Precision, ...] = ("bf16", "fp32")


def iteration_seconds(
    small: Path, size: int, precision: Precision, repeats: int
) -> dict[str, float]:
    """Median seconds of a step with each network."""
    networks: dict[str, Network] = {"compact": load_network(Recipe()).network}
    for name, padding in (("16x", "reflect"), ("16x, zero padding", "constant")):
        bare = SmallNetwork(load_small(small, padding=padding))
        bare.heads = {}
        networks[name] = bare
    engines = {name: Engine(network, size, precision) for name, network in networks.items()}
    taken: dict[str, list[float]] = {name: [] for name in engines}
    for turn in range(repeats + 3):
        for name, engine in engines.items():
            began = time.perf_counter()
            engine()
            if turn >= 3:
                taken[name].append((time.perf_counter() - began) / engine.evaluations)
    return {name: median(times) for name, times in taken.items()}


def loading_milliseconds(repeats: int = 9) -> float:
    """Median time to load and check the bundled file."""
    taken = []
    for _ in range(repeats):
        began = time.perf_counter()
        load_network(Recipe())
        taken.append(1e3 * (time.perf_counter() - began))
    return median(taken)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", type=Path, required=True, help="the small teacher, safetensors")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--repeats", type=int, default=9)
    options = parser.parse_args()
    for precision in PRECISIONS:
        seconds_by_network = iteration_seconds(
            options.small, options.size, precision, options.repeats
        )
        for name, seconds in seconds_by_network.items():
            ratio = seconds_by_network["compact"] / seconds
            print(f"{precision}  {name:18} {1e3 * seconds:8.1f} ms   compact / it {ratio:.2f}")
    print(f"file {COMPACT_FILE.stat().st_size:,} bytes")
    print(f"loading and checking {loading_milliseconds():.1f} ms")


if __name__ == "__main__":
    main()
