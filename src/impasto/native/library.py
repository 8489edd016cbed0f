"""The compiled library: loaded once, if this processor can run it."""

from __future__ import annotations

import ctypes
import hashlib
import os
from functools import cache
from pathlib import Path

import torch

_FILE = Path(__file__).with_name("kernels.so")
_GIVE_NUMBERS = ("impasto_move", "impasto_turn", "impasto_variation")


def are_available() -> bool:
    """Whether the kernels are compiled, wanted, and fit for this processor."""
    return library() is not None


@cache
def library() -> ctypes.CDLL | None:
    """The library, or None where its kernels cannot be called."""
    if os.environ.get("IMPASTO_KERNELS") == "0" or not _FILE.exists():
        return None
    try:
        _load_openmp()
        loaded = ctypes.CDLL(str(_FILE))
    except OSError:  # built for another system, or without OpenMP's library
        return None
    if not (_is_of_these_sources(loaded) and loaded.impasto_supported()):
        return None
    for name in _GIVE_NUMBERS:
        getattr(loaded, name).restype = ctypes.c_double
    return loaded


def kernels() -> ctypes.CDLL:
    """The library, where it is known to be available."""
    loaded = library()
    assert loaded is not None
    return loaded


def _is_of_these_sources(loaded: ctypes.CDLL) -> bool:
    """Whether the library was compiled from what lies here: else its calls may be others."""
    if not hasattr(loaded, "impasto_sources"):
        return False
    loaded.impasto_sources.restype = ctypes.c_char_p
    here = hashlib.sha256()
    for source in sorted(_FILE.parent.glob("*.[ch]")):
        here.update(source.read_bytes())
    return bool(loaded.impasto_sources() == here.hexdigest().encode())


def _load_openmp() -> None:
    """Torch's own threads: those of a second library would wait for the first one's."""
    beside = sorted(Path(torch.__file__).parent.glob("lib/libgomp*.so*"))
    ctypes.CDLL(str(beside[0]) if beside else "libgomp.so.1", mode=ctypes.RTLD_GLOBAL)
