"""CC and CC-mean against equations 8 and 9 written out, and against published values."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import atomsight as ats
from atomsight.density.map import map_from_array
from atomsight.errors import OverlayError, ParameterError
from atomsight.evidence.correlation import MIN_POINTS, correlate, correlation, correlations
from atomsight.evidence.model_map import compared_points, comparison_grid, model_map
from atomsight.model import AtomClass
from tests.support.scene import make_model, noise_map, positions, scatter

MAP = noise_map(1, (30, 32, 34), 0.8, (-10.0, 5.0, 2.0))
RESIDUES = (
    ("B", 1, "", "ALA", AtomClass.PROTEIN),
    ("B", 2, "", "GLY", AtomClass.PROTEIN),
    ("A", 1, "", "ALA", AtomClass.PROTEIN),
    ("A", 2, "", "HOH", AtomClass.WATER),
)


def atoms(**columns):
    xyz = scatter(3, 12, 8.0, 16.0, apart=1.2) + MAP.origin
    residue = [0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 3]
    return make_model(xyz, residue=residue, residues=RESIDUES, **columns)


def cosine(m, c):
    return (m @ c) / np.sqrt((m @ m) * (c @ c))


def both(m, c):
    """Equations 8 and 9."""
    return cosine(m, c), cosine(m - m.mean(), c - c.mean())


@pytest.mark.parametrize("form", ["gaussian", "electron"])
@pytest.mark.parametrize("b_iso", [0.0, 40.0])
def test_the_correlations_are_those_of_the_equations(form, b_iso):
    model = atoms(element="N")
    found = correlation(MAP, model, resolution=3.0, b_iso=b_iso, form=form)
    where = comparison_grid(MAP, model, 3.0, form)
    values = model_map(where, model, b_iso)
    points = compared_points(where, values)
    m, c = values[points].astype(float), where.grid.values[points].astype(float)
    assert (found.model.cc, found.model.cc_mean) == pytest.approx(both(m, c), abs=1e-12)
    assert found.model.overlap == pytest.approx(m @ c, rel=1e-9)
    assert found.model.n == len(m) == found.n.sum()
    assert found.n_outside == 0
    way = positions(where.grid)[points][:, None, :] - model.xyz
    residue = model.residue[(way**2).sum(axis=-1).argmin(axis=1)]
    for row in range(4):
        mine = residue == row
        assert found.n[row] == mine.sum() > MIN_POINTS
        expected = both(m[mine], c[mine])
        assert (found.cc[row], found.cc_mean[row]) == pytest.approx(expected, abs=1e-12)
    assert list(found.chains) == ["B", "A"]
    for chain, rows in (("B", (0, 1)), ("A", (2, 3))):
        mine = np.isin(residue, rows)
        expected = both(m[mine], c[mine])
        one = found.chains[chain]
        assert (one.cc, one.cc_mean, one.n) == pytest.approx((*expected, mine.sum()), abs=1e-12)


@given(st.floats(-3, 3), st.floats(-5, 5))
@settings(max_examples=15)
def test_cc_mean_depends_on_neither_height_nor_offset_of_the_map(power, offset):
    plain = correlation(MAP, atoms(), resolution=3.0)
    changed = map_from_array(
        MAP.values.astype(float) * 10.0**power + offset, 0.8, tuple(MAP.origin.tolist())
    )
    found = correlation(changed, atoms(), resolution=3.0)
    # on the comparison grid the map is float32
    close = 1e-6 * (1.0 + abs(offset) / 10.0**power)
    assert found.model.cc_mean == pytest.approx(plain.model.cc_mean, abs=close)
    np.testing.assert_allclose(found.cc_mean, plain.cc_mean, atol=10 * close)
    if offset == 0:
        assert found.model.cc == pytest.approx(plain.model.cc, abs=1e-6)


def test_the_models_own_map_correlates_perfectly():
    model = atoms()
    where = comparison_grid(MAP, model, 3.0, "gaussian")
    own = replace(where.grid, values=model_map(where, model, 0.0))
    found = correlation(own, model, resolution=3.0)
    assert found.model.cc == pytest.approx(1.0, abs=1e-9)
    assert found.model.cc_mean == pytest.approx(1.0, abs=1e-9)
    assert correlation(
        replace(own, values=-own.values), model, resolution=3.0
    ).model.cc_mean == pytest.approx(-1.0, abs=1e-9)


@pytest.mark.parametrize("form", ["gaussian", "electron"])
@pytest.mark.parametrize("b_iso", [0.0, 200.0])
def test_the_box_around_the_model_gives_what_the_whole_map_gives(demo_data, form, b_iso):
    model = ats.read_model(demo_data / "5ni1.cif")
    model = replace(model, occupancy=np.where(model.residue < 60, 1.0, 0.0))
    whole = ats.read_map(demo_data / "emd_3488.mrc")
    near = model.xyz[model.residue < 60]
    box = ats.read_map(demo_data / "emd_3488.mrc", around=near, margin=3.2 / 2 + 2.0)
    assert box.values.size < 0.5 * whole.values.size
    first, second = (
        correlation(m, model, resolution=3.2, form=form, b_iso=b_iso) for m in (whole, box)
    )
    assert second.n_outside == 0
    assert first.model.n == second.model.n
    assert first.model.cc_mean == pytest.approx(second.model.cc_mean, abs=1e-9)
    np.testing.assert_allclose(first.cc, second.cc, atol=1e-6)


def test_points_that_the_map_does_not_reach_are_left_out_and_counted():
    model = atoms()
    cut = map_from_array(MAP.values[:15], 0.8, tuple(MAP.origin.tolist()))
    whole, part = (correlation(m, model, resolution=3.0) for m in (MAP, cut))
    assert part.n_outside > 0
    assert part.model.n + part.n_outside == whole.model.n


def test_a_residue_with_few_points_has_no_correlation():
    far = np.vstack([atoms().xyz, [[14.0, 29.0, 24.9]]])
    model = make_model(far, residue=[0] * 12 + [1], residues=RESIDUES[:2])
    found = correlation(MAP, model, resolution=7.0)
    assert found.n[1] < MIN_POINTS <= found.n[0]
    assert np.isnan(found.cc[1])
    assert np.isnan(found.cc_mean[1])
    assert np.isfinite(found.cc_mean[0])


def test_a_constant_map_has_no_cc_mean():
    flat = map_from_array(np.full(MAP.values.shape, 0.3), 0.8, tuple(MAP.origin.tolist()))
    found = correlation(flat, atoms(), resolution=3.0)
    assert np.isnan(found.model.cc_mean)
    assert np.isnan(found.cc_mean).all()
    assert found.model.cc > 0
    empty = replace(flat, values=np.zeros_like(flat.values))
    assert np.isnan(correlation(empty, atoms(), resolution=3.0).model.cc)


def test_no_points_are_no_correlation():
    found = correlate(np.empty(0), np.empty(0))
    assert np.isnan([found.cc, found.cc_mean, found.overlap]).all()
    assert found.n == 0


def test_a_map_of_nan_is_refused():
    with pytest.raises(OverlayError, match="no point of the model's map lies in the map"):
        correlation(replace(MAP, values=np.full_like(MAP.values, np.nan)), atoms(), resolution=3.0)


def test_negative_b_factors_and_resolutions_are_refused():
    with pytest.raises(ParameterError, match="B factors must not be negative"):
        correlation(MAP, atoms(), resolution=3.0, b_iso=-1.0)
    with pytest.raises(ParameterError, match="resolution"):
        correlation(MAP, atoms(), resolution=-1.0)


def test_the_definition_says_how():
    text = correlation(MAP, atoms(), resolution=3.0).definition
    assert "molmap" in text
    assert "d = 3 Å" in text
    assert "above 0.01" in text


def test_published_values_of_an_entry_come_out(extra_data):
    # table behind Pintilie et al. (2025): EMD-30342 with 7CEC, CC 0.837 and CC-mean 0.608;
    # here chain A alone in a cut-out of the map
    folder = extra_data / "emd_30342_7cec"
    found = correlation(
        ats.read_map(folder / "map.mrc"), ats.read_model(folder / "7cec_A.cif"), resolution=3.9
    )
    assert found.model.cc == pytest.approx(0.836772, abs=0.005)
    assert found.model.cc_mean == pytest.approx(0.608353, abs=0.02)


def test_another_model_of_the_map_of_an_entry_comes_near(extra_data):
    # the same table: EMD-11007 with 6YYT, CC 0.767 and CC-mean 0.606; here 7BV2, fitted rigidly
    folder = extra_data / "emd_11007_rdrp"
    found = correlation(
        ats.read_map(folder / "map.map.gz"),
        ats.read_model(folder / "7bv2_rigid_fit.pdb"),
        resolution=2.9,
    )
    assert found.model.cc == pytest.approx(0.76659, abs=0.05)
    assert found.model.cc_mean == pytest.approx(0.605583, abs=0.05)


@pytest.mark.parametrize("form", ["gaussian", "electron"])
def test_several_sets_of_b_factors_give_what_each_gives_alone(form):
    model = atoms(element="N")
    b_isos = [0.0, np.linspace(0.0, 200.0, len(model)), 25.0]
    together = correlations(MAP, model, b_isos, resolution=3.0, form=form)
    for b_iso, found in zip(b_isos, together, strict=True):
        alone = correlation(MAP, model, resolution=3.0, b_iso=b_iso, form=form)
        assert (found.model, found.chains) == (alone.model, alone.chains)
        assert found.n_outside == alone.n_outside
        for name in ("cc", "cc_mean", "n"):
            np.testing.assert_array_equal(getattr(found, name), getattr(alone, name))
