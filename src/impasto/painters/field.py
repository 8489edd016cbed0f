"""A Markov field over candidates: loopy belief propagation, minimising a sum of costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Field:
    """Nodes that choose among L labels each.

    Attributes:
        own: what each label costs a node, ``(N, L)``.
        edges: pairs of nodes, ``(E, 2)``.
        between: what two labels cost together, for each edge, ``(E, L, L)``.

    """

    own: Floats
    edges: npt.NDArray[np.int64]
    between: Floats

    def cost(self, labels: Sequence[int] | npt.NDArray[np.int64]) -> float:
        """The sum of all costs of a choice."""
        chosen = np.asarray(labels)
        one, other = self.edges.T
        pairs = self.between[np.arange(len(self.edges)), chosen[one], chosen[other]]
        return float(self.own[np.arange(len(chosen)), chosen].sum() + pairs.sum())


def settled(field: Field, rounds: int = 20, damping: float = 0.3) -> npt.NDArray[np.int64]:
    """Each node's label by min-sum belief propagation (Pearl 1988), exact on trees.

    Args:
        field: the costs.
        rounds: of messages, all at once.
        damping: share of a message that is kept from the round before, against swinging.

    """
    labels = field.own.shape[1]
    # Both directions of each edge: E messages from its first node, then E from its second.
    sender = np.concatenate([field.edges[:, 0], field.edges[:, 1]])
    receiver = np.concatenate([field.edges[:, 1], field.edges[:, 0]])
    pairs = np.concatenate([field.between, field.between.swapaxes(1, 2)])
    many = len(field.edges)
    back = np.roll(np.arange(2 * many), many)  # the message the other way
    messages = np.zeros((len(sender), labels))
    for _ in range(rounds):
        belief = field.own.astype(np.float64)
        np.add.at(belief, receiver, messages)
        told = belief[sender] - messages[back]
        new = (told[:, :, None] + pairs).min(1)
        new -= new.min(1, keepdims=True)
        messages = damping * messages + (1 - damping) * new
    belief = field.own.astype(np.float64)
    np.add.at(belief, receiver, messages)
    chosen: npt.NDArray[np.int64] = belief.argmin(1)
    return chosen
