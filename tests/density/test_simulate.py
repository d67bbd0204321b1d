"""Maps of models, against sums of Gaussians written down atom by atom."""

from dataclasses import replace
from math import pi, sqrt

import gemmi
import numpy as np
import pytest

import atomsight as ats
from atomsight.density.map import Map, array_statistics, map_from_array
from atomsight.density.simulate import simulate_map
from atomsight.errors import ParameterError
from atomsight.model import Model
from tests.support.models import Atom, cif_text, pdb_text, write_model
from tests.support.scene import make_model, positions, scatter, skewed_map

CUT = 1.1e-5
"""Where gemmi stops adding an atom's density."""

SKEW = [[0.6, -0.2, 0.1], [0.0, 0.5, 0.15], [0.0, 0.0, 0.7]]


def empty(shape=(24, 26, 28), voxel=0.5, origin=(0.0, 0.0, 0.0)) -> Map:
    return map_from_array(np.zeros(shape, dtype=np.float32), voxel, origin)


def atoms(xyz, *, b_iso=20.0, occupancy=1.0, **columns) -> Model:
    model = make_model(xyz, **columns)
    b, q = (np.broadcast_to(np.array(v, dtype=float), (len(model),)) for v in (b_iso, occupancy))
    return replace(model, b_iso=b.copy(), occupancy=q.copy())


def electron(element: str, b_iso: float, square: np.ndarray) -> np.ndarray:
    """Σ a (4π/(b + B))^3/2 exp(-4π² r²/(b + B)), International Tables C, 4.3.2.2."""
    factors = gemmi.Element(element).c4322
    widths = np.array(factors.b) + b_iso
    return sum(
        a * (4 * pi / w) ** 1.5 * np.exp(-4 * pi**2 * square / w)
        for a, w in zip(factors.a, widths, strict=True)
    )


def expected(model: Model, like: Map, form=electron) -> np.ndarray:
    """The density of all atoms, however far away from the grid they are."""
    place = positions(like)
    total = np.zeros(like.values.shape)
    for row in range(len(model)):
        square = ((place - model.xyz[row]) ** 2).sum(axis=-1)
        total += model.occupancy[row] * form(str(model.element[row]), model.b_iso[row], square)
    return total


def test_the_map_of_haemoglobin_is_the_one_on_file(extra_data):
    folder = extra_data / "blocres_reference"
    known = ats.read_map(folder / "5ni1_model.mrc.gz")
    found = simulate_map(ats.read_model(folder / "5ni1_truth.cif"), known, b_iso=20.0)
    assert known.values.max() > 1
    assert np.abs(found.values - known.values).max() < 1e-5


@pytest.mark.parametrize("b_iso", [0.0, 20.0, 150.0])
@pytest.mark.parametrize("element", ["C", "N", "O", "S", "P", "Fe", "Zn", "H"])
def test_an_atom_is_the_sum_of_five_gaussians(element, b_iso):
    model, like = atoms([[6.1, 6.4, 7.03]], element=element, b_iso=b_iso), empty()
    found = simulate_map(model, like).values
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected(model, like), rtol=1e-5, atol=CUT)


def test_the_coefficients_are_those_of_the_tables():
    # International Tables C, 4.3.2.2, carbon
    assert gemmi.Element("C").c4322.a == pytest.approx([0.0893, 0.2563, 0.7570, 1.0487, 0.3575])
    assert gemmi.Element("C").c4322.b == pytest.approx([0.2465, 1.7100, 6.4094, 18.6113, 50.2523])


def test_the_integral_of_an_atom_is_its_scattering_factor_at_0():
    values = simulate_map(atoms([[6.1, 6.4, 7.03]], occupancy=0.7), empty()).values
    assert values.sum() * 0.5**3 == pytest.approx(0.7 * sum(gemmi.Element("C").c4322.a), rel=2e-3)


