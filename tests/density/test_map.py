from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomsight.density.map import (
    Map,
    array_statistics,
    index_matrix,
    map_from_array,
    to_index,
)

VALUES = np.arange(24, dtype=np.float32).reshape(2, 3, 4)


def skewed_map(step, origin, start=(0, 0, 0)):
    return Map(
        values=VALUES,
        origin=np.array(origin, dtype=float),
        step=np.array(step, dtype=float),
        start=start,
        full_shape=(4, 3, 2),
        statistics=array_statistics(VALUES),
    )


def test_a_map_from_an_array_knows_its_place():
    map_ = map_from_array(VALUES, (1.0, 1.5, 2.0), (10.0, 20.0, 30.0), path="made.mrc")
    assert map_.full_shape == (4, 3, 2)
    assert map_.voxel_size == (1.0, 1.5, 2.0)
    assert map_.path == Path("made.mrc")
    assert not map_.periodic
    np.testing.assert_array_equal(map_.origin, [10, 20, 30])
    np.testing.assert_array_equal(map_.origin + map_.step @ [3, 2, 1], [13, 23, 32])


def test_one_voxel_size_serves_all_axes():
    np.testing.assert_array_equal(map_from_array(VALUES, 1.05).step, np.eye(3) * 1.05)


@pytest.mark.parametrize(
    ("given_type", "kept"),
    [("f4", "f4"), ("f8", "f8"), ("i2", "f4"), ("u1", "f4"), ("f2", "f4"), ("?", "f4")],
)
def test_values_are_single_or_double_precision(given_type, kept):
    map_ = map_from_array(VALUES.astype(given_type), 1.0)
    assert map_.values.dtype == np.dtype(kept)
    assert map_.values.flags.c_contiguous
    np.testing.assert_array_equal(map_.values, VALUES.astype(given_type))


def test_a_transposed_array_is_brought_to_memory_order():
    map_ = map_from_array(VALUES.T, 1.0)
    assert map_.full_shape == (2, 3, 4)
    assert map_.values.flags.c_contiguous
    np.testing.assert_array_equal(map_.values, VALUES.T)


@pytest.mark.parametrize("shape", [(), (4,), (4, 4), (2, 2, 2, 2)])
def test_an_array_of_other_than_three_dimensions_is_refused(shape):
    with pytest.raises(ValueError, match=f"three dimensions, this array has {len(shape)}"):
        map_from_array(np.zeros(shape), 1.0)


@pytest.mark.parametrize("size", [0.0, -1.0, float("nan"), float("inf"), (1.0, 0.0, 1.0)])
def test_a_voxel_size_that_is_not_positive_is_refused(size):
    with pytest.raises(ValueError, match="voxel size must be positive"):
        map_from_array(VALUES, size)


def test_voxel_size_of_a_skewed_map_is_the_length_of_its_steps():
    map_ = skewed_map([[2, -0.6, 0], [0, 0.8, 0.3], [0, 0, 0.4]], (0, 0, 0))
    assert map_.voxel_size == pytest.approx((2.0, 1.0, 0.5))


def test_the_whole_grid_begins_where_the_part_and_its_start_say():
    step = [[2, -0.6, 0], [0, 0.8, 0.3], [0, 0, 0.4]]
    map_ = skewed_map(step, (5.0, 6.0, 7.0), start=(1, 10, -100))
    expected = np.array([5 - 2 + 6, 6 - 8 + 30, 7 + 40])
    np.testing.assert_allclose(map_.full_origin, expected)


def test_statistics_are_those_of_the_population():
    statistics = array_statistics(np.array([[[1.0, 2.0], [3.0, 10.0]]]))
    assert (statistics.n, statistics.n_not_finite) == (4, 0)
    assert (statistics.minimum, statistics.maximum, statistics.mean) == (1.0, 10.0, 4.0)
    assert statistics.sd == pytest.approx(np.sqrt(50 / 4))


@pytest.mark.parametrize("absent", [float("nan"), float("inf"), -float("inf")])
def test_statistics_leave_out_what_is_no_number(absent):
    statistics = array_statistics(np.array([1.0, absent, 3.0, absent]))
    assert (statistics.n, statistics.n_not_finite) == (4, 2)
    assert (statistics.minimum, statistics.maximum) == (1.0, 3.0)
    assert (statistics.mean, statistics.sd) == (2.0, 1.0)


@pytest.mark.parametrize("values", [np.full(7, np.nan), np.empty((0, 3, 3))])
def test_statistics_of_nothing_are_nan(values):
    statistics = array_statistics(values)
    assert statistics.n == statistics.n_not_finite == values.size
    numbers = (statistics.minimum, statistics.maximum, statistics.mean, statistics.sd)
    assert np.isnan(numbers).all()


def test_statistics_of_single_precision_values_are_added_up_in_double_precision():
    values = np.full(100_000, 0.1, dtype=np.float32)
    values[0] = 1e4
    statistics = array_statistics(values)
    assert statistics.mean == pytest.approx(values.astype(float).mean(), rel=1e-13)
    assert statistics.sd == pytest.approx(values.astype(float).std(), rel=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_map_of_one_value_has_no_spread(dtype):
    statistics = array_statistics(np.full((4, 4, 4), 0.1, dtype=dtype))
    assert statistics.sd == pytest.approx(0.0, abs=1e-16)
    assert statistics.minimum == statistics.maximum == dtype(0.1)


def test_the_voxel_at_the_origin_has_index_zero():
    map_ = map_from_array(VALUES, (1.0, 2.0, 4.0), (-5.0, 6.0, 7.0))
    index = to_index(map_, np.array([[-5.0, 6.0, 7.0], [-4.0, 10.0, 13.0]]))
    np.testing.assert_array_equal(index, [[0, 0, 0], [1, 2, 1.5]])


def test_the_index_in_an_upright_map_is_rounded_only_once():
    points = np.random.default_rng(0).uniform(-300, 300, size=(1000, 3))
    np.testing.assert_array_equal(to_index(map_from_array(VALUES, 1.05), points), points / 1.05)


def test_positions_that_are_nan_have_no_index():
    map_ = skewed_map([[2, -0.6, 0], [0, 0.8, 0.3], [0, 0, 0.4]], (0, 0, 0))
    assert np.isnan(to_index(map_, np.full((1, 3), np.nan))).all()
    assert to_index(map_, np.empty((0, 3))).shape == (0, 3)


numbers = st.floats(-300, 300)
lengths = st.floats(0.1, 10)
slants = st.floats(-0.5, 0.5)


@given(
    index=st.lists(st.tuples(numbers, numbers, numbers), min_size=1, max_size=5),
    origin=st.tuples(numbers, numbers, numbers),
    size=st.tuples(lengths, lengths, lengths),
    slant=st.just((0.0, 0.0, 0.0)) | st.tuples(slants, slants, slants),
)
def test_index_and_position_are_inverse_to_each_other(index, origin, size, slant):
    upper = np.eye(3)
    upper[0, 1], upper[0, 2], upper[1, 2] = slant
    map_ = skewed_map(upper * size, origin)
    positions = map_.origin + np.array(index) @ map_.step.T
    np.testing.assert_allclose(to_index(map_, positions), index, atol=1e-9)
    np.testing.assert_allclose(index_matrix(map_) @ map_.step, np.eye(3), atol=1e-12)
