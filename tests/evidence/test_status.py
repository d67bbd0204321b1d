"""Why an atom has no Q, and that such atoms enter no average."""

import numpy as np
import pytest

from atomsight.density.map import map_from_array
from atomsight.evidence.q_score import q_score
from atomsight.evidence.status import Status
from atomsight.summary import model_averages
from tests.support.naive_q import naive_q
from tests.support.scene import make_model, noise_map, positions, scatter

VOXEL = 0.9
MAP = noise_map(1, (24, 24, 24), VOXEL)
END = 23 * VOXEL
INSIDE = np.array([10.1, 10.2, 10.3])
NAN, INF = float("nan"), float("inf")


def score(atoms, map_=MAP, **options):
    return q_score(map_, make_model(atoms), **options)


def changed(where: np.ndarray, value: float):
    """The map with another value in some voxels."""
    return map_from_array(np.where(where, np.float32(value), MAP.values), VOXEL)


def test_an_atom_inside_is_ok():
    result = score([INSIDE])
    assert list(result.status) == [Status.OK]
    assert np.isfinite(result.q).all()


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("edge", [0.0, END])
@pytest.mark.parametrize("beyond", [-1.31, -0.73, -0.01, 0.01, 0.73, 1.31])
def test_at_the_edge_what_is_outside_counts_as_zero(axis, edge, beyond):
    atom = INSIDE.copy()
    atom[axis] = edge + beyond
    result, slow = score([atom]), naive_q(MAP, atom[None], 0)
    assert 0 < slow.outside < slow.total
    assert list(result.status) == [Status.PARTLY_OUTSIDE]
    assert result.q[0] == pytest.approx(slow.q, abs=1e-12)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("place", [2.03, END - 2.03])
def test_two_angstrom_from_the_edge_nothing_is_outside(axis, place):
    atom = INSIDE.copy()
    atom[axis] = place
    assert list(score([atom]).status) == [Status.OK]


def test_an_atom_wholly_outside_has_no_q():
    result = score([INSIDE, [-2.5, 10.0, 10.0], [10.0, END + 2.5, 10.0], [1e6, 0.0, -1e6]])
    assert list(result.status) == [Status.OK, *[Status.OUTSIDE] * 3]
    assert list(np.isnan(result.q)) == [False, True, True, True]


def test_an_atom_whose_centre_alone_is_outside_is_partly_outside():
    result = score([[-0.01, 10.0, 10.0]])
    assert list(result.status) == [Status.PARTLY_OUTSIDE]


def test_an_atom_hidden_by_others_has_no_shells():
    # fourteen atoms at 1 Å hide the only shell, at 1.5 Å
    corners = np.array(np.meshgrid(*[(-1, 1)] * 3)).reshape(3, -1).T / np.sqrt(3)
    cage = np.concatenate([np.eye(3), -np.eye(3), corners])
    result = score(np.concatenate([[INSIDE], INSIDE + cage]), radius=1.5, step=1.5)
    assert result.status[0] == Status.NO_SHELLS
    assert np.isnan(result.q[0])


@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_a_voxel_that_is_no_number_costs_only_the_atoms_that_touch_it(value):
    atoms = scatter(5, 40, 3.0, 17.0, apart=1.0)
    broken = np.zeros(MAP.values.shape, bool)
    broken[11, 12, 10] = True
    result = score(atoms, changed(broken, value))
    away = np.linalg.norm(atoms - VOXEL * np.array([10, 12, 11]), axis=1)
    touched = result.status == Status.NOT_FINITE
    assert touched[away < 1.0].all()
    assert touched.any()
    assert not touched[away > 2.0 + VOXEL * np.sqrt(3)].any()
    np.testing.assert_array_equal(result.q, np.where(touched, NAN, score(atoms).q))


def test_where_all_voxels_are_nan_no_atom_has_a_q():
    result = score([INSIDE], changed(np.ones(MAP.values.shape, bool), NAN))
    assert list(result.status) == [Status.NOT_FINITE]


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("value", [0.0, 0.1, -1234.567, 1e-30, 3e7])
def test_a_masked_region_is_constant_whatever_its_value(value, kind):
    low = positions(MAP)[..., 0] < 12.0
    map_ = map_from_array(np.where(low, value, MAP.values).astype(kind), VOXEL)
    result = score([[6.0, 10.123, 10.456], [16.0, 10.0, 10.0]], map_)
    assert list(result.status) == [Status.CONSTANT, Status.OK]
    assert np.isnan(result.q[0])


@pytest.mark.parametrize(
    ("noise", "status"), [(1e-14, Status.CONSTANT), (1e-13, Status.CONSTANT), (1e-9, Status.OK)]
)
def test_rounding_noise_is_constant_and_a_faint_signal_is_not(noise, status):
    map_ = map_from_array(5.0 + 5.0 * noise * MAP.values.astype(float), VOXEL)
    assert list(score([INSIDE], map_).status) == [status]


def test_faint_single_precision_maps_are_no_constant():
    map_ = map_from_array(MAP.values * np.float32(1e-30), VOXEL)
    result = score([INSIDE], map_)
    assert list(result.status) == [Status.OK]
    assert result.q[0] == pytest.approx(score([INSIDE]).q[0], abs=1e-5)


def test_atoms_that_are_not_scored_say_why():
    atoms = [INSIDE, INSIDE + 2, INSIDE + 4, [NAN] * 3, [NAN] * 3, INSIDE - 1]
    model = make_model(atoms, element=["C", "C", "H", "C", "H", "D"])
    result = q_score(MAP, model, selection=np.array([True, False, True, True, True, False]))
    assert list(result.status) == [
        Status.OK,
        Status.NOT_SELECTED,
        Status.HYDROGEN,
        Status.NO_POSITION,
        Status.HYDROGEN,
        Status.HYDROGEN,
    ]
    assert list(np.isfinite(result.q)) == [True, False, False, False, False, False]


def test_only_values_of_their_own_are_counted():
    atoms = [INSIDE, [-0.5, 10.0, 10.0], [-50.0, 0.0, 0.0], [NAN] * 3, INSIDE + 1]
    model = make_model(atoms, element=["C", "C", "C", "C", "H"])
    result = q_score(MAP, model)
    assert list(result.counted) == [True, True, False, False, False]
    mean = model_averages(model, result.q, result.counted)["mean"]
    assert mean.n == 2
    assert mean.mean == pytest.approx(result.q[:2].mean())


def test_codes_and_names_stay_as_files_show_them():
    labels = {int(status): status.label for status in Status}
    assert [labels[code] for code in range(9)] == [
        *("ok", "partly_outside", "outside", "no_shells", "not_finite", "constant"),
        *("hydrogen", "not_selected", "no_position"),
    ]
