"""B factors from Q: the formula, who has no Q, and f on made and on real maps."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import atomsight as ats
from atomsight.density.band_limited import band_limited_map
from atomsight.density.map import map_from_array
from atomsight.density.simulate import simulate_map
from atomsight.errors import OverlayError, ParameterError
from atomsight.evidence.b_factor import BSource, b_factors_from_q, fit_b_factors
from atomsight.evidence.correlation import correlation
from atomsight.model import AtomClass
from tests.support.scene import make_model, noise_map, scatter

RESIDUES = tuple(("A", i, "", "ALA", AtomClass.PROTEIN) for i in range(3))
FINE = map_from_array(np.zeros((64, 64, 64), dtype=np.float32), 0.4)


def atoms(n=60, seed=3):
    return make_model(scatter(seed, n, 6.0, 19.0, apart=1.4), element="N")


def some_q(n=60):
    return np.random.default_rng(5).uniform(-0.2, 0.95, n).round(3)


@given(st.floats(0, 400), st.lists(st.floats(-1, 1), min_size=6, max_size=6))
def test_b_is_f_times_what_q_lacks(f, q):
    model = make_model(scatter(1, 6, 0.0, 9.0))
    found = b_factors_from_q(model, np.array(q), f)
    np.testing.assert_allclose(found.b_iso, f * (1 - np.array(q)), atol=1e-9)
    assert (found.b_iso >= 0).all()
    np.testing.assert_array_equal(found.above_f, np.array(q) < 0)
    assert (found.source == BSource.OWN).all()
    assert found.f == f


def test_atoms_without_q_take_their_residues_mean_or_the_models():
    model = make_model(scatter(1, 7, 0.0, 9.0), residue=[0, 0, 0, 1, 1, 2, 2], residues=RESIDUES)
    q = np.array([0.2, 0.4, np.nan, 0.9, 0.5, np.nan, np.nan])
    found = b_factors_from_q(model, q, 100.0)
    np.testing.assert_allclose(found.b_iso, [80.0, 60.0, 70.0, 10.0, 50.0, 50.0, 50.0])
    assert [BSource(code).label for code in found.source] == [
        "own", "own", "residue", "own", "own", "model", "model",
    ]  # fmt: skip


def test_hydrogens_take_the_q_of_the_atom_they_are_bound_to():
    xyz = [[0, 0, 0], [1.5, 0, 0], [1.5, 1.0, 0], [0, 0, 1.0], [30, 0, 0]]
    model = make_model(xyz, element=["C", "C", "H", "D", "H"], residue=[0, 0, 0, 0, 1],
                       residues=RESIDUES[:2])  # fmt: skip
    q = np.array([0.2, 0.6, np.nan, np.nan, np.nan])
    found = b_factors_from_q(model, q, 100.0)
    np.testing.assert_allclose(found.b_iso, [80.0, 40.0, 40.0, 80.0, 60.0])
    assert list(found.source[2:]) == [BSource.PARENT, BSource.PARENT, BSource.MODEL]
    np.testing.assert_array_equal(
        b_factors_from_q(model, found_q(model, q), 100.0).b_iso, found.b_iso
    )


def found_q(model, q):
    """The same Q where hydrogens already show their parent's."""
    return np.where(model.hydrogen & (np.arange(len(q)) < 4), [0, 0, 0.6, 0.2, 0], q)


@pytest.mark.parametrize("form", ["electron", "gaussian"])
@pytest.mark.parametrize("f", [37.0, 150.0])
def test_the_fit_finds_the_f_that_made_the_map(form, f):
    model, q = atoms(), some_q()
    b = f * (1 - q)
    if form == "electron":
        map_ = band_limited_map(model, FINE, resolution=3.0, b_iso=b)
    else:
        map_ = simulate_map(model, FINE, b_iso=b, form="gaussian", resolution=3.0)
    found = fit_b_factors(map_, model, q, resolution=3.0, form=form)
    # the map is interpolated linearly between voxels 0.4 Å apart, which blurs it by about 2 Å²
    assert found.b.f == pytest.approx(f, abs=6.0)
    assert found.best.cc_mean > 0.995 > found.zero.cc_mean
    assert not found.at_edge
    np.testing.assert_allclose(found.b.b_iso, found.b.f * (1 - q))
    assert found.b.above_f.sum() == (q < 0).sum() > 0


