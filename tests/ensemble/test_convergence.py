"""RMSD among models, and how it is distributed."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from atomsight.ensemble.convergence import (
    histogram,
    mean_position,
    mutual_rmsd,
    pairwise_rmsd,
    rmsd_to_mean,
    spread,
)
from atomsight.errors import ParameterError


@st.composite
def coordinates(draw):
    k = draw(st.integers(2, 7))
    return draw(arrays(float, (k, 4, 3), elements=st.floats(-100, 100, width=32)))


def by_pairs(xyz):
    """The definition, pair by pair."""
    squares = [((a - b) ** 2).sum(axis=1) for a, b in combinations(xyz, 2)]
    return np.sqrt(np.mean(squares, axis=0))


@given(coordinates())
def test_pairwise_is_the_mean_over_all_pairs(xyz):
    np.testing.assert_allclose(pairwise_rmsd(xyz), by_pairs(xyz), atol=1e-6)


@given(coordinates())
def test_pairwise_is_to_mean_times_a_factor_of_their_number(xyz):
    n = len(xyz)
    to_mean = np.sqrt(((xyz - xyz.mean(axis=0)) ** 2).sum(axis=2).mean(axis=0))
    np.testing.assert_allclose(rmsd_to_mean(xyz), to_mean, atol=1e-6)
    np.testing.assert_allclose(by_pairs(xyz), to_mean * np.sqrt(2 * n / (n - 1)), atol=1e-5)


@given(coordinates(), st.tuples(*[st.floats(-50, 50)] * 3))
def test_a_shift_of_all_models_changes_nothing(xyz, shift):
    moved = pairwise_rmsd(xyz + np.array(shift))
    np.testing.assert_allclose(moved, pairwise_rmsd(xyz), atol=1e-5)


def test_nothing_is_superposed():
    xyz = np.zeros((2, 3, 3))
    xyz[1, :, 0] = 2.5
    np.testing.assert_allclose(pairwise_rmsd(xyz), 2.5)
    np.testing.assert_allclose(rmsd_to_mean(xyz), 1.25)


def test_pairwise_does_not_depend_on_the_number_of_models():
    rng = np.random.default_rng(4)
    sigma = 0.5
    for k in (2, 5, 20):
        rmsd = pairwise_rmsd(rng.normal(0, sigma, (k, 20_000, 3)))
        assert np.sqrt((rmsd**2).mean()) == pytest.approx(sigma * np.sqrt(6), rel=0.02)


def test_missing_residues_count_nowhere():
    xyz = np.random.default_rng(0).normal(size=(4, 3, 3))
    xyz[1, 0] = np.nan
    xyz[1:, 1] = np.nan
    xyz[:, 2] = np.nan
    mean, n = mean_position(xyz)
    assert n.tolist() == [3, 1, 0]
    np.testing.assert_allclose(mean[0], xyz[[0, 2, 3], 0].mean(axis=0))
    assert np.isnan(mean[2]).all()
    rmsd = pairwise_rmsd(xyz)
    np.testing.assert_allclose(rmsd[0], by_pairs(xyz[[0, 2, 3], :1])[0])
    assert np.isnan(rmsd[1:]).all()
    assert np.isnan(rmsd_to_mean(xyz)[1:]).all()


def test_models_to_each_other_are_over_what_both_have():
    xyz = np.zeros((3, 2, 3))
    xyz[1] += (3, 4, 0)
    xyz[2, 0], xyz[2, 1] = (1, 0, 0), np.nan
    found = mutual_rmsd(xyz)
    assert found[0].tolist() == [0.0, 5.0, 1.0]
    np.testing.assert_array_equal(found, found.T)
    xyz[0, 0] = np.nan
    assert np.isnan(mutual_rmsd(xyz)[0, 2])


def test_borders_belong_to_the_middle():
    one = spread(np.array([0.2, 0.9, 1.0, 3.0, 3.5, 4.0, 4.5, 9.0, np.nan, np.nan]))
    assert (one.n, one.n_above_3, one.n_above_4) == (8, 4, 2)
    assert (one.below_1, one.from_1_to_3, one.above_3) == (0.25, 0.25, 0.5)
    assert (one.median, one.largest) == (3.25, 9.0)


@given(arrays(float, st.integers(1, 30), elements=st.floats(0, 20)))
def test_shares_add_up(values):
    one = spread(values)
    assert one.below_1 + one.from_1_to_3 + one.above_3 == pytest.approx(1)
    assert one.mean == pytest.approx(values.mean())


def test_a_tail_of_bad_residues_is_skewed_to_the_right():
    values = np.array([0.2] * 9 + [5.2])
    # of two values with shares p and 1-p: (1 - 2p) / sqrt(p (1 - p))
    assert spread(values).skewness == pytest.approx(0.8 / 0.3)
    assert np.isnan(spread(np.full(5, 0.3)).skewness)


def test_nothing_has_no_figures():
    one = spread(np.full(3, np.nan))
    assert one.n == one.n_above_3 == 0
    assert np.isnan([one.mean, one.median, one.below_1, one.skewness]).all()


@given(arrays(float, st.integers(0, 30), elements=st.floats(0, 20)))
def test_bins_hold_every_residue(values):
    table = histogram(np.r_[values, np.nan])
    assert table["residues"].sum() == len(values)
    assert table["from"][0] == 0
    np.testing.assert_allclose(table["to"] - table["from"], 0.1)
    with pytest.raises(ParameterError):
        histogram(values, 0.0)
