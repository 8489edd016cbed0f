"""Every error that impasto raises on purpose.

::

    ImpastoError            whatever a caller can mend; its text is one sentence that says how
    ├── RecipeError         an option is out of range, unknown, or contradicts another
    ├── PictureError        a picture is missing, unreadable or too small
    ├── FilmError           a film is missing, unreadable, or damaged in the middle
    ├── WeightsError        a weights file is missing, of the wrong shape, or not what it says it is
    ├── RecordError         a record is missing, damaged, or cannot be carried out here
    ├── RatingError         a sheet to be rated, or choices made on one, are missing or damaged
    ├── OutputError         a result cannot be written where it was asked for
    ├── ShortageError       memory ran out
    └── StoppedError        it was cancelled, or its time was up, before there was a picture

The command line prints the sentence and exits with status 2; ``--debug`` shows the traceback.
Sentences are written with the command line's flags; in a program ``steps=…`` is read for
``--steps``.
"""

from __future__ import annotations

from impasto.wording import worded


class ImpastoError(Exception):
    """The root: catching it catches everything that impasto raises on purpose."""

    def __str__(self) -> str:
        return worded(super().__str__())


class RecipeError(ImpastoError, ValueError):
    """An option is out of range, unknown, or contradicts another."""


class PictureError(ImpastoError, ValueError):
    """A picture is missing, unreadable or too small."""


class FilmError(ImpastoError, ValueError):
    """A film is missing, unreadable, or damaged in the middle."""


class WeightsError(ImpastoError, ValueError):
    """A weights file is missing, of the wrong shape, or not what it says it is."""


class RecordError(ImpastoError, ValueError):
    """A record is missing, damaged, or cannot be carried out here."""


class RatingError(ImpastoError, ValueError):
    """A sheet to be rated, or choices made on one, are missing or damaged."""


class ShortageError(ImpastoError, MemoryError):
    """Memory ran out, in tiles as well where those could be tried."""


class OutputError(ImpastoError, OSError):
    """A result cannot be written where it was asked for."""


class StoppedError(ImpastoError, TimeoutError):
    """A run was cancelled, or its time was up, before there was a picture."""
