"""Rotated point sets: how much of Q hangs on where the points happen to lie."""

import numpy as np
import pytest

from atomsight.evidence.q_score import q_score
from tests.support.scene import gaussian_map, make_model, noise_map, scatter

ATOMS = scatter(4, 15, 2.5, 9.0, apart=1.2)


@pytest.fixture(scope="module")
def blobs():
    """A map in which each atom is seen, under a little noise."""
    clean = gaussian_map(ATOMS, 0.6, shape=(32, 32, 32), voxel=0.36)
    noise = 0.05 * noise_map(0, (32, 32, 32)).values
    clean.values[...] += noise
    return clean


def run(map_, count=6, **options):
    return q_score(map_, make_model(ATOMS), sigma=0.6, orientations=count, **options)


def test_q_itself_stays_as_it_is(blobs):
    np.testing.assert_array_equal(run(blobs).q, run(blobs, 0).q)


def test_without_orientations_there_is_no_spread(blobs):
    result = run(blobs, 0)
    assert result.orientation_mean is None
    assert result.orientation_sd is None
    assert result.orientation_q is None
    assert result.orientations == 0


def test_the_same_seed_gives_the_same_numbers(blobs):
    first, again = run(blobs, seed=3), run(blobs, seed=3, threads=2)
    assert first.orientations == 6
    np.testing.assert_array_equal(first.orientation_mean, again.orientation_mean)
    np.testing.assert_array_equal(first.orientation_sd, again.orientation_sd)


def test_another_seed_gives_other_numbers(blobs):
    first, other = run(blobs, seed=3), run(blobs, seed=4)
    assert not np.isclose(first.orientation_mean, other.orientation_mean, rtol=1e-7).any()


def test_the_spread_is_small_but_there(blobs):
    result = run(blobs, 10)
    assert (result.orientation_sd > 1e-4).all()
    assert (result.orientation_sd < 0.1).all()
    np.testing.assert_allclose(result.orientation_mean, result.q, atol=0.1)


def test_more_points_leave_less_to_chance(blobs):
    few, many = run(blobs, 10), run(blobs, 10, points=64)
    assert np.median(many.orientation_sd) < 0.5 * np.median(few.orientation_sd)


def test_mean_and_spread_are_those_of_the_single_passes(blobs):
    # the mean of one more pass tells what that pass gave
    means = [run(blobs, n).orientation_mean * n for n in range(2, 7)]
    passes = np.diff(means, axis=0)
    first_two = run(blobs, 2)
    low = first_two.orientation_mean - first_two.orientation_sd / np.sqrt(2)
    high = first_two.orientation_mean + first_two.orientation_sd / np.sqrt(2)
    values = np.concatenate([[low, high], passes])
    result = run(blobs, 6)
    np.testing.assert_allclose(result.orientation_mean, values.mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(result.orientation_sd, values.std(axis=0, ddof=1), atol=1e-9)


def test_atoms_without_q_have_no_spread(blobs):
    atoms = np.concatenate([ATOMS, [[500.0, 0.0, 0.0]]])
    result = q_score(blobs, make_model(atoms), orientations=3)
    assert np.isnan(result.orientation_mean[-1])
    assert np.isnan(result.orientation_sd[-1])
    assert np.isfinite(result.orientation_sd[:-1]).all()


def test_the_passes_are_kept_one_by_one(blobs):
    result = run(blobs, 5)
    assert result.orientation_q.shape == (5, len(ATOMS))
    np.testing.assert_allclose(result.orientation_q.mean(axis=0), result.orientation_mean)
    np.testing.assert_allclose(result.orientation_q.std(axis=0, ddof=1), result.orientation_sd)


def test_one_rotation_turns_the_points_of_all_atoms_of_two_models_alike(blobs):
    """So that differences between models can be paired."""
    one = run(blobs, 4)
    two = q_score(blobs, make_model(ATOMS[::-1]), sigma=0.6, orientations=4)
    np.testing.assert_allclose(two.orientation_q[:, ::-1], one.orientation_q, atol=1e-12)
