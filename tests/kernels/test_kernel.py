"""The kernel against the rules written out slowly, on scenes that nobody chose."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atomsight.density.map import Map
from atomsight.density.sampling import trilinear
from atomsight.evidence.q_score import q_score
from atomsight.evidence.status import Status
from atomsight.kernels.cells import cell_grid
from atomsight.kernels.q_score import find_neighbours, is_inside, map_value
from tests.support.naive_q import naive_q
from tests.support.scene import make_model, noise_map, positions, scatter, skewed_map

SCORED = (Status.OK, Status.PARTLY_OUTSIDE)
CENTRE = np.array([10.123, 10.456, 10.789])
RADII = [(2.0, 0.1), (1.0, 0.3), (3.0, 0.25), (0.5, 0.5)]


@dataclass(frozen=True)
class Scene:
    """A map, atoms in it, neighbours that are not scored, and options."""

    map_: Map
    atoms: np.ndarray
    further: np.ndarray
    options: dict[str, float]


@st.composite
def scenes(draw) -> Scene:
    """Crowds and hermits, in and over the edges of boxes of any shape."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = draw(st.tuples(*[st.integers(2, 18)] * 3))
    step = np.diag(draw(st.tuples(*[st.floats(0.4, 1.7)] * 3)))
    if draw(st.booleans()):
        step += np.triu(rng.uniform(-0.4, 0.4, (3, 3)), 1)
    kind = draw(st.sampled_from([np.float32, np.float64]))
    map_ = skewed_map(rng.standard_normal(shape).astype(kind), step, rng.uniform(-50, 50, 3))
    middle = map_.origin + step @ (rng.uniform(-0.2, 1.2, 3) * shape[::-1])
    spread = draw(st.sampled_from([0.02, 0.4, 0.8, 1.6, 3.0, 8.0]))
    count = draw(st.integers(1, 30))
    atoms = (middle + rng.uniform(-spread, spread, (count, 3))).round(3)
    copied = draw(st.integers(0, 2))
    atoms = np.concatenate([atoms, atoms[: min(copied, count)]])
    further = (middle + rng.uniform(-3, 3, (draw(st.integers(0, 3)), 3))).round(3)
    radius, width = draw(st.sampled_from(RADII))
    options = {
        "sigma": draw(st.floats(0.2, 1.5)),
        "points": draw(st.sampled_from([2, 3, 8, 13])),
        "radius": radius,
        "step": width,
    }
    return Scene(map_, atoms, further, options)


def compare(scene: Scene, rows) -> None:
    """Every value and status as the naive score has it."""
    result = q_score(
        scene.map_, make_model(scene.atoms), neighbours=scene.further, threads=1, **scene.options
    )
    for row in rows:
        slow = naive_q(scene.map_, scene.atoms, row, further=scene.further, **scene.options)
        status = result.status[row]
        assert (status == Status.NO_SHELLS) == (slow.shells == 0)
        if slow.shells:
            assert (status == Status.OUTSIDE) == (slow.outside == slow.total)
        if status in SCORED:
            assert (status == Status.OK) == (slow.outside == 0)
            assert result.q[row] == pytest.approx(slow.q, abs=1e-9)
        else:
            assert np.isnan(result.q[row])


@given(scenes())
@settings(max_examples=80, deadline=None)
def test_random_scenes_agree_with_the_naive_score(scene):
    compare(scene, range(min(4, len(scene.atoms))))


def scene_of(atoms, **options) -> Scene:
    return Scene(noise_map(5), np.asarray(atoms), np.empty((0, 3)), options)


def test_one_atom_alone_keeps_eight_points_on_all_shells():
    slow = naive_q(noise_map(5), CENTRE[None], 0)
    assert (slow.shells, slow.total) == (20, 8 + 20 * 8)
    compare(scene_of([CENTRE]), [0])


def test_a_crowded_atom_loses_its_outer_shells():
    atoms = np.concatenate([[CENTRE], CENTRE + scatter(3, 60, -2.4, 2.4, apart=0.9)])
    atoms = atoms[[True, *(np.linalg.norm(atoms[1:] - CENTRE, axis=1) > 1.0)]]
    assert 0 < naive_q(noise_map(5), atoms, 0).shells < 20
    compare(scene_of(atoms), range(8))


@pytest.mark.parametrize("distance", [0.001, 0.01, 0.1, 0.3, 0.5, 0.7, 0.86, 0.87, 0.88, 1.2])
def test_an_alternative_conformer_nearby_frees_points_again_further_out(distance):
    way = np.array([0.3, -0.5, 0.8])
    atoms = np.array([CENTRE, CENTRE + distance * way / np.linalg.norm(way)])
    compare(scene_of(atoms), [0, 1])


