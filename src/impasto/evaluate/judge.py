"""The network that measures a result: preferably one that did not make it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from impasto.errors import WeightsError
from impasto.files.weights.provenance import UNKNOWN
from impasto.files.weights.store import LoadedNetwork, load_network, topology_of
from impasto.nets.network import Network
from impasto.recipe.still import Recipe

NAMES = ("vgg19", "vgg19-torchvision", "compact")


@dataclass(frozen=True)
class Judge:
    """A network, and whether it made the result that it measures.

    Attributes:
        network: computes features.
        words: a text with its name, and whether the result was optimised on it.
        made_it: whether the result was optimised on it; None if unknown.

    """

    network: Network
    words: str
    made_it: bool | None


def find_judge(
    network: str | Network | None = None, *, made_with: Mapping[str, str] | None = None
) -> Judge:
    """The requested network, or the best one that is installed.

    Args:
        network: ``compact``, ``vgg19``, ``vgg19-torchvision``, a safetensors file, or an object;
            by default the first of :data:`NAMES` that is installed and did not make the result,
            or else compact.
        made_with: the ``network`` of the result's record; None without a record.

    Raises:
        WeightsError: there is no such network, or its weights are damaged.

    """
    if network is not None and not isinstance(network, str):
        return _judge(network, type(network).__qualname__, None, made_with)
    if network is not None:
        return _of_loaded(_load(network), made_with)
    for name in NAMES[:-1]:
        try:
            judge = _of_loaded(_load(name), made_with)
        except WeightsError:
            continue
        if not judge.made_it:
            return judge
    return _of_loaded(_load("compact"), made_with)


def _load(network: str) -> LoadedNetwork:
    if network in NAMES:
        return load_network(Recipe.from_dict({"network": network}))
    name = topology_of(Path(network))
    return load_network(Recipe.from_dict({"network": name, "weights": network}))


def _of_loaded(loaded: LoadedNetwork, made_with: Mapping[str, str] | None) -> Judge:
    is_own = loaded.file == f"{loaded.name}.safetensors"
    name = loaded.name if is_own else f"{loaded.name} ({loaded.file})"
    if loaded.provenance.kind == UNKNOWN:
        name = f"{name}, {loaded.provenance.words}"
    return _judge(loaded.network, name, loaded.sha256, made_with)


def _judge(
    network: Network, name: str, sha256: str | None, made_with: Mapping[str, str] | None
) -> Judge:
    if made_with is None:
        return Judge(network, f"{name} (no record says which one made the result)", None)
    made_it = sha256 is not None and sha256 == made_with.get("sha256")
    note = "which also made the result" if made_it else "which did not make the result"
    return Judge(network, f"{name}, {note}", made_it)
