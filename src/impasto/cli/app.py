"""The commands, and how the process ends.

0 done; 1 some of many pictures failed, or a picture made again is not the same; 2 bad input;
130 stopped by Ctrl-C (143 by kill): see impasto.cli.stopping.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, CycloptsError, Parameter

import impasto
from impasto.cli.classify import classify
from impasto.cli.experiments import Content, Network, Style, Weights, experiments
from impasto.cli.flags import (
    AsJson,
    Checkpoint,
    Debug,
    Each,
    Format,
    Name,
    Overwrite,
    Quiet,
    Resume,
    Seeds,
)
from impasto.cli.measure import measure
from impasto.cli.models import models
from impasto.cli.naming import PIPE
from impasto.cli.options import with_recipe_options
from impasto.cli.paint import paint
from impasto.cli.rate import rate
from impasto.cli.studio import studio
from impasto.cli.train import train
from impasto.cli.video import video
from impasto.errors import ImpastoError
from impasto.recipe.still import Recipe, options_not_for
from impasto.shortage import SMALLER, is_shortage
from impasto.wording import on_the_command_line

app = App(
    name="impasto",
    help="Neural style transfer: a photograph's content, a painting's style, one picture.",
    version=impasto.__version__,
    help_format="plaintext",
    suppress_keyboard_interrupt=False,  # main says what was kept, and gives the status
)
app.command(models)
app.command(classify)
app.command(video)
app.command(measure)
app.command(experiments)
app.command(rate)
app.command(train)
app.command(studio)
app.command(paint)


@app.command
@with_recipe_options
def stylize(
    content: Annotated[
        Path,
        Parameter(
            help="The photograph; a folder or a quoted pattern for many; - for standard input."
        ),
    ],
    *style: Annotated[
        Path, Parameter(help="One or more paintings, or a network that impasto train has made.")
    ],
    paintings: Annotated[
        list[Path] | None,
        Parameter(
            name=["--style", "-s"],
            help="A painting; all the names before it are then photographs. May be repeated.",
            negative="",
        ),
    ] = None,
    output: Annotated[
        str | None,
        Parameter(
            name=["--output", "-o"],
            help="Where to write; by default photo+painting.png. A folder for many photographs, or "
            "for one under that name; - for standard output.",
        ),
    ] = None,
    overwrite: Overwrite = False,
    each: Each = False,
    seeds: Seeds = None,
    name: Name = None,
    kind: Format = "png",
    preview: Annotated[
        int | None, Parameter(help="Write the picture so far every N steps, as NAME.preview.png.")
    ] = None,
    as_json: AsJson = False,
    checkpoint: Checkpoint = 30.0,
    resume: Resume = False,
    quiet: Quiet = False,
    debug: Debug = False,
    recipe: Recipe,
) -> int:
    """Paint a photograph, or many, in the style of one or more paintings."""
    del debug  # read by main, which alone catches errors
    from impasto.cli.batch import batch_command, is_batch
    from impasto.cli.keeping import Keeping
    from impasto.cli.naming import parse_seeds
    from impasto.cli.stylize import stylize_command
    from impasto.cli.trained import has_network, trained_command
    from impasto.cli.wishes import Many, Wishes

    many = Many(each, parse_seeds(seeds) if seeds is not None else (), name)
    keeping = Keeping(resume, checkpoint)
    wishes = Wishes(overwrite, keeping, many, kind, preview, quiet, as_json)
    photographs, styles = ([content, *style], paintings) if paintings else ([content], style)
    if has_network(styles):
        return trained_command(photographs, styles, recipe, output, wishes)
    if is_batch(photographs) or many.is_asked_for:
        return batch_command(photographs, styles, recipe, output, wishes)
    return stylize_command(content, styles, recipe, output, wishes, is_plain=not paintings)


@app.command
@partial(with_recipe_options, leave_out=options_not_for("texture"))
def texture(
    *style: Annotated[Path, Parameter(help="One or more paintings.")],
    size: Annotated[str, Parameter(help="Side in pixels, or width and height: 1024x512.")] = "512",
    output: Annotated[
        str | None,
        Parameter(
            name=["--output", "-o"],
            help="Where to write, a file or a folder; by default painting.texture.png.",
        ),
    ] = None,
    overwrite: Overwrite = False,
    each: Each = False,
    seeds: Seeds = None,
    name: Name = None,
    kind: Format = "png",
    as_json: AsJson = False,
    checkpoint: Checkpoint = 30.0,
    resume: Resume = False,
    quiet: Quiet = False,
    debug: Debug = False,
    recipe: Recipe,
) -> int:
    """Make a texture: a painting's style alone, from noise; with --tileable its edges meet."""
    del debug
    from impasto.cli.keeping import Keeping
    from impasto.cli.naming import parse_seeds
    from impasto.cli.texture import texture_command
    from impasto.cli.wishes import Many, Wishes

    many = Many(each, parse_seeds(seeds) if seeds is not None else (), name)
    keeping = Keeping(resume, checkpoint)
    wishes = Wishes(overwrite, keeping, many, kind, quiet=quiet, as_json=as_json)
    return texture_command(style, size=size, output=output, wishes=wishes, recipe=recipe)


