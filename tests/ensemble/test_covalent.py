import importlib.util
from pathlib import Path

import numpy as np
import pytest

from atomsight.ensemble.geometry import ideal
from atomsight.ensemble.geometry.covalent import FORCE_FIELD, covalent_geometry
from atomsight.ensemble.geometry.ideal import backbone_target, force_field_angle, force_field_bond
from atomsight.errors import MissingLibraryError, ParameterError
from atomsight.io.models import read_model
from tests.support.peptide import EXTENDED, HELIX, alanines, peptide, write_peptide

needs_openmm = pytest.mark.skipif(
    importlib.util.find_spec("openmm") is None, reason="OpenMM is not installed"
)


@pytest.fixture(autouse=True)
def no_library(monkeypatch):
    monkeypatch.delenv("CLIBD_MON", raising=False)


def changed(tmp_path, residue, atom, shift):
    residues = alanines([HELIX] * 4)
    residues[residue][atom] = residues[residue][atom] + np.asarray(shift)
    return read_model(write_peptide(tmp_path / "changed.pdb", residues))


@pytest.mark.parametrize(
    ("names", "residue", "following", "expected"),
    [
        (("N", "CA"), "ALA", "ALA", (1.459, 0.020)),
        (("N", "CA"), "GLY", "GLY", (1.456, 0.015)),
        (("C", "N"), "ALA", "PRO", (1.338, 0.019)),
        (("C", "N"), "PRO", "ALA", (1.336, 0.023)),
        (("C", "N", "CA"), "ALA", "PRO", (119.3, 1.5)),
        (("N", "CA", "C"), "GLY", "GLY", (113.1, 2.5)),
    ],
)
def test_backbone_values_are_those_of_engh_and_huber_2001(names, residue, following, expected):
    assert backbone_target(names, residue, following) == expected


def test_the_backbone_has_no_other_bonds():
    assert np.isnan(backbone_target(("CA", "CB"), "ALA", "ALA")[0])


@needs_openmm
def test_values_of_the_force_field():
    """As OpenMM 8.6's amber14/protein.ff14SB.xml and RNA.OL3.xml state them."""
    assert force_field_bond(("ALA", "CA"), ("ALA", "CB")) == pytest.approx(1.526)
    assert force_field_bond(("CYX", "SG"), ("CYX", "SG")) == pytest.approx(2.038)
    assert force_field_bond(("G", "P"), ("G", "OP1")) == pytest.approx(1.48)
    assert force_field_angle(("VAL", "CG1"), ("VAL", "CB"), ("VAL", "CG2")) == pytest.approx(109.5)
    assert np.isnan(force_field_bond(("LIG", "C1"), ("LIG", "C2")))


def test_without_library_and_openmm_both_ways_out_are_named(tmp_path, monkeypatch):
    model = peptide(tmp_path / "p.pdb", [HELIX] * 3)
    ideal._force_field.cache_clear()
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MissingLibraryError, match=r"CLIBD_MON.*atomsight\[ensemble\]"):
        covalent_geometry(model)


@needs_openmm
def test_an_ideal_peptide_has_no_outliers(tmp_path):
    found = covalent_geometry(peptide(tmp_path / "p.pdb", [HELIX, EXTENDED] * 3))
    assert len(found.bonds) == 4 * 6 + 5
    assert len(found.angles) == 4 * 6 + 3 * 5
    assert len(found.chirals) == 6
    assert (found.n_outliers, found.n_bad_chirals, found.n_chiral_outliers) == (0, 0, 0)
    assert np.abs(found.bonds.z).max() < 0.5
    assert np.abs(found.angles.z).max() < 1.5
    np.testing.assert_allclose(found.chirals.ideal, 2.5, atol=0.1)
    assert found.source == FORCE_FIELD


@needs_openmm
def test_a_stretched_bond_is_an_outlier_of_its_residue(tmp_path):
    straight = covalent_geometry(changed(tmp_path, 1, "O", 0.0))
    residues = alanines([HELIX] * 4)
    way = residues[1]["O"] - residues[1]["C"]
    found = covalent_geometry(changed(tmp_path, 1, "O", 0.1 * way / np.linalg.norm(way)))
    assert found.n_bond_outliers == 1
    assert found.n_angle_outliers == 0
    assert found.outliers.tolist() == [0, 1, 0, 0]
    assert found.worst[1] == pytest.approx(0.1 / 0.019, abs=0.1)
    assert straight.worst[1] < 2


@needs_openmm
def test_a_mirrored_residue_is_a_bad_chiral(tmp_path):
    residues = alanines([HELIX] * 4)
    at = residues[2]
    # CB and HA exchanged: a D amino acid
    along = (at["HA"] - at["CA"]) / 1.09
    back = (at["CB"] - at["CA"]) / np.linalg.norm(at["CB"] - at["CA"])
    at["CB"], at["HA"] = at["CA"] + 1.526 * along, at["CA"] + 1.09 * back
    found = covalent_geometry(read_model(write_peptide(tmp_path / "d.pdb", residues)))
    assert found.bad_chirals.tolist() == [0, 0, 1, 0]
    assert found.n_chiral_outliers == 1
    assert found.n_bond_outliers == 0


@needs_openmm
def test_of_an_unknown_amino_acid_only_the_backbone_is_judged(tmp_path):
    names = ["ALA", "XYZ", "ALA"]
    model = read_model(write_peptide(tmp_path / "p.pdb", alanines([HELIX] * 3), names=names))
    found = covalent_geometry(model)
    assert len(found.bonds) == 3 * 4 + 2 - 1
    assert not np.isnan(found.worst).any()


