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
AsJson = Annotated[
    bool,
    Parameter(
        name="--json",
        help="Print a line of JSON for each result instead of its name.",
        negative="",
    ),
]
Each = Annotated[
    bool,
    Parameter(
        help="One result for each painting, and a contact sheet of them all, instead of one of all "
        "paintings together; a folder of paintings will do.",
        negative="",
    ),
]
Seeds = Annotated[
    str | None,
    Parameter(help="One result for each seed, such as 1-5 or 1,4,9, and a contact sheet."),
]
Name = Annotated[
    str | None,
    Parameter(
        help="Name of each result, without suffix, from {photo}, {painting}, {seed} and {number}: "
        "'{photo}-{painting}'."
    ),
]
Format = Annotated[
    str, Parameter(name="--format", help="Format of results whose file --output does not name.")
]
