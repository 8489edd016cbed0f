"""Where the networks of a user lie: one safetensors file each, in the user's cache folder."""

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
            "There is no home folder to keep networks in: name a folder in the environment "
            f"variable {FOLDER_VARIABLE}."
        )
    return folder


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
            f"The network {name!r} is not here yet: run impasto models download {name}, or bring "
            "it with impasto models import FILE, or name its safetensors file with --weights."
        )
    return path


def download_path(name: str, suffix: str) -> Path:
    """Where a download grows until it is complete, verified and stored."""
    return models_folder() / f"{name}.{suffix}.part"


@contextmanager
def staged(name: str) -> Iterator[Path]:
    """A path to write a network to; it takes the network's place when the block ends well.

    It lies in a folder of its own beside it, as a writer may leave files of its own when it is
    killed; :func:`discard_unfinished` sweeps that folder. Call it under :func:`locked`.

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
    """Delete a network and whatever an interrupted download has left of it.

    Returns:
        The bytes that became free.

    Raises:
        WeightsError: there was nothing, or it cannot be deleted.

    """
    if not models_folder().is_dir():
        raise WeightsError(f"The network {name!r} is not here: there is nothing to remove.")
    with locked(name):
        found = [model_path(name), *models_folder().glob(f"{name}.*.part")]
        found += _work_folder(name).glob("*")
        found = [path for path in found if path.exists()]
        if not found:
            raise WeightsError(f"The network {name!r} is not here: there is nothing to remove.")
        size = sum(path.stat().st_size for path in found)
        _unlink(found)
        discard_unfinished(name)
    return size


def discard_download(name: str) -> None:
    """Delete the downloaded file of a network that is here already, if a kill left it.

    Raises:
        WeightsError: another process is working on the network, or it cannot be deleted.

    """
    with locked(name):
        _unlink(list(models_folder().glob(f"{name}.*.part")))


def discard_unfinished(name: str) -> None:
    """Delete what killed processes were writing; a partial download stays, to be resumed."""
    shutil.rmtree(_work_folder(name), ignore_errors=True)


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