@needs_openmm
def test_ligands_are_not_judged(tmp_path):
    path = write_peptide(tmp_path / "p.pdb", alanines([HELIX] * 3))
    ligand = "".join(
        f"HETATM {900 + k:4d}  {name:<3} LIG A 900    {30 + 1.7 * k:8.3f}{0:8.3f}{0:8.3f}"
        f"  1.00 20.00           {name[0]}\n"
        for k, name in enumerate(["N", "CA", "C", "O"])
    )
    path.write_text(path.read_text().replace("END", ligand + "END"))
    found = covalent_geometry(read_model(path))
    assert np.isnan(found.worst).tolist() == [False, False, False, True]
    assert found.n_outliers == 0


@needs_openmm
def test_natural_molecules_have_the_natural_hand(extra_data):
    """Protein and RNA: 7BV2, and an EM model of 1.75 Å."""
    for name, centres in [
        ("emd_11007_rdrp/7bv2_rigid_fit.pdb", 1175),
        ("emd_20026_apoferritin/model.pdb", 176),
    ]:
        found = covalent_geometry(read_model(extra_data / name))
        assert (len(found.chirals), found.n_bad_chirals) == (centres, 0)
        assert found.n_bond_outliers == 0
        assert found.n_angle_outliers < 0.001 * len(found.angles)
        assert found.bonds.rmsz < 0.7


ALA = """data_comp_list
loop_
_chem_comp.id
_chem_comp.name
_chem_comp.group
ALA alanine peptide
data_comp_ALA
loop_
_chem_comp_atom.comp_id
_chem_comp_atom.atom_id
_chem_comp_atom.type_symbol
_chem_comp_atom.type_energy
_chem_comp_atom.charge
ALA N N N 0
ALA CA C C 0
ALA C C C 0
ALA O O O 0
ALA CB C C 0
loop_
_chem_comp_bond.comp_id
_chem_comp_bond.atom_id_1
_chem_comp_bond.atom_id_2
_chem_comp_bond.type
_chem_comp_bond.value_dist
_chem_comp_bond.value_dist_esd
ALA N CA single 1.459 0.01
ALA CA C single 1.525 0.01
ALA C O double 1.300 0.01
ALA CA CB single 1.526 0.01
loop_
_chem_comp_angle.comp_id
_chem_comp_angle.atom_id_1
_chem_comp_angle.atom_id_2
_chem_comp_angle.atom_id_3
_chem_comp_angle.value_angle
_chem_comp_angle.value_angle_esd
ALA N CA C 111.0 1.5
ALA N CA CB 109.7 1.5
ALA C CA CB 109.7 1.5
loop_
_chem_comp_chir.comp_id
_chem_comp_chir.id
_chem_comp_chir.atom_id_centre
_chem_comp_chir.atom_id_1
_chem_comp_chir.atom_id_2
_chem_comp_chir.atom_id_3
_chem_comp_chir.volume_sign
ALA chir_01 CA N C CB positive
"""
LIST = """data_link_list
loop_
_chem_link.id
_chem_link.comp_id_1
_chem_link.mod_id_1
_chem_link.group_comp_1
_chem_link.comp_id_2
_chem_link.mod_id_2
_chem_link.group_comp_2
_chem_link.name
TRANS . . peptide . . peptide TRANS
data_link_TRANS
loop_
_chem_link_bond.link_id
_chem_link_bond.atom_1_comp_id
_chem_link_bond.atom_id_1
_chem_link_bond.atom_2_comp_id
_chem_link_bond.atom_id_2
_chem_link_bond.type
_chem_link_bond.value_dist
_chem_link_bond.value_dist_esd
TRANS 1 C 2 N single 1.336 0.01
"""


@pytest.fixture
def library(tmp_path) -> Path:
    """A monomer library of one residue and one link."""
    folder = tmp_path / "monomers"
    (folder / "list").mkdir(parents=True)
    (folder / "a").mkdir()
    (folder / "list" / "mon_lib_list.cif").write_text(LIST)
    (folder / "a" / "ALA.cif").write_text(ALA)
    (folder / "ener_lib.cif").write_text("data_energy\n")
    return folder


@pytest.mark.parametrize("by_environment", [True, False])
def test_a_monomer_library_gives_values_and_sigmas(tmp_path, library, monkeypatch, by_environment):
    model = peptide(tmp_path / "p.pdb", [HELIX] * 3)
    if by_environment:
        monkeypatch.setenv("CLIBD_MON", str(library))
    found = covalent_geometry(model, monomers=None if by_environment else library)
    assert len(found.bonds) == 3 * 4 + 2
    assert len(found.angles) == 9
    # this library's carbonyl is 0.07 Å longer
    assert found.n_bond_outliers == 3
    assert found.outliers.tolist() == [1, 1, 1]
    np.testing.assert_allclose(found.worst, 7.1, atol=0.1)
    assert (len(found.chirals), found.n_bad_chirals) == (3, 0)
    assert str(library) in found.source


def test_a_folder_that_is_no_library_is_refused(tmp_path):
    model = peptide(tmp_path / "p.pdb", [HELIX] * 3)
    with pytest.raises(ParameterError, match=r"monomer library .*nowhere.*mon_lib_list.cif"):
        covalent_geometry(model, monomers=tmp_path / "nowhere")