def test_a_shell_may_fail_inside_and_succeed_further_out():
    # six atoms at 0.25 Å hide the shells about them; their caps shrink further out
    cage = np.concatenate([np.eye(3), -np.eye(3)]) * 0.25
    atoms = np.concatenate([[CENTRE], CENTRE + cage])
    inner, all_ = (naive_q(noise_map(5), atoms, 0, radius=r).shells for r in (1.0, 2.0))
    assert inner < 10
    assert all_ > inner
    compare(scene_of(atoms), range(len(atoms)))


def test_atoms_at_the_same_place_exclude_nothing():
    alone = q_score(noise_map(5), make_model([CENTRE])).q[0]
    double = q_score(noise_map(5), make_model([CENTRE, CENTRE, CENTRE])).q
    np.testing.assert_array_equal(double, alone)


def neighbour_on_the_axis(distance: float) -> float:
    """Q of an atom whose only neighbour stands above it, where every spiral has a point."""
    return q_score(noise_map(5), make_model([[9.0, 9.0, 9.0], [9.0, 9.0, 9.0 + distance]])).q[0]


@pytest.mark.parametrize("shell", [5, 10, 15, 20])
def test_a_distance_of_exactly_nine_tenths_does_not_exclude(shell):
    tie = 1.9 * 0.1 * shell
    assert neighbour_on_the_axis(tie) == pytest.approx(neighbour_on_the_axis(tie + 1e-6), abs=1e-9)
    assert abs(neighbour_on_the_axis(tie) - neighbour_on_the_axis(tie - 1e-6)) > 1e-6


def test_twenty_shells_reach_two_angstrom_and_no_further():
    atoms = np.array([CENTRE, CENTRE + np.array([3.81, 0, 0])])
    far = q_score(noise_map(5), make_model(atoms)).q[0]
    assert far == q_score(noise_map(5), make_model(atoms[:1])).q[0]
    map_ = noise_map(5)
    away = np.linalg.norm(positions(map_) - CENTRE, axis=-1)
    changed = np.where(away > 2.0 + 0.9 * np.sqrt(3), np.float32(9.0), map_.values)
    assert far == q_score(replace(map_, values=changed), make_model(atoms)).q[0]


def neighbours(atoms, centre, reach, most=1024):
    grid = cell_grid(atoms, reach)
    way, distance = np.empty((most, 3)), np.empty(most)
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
    return way[:n], distance[:n]


def test_neighbours_come_nearest_first_with_the_way_to_them():
    atoms = scatter(1, 200, 0.0, 10.0)
    way, distance = neighbours(atoms, atoms[0], 3.8)
    np.testing.assert_allclose(np.linalg.norm(way, axis=1), distance)
    true = np.linalg.norm(atoms[1:] - atoms[0], axis=1)
    np.testing.assert_allclose(distance, np.sort(true[true <= 3.8]))


def test_of_too_many_neighbours_the_nearest_are_kept():
    atoms = scatter(1, 200, 0.0, 6.0)
    _, everything = neighbours(atoms, atoms[0], 3.8)
    way, few = neighbours(atoms, atoms[0], 3.8, most=7)
    np.testing.assert_array_equal(few, everything[:7])
    np.testing.assert_allclose(np.linalg.norm(way, axis=1), few)


def test_values_between_voxels_are_those_of_the_other_sampler():
    map_ = noise_map(2, (5, 6, 7), voxel=1.0)
    index = np.random.default_rng(0).uniform(0, [5.99, 4.99, 3.99], (200, 3))
    mine = [map_value(map_.values, *at) for at in index]
    np.testing.assert_allclose(mine, trilinear(map_, index), atol=1e-12)


@pytest.mark.parametrize(
    ("at", "inside"),
    [
        ((0.0, 0.0, 0.0), True),
        ((-1e-12, 0.0, 0.0), False),
        ((5.999, 4.999, 3.999), True),
        ((6.0, 1.0, 1.0), False),
        ((1.0, 5.0, 1.0), False),
        ((1.0, 1.0, 4.0), False),
        ((1.0, -0.5, 1.0), False),
        ((1.0, 1.0, -0.5), False),
    ],
)
def test_inside_means_that_all_eight_voxels_exist(at, inside):
    assert is_inside(np.zeros((5, 6, 7)), *at) is inside
