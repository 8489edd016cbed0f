"""Flags that several commands share."""

from typing import Annotated

from cyclopts import Parameter

Overwrite = Annotated[bool, Parameter(help="Replace an existing file.", negative="")]
Quiet = Annotated[bool, Parameter(name=["--quiet", "-q"], help="Say nothing.", negative="")]
Debug = Annotated[bool, Parameter(help="On an error, show where it came from.", negative="")]
Resume = Annotated[
    bool,
    Parameter(
        help="Go on from the checkpoint of a run that was stopped or killed, if there is one.",
        negative="",
    ),
]
Checkpoint = Annotated[
    float,
    Parameter(help="Seconds between checkpoints, as NAME.checkpoint beside the output; 0: none."),
]
