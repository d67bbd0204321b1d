"""The built-in engine leaves chemistry as it was, and finds its way back into the map."""

import numpy as np
import pytest

from atomsight.density.sampling import trilinear
from atomsight.ensemble.engines.minimisation import minimiser
from atomsight.ensemble.engines.openmm_engine import OpenMMEngine, Run
from atomsight.ensemble.engines.openmm_system import omega_atoms
from atomsight.ensemble.engines.protocol import OpenMMProtocol
from atomsight.ensemble.positions import positions_of
from atomsight.ensemble.preparation import prepare, structure_of
from atomsight.errors import ModelFileError
from atomsight.io.models import read_model
from tests.ensemble.peptides import map_around, peptide, write

pytest.importorskip("openmm")
pytest.importorskip("pdbfixer")

STEP = OpenMMProtocol().hot_step
NAMES = ["ALA", "THR", "GLY", "ILE", "LEU", "ALA"]


def dihedral(xyz):
    one, two, three = np.diff(xyz, axis=0)
    across = np.cross(two, three)
    return np.degrees(np.arctan2(np.linalg.norm(two) * (one @ across), np.cross(one, two) @ across))


def handedness(model, xyz):
    """Sign of the volume at each Cα that has a hand."""
    signs = []
    for row in range(len(model.number)):
        here = {a: i for i, a in enumerate(model.atom.tolist()) if model.residue[i] == row}
        if "CB" in here:
            n, c, cb = (xyz[here[a]] - xyz[here["CA"]] for a in ("N", "C", "CB"))
            signs.append(np.sign(n @ np.cross(c, cb)))
    return signs


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("engine")
    model = prepare(read_model(write(peptide(NAMES), folder / "in.cif")))
    map_ = map_around(model.xyz[model.heavy], spacing=0.7, sd=0.8)
    protocol = OpenMMProtocol(hot_time=0.3, anneal_time=3.0)
    engine = OpenMMEngine(model, map_, 2.0, protocol)
    record = engine.generate(2, folder)
    return model, engine, record, positions_of(model, read_model(record.path)), map_


def test_the_model_comes_back_into_its_map(made):
    model, _, record, xyz, _ = made
    assert record.perturbation > 0.5
    assert record.cc_end > record.cc_start - 0.1
    away = np.linalg.norm((xyz - model.xyz)[model.trace], axis=1)
    assert np.sqrt(np.square(away).mean()) < 0.4 < record.perturbation


def test_neither_chirality_nor_peptide_bonds_flip(made):
    model, _, _, xyz, _ = made
    assert handedness(model, xyz) == handedness(model, model.xyz)
    assert min(abs(dihedral(xyz[four])) for four in omega_atoms(model)) > 150.0


def test_the_same_seed_gives_the_same_bytes(made, tmp_path):
    _, engine, record, *_ = made
    again = engine.generate(2, tmp_path)
    assert again.path.read_bytes() == record.path.read_bytes()
    assert again.energy == record.energy


def test_a_model_is_refined_in_the_map(made, tmp_path):
    model, map_, record, xyz = made[0], made[4], made[2], made[3]
    minimiser(model, weight=40.0, iterations=200)(record.path, map_, tmp_path / "out.cif")
    refined = positions_of(model, read_model(tmp_path / "out.cif"))
    assert np.isfinite(refined).all()
    assert 0.0 < np.abs(refined - xyz).max() < 1.5
    density = trilinear(map_, refined[model.heavy]).sum()
    assert density > 0.98 * trilinear(map_, xyz[model.heavy]).sum()


def test_atoms_are_found_by_name(made, tmp_path):
    model, *_ = made
    turned = structure_of(model, model.xyz)
    for residue in turned[0][0]:
        atoms = [atom.clone() for atom in residue]
        for atom in atoms:
            residue.remove_atom(atom.name, "\0")
        for atom in reversed(atoms):
            residue.add_atom(atom)
    found = positions_of(model, read_model(write(turned, tmp_path / "turned.cif")))
    assert found == pytest.approx(model.xyz, abs=1e-3)
    turned[0][0][2].remove_atom("CA", "\0")
    with pytest.raises(ModelFileError, match=r"1 atoms .* missing, the first is A/3 CA"):
        positions_of(model, read_model(write(turned, tmp_path / "less.cif")))


def test_a_seed_that_breaks_down_begins_again_in_shorter_steps(made, tmp_path, monkeypatch):
    import openmm

    shake, steps = Run.shake, []

    def breaks_down_twice(self, xyz):
        steps.append(self._protocol.hot_step)
        if len(steps) < 3:
            raise openmm.OpenMMException("Particle coordinate is NaN.")
        shake(self, xyz)

    monkeypatch.setattr(Run, "shake", breaks_down_twice)
    assert made[1].generate(0, tmp_path).restarts == 2
    assert steps == [STEP, STEP / 2, STEP / 4]


def test_one_that_always_does_is_told(made, tmp_path, monkeypatch):
    import openmm

    def breaks_down(_self, _xyz):
        raise openmm.OpenMMException("Particle coordinate is NaN.")

    monkeypatch.setattr(Run, "shake", breaks_down)
    with pytest.raises(ModelFileError, match="seed 7: the simulation breaks down"):
        made[1].generate(7, tmp_path)
    assert not list(tmp_path.iterdir())


def test_other_faults_of_openmm_are_not_hidden(made, tmp_path, monkeypatch):
    import openmm

    def fails(_self, _xyz):
        raise openmm.OpenMMException("no such platform")

    monkeypatch.setattr(Run, "shake", fails)
    with pytest.raises(openmm.OpenMMException, match="no such platform"):
        made[1].generate(0, tmp_path)
