"""Maps of models up to a resolution, against sums over reciprocal vectors; Gaussians with B."""

from dataclasses import replace
from math import pi

import gemmi
import numpy as np
import pytest
from scipy import fft

from atomsight.density.band_limited import b_family, band_limited_map
from atomsight.density.fourier import square_frequencies
from atomsight.density.map import map_from_array
from atomsight.density.simulate import molmap_sd, simulate_map
from atomsight.errors import ParameterError
from tests.support.scene import make_model, positions, scatter

EDGE = 16.0


def empty(n=32):
    return map_from_array(np.zeros((n, n, n), dtype=np.float32), EDGE / n, (3.0, -4.0, 5.0))


def atoms(b_iso=20.0):
    xyz = scatter(3, 6, 6.0, 10.0, apart=1.2) + np.array([3.0, -4.0, 5.0])
    model = make_model(xyz, element=["C", "N", "O", "S", "Fe", "H"])
    b = np.broadcast_to(np.asarray(b_iso, dtype=float), len(model)).copy()
    return replace(model, b_iso=b, occupancy=np.array([1.0, 1.0, 0.5, 1.0, 1.0, 1.0]))


def fourier_sum(model, like, resolution):
    """ρ(x) = 1/V Σ_h Σ_atoms f(s) exp(-B s²/4) exp(-2πi h·(x - r)), over all |s| ≤ 1/d."""
    most = int(EDGE / resolution)
    h = np.array(list(np.ndindex(*[2 * most + 1] * 3))) - most
    s = h / EDGE
    square = (s**2).sum(axis=1)
    s, square = s[square <= resolution**-2], square[square <= resolution**-2]
    factors = np.zeros(len(s), dtype=complex)
    for row in range(len(model)):
        table = gemmi.Element(str(model.element[row])).c4322
        f = sum(a * np.exp(-b * square / 4) for a, b in zip(table.a, table.b, strict=True))
        phase = 2j * pi * (s @ (model.xyz[row] - like.origin))
        factors += model.occupancy[row] * f * np.exp(-model.b_iso[row] * square / 4 + phase)
    place = (positions(like) - like.origin).reshape(-1, 3)
    values = (np.exp(-2j * pi * place @ s.T) @ factors).real / EDGE**3
    return values.reshape(like.values.shape)


@pytest.mark.parametrize("b_iso", [0.0, 30.0])
@pytest.mark.parametrize("resolution", [1.8, 2.5, 4.0])
def test_the_map_is_the_sum_of_its_fourier_terms(resolution, b_iso):
    like, model = empty(24), atoms(b_iso)
    found = band_limited_map(model, like, resolution=resolution)
    known = fourier_sum(model, like, resolution)
    assert known.max() > 0.3
    # terms beyond the grid fold back with less than 1/500
    np.testing.assert_allclose(found.values, known, atol=2e-3 * known.max())
    assert found.values.dtype == np.float32
    assert found.values.min() < 0


def test_there_is_nothing_beyond_the_resolution():
    like = empty()
    terms = fft.rfftn(band_limited_map(atoms(), like, resolution=2.0).values)
    beyond = square_frequencies(like) > 1.001 * 2.0**-2
    assert np.abs(terms[beyond]).max() < 1e-4 * np.abs(terms).max()


def test_finer_grids_give_the_same_map():
    fine = band_limited_map(atoms(), empty(64), resolution=2.0).values[::2, ::2, ::2]
    coarse = band_limited_map(atoms(), empty(32), resolution=2.0).values
    np.testing.assert_allclose(coarse, fine, atol=1e-3 * fine.max())


def test_b_factors_are_the_models_own_or_the_ones_given():
    own = band_limited_map(atoms(45.0), empty(), resolution=2.0).values
    given = band_limited_map(atoms(10.0), empty(), resolution=2.0, b_iso=45.0).values
    np.testing.assert_array_equal(own, given)


@pytest.mark.parametrize("element", ["X", "Es", "Og", "D"])
def test_elements_beyond_the_tables_are_those_of_the_electron_form(element):
    model = make_model([[11.0, 4.0, 13.0]], element=element)
    limited = band_limited_map(model, empty(64), resolution=1.0, b_iso=60.0).values
    # with this B there is next to nothing beyond 1/d
    plain = simulate_map(model, empty(64), b_iso=60.0).values
    np.testing.assert_allclose(limited, plain, atol=2e-3 * plain.max())