@pytest.mark.parametrize(
    "like",
    [
        empty(voxel=(0.5, 0.45, 0.6), origin=(-3.0, 40.5, 7.25)),
        skewed_map(np.zeros((26, 24, 28)), SKEW, (10.0, -20.0, 3.3)),
    ],
    ids=["voxels that are no cubes, far from 0", "axes not at right angles"],
)
@pytest.mark.parametrize("form", ["electron", "gaussian"])
def test_atoms_lie_where_the_grid_says(like, form):
    middle = like.origin + like.step @ (np.array(like.values.shape[::-1]) / 2)
    model = atoms(middle + scatter(3, 6, -2.0, 2.0), element=["C", "N", "O", "S", "Zn", "H"])
    if form == "electron":
        found, kind = simulate_map(model, like), electron
    else:
        found, kind = simulate_map(model, like, form="gaussian", resolution=3.0), molmap(3.0)
    np.testing.assert_allclose(found.values, expected(model, like, kind), atol=1e-4)
    assert found.values.max() > 1
    np.testing.assert_array_equal(found.origin, like.origin)
    np.testing.assert_array_equal(found.step, like.step)


def test_moving_map_and_model_together_changes_nothing():
    xyz, shift = scatter(3, 8, 2.0, 9.0), np.array([100.0, -50.0, 25.0])
    here = simulate_map(atoms(xyz), empty())
    there = simulate_map(atoms(xyz + shift), empty(origin=shift))
    np.testing.assert_allclose(there.values, here.values, atol=1e-5)


def test_moving_only_the_model_moves_its_density():
    xyz = scatter(3, 8, 3.0, 7.0)
    here, there = (simulate_map(atoms(xyz + shift), empty()).values for shift in (0.0, [1, 0, 2]))
    np.testing.assert_allclose(there[4:, :, 2:], here[:-4, :, :-2], atol=1e-5)


@pytest.mark.parametrize("b_iso", [5.0, 60.0, 999.0])
@pytest.mark.parametrize("form", ["electron", "gaussian"])
def test_density_beyond_an_edge_does_not_come_back_at_the_other(form, b_iso):
    # atoms inside, at, over and far beyond every edge of a small map
    ends = [-40.0, -11.0, -7.9, -4.0, -0.3, 0.0, 2.0, 4.7, 7.7, 8.2, 12.0, 15.9, 300.0]
    xyz = [np.where(np.arange(3) == axis, end, 4.1) for axis in range(3) for end in ends]
    model, like = atoms(xyz, b_iso=b_iso), empty((12, 13, 14), 0.6)
    resolution = sqrt(b_iso) if form == "gaussian" else None
    kind = electron if resolution is None else molmap(resolution)
    found = simulate_map(model, like, form=form, resolution=resolution).values
    np.testing.assert_allclose(found, expected(model, like, kind), atol=5 * CUT)


def test_a_model_far_away_leaves_the_map_empty():
    for form in ("electron", "gaussian"):
        found = simulate_map(atoms([[900.0, 5.0, 5.0]]), empty(), form=form, resolution=3.0)
        assert not found.values.any()
        assert found.statistics.maximum == 0


@pytest.mark.parametrize("form", ["electron", "gaussian"])
def test_density_is_proportional_to_occupancy(form):
    full, part = (
        simulate_map(atoms([[6.0, 6.0, 6.0]], occupancy=q), empty(), form=form, resolution=3.0)
        for q in (1.0, 0.25)
    )
    np.testing.assert_allclose(part.values, 0.25 * full.values, atol=CUT)


@pytest.mark.parametrize("form", ["electron", "gaussian"])
def test_alternative_conformers_add_up_by_occupancy(form):
    places = [[5.0, 6.0, 6.0], [7.0, 6.0, 6.0], [7.0, 6.0, 6.0]]
    split = atoms(places, altloc=["", "A", "B"], occupancy=[1.0, 0.6, 0.4])
    whole = atoms(places[:2])
    found, known = (
        simulate_map(model, empty(), form=form, resolution=3.0).values for model in (split, whole)
    )
    np.testing.assert_allclose(found, known, atol=CUT)


@pytest.mark.parametrize("form", ["electron", "gaussian"])
def test_atoms_without_occupancy_or_place_leave_no_trace(form):
    xyz = [[5.0, 6.0, 6.0], [7.0, 6.0, 6.0], [np.nan] * 3]
    found = simulate_map(atoms(xyz, occupancy=[1.0, 0.0, 1.0]), empty(), form=form, resolution=3.0)
    known = simulate_map(atoms(xyz[:1]), empty(), form=form, resolution=3.0)
    np.testing.assert_allclose(found.values, known.values, atol=CUT)


