"""``impasto measure``: the panel of a result, as a table or as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from impasto.cli.flags import Debug, Overwrite

if TYPE_CHECKING:
    from rich.console import Console

    from impasto.evaluate.panel import Figure, Panel


def measure(
    result: Annotated[Path, Parameter(help="The picture or film to be judged.")],
    *,
    content: Annotated[
        Path,
        Parameter(name=["--content", "-c"], help="The photograph or film that it was made from."),
    ],
    style: Annotated[
        Path, Parameter(name=["--style", "-s"], help="The painting that it was made from.")
    ],
    network: Annotated[
        str | None,
        Parameter(
            help="A name or a safetensors file; when not given, a full VGG-19 if one is here and "
            "did not make the picture, else compact."
        ),
    ] = None,
    layers: Annotated[
        str,
        Parameter(
            help="Layers on which style is compared, such as conv1_2,conv3_2; when not given, such "
            "as are not optimised by default."
        ),
    ] = "",
    as_json: Annotated[
        bool, Parameter(name="--json", help="Print JSON in place of the table.", negative="")
    ] = False,
    plot: Annotated[
        Path | None, Parameter(help="Of a film: draw its flicker into this .png or .svg as well.")
    ] = None,
    overwrite: Overwrite = False,
    debug: Debug = False,
) -> int:
    """Say how near a result is to its photograph and its painting, and name its faults."""
    del debug
    from impasto.cli.tables import plain_console
    from impasto.errors import RecipeError
    from impasto.evaluate.panel import measure as measure_result
    from impasto.evaluate.panel.films import flicker_chart, is_film, measure_frames
    from impasto.files.outputs import Outputs
    from impasto.files.records.write import record_path
    from impasto.plots.losses import write_chart

    if plot is not None:
        read = (result, record_path(result), content, style, network)
        Outputs(read, overwrite=overwrite).check(plot)
        if not is_film(result):
            raise RecipeError("--plot draws the flicker of a film: leave it out for a picture.")
    names = tuple(name.strip() for name in layers.split(",") if name.strip())
    panel = measure_result(result, content, style, network=network, layers=names)
    if plot is not None:
        curves, _ = measure_frames(result, content, style, network, names)
        write_chart(flicker_chart(curves), f"Warping error of {result.name}", plot)
    if as_json:
        print(json.dumps(panel.as_dict(), allow_nan=False))
    else:
        print_panel(panel, plain_console())
    return 0


def print_panel(panel: Panel, console: Console) -> None:
    """Draw a panel: what was measured, one line a figure, the faults beside them."""
    from rich.table import Table

    from impasto.cli.show import printable

    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("")
    for heading in ("result", "photograph", "painting"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("fault")
    for figure in panel.figures:
        table.add_row(*_cells(figure))
    console.print(printable(panel.subject), style="bold")
    for name, words in panel.facts.items():
        console.print(f"{name}: {printable(words)}")
    console.print(table)


def _cells(figure: Figure) -> list[str]:
    numbers = (figure.value, figure.photograph, figure.painting)
    return [figure.name, *("" if n is None else f"{n:.3f}" for n in numbers), figure.fault]
