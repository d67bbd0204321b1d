import math

import numpy as np
import pytest

from atomsight.kernels.overlap import deepest_dots

AXIS = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])


def deepest(xyz, radius, *, hiding=(), rivals=(), least=0.4):
    """Atom 0 looks at atom 1, with dots along x and y only."""
    n = len(xyz)
    found = np.empty(1)
    deepest_dots(
        np.array([0]),
        np.array([1]),
        np.array(xyz, dtype=float),
        np.array(radius, dtype=float),
        AXIS,
        np.array([0, 2]),
        np.zeros(n, dtype=np.int64),
        np.array(hiding, dtype=np.int64),
        np.array([0] + [len(hiding)] * n),
        np.array(rivals, dtype=np.int64),
        np.array([0] + [len(rivals)] * n),
        least,
        found,
    )
    return found[0]


def test_the_deepest_dot_counts():
    assert deepest([[0, 0, 0], [2, 0, 0]], [1, 1.5]) == pytest.approx(0.5)


def test_what_is_not_deep_enough_does_not_count():
    assert deepest([[0, 0, 0], [2, 0, 0]], [1, 1.3]) == -math.inf


def test_dots_inside_an_atom_near_in_bonds_are_hidden():
    xyz = [[0, 0, 0], [2, 0, 0], [1.2, 0, 0]]
    assert deepest(xyz, [1, 1.5, 0.3], hiding=[0, 2]) == -math.inf
    assert deepest(xyz, [1, 1.5, 0.1], hiding=[0, 2]) == pytest.approx(0.5)


def test_a_dot_belongs_to_the_atom_in_which_it_is_deepest():
    xyz = [[0, 0, 0], [2, 0, 0], [1, 0.2, 0]]
    assert deepest(xyz, [1, 1.5, 0.8], rivals=[1, 2]) == -math.inf
    assert deepest(xyz, [1, 1.5, 0.6], rivals=[1, 2]) == pytest.approx(0.5)
