"""``impasto models``: list, download, import and remove networks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from impasto.cli.flags import Debug, Overwrite, Quiet
from impasto.cli.stopping import status_of
from impasto.errors import WeightsError

if TYPE_CHECKING:
    from rich.table import Table

    from impasto.files.weights.importing import Stored
    from impasto.files.weights.registry import Model

Pictures = Annotated[
    Path | None,
    Parameter(help="A folder of photographs to normalise the network by; made ones by default."),
]

MEGABYTE = 1_000_000

models = App(name="models", help="Networks: list them, download, import or remove one.")


@models.command(name="list")
def list_models(*, debug: Debug = False) -> int:
    """List the networks that there are, and which of them are here."""
    del debug
    from rich.console import Console

    Console().print(_table())
    return 0


@models.command
def download(
    name: Annotated[str, Parameter(help="vgg19 or vgg19-torchvision.")],
    *,
    pictures: Pictures = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> int:
    """Download a network, check it and make it ready; interrupted, it goes on when run again."""
    del debug
    from impasto.files.weights.cache import discard_download, model_path
    from impasto.files.weights.importing import download_model
    from impasto.files.weights.registry import find_model

    find_model(name)
    if model_path(name).is_file():
        discard_download(name)
        if not quiet:
            print(f"{name} is here already; impasto models remove {name} deletes it.")
        return 0
    try:
        with _bar(quiet=quiet) as report:
            stored = download_model(name, pictures=pictures, report=report)
    except KeyboardInterrupt as stop:
        print("impasto: stopped; the same command goes on from here.", file=sys.stderr)
        return status_of(stop)
    return _say(stored, quiet=quiet)


@models.command(name="import")
def import_file(
    file: Annotated[Path, Parameter(help="A Keras .h5, a torch .pth or a .safetensors.")],
    *,
    name: Annotated[
        str | None, Parameter(help="Store it as vgg19 or vgg19-torchvision; by default what it is.")
    ] = None,
    convention: Annotated[
        str | None,
        Parameter(help="vgg19 (BGR, 0 to 255) or vgg19-torchvision (RGB, 0 to 1), if it is asked."),
    ] = None,
    pictures: Pictures = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> int:
    """Import a VGG-19 from a file: no internet is needed."""
    del debug
    from impasto.files.weights.importing import import_weights

    try:
        with _bar(quiet=quiet) as report:
            stored = import_weights(
                file,
                name=name,
                convention=convention,
                pictures=pictures,
                overwrite=overwrite,
                report=report,
            )
    except KeyboardInterrupt as stop:
        print("impasto: stopped; nothing was stored.", file=sys.stderr)
        return status_of(stop)
    return _say(stored, quiet=quiet)


@models.command
def remove(name: str, *, quiet: Quiet = False, debug: Debug = False) -> int:
    """Delete a network, and what an interrupted download has left of it."""
    del debug
    from impasto.files.weights.cache import remove_model
    from impasto.files.weights.registry import find_model

    find_model(name)
    size = remove_model(name)
    if not quiet:
        print(f"{name} removed: {size / 1e6:,.0f} MB are free again.")
    return 0


def _say(stored: Stored, *, quiet: bool) -> int:
    if not quiet:
        from impasto.files.weights.provenance import UNKNOWN

        what = stored.weights
        known = stored.provenance.words
        if stored.provenance.kind == UNKNOWN and what.release:
            known += f" (the first filter is that of {what.release})"
        classes = ", with the classifier" if what.classifies else ""
        convention = f"pictures in {what.convention.channels}, 0 to {what.convention.range:g}"
        print(f"{stored.name}: {known}{classes}; {convention} ({what.reason}).")
        print(f"Normalised by {stored.pictures}. Use it with --network {stored.name}.")
    return 0


def _table() -> Table:
    from rich.table import Table

    from impasto.files.weights.registry import MODELS

    table = Table()
    for heading in ("name", "size", "here", "licence", "what"):
        table.add_column(heading, no_wrap=heading in ("name", "size", "here"))
    table.add_row("compact", "2 MB", "yes", "CC BY 4.0", "bundled; the default")
    for model in MODELS.values():
        table.add_row(model.name, *_row(model))
    return table


def _row(model: Model) -> tuple[str, str, str, str]:
    """Size, whether it is here, licence and a line: of what is here, or of what would be got."""
    from impasto.files.weights.cache import download_path, model_path
    from impasto.files.weights.provenance import RELEASE
    from impasto.files.weights.registry import MODELS
    from impasto.files.weights.store import stored_provenance

    path, part = model_path(model.name), download_path(model.name, model.format)
    if not path.is_file():
        begun = f"{part.stat().st_size / model.bytes:.0%}" if part.is_file() else "no"
        return f"{model.bytes / 1e6:,.0f} MB", begun, model.licence, model.about
    size = f"{path.stat().st_size / 1e6:,.0f} MB"
    try:
        provenance = stored_provenance(model.name)
    except WeightsError as error:
        return size, "damaged", "unknown", str(error)
    about = MODELS[provenance.release].about if provenance.kind == RELEASE else provenance.words
    return size, "yes", provenance.licence, about


@contextmanager
def _bar(*, quiet: bool) -> Iterator[Callable[[int, int, str], None]]:
    """A bar on standard error; plain lines where there is no terminal."""
    from rich.console import Console

    console = Console(stderr=True)
    if quiet:
        yield lambda *_: None
        return
    if not console.is_terminal:
        yield _plain_lines()
        return
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        TaskProgressColumn(),
        TextColumn("{task.fields[amount]}"),
        TimeRemainingColumn(compact=True),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("reading", total=None, amount="")

        def report(done: int, whole: int, what: str) -> None:
            if bar.tasks[0].total != whole:
                bar.reset(task, total=whole)
            bar.update(task, completed=done, amount=_amount(done, whole))
            if what:
                bar.update(task, description=what)

        yield report


def _amount(done: int, whole: int) -> str:
    """Megabytes of a download, pictures of a measurement."""
    if whole > MEGABYTE:
        return f"{done / MEGABYTE:,.0f} of {whole / MEGABYTE:,.0f} MB"
    return f"{done} of {whole}"


def _plain_lines() -> Callable[[int, int, str], None]:
    """A line when something else begins."""
    last = ""

    def report(done: int, whole: int, what: str) -> None:
        nonlocal last
        if what and what != last:
            print(f"{done / whole:4.0%}  {what}", file=sys.stderr)
            last = what

    return report
