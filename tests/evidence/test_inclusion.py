"""Atom inclusion, against counting by hand."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomsight.density.map import map_from_array
from atomsight.errors import ParameterError
from atomsight.evidence.groups import group_means
from atomsight.evidence.inclusion import (
    atom_inclusion,
    inclusion_curve,
    level_including,
)
from atomsight.model import AtomClass
from tests.support.scene import make_model, noise_map, scatter

NAN = float("nan")
RAMP = map_from_array(np.broadcast_to(np.arange(12.0), (4, 4, 12)), 1.0)
"""The value is x."""

RESIDUES = (
    ("A", 1, "", "ALA", AtomClass.PROTEIN),
    ("B", 1, "", "A", AtomClass.NUCLEIC),
    ("C", 1, "", "F86", AtomClass.LIGAND),
    ("D", 1, "", "HOH", AtomClass.WATER),
    ("E", 1, "", "MG", AtomClass.ION),
)


def at(x, **columns):
    """Atoms at these x, so with these map values."""
    x = np.asarray(x, dtype=float)
    xyz = np.column_stack([x, np.full((len(x), 2), 1.5)])
    return make_model(xyz, residues=RESIDUES, **columns)


def test_inside_means_above_the_level_and_not_at_it():
    found = atom_inclusion(RAMP, at([1.0, 4.0, 4.5, 7.25], atom="CB"), 4.0)
    np.testing.assert_array_equal(found.inside, [0, 0, 1, 1])
    assert (found.all_atoms, found.n, found.level) == (0.5, 4, 4.0)
    assert np.isnan(found.backbone)
    assert found.n_backbone == 0


def test_hydrogen_and_water_and_what_has_no_value_do_not_count():
    values = np.array(RAMP.values)
    values[:, :, 9] = NAN
    model = at(
        [5.0, 5.0, 5.0, NAN, 9.0, 1.0],
        element=["C", "H", "O", "C", "C", "MG"],
        residue=[0, 0, 3, 0, 0, 4],
    )
    found = atom_inclusion(map_from_array(values, 1.0), model, 3.0)
    np.testing.assert_array_equal(found.inside, [1, NAN, NAN, NAN, NAN, 0])
    assert (found.n, found.all_atoms, found.n_outside) == (2, 0.5, 0)


def test_atoms_outside_the_map_count_as_not_inside_and_are_reported():
    found = atom_inclusion(RAMP, at([5.0, -3.0, 60.0]), -1e9)
    np.testing.assert_array_equal(found.inside, [1, 0, 0])
    assert (found.n, found.n_outside) == (3, 2)
    assert found.all_atoms == pytest.approx(1 / 3)


def test_the_backbone_is_that_of_polymers():
    names = ["N", "CA", "C", "O", "OXT", "CB", "P", "O3'", "O5*", "C3'", "C4'", "C5'", "C1'", "OP1"]
    residue = [0] * 6 + [1] * 8 + [2, 4]
    names += ["C", "CA"]  # of a ligand, and a calcium
    model = at(np.linspace(1, 10, len(names)), atom=names, residue=residue)
    found = atom_inclusion(RAMP, model, 5.0)
    expected = [True] * 5 + [False] + [True] * 6 + [False] * 4
    np.testing.assert_array_equal(found.backbone_atoms, expected)
    assert found.n_backbone == 11
    assert found.backbone == pytest.approx(found.inside[found.backbone_atoms].mean())


def test_the_mean_over_a_group_is_its_inclusion():
    model = at([1.0, 6.0, 7.0, 8.0, 2.0], residue=[0, 0, 0, 3, 4])
    found = atom_inclusion(RAMP, model, 4.0)
    every = np.ones(5, dtype=bool)
    by_residue = group_means(found.inside, model.residue, 5, every)
    np.testing.assert_allclose(by_residue, [2 / 3, NAN, NAN, NAN, 0.0])


MAP = noise_map(8, (12, 12, 12), 1.0)
MODEL = make_model(
    scatter(2, 60, -0.5, 11.4),
    residues=RESIDUES,
    residue=np.arange(60) % 5,
    atom=np.array(["CA", "P", "C", "O", "MG"])[np.arange(60) % 5],
)


def test_the_curve_is_the_inclusion_at_each_level():
    curve = inclusion_curve(MAP, MODEL)
    assert len(curve.level) == 129
    assert (curve.level[0], curve.level[-1]) == (MAP.values.min(), MAP.values.max())
    for k in (0, 20, 64, 100, 128):
        one = atom_inclusion(MAP, MODEL, curve.level[k])
        assert curve.all_atoms[k] == pytest.approx(one.all_atoms)
        assert curve.backbone[k] == pytest.approx(one.backbone)
    assert all(after <= before for before, after in pairwise(curve.all_atoms))
    assert curve.all_atoms[-1] == 0


def test_the_curve_has_the_levels_that_were_asked_for():
    curve = inclusion_curve(RAMP, at([1.0, 4.0, 9.0], atom="CB"), np.array([9.0, 4.0, 0.5]))
    np.testing.assert_array_equal(curve.level, [9.0, 4.0, 0.5])
    np.testing.assert_allclose(curve.all_atoms, [0, 1 / 3, 1])
    assert np.isnan(curve.backbone).all()


@given(scale=st.sampled_from([1e-6, 0.25, 1e6]), seed=st.integers(0, 2**20))
def test_the_curve_does_not_depend_on_units(scale, seed):
    map_ = noise_map(seed, (12, 12, 12), 1.0)
    known = inclusion_curve(map_, MODEL)
    scaled = inclusion_curve(map_from_array(map_.values.astype(float) * scale, 1.0), MODEL)
    # a rounding can move one atom over a level
    np.testing.assert_allclose(scaled.all_atoms, known.all_atoms, atol=1.01 / 48)
    np.testing.assert_allclose(scaled.level, scale * known.level, rtol=1e-5)


@pytest.mark.parametrize(
    ("fraction", "expected"), [(0.9, 2.0), (1.0, 1.0), (0.5, 6.0), (0.11, 9.0)]
)
def test_the_level_that_includes_a_fraction_lies_just_below_an_atom(fraction, expected):
    model = at(np.arange(1.0, 11.0))
    level = level_including(RAMP, model, fraction)
    assert level == pytest.approx(expected)
    assert level < expected
    assert atom_inclusion(RAMP, model, level).all_atoms >= fraction
    assert atom_inclusion(RAMP, model, expected).all_atoms < fraction


@given(fraction=st.floats(0.01, 0.7), seed=st.integers(0, 2**20))
def test_no_higher_level_includes_as_many(fraction, seed):
    map_ = noise_map(seed, (12, 12, 12), 1.0)
    level = level_including(map_, MODEL, fraction)
    at_level = atom_inclusion(map_, MODEL, level)
    assert at_level.all_atoms >= fraction - 1e-9
    assert atom_inclusion(map_, MODEL, np.nextafter(level, np.inf)).all_atoms < at_level.all_atoms


def test_no_level_includes_atoms_outside_the_map():
    model = at([3.0, 4.0, -5.0, 5.0])
    assert np.isnan(level_including(RAMP, model, 0.9))
    assert level_including(RAMP, model, 0.75) == pytest.approx(3.0)
    assert np.isnan(level_including(RAMP, at([NAN]), 0.9))


@pytest.mark.parametrize("level", [NAN, np.inf])
def test_a_level_that_is_no_number_is_refused(level):
    with pytest.raises(ParameterError, match="contour level"):
        atom_inclusion(RAMP, at([3.0]), level)
    with pytest.raises(ParameterError, match="contour levels"):
        inclusion_curve(RAMP, at([3.0]), np.array([1.0, level]))


@pytest.mark.parametrize("fraction", [0.0, -0.1, 1.1, NAN])
def test_a_fraction_that_means_nothing_is_refused(fraction):
    with pytest.raises(ParameterError, match="fraction"):
        level_including(RAMP, at([3.0]), fraction)