@pytest.mark.parametrize("write", [pdb_text, cif_text])
def test_zinc_is_not_nitrogen(write, tmp_path):
    atom = Atom("ZN", "ZN", element="ZN", xyz=(6.0, 6.0, 6.0), record="HETATM", b_iso=30.0)
    path = write_model(tmp_path / "ion", write([atom]))
    peak = simulate_map(ats.read_model(path), empty()).values[12, 12, 12]
    assert peak == pytest.approx(electron("Zn", 30.0, 0.0), abs=1e-4)
    assert peak > 2 * electron("N", 30.0, 0.0)


def test_hydrogen_and_deuterium_of_the_file_count():
    for element in ("H", "D"):
        peak = simulate_map(atoms([[6.0, 6.0, 6.0]], element=element), empty()).values.max()
        assert peak == pytest.approx(electron("H", 20.0, 0.0), abs=1e-4)


def test_b_factors_are_the_models_own_or_the_ones_given():
    xyz = [[4.0, 6.0, 6.0], [8.0, 6.0, 6.0]]
    own = simulate_map(atoms(xyz, b_iso=[10.0, 90.0]), empty()).values
    given = simulate_map(atoms(xyz), empty(), b_iso=np.array([10.0, 90.0])).values
    one = simulate_map(atoms(xyz), empty(), b_iso=90.0).values
    np.testing.assert_array_equal(given, own)
    assert own[12, 12, 8] > 3 * own[12, 12, 16]
    assert one[12, 12, 8] == pytest.approx(one[12, 12, 16], rel=1e-3)
    np.testing.assert_array_equal(one, simulate_map(atoms(xyz, b_iso=90.0), empty()).values)


def molmap(resolution: float):
    """One Gaussian an atom: height = atomic number, sd = d/(π√2)."""

    def form(element: str, b_iso: float, square: np.ndarray) -> np.ndarray:  # noqa: ARG001
        sd = resolution / (pi * sqrt(2))
        return gemmi.Element(element).atomic_number * np.exp(-square / (2 * sd**2))

    return form


@pytest.mark.parametrize(("element", "height"), [("C", 6), ("O", 8), ("Zn", 30), ("D", 1)])
def test_the_height_of_a_gaussian_is_the_atomic_number(element, height):
    model = atoms([[6.0, 6.0, 6.0]], element=element, occupancy=0.5)
    values = simulate_map(model, empty(), form="gaussian", resolution=4.0).values
    assert values[12, 12, 12] == values.max() == pytest.approx(0.5 * height)
    # at one standard deviation, 0.2251 d
    sd = empty(voxel=4.0 * 0.22508)
    beside = simulate_map(atoms([[0.0] * 3], element=element), sd, form="gaussian", resolution=4.0)
    assert beside.values[0, 0, 1] == pytest.approx(height * np.exp(-0.5), rel=1e-4)


def test_b_factors_do_not_matter_to_gaussians():
    maps = [
        simulate_map(atoms([[6.0] * 3], b_iso=b), empty(), form="gaussian", resolution=4.0)
        for b in (-5.0, 0.0, 300.0)
    ]
    np.testing.assert_array_equal(maps[0].values, maps[1].values)
    np.testing.assert_array_equal(maps[0].values, maps[2].values)


def test_the_map_says_what_it_is():
    found = simulate_map(atoms([[6.0] * 3]), replace(empty(), path="data.mrc", notes=("old",)))
    assert found.path is None
    assert found.notes == ("map of scene.pdb",)
    assert found.statistics == array_statistics(found.values)


@pytest.mark.parametrize("resolution", [None, 0.0, -3.0, float("nan")])
def test_gaussians_without_a_resolution_are_refused(resolution):
    with pytest.raises(ParameterError, match="needs a resolution"):
        simulate_map(atoms([[6.0] * 3]), empty(), form="gaussian", resolution=resolution)


@pytest.mark.parametrize("b_iso", [-0.1, float("nan"), float("inf")])
def test_b_factors_that_are_negative_or_no_numbers_are_refused(b_iso):
    with pytest.raises(ParameterError, match="B factors must not be negative"):
        simulate_map(atoms([[6.0] * 3]), empty(), b_iso=b_iso)
    with pytest.raises(ParameterError, match="B factors must not be negative"):
        simulate_map(atoms([[6.0] * 3, [7.0] * 3], b_iso=[20.0, b_iso]), empty())
