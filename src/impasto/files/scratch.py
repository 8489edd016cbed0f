"""Tensors in memory-mapped files, for an optimiser's memory that exceeds the machine's."""

from __future__ import annotations

import math
import os
import tempfile
from contextlib import suppress
from pathlib import Path

import torch
from platformdirs import user_cache_path
from torch import Tensor

from impasto.errors import OutputError


class Scratch:
    """An :data:`impasto.engine.optim.storage.Storage` in files that disappear with their tensors.

    A file is unlinked as soon as it is mapped, so it never remains (on Windows, which does not
    allow that, it stays until the folder is cleared).

    Args:
        folder: for the files; by default in the user's cache, as the system's temporary folder is
            often in memory.

    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or user_cache_path("impasto") / "scratch"

    def __call__(self, like: Tensor, shape: tuple[int, ...]) -> Tensor:
        """An empty tensor in a file of its own; for another device than the CPU, one in memory.

        Raises:
            OutputError: the disk has no room for it.

        """
        if like.device.type != "cpu":
            return like.new_empty(shape)
        count = math.prod(shape)
        try:
            return self._mapped(count, like.dtype).view(shape)
        except OSError as error:
            size = count * like.element_size() / 1e9
            raise OutputError(
                f"{str(self._folder)!r} has no room for {size:.1f} GB that do not fit into memory "
                f"({(error.strerror or str(error)).lower()}): make room there."
            ) from error

    def _mapped(self, count: int, dtype: torch.dtype) -> Tensor:
        self._folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix="run-", suffix=".part", dir=self._folder)
        try:
            _reserve(handle, count * dtype.itemsize)
            return torch.from_file(name, shared=True, size=count, dtype=dtype)
        finally:
            os.close(handle)
            with suppress(OSError):
                Path(name).unlink()


def _reserve(handle: int, size: int) -> None:
    """Allocate the space now, so that a full disk is not found in the middle of a run."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(handle, 0, size)
