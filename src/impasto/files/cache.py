"""Where the networks of a user lie: one safetensors file each, in the user's cache folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from platformdirs import user_cache_path

from impasto.errors import WeightsError

FOLDER_VARIABLE = "IMPASTO_MODELS"


def models_folder() -> Path:
    """``models`` in the user's cache, or the folder that ``IMPASTO_MODELS`` names."""
    named = os.environ.get(FOLDER_VARIABLE)
    return Path(named) if named else user_cache_path("impasto") / "models"


def model_path(name: str) -> Path:
    """Where a network lies once it is here, whether it is or not."""
    return models_folder() / f"{name}.safetensors"


def installed(name: str) -> Path:
    """The file of a network.

    Raises:
        WeightsError: it is not here yet.

    """
    path = model_path(name)
    if not path.is_file():
        raise WeightsError(
            f"The network {name!r} is not here yet: run impasto models download {name}, or "
            "impasto models import FILE where there is no internet."
        )
    return path


def download_path(name: str, suffix: str) -> Path:
    """Where a download grows until it is complete, verified and stored."""
    return models_folder() / f"{name}.{suffix}.part"


def leftovers(name: str) -> list[Path]:
    """What an interrupted download or a killed process has left of a network."""
    folder = models_folder()
    unfinished = folder.glob(f".{name}.safetensors.*.part")
    return sorted([*folder.glob(f"{name}.*.part"), *unfinished])


def remove_model(name: str) -> int:
    """Delete a network and whatever an interrupted download has left of it.

    Returns:
        The bytes that became free.

    Raises:
        WeightsError: there was nothing, or it cannot be deleted.

    """
    if not models_folder().is_dir():
        raise WeightsError(f"The network {name!r} is not here: there is nothing to remove.")
    with locked(name):
        found = [path for path in (model_path(name), *leftovers(name)) if path.exists()]
        if not found:
            raise WeightsError(f"The network {name!r} is not here: there is nothing to remove.")
        size = sum(path.stat().st_size for path in found)
        _unlink(found)
    return size


def discard_unfinished(name: str) -> None:
    """Delete the temporary files of killed processes; a partial download stays, to be resumed."""
    _unlink(list(models_folder().glob(f".{name}.safetensors.*.part")))


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Only one process at a time works on a network's files; the folder is made first.

    Raises:
        WeightsError: another process is at it, or the folder cannot be made.

    """
    folder = models_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / f".{name}.lock", timeout=0.5)
        lock.acquire()
    except Timeout as error:
        raise WeightsError(
            f"Another impasto is working on the network {name!r}: wait until it is done."
        ) from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise WeightsError(
            f"The folder for networks cannot be used ({reason}): name another one in the "
            f"environment variable {FOLDER_VARIABLE}."
        ) from error
    try:
        yield
    finally:
        lock.release()


def _unlink(paths: list[Path]) -> None:
    try:
        for path in paths:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise WeightsError(
            f"{error.filename!r} cannot be deleted: check the permissions of its folder."
        ) from error
