"""``impasto experiments`` and ``impasto sweep``: the report's figures, and any grid of options."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from impasto.cli.flags import Debug, Quiet
from impasto.cli.memory import keep
from impasto.cli.options import with_recipe_options
from impasto.cli.stopping import status_of
from impasto.errors import RecipeError
from impasto.recipe.sizes import parse_size
from impasto.recipe.still import Recipe, options_not_for, options_of_network

if TYPE_CHECKING:
    from impasto.experiments import Experiment, Lab, Outcome, Preset

Content = Annotated[
    Path | None, Parameter(name="--content", help="The photograph; by default an example.")
]
Style = Annotated[
    Path | None, Parameter(name="--style", help="The painting; by default an example.")
]
Photo = Annotated[Path | None, Parameter(help="Another photograph, for section 3.5.")]
Dark = Annotated[Path | None, Parameter(help="A dark photograph, for section 3.5.")]
Network = Annotated[str, Parameter(help="compact, or a full VGG-19 (see impasto models).")]
Weights = Annotated[Path | None, Parameter(help="A safetensors file with its weights.")]
Other = Annotated[
    list[Path] | None,
    Parameter(
        help="Another network for networks: a safetensors file of VGG-19 or of its first blocks. "
        "May be repeated.",
        negative="",
    ),
]

_options = App()


@_options.default
@with_recipe_options
def _options_given(**options: Any) -> dict[str, Any]:
    return options


experiments = App(
    name="experiments",
    help="The report's experiments: list them, or carry them out and check their claims.",
)


From = Annotated[
    Path | None,
    Parameter(name="--from", help="A Python file with experiments of your own; it is run."),
]


@experiments.command(name="list")
def list_experiments(*, source: From = None, debug: Debug = False) -> int:
    """List the experiments, where the report has them, and what they claim."""
    del debug
    from rich.console import Console
    from rich.table import Table

    from impasto.experiments import EXPERIMENTS, experiments_in

    table = Table("experiment", "report", "claim")
    for each in (experiments_in(source) if source else EXPERIMENTS).values():
        table.add_row(each.name, each.section, each.claim)
    Console().print(table)
    return 0


@experiments.command(name="run")
def run_experiments(
    *names: Annotated[
        str,
        Parameter(help="Names of experiments, figures of the report such as figure14, or all."),
    ],
    source: From = None,
    out: Annotated[
        Path, Parameter(help="A folder for the page and all that belongs to it.")
    ] = Path("report"),
    preset: Annotated[str, Parameter(help="quick, standard or report.")] = "standard",
    content: Content = None,
    style: Style = None,
    photo: Photo = None,
    dark: Dark = None,
    network: Network = Recipe.network,
    weights: Weights = None,
    other: Other = None,
    size: Annotated[int | None, Parameter(help="Longest side, in place of the preset's.")] = None,
    steps: Annotated[int | None, Parameter(help="Steps n, in place of the preset's.")] = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> int:
    """Carry out experiments; run again, it goes on where it was stopped."""
    del debug
    from impasto.experiments import EXPERIMENTS, Inputs, Lab, experiments_in, find_experiments

    if not names and source is None:
        raise RecipeError("Name an experiment, or all: see impasto experiments list.")
    among = experiments_in(source) if source else EXPERIMENTS
    wanted = find_experiments(names or ["all"], among)
    lab = Lab(
        _folder(out, content, style, photo, dark, weights, *(other or ())),
        _preset(preset, size, steps),
        Inputs(content, style, photo, dark),
        network=network,
        weights=weights,
        others=other or (),
    )
    return _carry_out(wanted, lab, title=_title(source), quiet=quiet)


def sweep_command(
    vary: Sequence[str],
    out: Path,
    content: Path | None,
    style: Path | None,
    *,
    size: int,
    network: str,
    weights: Path | None,
    yes: bool,
    quiet: bool,
    options: dict[str, Any],
) -> int:
    """Draw a grid of options as a labelled sheet; the exit status.

    Raises:
        ImpastoError: with one sentence that says what to do.

    """
    from impasto.experiments import Inputs, Lab, Preset
    from impasto.experiments.sweep import PICTURES, parse_axes, sweep

    of_network = {name: options[name] for name in options_of_network() if name in options}
    rest = {name: value for name, value in options.items() if name not in _fixed()}
    axes = parse_axes(vary)
    experiment = sweep(axes, {"size": size, **rest}, typed=_typed, allow_many=yes)
    varied = [Path(word) for name, words in axes if name in PICTURES for word in words]
    lab = Lab(
        _folder(out, content, style, weights, *varied),
        Preset("sweep", size=size, steps=0, long_steps=0, as_product=True, options={}),
        Inputs(content, style),
        network=network,
        weights=weights,
        **of_network,
    )
    return _carry_out([experiment], lab, title="A grid of options", quiet=quiet)


def _typed(name: str, word: str) -> dict[str, Any]:
    """An option's value as ``impasto stylize`` would understand it.

    Raises:
        RecipeError: there is no such option, or it means nothing in a grid.

    """
    from cyclopts import CycloptsError

    field = name.replace("-", "_")
    if field in _fixed() or field not in Recipe.__dataclass_fields__:
        raise RecipeError(f"--vary {name} is no option that can be varied: see impasto sweep -h.")
    try:
        options = _options(
            [f"--{field.replace('_', '-')}={word}"],
            exit_on_error=False,
            print_error=False,
            result_action="return_value",
        )
    except CycloptsError as error:
        raise RecipeError(str(error)) from error
    return {field: options[field]}


def _fixed() -> set[str]:
    """Options that are the same for a whole grid; among them those of its one network."""
    return {*options_not_for("grid"), *options_of_network()}


def _preset(name: str, size: int | None, steps: int | None) -> Preset:
    from dataclasses import replace

    from impasto.experiments.presets import PRESETS

    if name not in PRESETS:
        raise RecipeError(f"There is no preset {name!r}: choose from {', '.join(PRESETS)}.")
    preset = PRESETS[name]
    if size is not None:
        parse_size(size)
    if steps is not None:
        if steps < 1:
            raise RecipeError("--steps must be at least 1.")
        longer = round(steps * preset.long_steps / preset.steps)
        preset = replace(preset, steps=steps, long_steps=longer)
    return preset if size is None else replace(preset, size=size)


def _title(source: Path | None) -> str:
    return f"Experiments of {source.name}" if source else "The report's experiments"


def _folder(path: Path, *inputs: Path | None) -> Path:
    from impasto.files.outputs import Outputs

    Outputs(inputs).check_own_folder(path)
    return path


def _carry_out(wanted: Sequence[Experiment], lab: Lab, *, title: str, quiet: bool) -> int:
    from impasto.cli.progress import experiments_display, lasting
    from impasto.experiments.page import write_page
    from impasto.experiments.runner import predicted_seconds, run

    if not quiet:
        seconds = predicted_seconds(wanted, lab)
        print(f"About {lasting(seconds)} on this machine as it is now.", file=sys.stderr)
    keep()
    done = count = 0
    stream = run(wanted, lab)
    try:
        with experiments_display(quiet=quiet) as show:
            while True:
                progress = next(stream)
                done, count = progress.done, progress.count
                show(progress)
    except StopIteration as end:
        outcomes: list[Outcome] = end.value
    except KeyboardInterrupt as stop:
        print(
            f"impasto: stopped with {done} of {count} cells finished; run the same command to go "
            "on.",
            file=sys.stderr,
        )
        return status_of(stop)
    page = write_page(outcomes, lab, title=title)
    if not quiet:
        _print_verdicts(outcomes)
        print(page)
    return 0


def _print_verdicts(outcomes: Sequence[Outcome]) -> None:
    for outcome in outcomes:
        if outcome.experiment.checks:
            print(f"{outcome.experiment.name:16} {outcome.verdict.value}")
