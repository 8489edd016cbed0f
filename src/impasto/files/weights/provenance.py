"""Where weights come from: what the hash of their file says, and nothing else.

A file is a known release, or a conversion of one that is known by its hash, or of unknown origin,
whatever its name, its metadata or its first filter look like. What was found is kept with the
weights when they are stored, beside a hash of each tensor; of a stored file that was changed or
replaced since, the origin is unknown. This guards against mistakes and mix-ups, not against
somebody who writes both weights and hashes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from impasto.files.weights.download import verified
from impasto.files.weights.registry import CONVERSIONS, MODELS

BUNDLED, RELEASE, CONVERSION, UNKNOWN = "bundled", "release", "conversion", "unknown"
_HASHES = "tensors_sha256"


@dataclass(frozen=True)
class Provenance:
    """Where weights come from.

    Attributes:
        kind: ``bundled``, ``release``, ``conversion`` or ``unknown``.
        release: the release's name in the registry; empty for the other kinds.
        is_changed: stored weights that are no longer those that were stored.

    """

    kind: str = UNKNOWN
    release: str = ""
    is_changed: bool = False

    @property
    def words(self) -> str:
        """To be read."""
        if self.kind == BUNDLED:
            return "the bundled weights, by their hash"
        if self.kind == RELEASE:
            return f"weights of the release {self.release}, by its hash"
        if self.kind == CONVERSION:
            return f"weights converted from the release {self.release}, by the conversion's hash"
        return "weights of unknown origin" + (
            ", changed since they were stored" if self.is_changed else ""
        )

    @property
    def licence(self) -> str:
        """The terms of the release."""
        if self.kind == BUNDLED:
            return "CC BY 4.0"
        return MODELS[self.release].licence if self.release in MODELS else "unknown"

    def as_dict(self) -> dict[str, str]:
        """For a record's network."""
        return {"origin": self.kind, "release": self.release, "licence": self.licence}


def provenance_of_file(path: Path, sha256: str) -> Provenance:
    """Of a file as somebody else made it, by its hash."""
    for model in MODELS.values():
        if verified(model, path):
            return Provenance(RELEASE, model.name)
    for digest, release in CONVERSIONS.items():
        if sha256.startswith(digest):
            return Provenance(CONVERSION, release)
    return Provenance()


def stated(found: Provenance, weights: Mapping[str, Tensor]) -> dict[str, str]:
    """What is kept of an origin with weights that are stored: metadata of a safetensors file."""
    hashes = {name: _hash(tensor) for name, tensor in weights.items()}
    return {
        "origin": found.kind,
        "release": found.release,
        "licence": found.licence,
        _HASHES: json.dumps(hashes),
    }


def provenance_of_stored(
    metadata: Mapping[str, str], tensors: Mapping[str, Tensor], names: set[str]
) -> Provenance:
    """Of weights that impasto has stored: what was found then, if they are still the same.

    Args:
        metadata: of the file.
        tensors: those that were read, or some of them.
        names: all that the file holds; means, which have a hash of their own, are left out.

    """
    weights = {name for name in names if ".mean_" not in name}
    hashes = _hashes(metadata)
    if hashes is None:
        return Provenance()
    is_same = weights == set(hashes) and all(
        hashes[name] == _hash(tensor) for name, tensor in tensors.items() if name in weights
    )
    kind, release = metadata.get("origin", ""), metadata.get("release", "")
    if not is_same:
        return Provenance(is_changed=True)
    if kind not in (RELEASE, CONVERSION) or release not in MODELS:
        return Provenance()
    return Provenance(kind, release)


def provenance_in_record(network: Mapping[str, str]) -> str:
    """What a record says of its network's origin, to be read."""
    kind, release = network.get("origin"), network.get("release", "")
    if kind is None:
        return "origin not recorded"
    if kind in (RELEASE, CONVERSION) and release not in MODELS:
        kind = UNKNOWN
    return Provenance(kind, release).words


def _hashes(metadata: Mapping[str, str]) -> dict[str, str] | None:
    """Of each tensor when it was stored; None where nobody noted them."""
    try:
        found = json.loads(metadata.get(_HASHES, ""))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _hash(tensor: Tensor) -> str:
    """SHA-256 of a tensor's shape and values."""
    values = tensor.detach().contiguous().numpy()
    digest = hashlib.sha256(f"{values.dtype.str}{values.shape}".encode())
    digest.update(values.data if values.size else b"")
    return digest.hexdigest()
