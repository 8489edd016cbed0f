"""What the C library does with memory that torch has freed, while the command makes a picture."""

from __future__ import annotations

import ctypes
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from impasto.engine.planning.plan import Plan

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -3, -4  # of glibc's malloc.h
_NEVER, _USUAL_MAPPED = -1, 65536
_LARGEST = 32 << 20  # bytes; glibc lets no larger threshold be set


def keep_freed_memory(plan: Plan) -> None:
    """Have the C library keep freed memory for the next evaluation; to be called before each run.

    What an earlier run has left is given back: pictures of many sizes would leave ever more holes.
    Where memory is so short that the optimiser's lies in files, it keeps blocks of up to 32 MB (a
    tile's maps) and gives back larger ones (whole pictures), which maps would else lie among.
    """
    keep(largest=_LARGEST if any(stage.mapped for stage in plan.stages) else None)


def keep(largest: int | None = None) -> None:
    """Have the C library keep freed blocks for itself: all, or those of ``largest`` bytes at most.

    glibc gives blocks of more than 32 MB back to the system as soon as torch frees them, and the
    next evaluation has to ask for them again, page by page (docs/performance.md says what that
    costs). Whoever has set one of its variables keeps it; other C libraries are left alone.
    """
    if sys.platform != "linux" or any(name.startswith("MALLOC_") for name in os.environ):
        return
    library = ctypes.CDLL(None)
    mallopt, give_back = (getattr(library, name, None) for name in ("mallopt", "malloc_trim"))
    if mallopt is None or give_back is None:
        return
    give_back(0)
    mallopt(_TRIM_THRESHOLD, _NEVER)
    mallopt(_MMAP_MAX, 0 if largest is None else _USUAL_MAPPED)
    if largest is not None:
        mallopt(_MMAP_THRESHOLD, largest)
