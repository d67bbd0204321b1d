"""Force field, restraints and map of a model."""

from dataclasses import replace

import numpy as np
import pytest

from atomsight.ensemble.engines.backbone import SIZE, backbone_energy, backbone_force
from atomsight.ensemble.engines.density_force import make_density
from atomsight.ensemble.engines.openmm_system import make_system, omega_atoms
from atomsight.ensemble.engines.protocol import OpenMMProtocol
from atomsight.ensemble.preparation import prepare
from atomsight.errors import ModelFileError
from atomsight.io.models import read_model
from tests.ensemble.peptides import map_around, peptide, write

openmm = pytest.importorskip("openmm")
pytest.importorskip("pdbfixer")

PLAIN = OpenMMProtocol()


def prepared(folder, names=("ALA", "GLY", "SER", "ALA"), phi=-60.0, psi=-45.0):
    return prepare(read_model(write(peptide(list(names), phi, psi), folder / "in.cif")))


def density_of(model):
    return make_density(
        map_around(model.xyz[model.heavy]), model, blur=1.5, lowest=-0.2, highest=2.0
    )


def force_of(system, kind):
    return [force for force in system.getForces() if isinstance(force, kind)]


def energy(force, model, xyz=None):
    """kJ/mol of one force."""
    system = openmm.System()
    for _ in range(len(model)):
        system.addParticle(1.0)
    system.addForce(force)
    context = openmm.Context(
        system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName("Reference")
    )
    context.setPositions((model.xyz if xyz is None else xyz) / 10.0)
    return context.getState(getEnergy=True).getPotentialEnergy()._value


def test_charges_are_scaled_and_those_of_exceptions_by_the_square(tmp_path):
    model = prepared(tmp_path)
    density = density_of(model)
    # a force does not keep its system alive
    systems = [
        make_system(model, density, replace(PLAIN, charge_scale=scale)).system
        for scale in (1.0, 0.5)
    ]
    full, half = (force_of(system, openmm.NonbondedForce)[0] for system in systems)
    for i in range(len(model)):
        one, other = (f.getParticleParameters(i)[0]._value for f in (full, half))
        assert other == pytest.approx(one / 2)
    products = np.array(
        [
            [f.getExceptionParameters(i)[2]._value for i in range(f.getNumExceptions())]
            for f in (full, half)
        ]
    )
    assert products[0].any()
    assert products[1] == pytest.approx(products[0] / 4)
    assert half.getReactionFieldDielectric() == PLAIN.dielectric


def test_only_heavy_atoms_feel_the_map_by_their_atomic_number(tmp_path):
    model = prepared(tmp_path)
    made = make_system(model, density_of(model), PLAIN)
    felt = force_of(made.system, openmm.PythonForce)[0].getParticles()
    assert felt == tuple(np.flatnonzero(model.heavy))
    oxygen = model.element[model.heavy] == "O"
    assert made.density._weight[oxygen] == pytest.approx(PLAIN.map_weight * 8 / 6)


def test_peptide_bonds_are_found_and_start_without_strain(tmp_path):
    model = prepared(tmp_path)
    atoms = omega_atoms(model)
    assert [[str(model.atom[i]) for i in four] for four in atoms] == [["CA", "C", "N", "CA"]] * 3
    system = make_system(model, density_of(model), PLAIN).system
    restraints = force_of(system, openmm.PeriodicTorsionForce)[-1]
    assert restraints.getNumTorsions() == 3
    # the peptide is built with ω = 180°
    assert energy(openmm.XmlSerializer.clone(restraints), model) == pytest.approx(0.0, abs=1e-6)


def test_a_residue_that_the_force_field_does_not_know_is_named(tmp_path):
    model = prepared(tmp_path)
    strange = replace(model, element=np.where(model.atom == "OG", "P", model.element))
    with pytest.raises(ModelFileError, match="SER"):
        make_system(strange, density_of(model), PLAIN)


@pytest.mark.parametrize("name", ["ALA", "GLY", "PRO"])
def test_backbone_energy_is_low_where_residues_are(name):
    values = backbone_energy(name)
    assert values.min() == 0.0
    best = np.unravel_index(values.argmin(), values.shape)
    assert np.exp(-values).sum() * (360 / SIZE) ** 2 > 100.0
    assert values[60 * SIZE // 360, 250 * SIZE // 360] > values[best] + 3.0


def test_backbone_energy_knows_that_glycine_has_no_hand():
    values = backbone_energy("GLY")
    mirrored = np.roll(values[::-1, ::-1], 1, axis=(0, 1))
    assert values == pytest.approx(mirrored)
    other = backbone_energy("ALA")
    assert not np.allclose(other, np.roll(other[::-1, ::-1], 1, axis=(0, 1)))


@pytest.mark.parametrize(("phi", "psi"), [(-60, -45), (60, 45), (-120, 130), (60, -90)])
def test_the_force_is_that_energy_at_phi_and_psi(tmp_path, phi, psi):
    model = prepared(tmp_path, ["ALA"] * 4, phi, psi)
    table = backbone_energy("ALA")
    expected = table[phi % 360 * SIZE // 360, psi % 360 * SIZE // 360]
    # two residues have both neighbours
    assert energy(backbone_force(model, 3.0), model) == pytest.approx(6.0 * expected, rel=1e-4)


def test_residues_beside_a_gap_have_no_backbone_energy(tmp_path):
    structure = peptide(["ALA"] * 7)
    del structure[0][0][3]
    model = prepare(read_model(write(structure, tmp_path / "in.cif")))
    assert backbone_force(model, 1.0).getNumTorsions() == 2
