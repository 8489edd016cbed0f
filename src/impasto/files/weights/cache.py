"""The user's networks: one safetensors file each, in the user's cache folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from platformdirs import user_cache_path

from impasto.errors import WeightsError

FOLDER_VARIABLE = "IMPASTO_MODELS"


def models_folder() -> Path:
    """``models`` in the user's cache, or the folder that ``IMPASTO_MODELS`` names.

    Raises:
        WeightsError: the user has no home, and the variable names no folder either.

    """
    named = os.environ.get(FOLDER_VARIABLE)
    if named:
        return Path(named)
    folder = user_cache_path("impasto") / "models"
    if not folder.is_absolute():
        raise WeightsError(
            "There is no home folder for networks: name a folder in the environment "
            f"variable {FOLDER_VARIABLE}."
        )
    return folder


def model_path(name: str) -> Path:
    """The path of a network's file, whether it exists or not."""
    return models_folder() / f"{name}.safetensors"


def installed(name: str) -> Path:
    """The file of a network.

    Raises:
        WeightsError: it is not installed.

    """
    path = model_path(name)
    if not path.is_file():
        raise WeightsError(
            f"The network {name!r} is not installed: run impasto models download {name}, or import "
            "it with impasto models import FILE, or name its safetensors file with --weights."
        )
    return path


def download_path(name: str, suffix: str) -> Path:
    """The path of a partial download."""
    return models_folder() / f"{name}.{suffix}.part"


@contextmanager
def staged(name: str) -> Iterator[Path]:
    """Yield a path for writing a network; it replaces the network's file if the block succeeds.

    The path is in a folder of its own, because a writer that is killed may leave files;
    :func:`discard_unfinished` empties that folder. Call it under :func:`locked`.

    Raises:
        WeightsError: it cannot be written.

    """
    work = _work_folder(name)
    try:
        work.mkdir()
        path = work / model_path(name).name
        yield path
        with path.open("rb+") as file:
            os.fsync(file.fileno())
        path.replace(model_path(name))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise WeightsError(
            f"The network {name!r} could not be stored ({reason}): make room on the disk and try "
            "again."
        ) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def remove_model(name: str) -> int:
    """Delete a network and its partial download.

    Returns:
        The number of bytes freed.

    Raises:
        WeightsError: there is no such file, or it cannot be deleted.

    """
    if not models_folder().is_dir():
        raise WeightsError(f"The network {name!r} is not installed: there is nothing to remove.")
    with locked(name):
        files = [model_path(name), *models_folder().glob(f"{name}.*.part")]
        files += _work_folder(name).glob("*")
        files = [path for path in files if path.exists()]
        if not files:
            raise WeightsError(
                f"The network {name!r} is not installed: there is nothing to remove."
            )
        size = sum(path.stat().st_size for path in files)
        _unlink(files)
        discard_unfinished(name)
    return size


def discard_download(name: str) -> None:
    """Delete the downloaded file of an installed network, if a killed process left one.

    Raises:
        WeightsError: another process is working on the network, or it cannot be deleted.

    """
    with locked(name):
        _unlink(list(models_folder().glob(f"{name}.*.part")))


def discard_unfinished(name: str) -> None:
    """Delete unfinished files of killed processes; a partial download is kept, to be resumed."""
    shutil.rmtree(_work_folder(name), ignore_errors=True)


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Let only one process at a time change a network's files; the folder is made first.

    Raises:
        WeightsError: another process is working on it, or the folder cannot be made.

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


def _work_folder(name: str) -> Path:
    return models_folder() / f".{name}.work"


def _unlink(paths: list[Path]) -> None:
    try:
        for path in paths:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise WeightsError(
            f"{error.filename!r} cannot be deleted: check the permissions of its folder."
        ) from error
