"""The model that a page draws, read back with gemmi: atoms are known by their rows in tables."""

from dataclasses import replace

import gemmi
import numpy as np
import pytest

from atomsight.io.models import read_model
from atomsight.report.display_model import display_model
from tests.support.cases import numbered, placed, small_model
from tests.support.models import cif_text, nucleic, pdb_text, peptide, residue, write_model

COLUMNS = (
    *("id", "Cartn_x", "Cartn_y", "Cartn_z", "auth_asym_id", "label_asym_id", "auth_seq_id"),
    *("pdbx_PDB_ins_code", "auth_comp_id", "label_atom_id", "label_alt_id", "type_symbol"),
    "pdbx_PDB_model_num",
)


def model_of(folder, atoms, ending="cif", **options):
    text = cif_text(atoms) if ending == "cif" else pdb_text(atoms)
    return read_model(write_model(folder / f"m.{ending}", text), **options)


def read_back(model):
    """The columns of _atom_site, as text without quotes."""
    block = gemmi.cif.read_string(display_model(model)).sole_block()
    table = block.find("_atom_site.", COLUMNS)
    return {name: [gemmi.cif.as_string(row[i]) for row in table] for i, name in enumerate(COLUMNS)}


def assert_known(model):
    """Every atom with coordinates is there, under its row in the tables."""
    found = read_back(model)
    rows = np.array(found["id"], dtype=int) - 1
    assert sorted(rows.tolist()) == np.flatnonzero(model.has_position).tolist()
    xyz = np.array([found[f"Cartn_{axis}"] for axis in "xyz"], dtype=float).T
    np.testing.assert_allclose(xyz, model.xyz[rows], atol=6e-4)
    residues, residue_of = model.residues, model.residue[rows]
    assert found["auth_asym_id"] == residues.chain[residue_of].tolist()
    assert found["auth_comp_id"] == residues.name[residue_of].tolist()
    assert found["auth_seq_id"] == residues.number[residue_of].astype(str).tolist()
    assert found["pdbx_PDB_ins_code"] == residues.icode[residue_of].tolist()
    assert found["label_atom_id"] == model.atom[rows].tolist()
    assert found["label_alt_id"] == model.altloc[rows].tolist()
    assert found["type_symbol"] == np.char.upper(model.element[rows]).tolist()
    assert len(set(found["pdbx_PDB_model_num"])) == 1
    return found


@pytest.mark.parametrize("ending", ["cif", "pdb"])
def test_atoms_are_known_by_their_rows(tmp_path, ending):
    assert_known(model_of(tmp_path, small_model(), ending))


def test_the_demo(demo_data):
    found = assert_known(read_model(demo_data / "5ni1.cif"))
    assert len(found["id"]) == 4579


def test_the_model_itself_stays_as_it_is(tmp_path):
    model = model_of(tmp_path, small_model()[::-1])
    before = model.structure.make_mmcif_document().as_string()
    display_model(model)
    assert model.structure.make_mmcif_document().as_string() == before


def test_serials_of_the_file_do_not_matter(tmp_path):
    atoms = [replace(a, serial=7 * (30 - a.serial)) for a in small_model()]
    assert_known(model_of(tmp_path, atoms))


def test_residues_that_a_file_tears_apart(tmp_path):
    atoms = small_model()
    assert_known(model_of(tmp_path, numbered([*atoms[:3], *atoms[4:], atoms[3]]), "pdb"))


def test_atoms_without_coordinates_are_left_out(tmp_path):
    atoms = [replace(a, xyz=None) if a.name in ("O", "MG") else a for a in small_model()]
    model = model_of(tmp_path, atoms)
    found = assert_known(model)
    assert len(found["id"]) == np.count_nonzero(model.has_position) == 13
    assert "MG" not in found["auth_comp_id"]


