"""The grid on which map and model's map are compared, and the model's map there."""

from dataclasses import replace
from math import pi, sqrt

import gemmi
import numpy as np
import pytest

from atomsight.density.map import map_from_array
from atomsight.errors import OverlayError, ParameterError
from atomsight.evidence.model_map import (
    compared_margin,
    compared_points,
    comparison_grid,
    model_map,
    placed,
)
from tests.support.naive_q import map_value
from tests.support.scene import make_model, noise_map, positions, scatter, skewed_map

MAP = noise_map(1, (40, 42, 44), 0.8, (-10.0, 5.0, 2.0))
SKEW = [[0.8, -0.1, 0.05], [0.0, 0.7, 0.1], [0.0, 0.0, 0.9]]


def atoms(n=8, **columns):
    return make_model(scatter(3, n, 12.0, 20.0, apart=1.2) + MAP.origin, **columns)


@pytest.mark.parametrize(
    ("form", "spacing", "margin"), [("gaussian", 1.0, 9.0), ("electron", 0.75, 5.0)]
)
def test_the_grid_is_that_of_the_reference_programs(form, spacing, margin):
    model = atoms()
    where = comparison_grid(MAP, model, 3.0, form)
    np.testing.assert_allclose(where.grid.step, np.diag([spacing] * 3))
    np.testing.assert_allclose(where.grid.origin, model.xyz.min(axis=0) - margin)
    upper = where.grid.origin + spacing * (np.array(where.grid.values.shape[::-1]) - 1)
    assert (upper > model.xyz.max(axis=0) + margin - spacing - 1e-9).all()


@pytest.mark.parametrize(
    "map_", [MAP, skewed_map(MAP.values, SKEW, MAP.origin)], ids=["cube", "skew"]
)
def test_the_maps_values_are_interpolated_at_the_grid(map_):
    where = comparison_grid(map_, atoms(), 4.0, "gaussian")
    index = np.linalg.solve(map_.step, (positions(where.grid) - map_.origin).reshape(-1, 3).T).T
    known = [map_value(map_.values, at) for at in index]
    values = np.array([value if inside else np.nan for value, inside in known])
    inside = np.zeros(where.grid.values.shape, dtype=bool)
    inside[where.box] = True
    expected = np.where(inside, values.reshape(inside.shape), np.nan)
    np.testing.assert_allclose(where.grid.values, expected, atol=1e-5)
    assert np.isfinite(expected).sum() > 200


def test_only_points_near_the_models_box_are_compared():
    model = atoms()
    where = comparison_grid(MAP, model, 3.0, "gaussian")
    place = positions(where.grid)
    margin = compared_margin(3.0)
    assert margin == 3.5
    low, high = model.xyz.min(axis=0) - margin, model.xyz.max(axis=0) + margin
    near = ((place >= low - 1e-6) & (place <= high + 1e-6)).all(axis=-1)
    inside = np.zeros(near.shape, dtype=bool)
    inside[where.box] = True
    assert not (inside & ~near).any()
    assert (near & ~inside).sum() < 0.2 * near.sum()
    assert np.isnan(where.grid.values[~inside]).all()


@pytest.mark.parametrize("resolution", [1.0, 1.75, 3.0, 6.0, 10.0])
def test_molmap_has_nothing_beyond_what_is_compared(resolution):
    model = make_model([[0.0] * 3], element="U")
    wide = map_from_array(
        np.zeros((40, 40, 40), np.float32), resolution / 3, (-6.5 * resolution,) * 3
    )
    where = comparison_grid(wide, model, resolution, "gaussian")
    above = model_map(where, model, 0.0) > 0.01
    assert above.any()
    distance = np.linalg.norm(positions(where.grid)[above], axis=-1)
    assert distance.max() < compared_margin(resolution)


def test_the_gaussian_form_is_molmap():
    # integral = atomic number, variance = d²/2π² + B/8π²
    model = atoms(element=["C", "N", "O", "S", "P", "Fe", "Zn", "H"])
    model = replace(model, occupancy=np.linspace(0.3, 1.0, 8))
    b = np.linspace(0.0, 70.0, 8)
    where = comparison_grid(MAP, model, 3.0, "gaussian")
    known = np.zeros(where.grid.values.shape)
    for row in range(8):
        variance = 9.0 / (2 * pi**2) + b[row] / (8 * pi**2)
        square = ((positions(where.grid) - model.xyz[row]) ** 2).sum(axis=-1)
        height = gemmi.Element(str(model.element[row])).atomic_number / sqrt(2 * pi * variance) ** 3
        known += model.occupancy[row] * height * np.exp(-square / (2 * variance))
    np.testing.assert_allclose(model_map(where, model, b), known, atol=2e-4)


def test_the_electron_form_is_in_standard_deviations_about_its_mean():
    where = comparison_grid(MAP, atoms(), 3.0, "electron")
    values = model_map(where, atoms(), 20.0)
    assert values.mean() == pytest.approx(0.0, abs=1e-5)
    assert values.std() == pytest.approx(1.0, rel=1e-5)


def test_points_without_a_map_value_do_not_count():
    broken = MAP.values.copy()
    broken[20:, :, :] = np.nan
    whole = comparison_grid(MAP, atoms(), 3.0, "gaussian")
    part = comparison_grid(replace(MAP, values=broken), atoms(), 3.0, "gaussian")
    values = model_map(whole, atoms(), 0.0)
    every, some = compared_points(whole, values), compared_points(part, values)
    assert 0 < some.sum() < every.sum()
    assert not (some & ~every).any()


def test_atoms_far_outside_the_map_do_not_widen_the_grid():
    model = atoms()
    far = replace(make_model(np.vstack([model.xyz, [[9000.0] * 3, [np.nan] * 3]])))
    grids = [comparison_grid(MAP, m, 3.0, "gaussian").grid for m in (model, far)]
    np.testing.assert_array_equal(grids[0].values, grids[1].values)


def test_atoms_without_place_or_occupancy_are_not_placed():
    model = make_model([[0.0] * 3, [np.nan] * 3, [1.0] * 3])
    assert list(placed(replace(model, occupancy=np.array([1.0, 1.0, 0.0])))) == [True, False, False]


@pytest.mark.parametrize("resolution", [0.0, -3.0, float("nan"), float("inf")])
def test_resolutions_that_mean_nothing_are_refused(resolution):
    with pytest.raises(ParameterError, match="resolution must be a positive number"):
        comparison_grid(MAP, atoms(), resolution, "gaussian")


def test_a_grid_beyond_memory_is_refused():
    with pytest.raises(
        ParameterError, match=r"to 0\.01 Å would have .* points, .*check the resolution"
    ):
        comparison_grid(MAP, atoms(), 0.01, "electron")


def test_a_model_outside_the_map_is_refused():
    with pytest.raises(OverlayError, match="no atom with an occupancy above 0 lies in the map"):
        comparison_grid(MAP, make_model([[900.0] * 3]), 3.0, "gaussian")
