"""``impasto show``: what a record says, and the loss curve, or a film's distances by frame."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from statistics import fmean

from rich.console import Console
from rich.table import Table
from rich.text import Text

from impasto.cli.curve import print_chart
from impasto.errors import RecordError
from impasto.files.outputs import Outputs
from impasto.files.records.films import FilmRecord, read_any_record
from impasto.files.records.read import Record
from impasto.files.records.tables import write_losses
from impasto.files.records.write import record_path
from impasto.files.weights.provenance import provenance_in_record
from impasto.plots.losses import Chart, film_chart, loss_chart, write_chart

_NOT_IN_LINE = ("sha256", "means_sha256", "source_sha256", "origin", "release", "licence")


def show_command(
    path: Path,
    *,
    plot: Path | None,
    overwrite: bool,
    table: Path | None = None,
    quiet: bool = False,
) -> int:
    """Print the record of a result, unless it is to be quiet, and draw its losses; the exit status.

    Raises:
        ImpastoError: with one sentence that says what to do.

    """
    record = read_any_record(path)
    chart = _chart(record, is_needed=plot is not None)
    wanted = [each for each in (plot, table) if each is not None]
    Outputs((path, record_path(path)), overwrite=overwrite).check(*wanted)
    if plot is not None and chart is not None:
        write_chart(chart, printable(path.name), plot)
    if table is not None:
        if isinstance(record, FilmRecord):
            raise RecordError("A film's record has no losses by step: leave out --csv.")
        write_losses(record, table)
    if quiet:
        return 0
    console = Console(highlight=False, markup=False, emoji=False)
    console.print(_table(record))
    if chart is not None:
        print_chart(chart, console)
    for each in wanted:
        console.print(str(each))
    return 0


def printable(text: str) -> str:
    """Without the control characters by which a record could steer a terminal."""
    return "".join(each if each.isprintable() else "?" for each in text)


def _chart(record: Record | FilmRecord, *, is_needed: bool) -> Chart | None:
    """Of the losses; None for a picture at once, which has none, unless one was asked for."""
    try:
        return film_chart(record) if isinstance(record, FilmRecord) else loss_chart(record)
    except RecordError:
        if is_needed:
            raise
        return None


def _table(record: Record | FilmRecord) -> Table:
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in _rows(record):
        table.add_row(Text(name, "bold"), Text(printable(value)))
    return table


def _rows(record: Record | FilmRecord) -> Iterator[tuple[str, str]]:
    yield "task", "film" if isinstance(record, FilmRecord) else record.task
    for role, pictures in record.inputs.items():
        for each in pictures:
            height, width = each.size
            yield role, f"{each.name}  {width}x{height}  sha256 {each.sha256[:12]}"
    network = record.network
    yield (
        "network",
        " ".join(
            [
                *(v for k, v in network.items() if k not in _NOT_IN_LINE),
                f"sha256 {network.get('sha256', '-')[:12]}",
            ]
        ),
    )
    if "sha256" in network:
        licence = network.get("licence", "unknown")
        yield "weights", f"{provenance_in_record(network)}; licence: {licence}"
    yield "seed", str(record.recipe.seed)
    yield "recipe", record.recipe.command_line() or "all defaults"
    if isinstance(record, FilmRecord):
        yield "film", record.film.command_line() or "all defaults"
    yield from _plan_rows(record)
    yield from _film_rows(record) if isinstance(record, FilmRecord) else _result_rows(record)
    yield "versions", ", ".join(f"{name} {version}" for name, version in record.versions.items())
    yield "schema", str(record.schema)


def _film_rows(record: FilmRecord) -> Iterator[tuple[str, str]]:
    result, frames = record.result, record.frames
    height, width = result.size
    shots = sum(each.begins_shot for each in frames)
    yield "frames", f"{len(frames)} of {width}x{height} in {result.seconds:.1f} s; shots: {shots}"
    if frames:
        yield "steps", f"{fmean(each.steps for each in frames):.1f} a frame"
        content, style = (
            [value for each in frames if (value := getattr(each, name)) is not None]
            for name in ("content_distance", "style_distance")
        )
        if content and style:
            yield "distances", f"content {fmean(content):.3f}, style {fmean(style):.4f} (means)"
    if result.sha256:
        yield "file", f"sha256 {result.sha256[:12]}"


def _plan_rows(record: Record | FilmRecord) -> Iterator[tuple[str, str]]:
    if record.plan is None:
        yield "plan", "another version's"
        return
    yield "plan", f"{record.plan.device}, threads: {record.plan.threads}"
    stages = [f"{s.width}x{s.height}, {s.steps} steps, {s.precision}" for s in record.plan.stages]
    if isinstance(record, FilmRecord):
        yield from (("", stage) for stage in stages)
        return
    for stage, weights in zip(stages, record.weights, strict=False):
        yield "", f"{stage}, alpha {_number(weights.alpha)}, beta {_number(weights.beta)}"


def _result_rows(record: Record) -> Iterator[tuple[str, str]]:
    result = record.result
    ending = "" if result.finished else " (stopped early)"
    yield "steps", f"{result.steps}{ending} in {result.seconds:.1f} s"
    if result.style_distance is not None and result.content_distance is not None:
        yield (
            "distances",
            f"content {result.content_distance:.3f}, style {result.style_distance:.4f}",
        )
    if result.sha256:
        yield "pixels", f"sha256 {result.sha256[:12]}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