def test_the_chosen_model_of_several(tmp_path):
    atoms = small_model()
    aside = [replace(a, xyz=tuple(np.add(a.xyz, 1.0).tolist()), model=7) for a in atoms[:17]]
    model = model_of(tmp_path, [*(replace(a, model=2) for a in atoms), *aside], model=7)
    found = assert_known(model)
    assert found["id"] == [str(n) for n in range(1, 18)]


def test_hydrogens_and_conformers(tmp_path):
    atoms = [
        *peptide("ALA"),
        *residue("ALA", "HA", number=1),
        *(replace(a, altloc=alt) for alt in "AB" for a in residue("ALA", "CB", number=1)),
        *residue("ALA", "N CA C O", number=1, icode="B"),
    ]
    found = assert_known(model_of(tmp_path, numbered(placed(atoms))))
    assert found["label_atom_id"].count("CB") == 2
    assert "HA" in found["label_atom_id"]


def labels(found):
    """Labels of what the viewer takes for one chain: those of each chain and residue."""
    together = {}
    for label, *key in zip(
        found["label_asym_id"], found["auth_asym_id"], found["auth_comp_id"], strict=True
    ):
        together.setdefault(tuple(key), set()).add(label)
    return together


def test_chains_that_share_a_label_are_drawn_apart(tmp_path):
    atoms = [
        *peptide("ALA GLY", chain="A", label_asym="X"),
        *peptide("SER VAL", chain="B", label_asym="X"),
    ]
    found = labels(assert_known(model_of(tmp_path, numbered(placed(atoms)))))
    assert found["A", "ALA"] == found["A", "GLY"]
    assert found["B", "SER"] == found["B", "VAL"]
    assert found["A", "ALA"] != found["B", "SER"]


def test_what_shares_a_label_with_a_chain_is_drawn_apart(tmp_path):
    """Some programs write the author's chain as label: then ligands and water have it, too."""
    found = assert_known(model_of(tmp_path, small_model()))
    by_name = {name: group for (_, name), group in labels(found).items()}
    assert by_name["ALA"] == by_name["GLY"] == by_name["SER"]
    assert len({frozenset(by_name[name]) for name in ("ALA", "HEM", "MG", "HOH")}) == 4


def test_labels_that_are_as_they_should_be_stay(tmp_path):
    own = {"HEM": "C", "MG": "D", "HOH": "E"}
    atoms = [replace(a, label_asym=own.get(a.residue, "K")) for a in small_model()]
    found = labels(assert_known(model_of(tmp_path, atoms)))
    assert found == {("A", name): {own.get(name, "K")} for name in ("ALA", "GLY", "SER", *own)}


def test_names_that_mmcif_has_to_quote(tmp_path):
    atoms = [
        *nucleic("A", chain="'"),
        *residue("A", "H5'", number=1, chain="'"),
        *residue("A", 'H5"', number=1, chain="'"),
        *residue("#1", "_X", number=2, chain='"', record="HETATM", element="C"),
        *residue("_A", "$", number=3, chain=";", record="HETATM", element="C"),
    ]
    found = assert_known(model_of(tmp_path, numbered(placed(atoms)), "pdb"))
    assert {"O5'", "H5'", 'H5"', "_X", "$"} <= set(found["label_atom_id"])
    assert set(found["auth_asym_id"]) == {"'", '"', ";"}


def test_nothing_else_of_the_file_is_passed_on(demo_data):
    block = gemmi.cif.read_string(display_model(read_model(demo_data / "5ni1.cif"))).sole_block()
    assert set(block.get_mmcif_category_names()) <= {
        *("_entry.", "_entity.", "_entity_poly.", "_entity_poly_seq.", "_struct_asym."),
        *("_struct_conf.", "_struct_conf_type.", "_struct_sheet.", "_struct_sheet_range."),
        *("_struct_sheet_order.", "_struct_conn.", "_struct_conn_type.", "_chem_comp."),
        *("_atom_site.", "_pdbx_struct_sheet_hbond."),
    }
