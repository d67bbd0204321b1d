import gemmi
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomsight.density.map import Map, array_statistics, map_from_array
from atomsight.density.sampling import trilinear, trilinear_held

SHAPE = (6, 5, 7)
STEP = np.array([[1.5, -0.4, 0.2], [0.0, 0.9, 0.3], [0.0, 0.0, 1.1]])


def skewed_map(values, origin=(3.0, -4.0, 5.0)):
    return Map(
        values=values,
        origin=np.array(origin),
        step=STEP,
        start=(0, 0, 0),
        full_shape=values.shape[::-1],
        statistics=array_statistics(values),
    )


def noise(seed=0, dtype=np.float32):
    return np.random.default_rng(seed).normal(size=SHAPE).astype(dtype)


def linear(a, b, c, d):
    """Values a + b·i + c·j + d·k at voxel (i, j, k)."""
    k, j, i = np.indices(SHAPE)
    return a + b * i + c * j + d * k


coefficients = st.floats(-100, 100)


@given(
    st.tuples(coefficients, coefficients, coefficients, coefficients),
    st.tuples(st.floats(0, 5.999), st.floats(0, 3.999), st.floats(0, 4.999)),
)
def test_a_linear_function_is_interpolated_exactly(abcd, index):
    map_ = skewed_map(linear(*abcd))
    # a point on a face may come out a hair outside after the way there and back
    index = np.clip(index, 1e-9, None)
    value = trilinear(map_, (map_.origin + map_.step @ index)[None])
    expected = abcd[0] + np.dot(abcd[1:], index)
    np.testing.assert_allclose(value, expected, atol=1e-9 * (1 + np.abs(abcd).sum()))


def test_at_a_voxel_stands_its_value():
    values = noise()
    map_ = map_from_array(values, (1.0, 2.0, 0.5), (-1.0, 8.0, 3.0))
    k, j, i = np.indices((5, 4, 6)).reshape(3, -1)
    xyz = map_.origin + np.column_stack([i, j, k]) * [1.0, 2.0, 0.5]
    np.testing.assert_array_equal(trilinear(map_, xyz), values[k, j, i])


def test_in_the_middle_of_eight_voxels_stands_their_mean():
    values = noise(dtype=np.float64)
    value = trilinear(map_from_array(values, 2.0), np.array([[5.0, 3.0, 7.0]]))
    assert value[0] == pytest.approx(values[3:5, 1:3, 2:4].mean())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gemmi_interpolates_to_the_same_values(dtype):
    values = noise(1, dtype)
    xyz = np.random.default_rng(2).uniform(0, 1, (100, 3)) * [6, 4, 5]
    grid = gemmi.FloatGrid(np.asfortranarray(values.transpose(2, 1, 0), dtype=np.float32))
    grid.set_unit_cell(gemmi.UnitCell(7, 5, 6, 90, 90, 90))
    theirs = [grid.interpolate_value(gemmi.Position(*place)) for place in xyz]
    np.testing.assert_allclose(trilinear(map_from_array(values, 1.0), xyz), theirs, atol=2e-6)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize(
    ("from_the_end", "index", "inside"),
    [
        (False, 0.0, True),
        (False, -1e-9, False),
        (False, -0.5, False),
        (True, -1e-9, True),
        (True, 0.0, False),
        (True, 0.5, False),
    ],
)
def test_a_point_is_inside_where_all_eight_voxels_around_it_exist(
    axis, from_the_end, index, inside
):
    last = np.array(SHAPE[::-1]) - 1
    point = np.full(3, 1.5)
    point[axis] = last[axis] + index if from_the_end else index
    value = trilinear(map_from_array(noise(), 1.0), point[None])
    assert np.isfinite(value[0]) == inside


@given(st.tuples(*[st.floats(-2, 9)] * 3))
def test_values_are_known_just_where_the_rule_says(point):
    floor = np.floor(point)
    rule = all(0 <= low < n - 1 for low, n in zip(floor, SHAPE[::-1], strict=True))
    assert np.isfinite(trilinear(map_from_array(noise(), 1.0), np.array([point]))[0]) == rule


@pytest.mark.parametrize("far", [1e9, -1e9, 1e300, float("inf"), -float("inf"), float("nan")])
@pytest.mark.parametrize("make", [skewed_map, lambda values: map_from_array(values, 1.0)])
def test_points_far_away_or_nowhere_have_no_value(make, far):
    xyz = np.array([[far, 1.0, 1.0], [1.0, far, 1.0], [1.0, 1.0, far], [far, far, far]])
    assert np.isnan(trilinear(make(noise()), xyz)).all()


def test_every_point_keeps_its_place_whether_inside_or_not():
    values = linear(0, 1, 10, 100)
    points = np.array([[-1, 1, 1], [1, 2, 3], [99, 1, 1], [0.5, 0.5, 0.5], [np.nan, 1, 1]])
    result = trilinear(map_from_array(values, 1.0), points)
    np.testing.assert_allclose(result, [np.nan, 321, np.nan, 55.5, np.nan])


@pytest.mark.parametrize("n", [0, 1, 5])
def test_one_value_comes_back_for_each_point(n):
    result = trilinear(map_from_array(noise(), 1.0), np.full((n, 3), -9.0))
    assert result.shape == (n,)
    assert result.dtype == np.float64


def test_a_voxel_that_is_nan_makes_the_points_around_it_nan():
    values = noise()
    values[2, 2, 2] = np.nan
    points = np.array([[1.5, 2.0, 2.0], [2.5, 2.5, 2.5], [3.5, 2.0, 2.0]])
    np.testing.assert_array_equal(
        np.isnan(trilinear(map_from_array(values, 1.0), points)), [True, True, False]
    )


def test_held_values_are_those_of_the_map_inside_and_of_its_edge_outside():
    map_ = map_from_array(np.random.default_rng(0).normal(size=(5, 6, 7)), 0.9, (1.0, 2.0, 3.0))
    low, high = map_.origin, map_.origin + 0.9 * (np.array([7, 6, 5]) - 1)
    inside = np.random.default_rng(1).uniform(low, high - 1e-6, (20, 3))
    held = trilinear_held(map_.values, map_, inside)
    np.testing.assert_allclose(held, trilinear(map_, inside), atol=1e-9)
    beyond = np.array([low - 50.0, high + 50.0])
    np.testing.assert_allclose(
        trilinear_held(map_.values, map_, beyond), [map_.values[0, 0, 0], map_.values[-1, -1, -1]]
    )
