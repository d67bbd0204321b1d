from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atomsight.density.map import map_from_array
from atomsight.density.translation import best_shift
from tests.support.scene import positions, scatter

SHAPE = (26, 30, 34)
"""Sections, rows, columns."""
BLOBS = scatter(8, 12, 6.0, 19.0, apart=3.0)


def blob_map(voxel=1.0, shape=SHAPE, origin=(0.0, 0.0, 0.0), width=1.2, centres=BLOBS):
    """A map with a blob at each centre, float32."""
    empty = map_from_array(np.zeros(shape, np.float32), voxel, origin)
    place = positions(empty)
    values = sum(np.exp(-((place - c) ** 2).sum(axis=-1) / (2 * width**2)) for c in centres)
    return map_from_array(values.astype(np.float32), voxel, origin)


@given(st.tuples(*[st.floats(-60, 60)] * 3))
@settings(max_examples=15, deadline=None)
def test_any_shift_is_found_to_half_a_voxel(shift):
    found = best_shift(blob_map(), BLOBS - shift)
    np.testing.assert_allclose(found, shift, atol=0.5)


def test_a_model_in_its_place_stays_there():
    np.testing.assert_allclose(best_shift(blob_map(), BLOBS), 0.0, atol=0.25)


@pytest.mark.parametrize("origin", [(100.0, -200.0, 50.0), (-12.3, 4.5, 6.7)])
def test_the_origin_of_the_map_counts(origin):
    moved = blob_map(origin=origin, centres=BLOBS + origin)
    np.testing.assert_allclose(best_shift(moved, BLOBS), origin, atol=0.5)


@pytest.mark.parametrize(
    ("voxel", "shape"),
    [
        ((1.3, 0.8, 1.1), (24, 32, 20)),
        ((0.4, 0.4, 0.4), (66, 66, 66)),
        ((2.6, 2.6, 2.6), (10, 10, 10)),
        ((0.4, 1.2, 0.9), (30, 22, 66)),
    ],
)
def test_any_size_of_voxel_will_do(voxel, shape):
    shift = np.array([5.2, -3.9, 7.8])
    found = best_shift(blob_map(voxel, shape), BLOBS - shift)
    np.testing.assert_allclose(found, shift, atol=0.5 * max(voxel))


def test_skewed_axes_are_followed():
    step = np.array([[1.0, 0.3, 0.2], [0.0, 1.0, -0.2], [0.0, 0.0, 0.9]])
    empty = replace(map_from_array(np.zeros((34, 34, 40), np.float32), 1.0), step=step)
    place = positions(empty)
    values = sum(np.exp(-((place - c) ** 2).sum(axis=-1) / 2.88) for c in BLOBS)
    skewed = replace(empty, values=np.ascontiguousarray(values, dtype=np.float32))
    shift = np.array([-8.0, 6.0, 11.0])
    np.testing.assert_allclose(best_shift(skewed, BLOBS - shift), shift, atol=0.5)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_voxels_that_are_no_numbers_are_passed_over(value):
    map_ = blob_map()
    holes = map_.values.copy()
    holes[np.random.default_rng(0).random(SHAPE) < 0.02] = value
    shift = np.array([9.0, 4.0, -13.0])
    found = best_shift(map_from_array(holes, 1.0), BLOBS - shift)
    np.testing.assert_allclose(found, shift, atol=0.6)


@pytest.mark.parametrize("offset", [100.0, -100.0])
def test_what_counts_is_density_above_the_mean(offset):
    # else a low level drives atoms out of the map, first of all the one at its edge
    centres = np.concatenate([BLOBS, [[0.4, 15.0, 15.0]]])
    values = blob_map(centres=centres).values + np.float32(offset)
    shift = np.array([9.0, 4.0, -13.0])
    found = best_shift(map_from_array(values, 1.0), centres - shift)
    np.testing.assert_allclose(found, shift, atol=0.3)


def test_a_model_larger_than_the_map_finds_the_place_of_its_part():
    more = np.concatenate([BLOBS, scatter(9, 12, 60.0, 90.0)])
    shift = np.array([4.0, -6.0, 2.0])
    np.testing.assert_allclose(best_shift(blob_map(), more - shift), shift, atol=0.5)


def test_one_atom_goes_to_the_highest_place():
    peak = np.array([[12.0, 9.0, 15.0]])
    found = best_shift(blob_map(centres=peak), np.array([[1.0, 2.0, 3.0]]))
    np.testing.assert_allclose(found, [11.0, 7.0, 12.0], atol=0.3)


def test_an_atom_far_away_costs_no_memory():
    atoms = np.concatenate([BLOBS, [[1e5, 1e5, 1e5]]])
    assert np.isfinite(best_shift(blob_map(), atoms)).all()
