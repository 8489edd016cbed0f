"""What the C library does with memory that torch has freed, while the command makes a picture."""

from __future__ import annotations

import ctypes
import os
import sys

from impasto.engine.plan import Plan

SMALL = 2_000_000  # pixels; of larger pictures every map is given back at once
_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # of glibc's malloc.h
_USUAL_MAPPED = 65536


def keep_freed_memory(plan: Plan) -> None:
    """Have the C library keep freed memory for the next evaluation, where the picture is small."""
    keep(max(stage.height * stage.width for stage in plan.stages) <= SMALL)


def keep(freed: bool) -> None:
    """Whether the C library keeps freed memory for itself.

    glibc gives blocks of more than 32 MB back to the system as soon as torch frees them, and the
    next evaluation has to ask for them again, page by page (docs/performance.md says what that
    costs). Whoever has set one of its variables keeps it; other C libraries are left alone.
    """
    if sys.platform != "linux" or any(name.startswith("MALLOC_") for name in os.environ):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return
    mallopt(_MMAP_MAX, 0 if freed else _USUAL_MAPPED)
    if freed:
        mallopt(_TRIM_THRESHOLD, 2**31 - 1)
