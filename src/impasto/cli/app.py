"""The commands, and how the process ends: 0 done, 2 bad input, 130 stopped by Ctrl-C."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, CycloptsError, Parameter

import impasto
from impasto.cli.classify import classify
from impasto.cli.models import models
from impasto.cli.options import with_recipe_options
from impasto.errors import ImpastoError

app = App(
    name="impasto",
    help="Neural style transfer: a photograph's content, a painting's style, one picture.",
    version=impasto.__version__,
    help_format="plaintext",
    suppress_keyboard_interrupt=False,  # main says what was kept, and gives the status
)
app.command(models)
app.command(classify)


@app.command
@with_recipe_options
def stylize(
    content: Annotated[Path, Parameter(help="The photograph.")],
    *style: Annotated[Path, Parameter(help="One or more paintings.")],
    output: Annotated[
        Path | None,
        Parameter(name=["--output", "-o"], help="Where to write; by default photo+painting.png."),
    ] = None,
    overwrite: Annotated[bool, Parameter(help="Replace an existing file.", negative="")] = False,
    preview: Annotated[
        int | None, Parameter(help="Write the picture so far every N steps, as NAME.preview.png.")
    ] = None,
    quiet: Annotated[
        bool, Parameter(name=["--quiet", "-q"], help="Say nothing.", negative="")
    ] = False,
    debug: Annotated[
        bool, Parameter(help="On an error, show where it came from.", negative="")
    ] = False,
    **options: Any,
) -> int:
    """Paint a photograph in the style of one or more paintings."""
    del debug  # read by main, which alone catches errors
    from impasto.cli.stylize import stylize_command

    return stylize_command(
        content,
        style,
        output=output,
        overwrite=overwrite,
        preview=preview,
        quiet=quiet,
        options=options,
    )


@app.command
def summary(
    network: Annotated[str, Parameter(help="vgg19 or compact.")] = "vgg19",
    *,
    size: Annotated[int, Parameter(help="Side of the input, in pixels.")] = 224,
    debug: Annotated[
        bool, Parameter(help="On an error, show where it came from.", negative="")
    ] = False,
) -> int:
    """Print a network layer by layer: shapes, parameters, receptive fields, multiply-adds."""
    del debug
    from impasto.cli.summary import summary_command

    return summary_command(network, size)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status; errors become one sentence."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    _share_the_processor()
    try:
        status = app(words, exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        return _fail(str(error))
    except ImpastoError as error:
        if "--debug" in words:
            raise
        return _fail(str(error))
    except KeyboardInterrupt:
        return _fail("stopped before there was a picture; nothing was written.", status=130)
    return status if isinstance(status, int) else 0


def _share_the_processor() -> None:
    """Let torch's idle threads wait less eagerly; must come before torch is imported.

    By default GNU OpenMP spins so long at every barrier that one other busy program makes a run ten
    to twenty times slower; this costs an eighth on an idle machine and spares most of that
    (docs/performance.md). Whoever has set either variable keeps it.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "10000")


def _fail(sentence: str, status: int = 2) -> int:
    print(f"impasto: {' '.join(sentence.split())}", file=sys.stderr)
    return status
