import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atomsight.kernels.cells import CellGrid, cell_grid
from atomsight.kernels.q_score import find_neighbours


@st.composite
def crowds(draw) -> np.ndarray:
    """Positions of every density; now and then one of them is far away from all others."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count = draw(st.integers(1, 60))
    spread = np.array(draw(st.tuples(*[st.sampled_from([0.0, 0.5, 5.0, 40.0])] * 3)))
    xyz = rng.uniform(-500, 500, 3) + rng.uniform(-spread, spread, (count, 3))
    stray = draw(st.sampled_from([0.0, 0.0, 300.0, 9999.0, 1e7]))
    if stray:
        xyz[:: draw(st.integers(2, 40))] += rng.uniform(-stray, stray, 3)
    return xyz


def distances(grid: CellGrid, centre: np.ndarray, reach: float) -> np.ndarray:
    way, distance = np.empty((1024, 3)), np.empty(1024)
    n = find_neighbours(
        *centre,
        grid.xyz,
        grid.start,
        grid.shape,
        grid.low,
        grid.size,
        reach,
        way,
        distance,
        np.empty(1024, np.int64),
    )
    return distance[:n]


def brute_force(xyz: np.ndarray, centre: np.ndarray, reach: float) -> np.ndarray:
    distance = np.sqrt(((xyz - centre) ** 2).sum(axis=1))
    return np.sort(distance[(distance <= reach) & (distance > 0)])


@given(crowds(), st.sampled_from([0.3, 1.9, 3.8, 7.0]))
@settings(max_examples=150, deadline=None)
def test_all_neighbours_are_found(xyz, reach):
    grid = cell_grid(xyz, reach)
    for centre in xyz:
        np.testing.assert_allclose(
            distances(grid, centre, reach), brute_force(xyz, centre, reach), rtol=1e-12
        )


@given(crowds(), st.integers(0, 2**32 - 1))
@settings(max_examples=50, deadline=None)
def test_neighbours_of_places_where_no_atom_is(xyz, seed):
    grid = cell_grid(xyz, 3.8)
    rng = np.random.default_rng(seed)
    for centre in xyz[rng.integers(0, len(xyz), 5)] + rng.uniform(-8, 8, (5, 3)):
        np.testing.assert_allclose(
            distances(grid, centre, 3.8), brute_force(xyz, centre, 3.8), rtol=1e-12
        )


@given(crowds())
@settings(max_examples=50, deadline=None)
def test_every_position_stands_in_exactly_one_cell(xyz):
    grid = cell_grid(xyz, 3.8)
    assert sorted(grid.order) == list(range(len(xyz)))
    np.testing.assert_array_equal(grid.xyz, xyz[grid.order])
    assert (grid.start[0], grid.start[-1]) == (0, len(xyz))
    assert (np.diff(grid.start) >= 0).all()
    assert len(grid.start) == grid.shape.prod() + 1


@pytest.mark.parametrize("stray", [1e4, 1e7, 1e12])
def test_a_stray_atom_costs_no_memory_and_no_speed(stray):
    xyz = np.random.default_rng(0).uniform(0, 60, (20_000, 3))
    tracemalloc.start()
    grid = cell_grid(np.concatenate([xyz, [[stray, stray, stray]]]), 3.8)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50e6
    assert np.diff(grid.start).max() < 100


def test_a_wide_thin_model_costs_no_memory():
    # one atom each 4 Å along the diagonal of a box of 40000 Å
    xyz = np.linspace(0, 40_000, 10_000)[:, None] * np.ones(3)
    tracemalloc.start()
    cell_grid(xyz, 3.8)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50e6
