"""Reading weights of other programs into named tensors; the file's name does not matter.

Nothing in a file is ever executed: HDF5 is read by pyfive, which is plain Python; ``.pth`` by torch
with ``weights_only``; safetensors holds nothing but numbers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor

from impasto.errors import WeightsError
from impasto.nets.network import InputConvention
from impasto.shortage import is_shortage

Kind = Literal["h5", "pth", "safetensors"]

MAX_BYTES = 4_000_000_000
_HDF5 = b"\x89HDF\r\n\x1a\n"
_PTH = (b"PK\x03\x04", b"\x80\x02")  # torch's zip archive, and its older pickle format


@dataclass(frozen=True)
class RawWeights:
    """A file's tensors, under the names in the file.

    Attributes:
        kind: the format.
        tensors: in the file's own layout; a layer's HDF5 group is part of the name.
        metadata: text in a safetensors file.

    """

    kind: Kind
    tensors: Mapping[str, Tensor]
    metadata: Mapping[str, str] = field(default_factory=dict)


def read_weights(path: Path) -> RawWeights:
    """Read a Keras ``.h5``, a torch ``.pth`` or a safetensors file, recognised by its first bytes.

    Raises:
        WeightsError: missing, damaged, or none of these; or pyfive is needed but not installed.

    """
    kind = kind_of(path)
    if kind == "h5":
        check_reader(kind)
    try:
        if kind == "h5":
            return RawWeights(kind, dict(_hdf5(path)))
        if kind == "pth":
            return RawWeights(kind, _pth(path))
        with safe_open(str(path), framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return RawWeights(kind, tensors, file.metadata() or {})
    except WeightsError:
        raise
    except Exception as error:  # a damaged file can make a parser raise anything
        if is_shortage(error):
            text = f"{path.name!r} does not fit into memory: close other programs."
            raise WeightsError(text) from error
        other = "in a layout that pyfive does not read" if kind == "h5" else "more than weights"
        raise WeightsError(f"{path.name!r} is damaged, or {other}: get it again.") from error


def kind_of(path: Path) -> Kind:
    """The format of a file, by its first bytes.

    Raises:
        WeightsError: there is no such file, it is too large, or its format is unknown.

    """
    try:
        if not path.is_file():
            raise WeightsError(f"There is no weights file {str(path)!r}: check the name.")
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        raise WeightsError(f"{str(path)!r} cannot be read: check its permissions.") from error
    if size > MAX_BYTES:
        raise WeightsError(f"{path.name!r} is too large to be a VGG-19's weights: check the name.")
    if head.startswith(_HDF5):
        return "h5"
    if head.startswith(_PTH):
        return "pth"
    if len(head) > 8 and head[8:9] == b"{" and int.from_bytes(head[:8], "little") < size:
        return "safetensors"
    raise WeightsError(
        f"{path.name!r} is not a weights file that can be read: use a Keras .h5, a torch "
        ".pth or a .safetensors."
    )


def convention_to_json(convention: InputConvention) -> str:
    """The text of ``input`` in the metadata of impasto's safetensors files."""
    return json.dumps(asdict(convention))


def convention_from_json(text: str) -> InputConvention | None:
    """The convention from :func:`convention_to_json`; None for other text."""
    try:
        stated = json.loads(text)
        mean, std = (tuple(float(each) for each in stated[key]) for key in ("mean", "std"))
        channels = stated["channels"]
        if channels not in ("RGB", "BGR") or len(mean) != 3 or len(std) != 3:
            return None
        return InputConvention(channels, float(stated["range"]), mean, std)
    except (ValueError, KeyError, TypeError):
        return None


def check_reader(kind: str) -> None:
    """Make sure, before a download, that the format can be read.

    Raises:
        WeightsError: pyfive is missing.

    """
    if kind == "h5" and find_spec("pyfive") is None:
        raise WeightsError(
            "Keras .h5 files are read with pyfive: run pip install 'impasto[h5]' first."
        )


def _hdf5(path: Path) -> Iterator[tuple[str, Tensor]]:
    import pyfive

    with pyfive.File(str(path)) as file:
        items: dict[str, Any] = {}
        file.visititems(lambda name, item: items.update({name: item}))
        sets = {name: item for name, item in items.items() if hasattr(item, "shape")}
        if sum(item.size * item.dtype.itemsize for item in sets.values()) > MAX_BYTES:
            raise WeightsError(f"{path.name!r} has more tensors than a VGG-19: check the name.")
        for name, item in sets.items():
            if item.dtype.kind == "f":
                yield name, torch.from_numpy(np.array(item[()], dtype=np.float32))


def _pth(path: Path) -> dict[str, Tensor]:
    content = torch.load(path, map_location="cpu", weights_only=True)
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    if not isinstance(content, Mapping):
        raise WeightsError(f"{path.name!r} has no named weights: give a VGG-19.")
    return {str(name): value for name, value in content.items() if isinstance(value, Tensor)}