@app.command
@partial(with_recipe_options, leave_out=options_not_for("grid"))
def sweep(
    *,
    vary: Annotated[
        list[str] | None,
        Parameter(
            help="An option and its values, such as init=noise,content or style=a.jpg,b.jpg; + "
            "joins what is one value. alpha/beta is the report's ratio. Once for each axis of the "
            "grid.",
            negative="",
        ),
    ] = None,
    out: Annotated[Path, Parameter(help="A folder for the page and the cells.")] = Path("sweep"),
    content: Content = None,
    style: Style = None,
    size: Annotated[int, Parameter(help="Longest side of every picture, in pixels.")] = 256,
    network: Network = Recipe.network,
    weights: Weights = None,
    yes: Annotated[bool, Parameter(help="Go on with over 500 cells.", negative="")] = False,
    quiet: Quiet = False,
    debug: Debug = False,
    **options: Any,
) -> int:
    """Draw any grid of options as a labelled sheet, with style against content as a curve."""
    del debug
    from impasto.cli.experiments import sweep_command

    return sweep_command(
        vary or (),
        out,
        content,
        style,
        size=size,
        network=network,
        weights=weights,
        yes=yes,
        quiet=quiet,
        options=options,
    )


@app.command
def reproduce(
    record: Annotated[Path, Parameter(help="A result of impasto, or its .json.")],
    output: Annotated[
        str | None,
        Parameter(
            name=["--output", "-o"],
            help="Where to write; by default NAME.again.png, or a film's own suffix.",
        ),
    ] = None,
    *,
    content: Annotated[
        Path | None,
        Parameter(help="The photograph or film, if it lies neither beside the record nor here."),
    ] = None,
    style: Annotated[
        list[Path] | None, Parameter(help="The painting; once for each, in order.", negative="")
    ] = None,
    init: Annotated[Path | None, Parameter(help="The starting picture.")] = None,
    protect: Annotated[
        list[Path] | None, Parameter(help="The mask; once for each, in order.", negative="")
    ] = None,
    regions: Annotated[Path | None, Parameter(help="The map of the regions.")] = None,
    style_regions: Annotated[
        list[Path] | None,
        Parameter(help="The paintings' maps; once for each, in order.", negative=""),
    ] = None,
    weights: Annotated[Path | None, Parameter(help="The network's weights.")] = None,
    max_pixels: Annotated[
        int, Parameter(help="Largest picture that is read or made, whatever the record allows.")
    ] = Recipe.max_pixels,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> int:
    """Make a result again from its record; say what has changed and whether it is the same."""
    del debug
    from impasto.cli.reproduce import reproduce_command

    return reproduce_command(
        record,
        output,
        overwrite=overwrite,
        quiet=quiet,
        content=content,
        style=style or (),
        init=init,
        protect=protect or (),
        regions=regions,
        style_regions=style_regions or (),
        weights=weights,
        max_pixels=max_pixels,
    )


@app.command
def show(
    record: Annotated[Path, Parameter(help="A result of impasto, or its .json.")],
    *,
    plot: Annotated[
        Path | None, Parameter(help="Draw the curve into this .png or .svg as well.")
    ] = None,
    table: Annotated[
        Path | None,
        Parameter(name="--csv", help="Write the losses of every step into this file as well."),
    ] = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> int:
    """Print how a result was made, and draw its loss curve; of a film, its frames' distances."""
    del debug
    from impasto.cli.show import show_command

    return show_command(record, plot=plot, table=table, overwrite=overwrite, quiet=quiet)


@app.command
def summary(
    network: Annotated[str, Parameter(help="vgg19 or compact.")] = "vgg19",
    *,
    size: Annotated[int, Parameter(help="Side of the input, in pixels.")] = 224,
    debug: Debug = False,
) -> int:
    """Print a network layer by layer: shapes, parameters, receptive fields, multiply-adds."""
    del debug
    from impasto.cli.summary import summary_command

    return summary_command(network, size)


def run(arguments: Sequence[str]) -> int:
    """Run the command line and return its exit status; errors become one sentence."""
    words = [str(PIPE) if word == "-" else word for word in arguments]
    _share_the_processor()
    _print_any_name()
    with on_the_command_line():
        return _run(words)


def _run(words: list[str]) -> int:
    try:
        status = app(words, exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        return _fail(_about_hyphens(words) or str(error))
    except ImpastoError as error:
        if "--debug" in words:
            raise
        return _fail(str(error))
    except Exception as error:
        if "--debug" in words or not is_shortage(error):
            raise
        return _fail(f"Memory ran out: {SMALLER}.")
    return status if isinstance(status, int) else 0


def _about_hyphens(words: Sequence[str]) -> str:
    """What to do about a file whose name looks like an option; empty where there is none."""
    named = (each for each in words if each.startswith("-") and Path(each).is_file())
    option = next(named, None)
    return f"{option!r} looks like an option: name the file as './{option}'." if option else ""


def _share_the_processor() -> None:
    """Let torch's idle threads wait less eagerly; must come before torch is imported.

    By default GNU OpenMP's threads spin for several milliseconds at every barrier. A third of one
    is as fast on a quiet machine, and costs less until it is noticed that it is a busy one
    (:mod:`impasto.engine.waiting`). Whoever has set either variable keeps it.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "30000")


def _print_any_name() -> None:
    """Names of files that are no text in the terminal's encoding are printed byte for byte."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="surrogateescape")


def _fail(sentence: str) -> int:
    words = " ".join(sentence.split()).replace(str(PIPE), "-")
    print(f"impasto: {words}", file=sys.stderr)
    return 2
