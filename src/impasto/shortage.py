"""Memory that runs out, told in one sentence whatever library ran out of it.

Each says it in its own way: Python, NumPy and Pillow by a MemoryError, torch on a CPU by a
RuntimeError of its allocator, decoders by errors of their own, the system by ENOMEM.
"""

from __future__ import annotations

import errno
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from impasto.errors import ImpastoError, ShortageError

ADVICE = "ask for a smaller --size, add --tile 512, or close other programs"

SMALLER = "take smaller pictures, or close other programs"
"""Advice where nothing is made, so that there is no --size."""

_WORDS = (
    "allocate memory",  # torch on a CPU, the system, Pillow
    "out of memory",
    "out_of_memory",
    "memory allocation",
    "insufficient memory",  # OpenCV
    "not enough memory",
    "std::bad_alloc",
    "could not create a memory",  # oneDNN
)
_PRIMITIVES = ("could not create a primitive", "could not execute a primitive")
"""All that oneDNN says where it finds no room for its code or its work; a *primitive descriptor* is
another matter: what it cannot compute.
"""


def is_shortage(error: BaseException) -> bool:
    """Whether an error says that memory ran out."""
    if isinstance(error, MemoryError):
        return True
    if isinstance(error, ImpastoError) or not isinstance(error, Exception):
        return False
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return True
    text = str(error).lower()
    return any(words in text for words in _WORDS) or text.strip() in _PRIMITIVES


@contextmanager
def memory_told(advice: str = ADVICE) -> Iterator[None]:
    """A :class:`ShortageError` of one sentence when memory runs out in the block.

    What the calls that failed were holding is let go, so that the caller can save what there is.

    Args:
        advice: what to do about it.

    Raises:
        ShortageError: memory ran out.

    """
    try:
        yield
    except Exception as error:
        if isinstance(error, ImpastoError) or not is_shortage(error):
            raise
        traceback.clear_frames(error.__traceback__)
        raise ShortageError(f"Memory ran out: {advice}.") from error
