"""Belief propagation against fields that are solved by hand or by trying all."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from impasto.painters.field import Field, settled


def test_two_patches_by_hand():
    """Alone each takes label 0, of cost 0; together that costs 5, and (0, 1) costs 1."""
    between = np.array([[[5.0, 0.0], [4.0, 4.0]]])
    field = Field(np.array([[0.0, 1.0], [0.0, 1.0]]), np.array([[0, 1]]), between)
    assert settled(field).tolist() == [0, 1]
    assert field.cost([0, 1]) == 1.0
    assert field.cost([0, 0]) == 5.0


def test_without_edges_each_takes_its_cheapest():
    own = np.array([[3.0, 1.0, 2.0], [0.0, 1.0, 2.0]])
    field = Field(own, np.zeros((0, 2), np.int64), np.zeros((0, 3, 3)))
    assert settled(field).tolist() == [1, 0]


@given(st.integers(0, 2**32 - 1))
def test_on_a_tree_it_is_the_best_of_all(seed):
    rng = np.random.default_rng(seed)
    edges = np.array([[rng.integers(0, node), node] for node in range(1, 5)])
    field = Field(rng.random((5, 3)), edges, rng.random((4, 3, 3)))
    best = min(field.cost(labels) for labels in product(range(3), repeat=5))
    assert field.cost(settled(field, rounds=60)) == pytest.approx(best)


@given(st.integers(0, 2**32 - 1))
def test_on_a_grid_it_is_better_than_each_by_itself(seed):
    rng = np.random.default_rng(seed)
    edges = [(i, i + 1) for i in range(9) if i % 3 < 2] + [(i, i + 3) for i in range(6)]
    field = Field(rng.random((9, 3)), np.array(edges), 2 * rng.random((12, 3, 3)))
    assert field.cost(settled(field)) <= field.cost(field.own.argmin(1)) + 1e-9
