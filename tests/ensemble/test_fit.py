"""Fit to the map of models that other programs made: over the atoms in common, by name."""

from dataclasses import replace

import gemmi
import numpy as np
import pytest

from atomsight.ensemble.fit import fit_of_model, fit_to_map
from atomsight.ensemble.positions import common_positions, positions_of
from atomsight.ensemble.preparation import structure_of
from atomsight.errors import ModelFileError
from atomsight.io.models import read_model
from tests.ensemble.peptides import map_around, write
from tests.ensemble.test_density_force import prepared

N = 40


@pytest.fixture(scope="module")
def scene():
    rng = np.random.default_rng(5)
    model = prepared(rng.uniform(0.0, 12.0, (N, 3)))
    model = replace(model, atom=np.array([f"C{i}" for i in range(N)]))
    # not quite where the atoms are, so that the fit is not perfect
    return model, map_around(model.xyz + 0.4)


def changed(model, path, change=None, shift=0.0):
    structure = structure_of(model, model.xyz + shift)
    if change is not None:
        change(structure[0][0][0])
    return read_model(write(structure, path))


def test_the_same_atoms_have_the_same_fit(scene, tmp_path):
    model, map_ = scene
    fit = fit_of_model(model, changed(model, tmp_path / "a.cif"), map_, 3.0)
    assert (fit.missing, fit.other) == (0, 0)
    assert fit.start == fit_to_map(model, model.xyz, map_, 3.0)
    assert fit.end == pytest.approx(fit.start, abs=1e-4)
    nearer = fit_of_model(model, changed(model, tmp_path / "b.cif", shift=0.4), map_, 3.0)
    assert nearer.start == fit.start
    assert nearer.end == pytest.approx(fit_to_map(model, model.xyz + 0.4, map_, 3.0), abs=1e-4)
    assert nearer.end > fit.start + 0.02


def test_order_of_atoms_and_conformers_mean_nothing(scene, tmp_path):
    model, map_ = scene

    def turn(residue):
        atoms = [atom.clone() for atom in residue]
        for name in [atom.name for atom in atoms]:
            residue.remove_atom(name, "\0")
        for atom in reversed(atoms):
            residue.add_atom(atom)
        last = residue[-1]
        last.altloc, last.occ = "A", 0.6
        second = last.clone()
        second.altloc, second.occ = "B", 0.4
        second.pos += gemmi.Position(3, 0, 0)
        residue.add_atom(second)

    fit = fit_of_model(model, changed(model, tmp_path / "a.cif", turn), map_, 3.0)
    assert (fit.missing, fit.other) == (0, 0)
    assert fit.end == pytest.approx(fit.start, abs=1e-4)


def lose(count):
    def change(residue):
        for i in range(count):
            residue.remove_atom(f"C{i}", "\0")

    return change


def test_a_model_that_lacks_a_few_atoms_is_compared_over_the_rest(scene, tmp_path):
    model, map_ = scene
    fit = fit_of_model(model, changed(model, tmp_path / "a.cif", lose(2)), map_, 3.0)
    rest = np.arange(N) >= 2
    assert (fit.missing, fit.other) == (2, 0)
    assert fit.start == fit_to_map(model, model.xyz, map_, 3.0, rest)
    assert fit.start != fit_to_map(model, model.xyz, map_, 3.0)
    assert fit.end == pytest.approx(fit.start, abs=1e-4)


def test_a_model_of_much_else_has_no_fit(scene, tmp_path):
    model, map_ = scene
    fit = fit_of_model(model, changed(model, tmp_path / "a.cif", lose(3)), map_, 3.0)
    assert fit.missing == 3
    assert np.isnan([fit.start, fit.end]).all()

    def rename(residue):
        residue.seqid.num = 7

    fit = fit_of_model(model, changed(model, tmp_path / "b.cif", rename), map_, 3.0)
    assert (fit.missing, fit.other) == (N, N)
    assert np.isnan(fit.end)


def test_other_atoms_are_counted_but_hydrogens_are_not(scene, tmp_path):
    model, map_ = scene

    def more(residue):
        for name, element in (("X1", "N"), ("H1", "H")):
            atom = residue[0].clone()
            atom.name, atom.element = name, gemmi.Element(element)
            residue.add_atom(atom)

    fit = fit_of_model(model, changed(model, tmp_path / "a.cif", more), map_, 3.0)
    assert (fit.missing, fit.other) == (0, 1)
    assert fit.end == pytest.approx(fit.start, abs=1e-4)


def test_positions_of_all_atoms_or_none(scene, tmp_path):
    model, _ = scene
    less = changed(model, tmp_path / "a.cif", lose(1))
    xyz, other = common_positions(model, less)
    assert np.isnan(xyz[0]).all()
    np.testing.assert_allclose(xyz[1:], model.xyz[1:], atol=1e-3)
    assert other == 0
    with pytest.raises(ModelFileError, match=r"1 atoms .* missing, the first is A/1 C0"):
        positions_of(model, less)
