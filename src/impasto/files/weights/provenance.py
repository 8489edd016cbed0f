"""The origin of weights, determined by the hash of their file alone.

A file is a known release, a conversion known by its hash, or of unknown origin,
whatever its name, metadata or first filter. The origin is stored with imported
weights, beside a hash of each tensor; a stored file that was changed or replaced
afterwards has an unknown origin. This protects against mistakes and mix-ups, not against
somebody who replaces both weights and hashes.
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
    """The origin of weights.

    Attributes:
        kind: ``bundled``, ``release``, ``conversion`` or ``unknown``.
        release: the release's name in the registry; empty for the other kinds.
        is_changed: True for stored weights that have been changed.

    """

    kind: str = UNKNOWN
    release: str = ""
    is_changed: bool = False

    @property
    def words(self) -> str:
        """A text for people."""
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
        """The entries of a record's ``network``."""
        return {"origin": self.kind, "release": self.release, "licence": self.licence}


def provenance_of_file(path: Path, sha256: str) -> Provenance:
    """The origin of a foreign file, by its hash."""
    for model in MODELS.values():
        if verified(model, path):
            return Provenance(RELEASE, model.name)
    for digest, release in CONVERSIONS.items():
        if sha256.startswith(digest):
            return Provenance(CONVERSION, release)
    return Provenance()


def stated(provenance: Provenance, weights: Mapping[str, Tensor]) -> dict[str, str]:
    """The metadata that store an origin in a safetensors file of weights."""
    hashes = {name: _hash(tensor) for name, tensor in weights.items()}
    return {
        "origin": provenance.kind,
        "release": provenance.release,
        "licence": provenance.licence,
        _HASHES: json.dumps(hashes),
    }


def provenance_of_stored(
    metadata: Mapping[str, str], tensors: Mapping[str, Tensor], names: set[str]
) -> Provenance:
    """The origin of weights that impasto has stored, if they are unchanged.

    Args:
        metadata: of the file.
        tensors: the tensors that were read, or some of them.
        names: of all tensors in the file; those of means, which have their own hash, are ignored.

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
    """A text on the origin of a record's network."""
    kind, release = network.get("origin"), network.get("release", "")
    if kind is None:
        return "origin not recorded"
    if kind in (RELEASE, CONVERSION) and release not in MODELS:
        kind = UNKNOWN
    return Provenance(kind, release).words


def _hashes(metadata: Mapping[str, str]) -> dict[str, str] | None:
    """The stored hash of each tensor; None without hashes."""
    try:
        hashes = json.loads(metadata.get(_HASHES, ""))
    except (ValueError, RecursionError):
        return None
    return hashes if isinstance(hashes, dict) else None


def _hash(tensor: Tensor) -> str:
    """SHA-256 of a tensor's shape and values."""
    values = tensor.detach().contiguous().numpy()
    digest = hashlib.sha256(f"{values.dtype.str}{values.shape}".encode())
    digest.update(values.data if values.size else b"")
    return digest.hexdigest()
