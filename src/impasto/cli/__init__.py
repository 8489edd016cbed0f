"""The command ``impasto``. Torch is imported when a command needs it, not before."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from impasto.cli.stopping import stoppable


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status; errors and signals become one sentence."""
    with stoppable(to_the_end=arguments is None) as stop:
        try:
            from impasto.cli.app import run  # takes a moment, in which Ctrl-C may come

            return run(sys.argv[1:] if arguments is None else arguments)
        except BaseException as error:
            # An interrupted import may end in any error of the package that was being imported.
            if stop.signal is None and not isinstance(error, KeyboardInterrupt):
                raise
            said = "nothing was written" if stop.times < 2 else "what was kept is as it was"
            print(f"impasto: stopped; {said}.", file=sys.stderr)
            return 128 + (stop.signal or 2)
