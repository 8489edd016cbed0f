"""Downloading a file from the first mirror that has it: resumed, and verified before it is read.

The bytes go to one ``.part`` file. However the process ends, the next call continues
from that file. Proxies are those of the environment (``HTTPS_PROXY``, ``NO_PROXY``).
"""

from __future__ import annotations

import hashlib
import http.client
import re
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from impasto.errors import WeightsError
from impasto.files.weights.registry import Model

Report = Callable[[int, str], None]
"""Called with the number of bytes received and a few words on the progress."""

CHUNK = 1 << 16
TRIES = 3  # failed attempts in a row at one mirror
ROUNDS = 40  # attempts at one mirror, successful or not


@dataclass(frozen=True)
class Patience:
    """Time limits for servers.

    Attributes:
        timeout: seconds to wait for a silent server.
        pause: seconds before the next attempt.
        rate: least average bytes a second once ``timeout`` has passed, so that a server which sends
            too slowly is given up.

    """

    timeout: float = 30.0
    pause: float = 1.0
    rate: float = 2000.0


class _MirrorError(Exception):
    """A mirror cannot provide the file; the text gives the reason."""


def download(
    model: Model,
    part: Path,
    *,
    report: Report = lambda *_: None,
    patience: Patience = Patience(),
) -> None:
    """Complete ``part`` to the verified file of a model.

    Args:
        model: the file to download.
        part: the partial file; an earlier call's is continued.
        report: called after every piece that arrives.
        patience: time limits for servers.

    Raises:
        WeightsError: no mirror gave the file, or the disk is full.

    """
    _check_space(model, part)
    reasons = []
    for url in model.urls:
        try:
            return _from_mirror(url, model, part, report, patience)
        except _MirrorError as error:
            reasons.append(f"{urlsplit(url).hostname}: {error}")
    raise WeightsError(
        f"{model.name!r} could not be downloaded ({'; '.join(reasons)}): check the connection and "
        "the proxy and run the command again, or get the file elsewhere and run impasto models "
        "import FILE."
    )


def verified(model: Model, path: Path) -> bool:
    """Whether a file has the size and the hash of a model."""
    if path.stat().st_size != model.bytes:
        return False
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, lambda: _hasher(model.algorithm)).hexdigest()
    return digest.startswith(model.digest)


def _hasher(algorithm: str) -> hashlib._Hash:
    return hashlib.new(algorithm, usedforsecurity=False)


def _from_mirror(url: str, model: Model, part: Path, report: Report, patience: Patience) -> None:
    in_vain, whole = 0, _size(part) == 0  # whole: this call got every byte from this mirror
    for _ in range(ROUNDS):
        before = _size(part)
        if before >= model.bytes:
            report(before, "checking")
            if verified(model, part):
                return
            part.unlink()
            if whole:
                raise _MirrorError("it sent another file (wrong hash)")
            before, whole = 0, True
        report(before, f"from {urlsplit(url).hostname}")
        reason = _receive(url, model, part, report, patience)
        if _size(part) >= model.bytes:
            continue
        in_vain = 0 if _size(part) > before else in_vain + 1
        if in_vain == TRIES:
            raise _MirrorError(reason)
        report(_size(part), f"{reason}; trying again")
        time.sleep(patience.pause * 2**in_vain)
    raise _MirrorError("the connection was lost repeatedly")


def _receive(url: str, model: Model, part: Path, report: Report, patience: Patience) -> str:
    """Request the missing bytes and append them; return the reason if it ends early.

    Raises:
        _MirrorError: another attempt would be useless.

    """
    done = _size(part)
    headers = {"User-Agent": "impasto", "Accept-Encoding": "identity"}
    if done:
        headers["Range"] = f"bytes={done}-"
    try:
        opener = urllib.request.build_opener()  # a new one reads the present proxies
        request = urllib.request.Request(url, headers=headers)
        with opener.open(request, timeout=patience.timeout) as answer:
            start = _start(answer, model, done)
            with _opened(part, start) as file:
                _pour(answer, file, model, start, report, patience)
    except urllib.error.HTTPError as error:
        return _refusal(error, part)
    except TimeoutError:
        return "it stopped responding"
    except (OSError, http.client.HTTPException) as error:
        return _words(error)
    return "the connection was lost"


def _start(answer: http.client.HTTPResponse, model: Model, done: int) -> int:
    """The position at which the response begins: 0 from a server that ignores ranges."""
    total = answer.headers.get("Content-Length")
    start = 0
    if answer.status == http.HTTPStatus.PARTIAL_CONTENT:
        stated = re.fullmatch(
            r"bytes (\d+)-\d+/(\d+|\*)", answer.headers.get("Content-Range", "").strip()
        )
        if stated is None or int(stated[1]) > done:
            raise _MirrorError("it sent another range than the one requested")
        start = int(stated[1])
    if total and total.isdigit() and int(total) + start != model.bytes:
        raise _MirrorError(f"it sent another file ({int(total) + start:,} bytes)")
    return start


def _pour(
    answer: http.client.HTTPResponse,
    file: IO[bytes],
    model: Model,
    done: int,
    report: Report,
    patience: Patience,
) -> None:
    begun, start = time.monotonic(), done
    while chunk := answer.read1(CHUNK):
        done += len(chunk)
        if done > model.bytes:
            raise _MirrorError("it sent another file (too long)")
        try:
            file.write(chunk)
        except OSError as error:
            raise _cannot_write(error) from error
        report(done, "")
        passed = time.monotonic() - begun
        if passed > patience.timeout and done - start < patience.rate * passed:
            raise _MirrorError("it sends too slowly")


def _opened(part: Path, start: int) -> IO[bytes]:
    """The partial file, truncated at ``start`` and opened for appending; unbuffered."""
    try:
        file = part.open("r+b" if part.exists() else "w+b", buffering=0)
        file.truncate(start)
        file.seek(start)
    except OSError as error:
        raise _cannot_write(error) from error
    return file


def _refusal(error: urllib.error.HTTPError, part: Path) -> str:
    """The reason for an HTTP error, if another attempt may succeed (a server error)."""
    said = f"{error.code} {error.reason}".strip()
    if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        part.unlink(missing_ok=True)
        return said
    passing = (http.HTTPStatus.REQUEST_TIMEOUT, http.HTTPStatus.TOO_MANY_REQUESTS)
    if error.code >= http.HTTPStatus.INTERNAL_SERVER_ERROR or error.code in passing:
        return said
    raise _MirrorError(said) from error


def _words(error: Exception) -> str:
    reason = getattr(error, "reason", error)
    if isinstance(reason, TimeoutError):
        return "it did not respond"
    text = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
    return " ".join(text.split()).rstrip(".").lower()


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _check_space(model: Model, part: Path) -> None:
    """Check the space for the rest of the download and for the stored copy."""
    needed = 2 * model.bytes - _size(part)
    if shutil.disk_usage(part.parent).free < needed:
        raise WeightsError(
            f"{model.name!r} needs {needed / 1e6:,.0f} MB of free disk temporarily: make room, "
            "or name another folder in the environment variable IMPASTO_MODELS."
        )


def _cannot_write(error: OSError) -> WeightsError:
    reason = (error.strerror or str(error)).lower()
    return WeightsError(f"The download cannot be written ({reason}): make room and run it again.")
