"""The atom that stands for a residue."""

import numpy as np
import pytest

from atomsight.ensemble.residues import polymer_residues
from atomsight.io.models import read_model
from tests.support.ensembles import residues
from tests.support.models import Atom, nucleic, pdb_text, peptide, residue, write_model


def read(folder, atoms):
    return read_model(write_model(folder / "model.pdb", pdb_text(atoms)))


def test_protein_has_ca_nucleic_acid_has_c1(tmp_path):
    model = read(tmp_path, [*peptide("ALA GLY"), *nucleic("A U", chain="B")])
    found = polymer_residues(model)
    assert [found.label(i) for i in range(len(found))] == ["A/ALA 1", "A/GLY 2", "B/A 1", "B/U 2"]
    names = ["CA", "CA", "C1'", "C1'"]
    for i, name in enumerate(names):
        (atom,) = np.flatnonzero((model.residue == found.row[i]) & (model.atom == name))
        np.testing.assert_array_equal(found.xyz[i], model.xyz[atom])
    assert found.notes == ()


def test_calcium_is_no_residue(tmp_path):
    ion = residue("CA", "CA", number=9, element="Ca", record="HETATM", chain="C")
    assert set(polymer_residues(read(tmp_path, [*peptide("ALA GLY"), *ion])).chain) == {"A"}


def test_the_conformer_with_the_highest_occupancy_counts(tmp_path):
    atoms = [
        *peptide("ALA"),
        Atom("CA", "GLY", number=2, xyz=(1, 0, 0), altloc="A", occupancy=0.4),
        Atom("CA", "GLY", number=2, xyz=(2, 0, 0), altloc="B", occupancy=0.6),
        Atom("CA", "SER", number=3, xyz=(3, 0, 0), altloc="A", occupancy=0.5),
        Atom("CA", "SER", number=3, xyz=(4, 0, 0), altloc="B", occupancy=0.5),
    ]
    found = polymer_residues(read(tmp_path, atoms))
    assert found.xyz[1:, 0].tolist() == [2.0, 3.0]
    assert found.notes == (
        "2 further conformers left out: the one with the highest occupancy counts",
    )


def test_residues_without_ca_are_counted(tmp_path):
    atoms = [*peptide("ALA GLY"), *residue("SER", "N C O", number=3)]
    found = polymer_residues(read(tmp_path, atoms))
    assert len(found) == 2
    assert found.notes == ("1 residues without Cα or C1' left out",)


@pytest.mark.parametrize(
    ("name", "code"),
    [("HIE", "H"), ("CYX", "C"), ("MSE", "M"), ("DA", "A"), ("GLY", "G"), ("UNK", "UNK"),
     ("Q7Z", "Q7Z")],
)  # fmt: skip
def test_codes_see_through_the_names_of_force_fields(name, code):
    assert residues(name).codes == [code]
