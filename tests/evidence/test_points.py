import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atomsight.evidence.points import TRIES, random_rotation, spiral, trial_points
from tests.support import naive_q


def test_four_points_are_those_of_the_formula():
    # h = -1, -1/3, 1/3, 1; 1 - h² = 8/9; each turn is 3.6 / sqrt(4 * 8/9) = 1.909188...
    turn = 3.6 / math.sqrt(32 / 9)
    across = math.sqrt(8 / 9)
    expected = [
        (0, 0, -1),
        (across * math.cos(turn), across * math.sin(turn), -1 / 3),
        (across * math.cos(2 * turn), across * math.sin(2 * turn), 1 / 3),
        (0, 0, 1),
    ]
    assert turn == pytest.approx(1.9091883)
    np.testing.assert_allclose(spiral(4), expected, atol=1e-15)


@pytest.mark.parametrize("n", [2, 3, 8, 9, 50, 106])
def test_points_are_unit_vectors_from_pole_to_pole(n):
    points = spiral(n)
    assert points.shape == (n, 3)
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 1.0, atol=1e-14)
    np.testing.assert_allclose(points[[0, -1]], [[0, 0, -1], [0, 0, 1]], atol=1e-15)


@given(st.integers(2, 400))
@settings(max_examples=40, deadline=None)
def test_any_number_of_points_agrees_with_the_formula_term_by_term(n):
    np.testing.assert_allclose(spiral(n), naive_q.spiral(n), atol=1e-12)


@pytest.mark.parametrize("n", [50, 106])
def test_points_are_spread_evenly(n):
    points = spiral(n)
    nearest = np.sort(np.linalg.norm(points[:, None] - points, axis=-1), axis=1)[:, 1]
    ideal = math.sqrt(8 * math.pi / (math.sqrt(3) * n))
    assert nearest.min() > 0.5 * ideal
    assert np.linalg.norm(points.mean(axis=0)) < 0.02


def test_tries_of_a_shell_are_fifty_spirals_of_eight_to_a_hundred_and_six_points():
    directions, offsets = trial_points(8)
    assert TRIES == 50
    assert list(np.diff(offsets)) == list(range(8, 107, 2))
    assert (offsets[0], offsets[-1]) == (0, len(directions))
    for start, end in pairwise(offsets):
        np.testing.assert_array_equal(directions[start:end], spiral(end - start))


def test_tries_begin_with_the_number_of_points_asked_for():
    _, offsets = trial_points(5, 3)
    assert list(offsets) == [0, 5, 12, 21]


def test_nobody_can_change_the_points_of_all():
    for array in trial_points(8):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=50, deadline=None)
def test_a_rotation_keeps_lengths_angles_and_hand(seed):
    rotation = random_rotation(np.random.default_rng(seed))
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1.0)


def test_rotations_are_drawn_evenly():
    rng = np.random.default_rng(0)
    drawn = np.array([random_rotation(rng) for _ in range(4000)])
    # each axis is turned anywhere on the sphere: mean 0, mean square 1/3, like any unit vector
    np.testing.assert_allclose(drawn.mean(axis=0), 0.0, atol=0.04)
    np.testing.assert_allclose((drawn**2).mean(axis=0), 1 / 3, atol=0.03)
    # angle a: density (1 - cos a) / pi, so the mean of the trace 1 + 2 cos a is 0
    assert np.trace(drawn, axis1=1, axis2=2).mean() == pytest.approx(0.0, abs=0.06)
