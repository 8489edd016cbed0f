"""``impasto summary``: the report's figure 6."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from impasto.errors import RecipeError
from impasto.nets.summary import Row, summarise
from impasto.nets.topology import COMPACT_WIDTHS, VGG19_WIDTHS

NETWORKS = {"vgg19": (VGG19_WIDTHS, "pool5"), "compact": (COMPACT_WIDTHS, "conv5_1")}


def summary_command(network: str, size: int) -> int:
    """Print the table; the exit status.

    Raises:
        RecipeError: no such network, or a size that leaves no position in the last block.

    """
    if network not in NETWORKS:
        raise RecipeError(f"There is no network {network!r}: choose from {', '.join(NETWORKS)}.")
    if size < 32:
        raise RecipeError("--size must be at least 32 pixels.")
    widths, last = NETWORKS[network]
    classifier = network == "vgg19" and size == 224
    rows = summarise(widths, last=last, height=size, width=size, classifier=classifier)
    Console().print(_table(network, rows))
    return 0


def _table(network: str, rows: list[Row]) -> Table:
    total = sum(row.parameters for row in rows)
    table = Table(title=network, caption=f"Total parameters: {total:,}")
    for heading in ("layer", "output", "parameters", "receptive field", "multiply-adds"):
        table.add_column(heading, justify="left" if heading == "layer" else "right", no_wrap=True)
    for row in rows:
        table.add_row(
            row.name,
            " x ".join(map(str, row.shape)),
            f"{row.parameters:,}",
            str(row.receptive_field or "all"),
            f"{row.multiply_adds:,}",
        )
    return table