def test_the_curve_is_kept_and_is_the_correlation_with_these_b_factors():
    model, q = atoms(), some_q()
    map_ = simulate_map(model, FINE, b_iso=60.0 * (1 - q), form="gaussian", resolution=3.0)
    found = fit_b_factors(map_, model, q, resolution=3.0, form="gaussian")
    assert set(np.arange(0.0, 301.0, 20.0)) <= set(found.f)
    assert (np.diff(found.f) > 0).all()
    assert found.cc_mean.max() == found.best.cc_mean
    assert found.cc_mean[0] == found.zero.cc_mean
    for k in (0, len(found.f) // 2, -1):
        b = found.f[k] * (1 - q)
        plain = correlation(map_, model, resolution=3.0, b_iso=b, form="gaussian").model
        assert (plain.cc, plain.cc_mean) == pytest.approx((found.cc[k], found.cc_mean[k]), abs=1e-9)
    near = np.abs(found.f - found.b.f)
    assert np.sort(near)[1] <= 1.5
    assert "between 0 and 300" in found.definition


def test_an_f_beyond_the_range_is_flagged_and_found_in_a_wider_one():
    model, q = atoms(), some_q()
    map_ = simulate_map(model, FINE, b_iso=130.0 * (1 - q), form="gaussian", resolution=3.0)
    short = fit_b_factors(map_, model, q, resolution=3.0, form="gaussian", f_max=50.0)
    assert short.b.f == 50.0
    assert short.at_edge
    long = fit_b_factors(map_, model, q, resolution=3.0, form="gaussian", f_max=150.0)
    assert long.b.f == pytest.approx(130.0, abs=5.0)
    assert not long.at_edge


def test_a_map_sharper_than_any_b_has_f_zero():
    model = atoms()
    sharp = simulate_map(model, FINE, form="gaussian", resolution=1.5)
    found = fit_b_factors(sharp, model, some_q(), resolution=3.0, form="gaussian")
    assert found.b.f == 0.0
    assert found.best == found.zero
    assert not found.b.b_iso.any()


def test_bad_q_is_refused():
    model = atoms()
    for q, message in (
        (np.full(60, np.nan), "no atom has a Q-score"),
        (np.zeros(59), "60 numbers, one an atom"),
        (np.full(60, 1.2), "between -1 and 1"),
        (np.full(60, -1.2), "between -1 and 1"),
    ):
        with pytest.raises(ParameterError, match=message):
            b_factors_from_q(model, q, 100.0)
        with pytest.raises(ParameterError, match=message):
            fit_b_factors(FINE, model, q, resolution=3.0)


@pytest.mark.parametrize("f", [-1.0, float("nan"), float("inf")])
def test_bad_f_is_refused(f):
    with pytest.raises(ParameterError, match="f must be a number"):
        b_factors_from_q(atoms(), some_q(), f)


def test_bad_ranges_and_maps_are_refused():
    with pytest.raises(ParameterError, match="f_max must be at least 20"):
        fit_b_factors(FINE, atoms(), some_q(), resolution=3.0, f_max=10.0)
    with pytest.raises(OverlayError, match="no CC-mean with the map of the model"):
        fit_b_factors(FINE, atoms(), some_q(), resolution=3.0, form="gaussian")
    with pytest.raises(OverlayError, match="lies in the map"):
        fit_b_factors(noise_map(1), replace(atoms(), xyz=atoms().xyz + 900), some_q(), resolution=3)


REAL = [
    ("emd_20026_apoferritin/model.pdb", "map.mrc", 1.75, (115, 0.851, 0.771), (103, 0.805, 0.618)),
    (
        "emd_11007_rdrp/7bv2_rigid_fit.pdb",
        "map.map.gz",
        2.9,
        (147, 0.840, 0.739),
        (87, 0.789, 0.648),
    ),
    ("emd_3488_haemoglobin/5ni1.cif", "map.mrc", 3.2, (104, 0.851, 0.806), (54, 0.771, 0.714)),
    ("emd_30342_7cec/7cec_A.cif", "map.mrc", 3.9, (295, 0.818, 0.712), (300, 0.837, 0.623)),
]
"""Model, map, d, and (f, CC-mean, CC-mean at B = 0) for the two forms: measured, not published."""


@pytest.mark.parametrize(("path", "map_name", "resolution", "electron", "gaussian"), REAL)
def test_b_from_q_makes_the_models_map_more_like_real_maps(
    extra_data, path, map_name, resolution, electron, gaussian
):
    model = ats.read_model(extra_data / path)
    map_ = ats.read_map((extra_data / path).with_name(map_name), around=model.xyz, margin=6.0)
    q = ats.q_score(map_, model).q
    for form, (f, best, zero) in (("electron", electron), ("gaussian", gaussian)):
        found = fit_b_factors(map_, model, q, resolution=resolution, form=form)
        assert found.best.cc_mean > found.zero.cc_mean + 0.04
        assert found.b.f == pytest.approx(f, abs=2)
        measured = (found.best.cc_mean, found.zero.cc_mean)
        assert measured == pytest.approx((best, zero), abs=1e-3)
        assert found.at_edge == (f == 300)
        assert len(found.f) < 30
