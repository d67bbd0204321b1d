import numpy as np
import pytest

from atomsight.ensemble.geometry.topology import bonds, near_in_bonds, template
from atomsight.io.models import read_model
from atomsight.model import AtomClass
from tests.support.peptide import HELIX, alanines, peptide, write_peptide
from tests.support.scene import make_model


def named_bonds(model):
    names = [
        f"{model.residues.number[r]}{a}" for r, a in zip(model.residue, model.atom, strict=True)
    ]
    return {f"{names[i]}-{names[j]}" for i, j in bonds(model).tolist()}


def test_a_peptide_has_the_bonds_of_its_residues_and_one_between_them(tmp_path):
    found = named_bonds(peptide(tmp_path / "p.pdb", [HELIX] * 2))
    first = {"1N-1CA", "1CA-1C", "1C-1O", "1CA-1CB", "1CA-1HA", "1CB-1HB1", "1CB-1HB2", "1CB-1HB3"}
    assert {bond for bond in found if "2" not in bond.replace("HB2", "")} == first
    assert {"1C-2N", "2N-2H"} <= found
    assert len(found) == len(first) * 2 + 2


def test_a_gap_is_not_bridged(tmp_path):
    residues = alanines([HELIX] * 2)
    residues[1] = {name: xyz + 3.0 for name, xyz in residues[1].items()}
    found = named_bonds(read_model(write_peptide(tmp_path / "p.pdb", residues)))
    assert "1C-2N" not in found
    assert "2N-2CA" in found


def test_a_stretched_bond_of_a_known_residue_stays_a_bond_and_a_contact_is_none(tmp_path):
    residues = alanines([HELIX] * 2)
    residues[0]["CB"] = residues[0]["CB"] + 2.0
    residues[1]["O"] = residues[1]["CB"] + 1.0
    found = named_bonds(read_model(write_peptide(tmp_path / "p.pdb", residues)))
    assert "1CA-1CB" in found
    assert not {"2CB-2O", "2O-2CB"} & found


LIGAND = ("A", 1, "", "LIG", AtomClass.LIGAND)
OTHER = ("A", 2, "", "LIH", AtomClass.LIGAND)
WATER = ("A", 2, "", "HOH", AtomClass.WATER)
ASN = ("A", 2, "", "ASN", AtomClass.PROTEIN)


@pytest.mark.parametrize(
    ("other", "elements", "distance", "bonded"),
    [
        (LIGAND, "CC", 1.75, True),
        (LIGAND, "CC", 1.90, False),
        (OTHER, "CC", 1.60, True),
        (OTHER, "CC", 1.75, False),
        (ASN, "CN", 1.45, True),
        (WATER, "CO", 1.40, False),
        (OTHER, ("FE", "N"), 2.0, False),
        (LIGAND, ("FE", "N"), 2.0, True),
    ],
)
def test_residues_that_are_not_known_bond_by_distance(other, elements, distance, bonded):
    same = other is LIGAND
    model = make_model(
        [[0, 0, 0], [distance, 0, 0]],
        atom=["X1", "ND2"],
        element=list(elements),
        residue=[0, 0 if same else 1],
        residues=[LIGAND] if same else [LIGAND, other],
    )
    assert bonds(model).tolist() == ([[0, 1]] if bonded else [])


def test_conformers_are_not_bonded_to_each_other():
    model = make_model(
        [[0, 0, 0], [1.5, 0, 0], [1.4, 0.3, 0]],
        atom=["C1", "C2", "C2"],
        altloc=["", "A", "B"],
        residues=[LIGAND],
    )
    assert bonds(model).tolist() == [[0, 1], [0, 2]]


def test_templates_are_chemically_right():
    for name, atoms, ring in [("TRP", 15, 2), ("HIS", 11, 1), ("ALA", 6, 0), ("G", 24, 3)]:
        pairs = template(name)
        names = {atom for pair in pairs for atom in pair}
        assert len(names) == atoms
        assert len(pairs) == atoms - 1 + ring, name
    assert template("LIG") == ()


def test_what_is_near_in_bonds_ends_after_three_or_with_a_hydrogen_four():
    chain = np.array([[0, 1], [1, 2], [2, 3], [3, 4], [4, 5]])
    hydrogen = np.zeros(6, dtype=bool)
    start, atoms = near_in_bonds(chain, hydrogen)
    assert atoms[start[0] : start[1]].tolist() == [0, 1, 2, 3]
    assert atoms[start[2] : start[3]].tolist() == [0, 1, 2, 3, 4, 5]
    hydrogen[0] = True
    start, atoms = near_in_bonds(chain, hydrogen)
    assert atoms[start[0] : start[1]].tolist() == [0, 1, 2, 3, 4]
    assert atoms[start[4] : start[5]].tolist() == [0, 1, 2, 3, 4, 5]
    assert atoms[start[5] : start[6]].tolist() == [2, 3, 4, 5]
