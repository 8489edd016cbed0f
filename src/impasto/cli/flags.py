"""Flags that several commands share."""

from typing import Annotated

from cyclopts import Parameter

Overwrite = Annotated[bool, Parameter(help="Replace an existing file.", negative="")]
Quiet = Annotated[bool, Parameter(name=["--quiet", "-q"], help="Say nothing.", negative="")]
Debug = Annotated[bool, Parameter(help="On an error, show where it came from.", negative="")]
