"""``impasto studio``: a page on one's own machine."""

from __future__ import annotations

import os
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from impasto.cli.flags import Debug
from impasto.errors import RecipeError

PASSWORD = "IMPASTO_STUDIO_PASSWORD"


def studio(
    *,
    host: Annotated[
        str, Parameter(help=f"Address to listen at; others than one's own need {PASSWORD} set.")
    ] = "127.0.0.1",
    port: Annotated[int, Parameter(help="Port to listen at; 0 for any that is free.")] = 7860,
    folder: Annotated[
        Path | None, Parameter(help="Where pictures are kept; by default among the user's data.")
    ] = None,
    size: Annotated[
        int, Parameter(help="Longest side of a picture while it is steered, in pixels.")
    ] = 512,
    browser: Annotated[bool, Parameter(help="Open a browser.")] = True,
    debug: Debug = False,
) -> int:
    """Open a page to drop pictures on, and steer while they are painted."""
    del debug
    if find_spec("gradio") is None:
        raise RecipeError("The studio needs pip install 'impasto[studio]'.")
    from platformdirs import user_data_path

    from impasto.studio.server import serve

    if not 64 <= size <= 4096:
        raise RecipeError("--size must lie between 64 and 4096.")
    own = folder or user_data_path("impasto", appauthor=False) / "studio"
    with suppress(KeyboardInterrupt):  # the server has ended in good order by then
        serve(
            own,
            host=host,
            port=port,
            side=size,
            password=os.environ.get(PASSWORD),
            opens=browser,
        )
    print(f"The studio has ended; its pictures are kept in {own}.")
    return 0
