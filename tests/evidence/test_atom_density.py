"""Density at the atoms, against a plain second implementation and on maps known exactly."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomsight.density.map import map_from_array
from atomsight.evidence.atom_density import AtomDensity, atom_density, negative_density
from atomsight.evidence.status import Status
from tests.support.scene import make_model, noise_map, positions, scatter, skewed_map

NAN = float("nan")
ORIGIN = (3.0, -2.0, 0.5)
MAP = noise_map(4, (9, 10, 11), 0.9, ORIGIN)
XYZ = np.array(ORIGIN) + scatter(1, 40, 1.5, 5.5)


def plain_value(map_, place) -> float:
    """The mean of the eight voxels around a place, weighted by nearness, voxel by voxel."""
    index = np.linalg.solve(map_.step, place - map_.origin)
    low = np.floor(index).astype(int)
    total = 0.0
    for corner in product((0, 1), repeat=3):
        i, j, k = low + corner
        total += map_.values[k, j, i] * np.prod(1 - np.abs(index - low - corner))
    return total


@pytest.mark.parametrize("skewed", [False, True])
def test_the_density_is_that_of_the_eight_grid_points_around_in_sigma(skewed):
    step = [[0.9, 0.1, 0.0], [0.0, 1.0, 0.2], [0.05, 0.0, 0.8]]
    map_ = skewed_map(MAP.values, step, ORIGIN) if skewed else MAP
    found = atom_density(map_, make_model(XYZ))
    plain = np.array([plain_value(map_, place) for place in XYZ])
    mean, sd = np.mean(map_.values, dtype=float), np.std(map_.values.astype(float))
    assert (found.status == Status.OK).all()
    np.testing.assert_allclose(found.value, plain, atol=1e-7)
    np.testing.assert_allclose(found.trilinear, (plain - mean) / sd, atol=1e-6)
    assert (found.mean, found.sd) == (pytest.approx(mean), pytest.approx(sd))


def test_the_nearest_grid_point_is_the_nearest_in_space():
    found = atom_density(MAP, make_model(XYZ))
    places = positions(MAP).reshape(-1, 3)
    nearest = [((places - place) ** 2).sum(axis=1).argmin() for place in XYZ]
    known = (MAP.values.ravel()[nearest] - found.mean) / found.sd
    np.testing.assert_allclose(found.nearest, known, atol=1e-6)
    assert np.abs(found.nearest - found.trilinear).max() > 0.5


def test_on_a_grid_point_both_are_its_value():
    voxels = np.array([[0, 0, 0], [4, 5, 6], [9, 8, 7]])
    found = atom_density(MAP, make_model(MAP.origin + 0.9 * voxels + 1e-9))
    i, j, k = voxels.T
    known = (MAP.values[k, j, i] - found.mean) / found.sd
    np.testing.assert_allclose(found.trilinear, known, atol=1e-6)
    np.testing.assert_allclose(found.nearest, known, atol=1e-6)


@given(
    scale=st.floats(1e-6, 1e6),
    offset=st.floats(-5, 5),
)
def test_sigmas_do_not_depend_on_units_and_offset(scale, offset):
    known = atom_density(MAP, make_model(XYZ))
    values = scale * (MAP.values.astype(float) + offset)
    scaled = atom_density(map_from_array(values, 0.9, ORIGIN), make_model(XYZ))
    np.testing.assert_allclose(scaled.trilinear, known.trilinear, atol=1e-6)
    np.testing.assert_allclose(scaled.nearest, known.nearest, atol=1e-6)
    assert negative_density(scaled).below_mean == negative_density(known).below_mean


def test_the_statistics_are_those_of_the_whole_file():
    known = atom_density(MAP, make_model(XYZ[:1]))
    i, j, k = np.floor((XYZ[0] - MAP.origin) / 0.9).astype(int)
    box = replace(
        MAP,
        values=np.ascontiguousarray(MAP.values[k : k + 2, j : j + 2, i : i + 2]),
        origin=MAP.origin + 0.9 * np.array([i, j, k]),
        start=(int(i), int(j), int(k)),
    )
    found = atom_density(box, make_model(XYZ[:1]))
    np.testing.assert_allclose(found.trilinear, known.trilinear, rtol=1e-9)
    np.testing.assert_allclose(found.nearest, known.nearest, rtol=1e-9)


@pytest.mark.parametrize(
    ("index", "status"),
    [
        ((0.0, 0.0, 0.0), Status.OK),
        ((9.999, 8.999, 7.999), Status.OK),
        ((10.0, 3.0, 3.0), Status.OUTSIDE),
        ((3.0, 9.001, 3.0), Status.OUTSIDE),
        ((3.0, 3.0, -0.001), Status.OUTSIDE),
        ((1e12, 0.0, 0.0), Status.OUTSIDE),
    ],
)
def test_atoms_at_and_beyond_the_edge(index, status):
    map_ = map_from_array(MAP.values, 1.0)
    found = atom_density(map_, make_model([index]))
    assert found.status[0] == status
    for values in (found.value, found.trilinear, found.nearest):
        assert np.isfinite(values[0]) == (status == Status.OK)


@pytest.mark.parametrize("bad", [NAN, np.inf, -np.inf])
def test_only_atoms_next_to_what_is_no_number_are_lost(bad):
    values = MAP.values.copy()
    values[4, 5, 6] = bad
    map_ = map_from_array(values, 1.0)
    near = [[5.5, 4.5, 3.5], [6.5, 5.5, 4.5], [6.0, 5.0, 4.0]]
    found = atom_density(map_, make_model([*near, [7.1, 5.0, 4.0], [1.0, 1.0, 1.0]]))
    assert list(found.status) == [Status.NOT_FINITE] * 3 + [Status.OK] * 2
    np.testing.assert_array_equal(found.counted, [False] * 3 + [True] * 2)
    assert np.isnan(found.value[:3]).all()
    assert np.isnan(found.nearest[:3]).all()
    assert np.isfinite(found.trilinear[3:]).all()


@pytest.mark.parametrize("value", [0.0, 0.7])
def test_a_map_of_one_value_has_no_sigma(value):
    found = atom_density(map_from_array(np.full((8, 8, 8), value), 1.0), make_model([[2.5] * 3]))
    assert found.status[0] == Status.CONSTANT
    assert np.isnan([found.value, found.trilinear, found.nearest]).all()


def test_a_map_without_numbers_gives_none():
    found = atom_density(map_from_array(np.full((8, 8, 8), NAN), 1.0), make_model([[2.5] * 3]))
    assert found.status[0] == Status.NOT_FINITE
    assert np.isnan(found.trilinear[0])


def test_hydrogens_and_atoms_without_a_place_are_not_scored():
    xyz = XYZ[:4].copy()
    xyz[2:] = NAN
    found = atom_density(MAP, make_model(xyz, element=["C", "H", "C", "D"]))
    assert list(found.status) == [
        Status.OK, Status.HYDROGEN, Status.NO_POSITION, Status.HYDROGEN,
    ]  # fmt: skip
    assert list(np.isfinite(found.trilinear)) == [True, False, False, False]
    assert list(np.isfinite(found.nearest)) == [True, False, False, False]


def known_density(values, mean=0.5) -> AtomDensity:
    values = np.array(values, dtype=float)
    status = np.where(np.isnan(values), Status.OUTSIDE, Status.OK).astype(np.uint8)
    return AtomDensity(values, values - mean, values - mean, status, mean, 1.0)


def test_negative_is_below_zero_and_below_the_mean_is_said_apart():
    found = negative_density(known_density([-1.0, 0.0, 0.2, 0.5, 0.7, NAN]))
    assert (found.n, found.below_zero, found.below_mean) == (5, 1, 3)
    assert found.fraction_below_zero == pytest.approx(0.2)
    assert found.fraction_below_mean == pytest.approx(0.6)


def test_without_atoms_there_is_no_fraction():
    found = negative_density(known_density([NAN]))
    assert found.n == 0
    assert np.isnan(found.fraction_below_zero)
    assert np.isnan(found.fraction_below_mean)
