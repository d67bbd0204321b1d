"""What must hold for any map and model, whatever their numbers."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atomsight.density.map import map_from_array
from atomsight.errors import ParameterError
from atomsight.evidence.points import random_rotation
from atomsight.evidence.q_score import EXCLUSION, QScoreOptions, _one_pass, q_score
from atomsight.evidence.status import Status
from atomsight.kernels.cells import cell_grid
from tests.support.scene import gaussian_map, make_model, noise_map, scatter

MAP = noise_map(1)
ATOMS = scatter(7, 12, 7.0, 14.0, apart=0.6)
SEEDS = st.integers(0, 2**32 - 1)


def q_of(map_, atoms, **options) -> np.ndarray:
    return q_score(map_, make_model(atoms), threads=1, **options).q


def q_with_rotated_points(map_, atoms, rotation) -> np.ndarray:
    options = QScoreOptions()
    grid = cell_grid(np.ascontiguousarray(atoms), (1 + EXCLUSION) * float(options.radii[-1]))
    todo = np.arange(len(atoms))
    return _one_pass(map_, atoms, todo, grid, options, rotation, 1, lambda _: None)[0]


@given(st.floats(-6, 6), st.floats(-3, 3), st.sampled_from([np.float32, np.float64]))
@settings(max_examples=40, deadline=None)
def test_q_depends_on_neither_height_nor_offset_of_the_map(power, offset, kind):
    scaled = ((MAP.values.astype(float) + offset) * 10.0**power).astype(kind)
    np.testing.assert_allclose(
        q_of(map_from_array(scaled, 0.9), ATOMS), q_of(MAP, ATOMS), atol=1e-5
    )


def test_an_offset_a_million_times_the_contrast_leaves_q_as_it_is():
    lifted = map_from_array(MAP.values.astype(np.float64) + 1e6, 0.9)
    np.testing.assert_allclose(q_of(lifted, ATOMS), q_of(MAP, ATOMS), atol=1e-8)


def test_an_inverted_map_gives_minus_q():
    np.testing.assert_array_equal(q_of(map_from_array(-MAP.values, 0.9), ATOMS), -q_of(MAP, ATOMS))


def test_single_and_double_precision_maps_give_the_same_bits():
    double = map_from_array(MAP.values.astype(np.float64), 0.9)
    np.testing.assert_array_equal(q_of(double, ATOMS), q_of(MAP, ATOMS))


@given(st.tuples(*[st.floats(-300, 300)] * 3))
@settings(max_examples=20, deadline=None)
def test_map_and_model_shifted_together_keep_their_q(shift):
    moved = replace(MAP, origin=MAP.origin + shift)
    np.testing.assert_allclose(q_of(moved, ATOMS + shift), q_of(MAP, ATOMS), atol=1e-9)


@given(st.tuples(*[st.integers(0, 4)] * 3))
@settings(max_examples=20, deadline=None)
def test_a_model_shifted_by_whole_voxels_with_its_density_keeps_its_q(voxels):
    wider = np.random.default_rng(9).standard_normal((30, 30, 30), dtype=np.float32)
    x, y, z = voxels
    wider[z : z + 24, y : y + 24, x : x + 24] = MAP.values
    shifted = ATOMS + 0.9 * np.array(voxels)
    found = q_of(map_from_array(wider, 0.9), shifted)
    np.testing.assert_allclose(found, q_of(MAP, ATOMS), atol=1e-9)


@given(SEEDS)
@settings(max_examples=20, deadline=None)
def test_map_model_and_points_turned_together_keep_their_q(seed):
    turn = random_rotation(np.random.default_rng(seed))
    turned = replace(MAP, step=turn @ MAP.step)
    found = q_with_rotated_points(turned, ATOMS @ turn.T, turn)
    np.testing.assert_allclose(found, q_of(MAP, ATOMS), atol=1e-9)


def test_a_quarter_turn_by_exchange_of_voxels_keeps_q():
    # (x, y, z) → (-y, x, z)
    turn = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    values = MAP.values.transpose(0, 2, 1)[:, :, ::-1]
    turned = map_from_array(values, 0.9, (-0.9 * 23, 0.0, 0.0))
    found = q_with_rotated_points(turned, ATOMS @ turn.T, turn)
    np.testing.assert_allclose(found, q_of(MAP, ATOMS), atol=1e-9)


@pytest.mark.parametrize("threads", [2, 3, 5, None])
def test_any_number_of_threads_gives_the_same_bits(threads):
    map_, model = noise_map(1, (48, 48, 48)), make_model(scatter(2, 2600, 0.0, 43.0))
    alone = q_score(map_, model, threads=1)
    together = q_score(map_, model, threads=threads)
    np.testing.assert_array_equal(alone.q, together.q)
    np.testing.assert_array_equal(alone.status, together.status)


@given(SEEDS)
@settings(max_examples=10, deadline=None)
def test_values_follow_their_atoms_in_any_order(seed):
    atoms = scatter(3, 300, 0.0, 20.0)
    order = np.random.default_rng(seed).permutation(len(atoms))
    np.testing.assert_array_equal(q_of(MAP, atoms[order]), q_of(MAP, atoms)[order])


@given(SEEDS)
@settings(max_examples=10, deadline=None)
def test_a_selection_gets_the_values_that_scoring_everything_gives(seed):
    atoms = scatter(3, 300, 0.0, 20.0)
    chosen = np.random.default_rng(seed).random(len(atoms)) < 0.3
    found = q_of(MAP, atoms, selection=chosen)
    np.testing.assert_array_equal(found, np.where(chosen, q_of(MAP, atoms), np.nan))


@pytest.mark.parametrize("sigma", [0.4, 0.6])
def test_a_perfect_gaussian_has_q_one(sigma):
    centre = np.array([2.513, 2.347, 2.391])
    fine = gaussian_map(centre, sigma)
    assert q_of(fine, centre, sigma=sigma)[0] > 0.9998
    assert q_of(fine, centre, sigma=1.5 * sigma)[0] < 0.98
    assert q_of(fine, centre + np.array([0.5, 0, 0]), sigma=sigma)[0] < 0.9


def test_neighbours_given_apart_exclude_points_like_atoms():
    everything = q_of(MAP, ATOMS)
    np.testing.assert_array_equal(q_of(MAP, ATOMS[:5], neighbours=ATOMS[5:]), everything[:5])
    assert not np.array_equal(q_of(MAP, ATOMS[:5]), everything[:5])


def test_neighbours_far_away_change_nothing():
    np.testing.assert_array_equal(q_of(MAP, ATOMS, neighbours=ATOMS + 50), q_of(MAP, ATOMS))
    np.testing.assert_array_equal(q_of(MAP, ATOMS, neighbours=[]), q_of(MAP, ATOMS))


def test_hydrogens_exclude_no_points():
    near = ATOMS + np.array([0.0, 0.0, 1.0])
    model = make_model(np.concatenate([ATOMS, near]), element=["C"] * 12 + ["H"] * 6 + ["D"] * 6)
    result = q_score(MAP, model)
    np.testing.assert_array_equal(result.q[:12], q_of(MAP, ATOMS))
    assert np.isnan(result.q[12:]).all()


def test_conformers_exclude_each_others_points():
    pair = np.array([[10.0, 10.0, 10.0], [10.0, 10.0, 11.0]])
    apart = q_of(MAP, pair[:1])[0]
    conformers = q_score(MAP, make_model(pair, altloc=["A", "B"])).q
    np.testing.assert_array_equal(conformers, q_of(MAP, pair))
    assert conformers[0] != apart


def test_progress_goes_from_nothing_to_all_atoms_of_all_passes():
    told = []
    q_score(
        MAP,
        make_model(scatter(2, 1300, 0.0, 43.0)),
        orientations=2,
        progress=lambda done, of: told.append((done, of)),
    )
    assert told == sorted(told)
    assert {of for _, of in told} == {3900}
    assert told[-1] == (3900, 3900)


def test_shells_are_added_up_as_in_the_reference():
    radii = QScoreOptions().radii
    total, added = 0.0, []
    for _ in range(20):
        total += 0.1
        added.append(total)
    assert list(radii) == added
    assert len(QScoreOptions(radius=0.3, step=0.1).radii) == 3
    assert len(QScoreOptions(radius=0.35, step=0.1).radii) == 3
    assert len(QScoreOptions(radius=0.5, step=0.5).radii) == 1


def test_the_defaults_are_those_of_the_archive():
    result = q_score(MAP, make_model(ATOMS))
    assert result.options == QScoreOptions(sigma=0.4, points=8, radius=2.0, step=0.1)
    explicit = q_of(MAP, ATOMS, sigma=0.4, points=8, radius=2.0, step=0.1)
    np.testing.assert_array_equal(result.q, explicit)


@pytest.mark.parametrize(("sigma", "less_extreme"), [(0.001, 0.01), (1000.0, 500.0)])
def test_extreme_widths_keep_their_digits(sigma, less_extreme):
    found = q_of(MAP, ATOMS, sigma=sigma)
    np.testing.assert_allclose(found, q_of(MAP, ATOMS, sigma=less_extreme), atol=3e-6)


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("name", "value"),
    [("sigma", v) for v in (0.0, -0.4, NAN, INF, 1e-4, 1e4)]
    + [("radius", v) for v in (0.0, -2.0, NAN, INF)]
    + [("step", v) for v in (0.0, -0.1, NAN, INF, 2.1, 1e-5)]
    + [("points", v) for v in (-8, 0, 1, 10_001)]
    + [("orientations", v) for v in (-1, 1)]
    + [("threads", v) for v in (-1, 0)],
)
def test_options_that_mean_nothing_are_refused_by_name(name, value):
    with pytest.raises(ParameterError, match=name):
        q_score(MAP, make_model(ATOMS), **{name: value})


@pytest.mark.parametrize(
    "selection", [np.ones(11, bool), np.ones((12, 1), bool), np.arange(12), np.ones(12)]
)
def test_a_selection_must_be_one_flag_an_atom(selection):
    with pytest.raises(ParameterError, match="selection"):
        q_score(MAP, make_model(ATOMS), selection=selection)


@pytest.mark.parametrize("neighbours", [np.ones(3), np.ones((4, 2)), [[NAN, 0, 0]], [[INF, 0, 0]]])
def test_neighbours_must_be_positions(neighbours):
    with pytest.raises(ParameterError, match="neighbours"):
        q_score(MAP, make_model(ATOMS), neighbours=neighbours)


def test_nothing_selected_is_nothing_scored():
    result = q_score(MAP, make_model(ATOMS), selection=np.zeros(12, bool))
    assert (result.status == Status.NOT_SELECTED).all()
    assert not result.counted.any()