def test_voxels_too_coarse_for_the_resolution_are_refused():
    with pytest.raises(ParameterError, match=r"voxels of 0\.4 Å at most, not of 0\.5 Å"):
        band_limited_map(atoms(), empty(), resolution=1.0)


@pytest.mark.parametrize("b_iso", [-1.0, float("nan")])
def test_negative_b_factors_are_refused(b_iso):
    with pytest.raises(ParameterError, match="B factors must not be negative"):
        band_limited_map(atoms(), empty(), resolution=2.0, b_iso=b_iso)
    with pytest.raises(ParameterError, match="B factors must not be negative"):
        simulate_map(atoms(), empty(), b_iso=b_iso, form="gaussian", resolution=3.0)


def test_b_widens_a_gaussian_and_leaves_its_integral():
    model = make_model([[11.0, 4.0, 13.0]], element="O")
    sharp, wide = (
        simulate_map(model, empty(64), b_iso=b, form="gaussian", resolution=3.0).values
        for b in (0.0, 40.0)
    )
    sd = np.sqrt(molmap_sd(3.0) ** 2 + 40.0 / (8 * pi**2))
    assert wide.max() / sharp.max() == pytest.approx((molmap_sd(3.0) / sd) ** 3, rel=1e-5)
    assert wide.sum() == pytest.approx(sharp.sum(), rel=1e-4)
    square = ((positions(empty(64)) - model.xyz[0]) ** 2).sum(axis=-1)
    np.testing.assert_allclose(wide, wide.max() * np.exp(-square / (2 * sd**2)), atol=1e-4)


def test_gaussians_and_a_fourier_factor_widen_alike():
    # B multiplies the transform by exp(-B s²/4)
    like = empty(48)
    sharp, wide = (
        simulate_map(atoms(), like, b_iso=b, form="gaussian", resolution=3.0).values
        for b in (0.0, 25.0)
    )
    terms = fft.rfftn(sharp) * np.exp(-25.0 * square_frequencies(like) / 4)
    np.testing.assert_allclose(fft.irfftn(terms, sharp.shape), wide, atol=3e-4 * sharp.max())


W = np.array([0.0, 0.1, 0.35, 0.8, 1.0, 1.6])


@pytest.mark.parametrize("resolution", [1.6, 2.5, 5.0])
@pytest.mark.parametrize("f", [0.0, 7.0, 60.0, 300.0])
def test_a_family_gives_the_maps_of_all_its_b_factors(resolution, f):
    like, model = empty(), atoms()
    family = b_family(model, like, W, resolution=resolution, f_max=300.0)
    known = band_limited_map(model, like, resolution=resolution, b_iso=f * W).values
    np.testing.assert_allclose(family.map_values(f), known, atol=2e-3 * known.max())


def test_more_layers_for_sharper_maps_and_wider_ranges():
    like, model = empty(), atoms()

    def layers(**options):
        family = b_family(model, like, W, **{"resolution": 2.5, "f_max": 300.0} | options)
        return len(family.layers)

    assert layers(resolution=1.6) > 2 * layers()
    assert layers(f_max=600.0) > 1.5 * layers()
    assert layers(f_max=1.0) == 4


@pytest.mark.parametrize("w", [0.0, 0.4])
def test_a_family_of_one_b_factor(w):
    like, model = empty(), atoms()
    family = b_family(model, like, np.full(6, w), resolution=2.5, f_max=100.0)
    known = band_limited_map(model, like, resolution=2.5, b_iso=50.0 * w).values
    np.testing.assert_allclose(family.map_values(50.0), known, atol=2e-3 * known.max())


def test_a_family_needs_a_fine_grid_and_w_that_is_not_negative():
    with pytest.raises(ParameterError, match="voxels"):
        b_family(atoms(), empty(), W, resolution=1.0, f_max=300.0)
    with pytest.raises(ParameterError, match="negative"):
        b_family(atoms(), empty(), W - 0.5, resolution=2.5, f_max=300.0)
