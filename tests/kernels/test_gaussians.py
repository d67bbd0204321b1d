"""Sums of Gaussians against the sum written down voxel by voxel."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atomsight.density.map import index_matrix, to_index
from atomsight.density.simulate import sum_of_gaussians
from atomsight.kernels.gaussians import CUTOFF, add_gaussians
from tests.support.scene import positions, skewed_map

STRAIGHT = np.diag([0.6, 0.5, 0.7])
SKEW = np.array([[0.6, -0.2, 0.1], [0.0, 0.5, 0.15], [0.0, 0.0, 0.7]])


def empty(step, shape=(13, 14, 15)):
    return skewed_map(np.zeros(shape, dtype=np.float32), step, (5.0, -3.0, 2.0))


def plainly(like, xyz, height, sd):
    place = positions(like)
    total = np.zeros(like.values.shape)
    for centre, h, s in zip(xyz, height, sd, strict=True):
        total += h * np.exp(-((place - centre) ** 2).sum(axis=-1) / (2 * s**2))
    return total


def scene(seed, like, n=12):
    rng = np.random.default_rng(seed)
    index = rng.uniform(-0.5, 1.5, (n, 3)) * like.values.shape[::-1]
    xyz = like.origin + index @ like.step.T
    return xyz, rng.uniform(-5, 30, n), rng.uniform(0.3, 3.0, n)


@pytest.mark.parametrize("step", [STRAIGHT, SKEW], ids=["right angles", "skewed"])
@given(st.integers(0, 2**32 - 1))
@settings(max_examples=15)
def test_the_sum_is_that_of_all_gaussians(step, seed):
    like = empty(step)
    xyz, height, sd = scene(seed, like)
    found = sum_of_gaussians(like, xyz, height, sd)
    assert found.dtype == np.float32
    # at 5 standard deviations 4e-6 of the height is left
    cut = np.abs(height).sum() * np.exp(-0.5 * CUTOFF**2)
    np.testing.assert_allclose(found, plainly(like, xyz, height, sd), atol=cut + 1e-5)


@pytest.mark.parametrize("edges", [[0, 13], [0, 6, 13], [0, 1, 2, 9, 9, 13]])
@pytest.mark.parametrize("step", [STRAIGHT, SKEW], ids=["right angles", "skewed"])
def test_slabs_of_any_thickness_give_the_same_bits(step, edges):
    like = empty(step)
    xyz, height, sd = scene(3, like)
    values = np.zeros(like.values.shape, dtype=np.float32)
    reach = np.linalg.norm(index_matrix(like), axis=1)
    for first, last in pairwise(edges):
        metric = like.step.T @ like.step
        add_gaussians(to_index(like, xyz), height, sd, metric, reach, values, first, last)
    np.testing.assert_array_equal(values, sum_of_gaussians(like, xyz, height, sd))


def test_the_skewed_way_and_the_straight_way_agree():
    like = empty(STRAIGHT)
    xyz, height, sd = scene(4, like)
    almost = empty(STRAIGHT + np.array([[0, 1e-12, 0], [0, 0, 0], [0, 0, 0]]))
    np.testing.assert_allclose(
        sum_of_gaussians(almost, xyz, height, sd),
        sum_of_gaussians(like, xyz, height, sd),
        atol=2e-5,
    )


def test_a_gaussian_ends_at_five_standard_deviations():
    like = skewed_map(np.zeros((3, 3, 60), dtype=np.float32), np.eye(3), (0.0, 0.0, 0.0))
    values = sum_of_gaussians(like, np.array([[30.0, 1.0, 1.0]]), np.array([1.0]), np.array([2.0]))
    assert set(np.flatnonzero(values[1, 1])) == set(range(20, 42))


def test_what_lies_far_away_adds_nothing_and_breaks_nothing():
    like = empty(STRAIGHT)
    far = np.array([[1e30, 0, 0], [0, -1e30, 0], [0, 0, 1e30], [-1e6, 1e6, 0]])
    assert not sum_of_gaussians(like, far, np.ones(4), np.ones(4)).any()
