"""Whole model files: deposited ones, and some with more atoms than a PDB file can count."""

import numpy as np
import pytest

from atomsight.io.models import read_model
from atomsight.io.structures import hybrid36
from tests.support.models import CIF_COLUMNS, Atom, as_cif, as_pdb, write_model

MANY = 100_500


def waters():
    """One water a residue, as many as there are, each at a place of its own."""
    for n in range(MANY):
        place = (float(n // 1000), float(n % 1000), 0.0)
        yield Atom("O", "HOH", "A", n % 9999, "O", place, record="HETATM", serial=hybrid36(n + 1))


def test_a_pdb_file_with_more_atoms_than_its_serials_can_count(tmp_path):
    lines = [as_pdb(atom) for atom in waters()]
    assert lines[99_999][:11] == "HETATMA0000"
    check_many(read_model(write_model(tmp_path / "many.pdb", "\n".join(lines) + "\nEND\n")))


def test_an_mmcif_file_with_more_atoms_than_a_pdb_file_can_count(tmp_path):
    columns = [tag for tag in CIF_COLUMNS if not tag.startswith("auth")]
    rows = [as_cif(atom, columns) for atom in waters()]
    head = "data_x\nloop_\n" + "".join(f"_atom_site.{column}\n" for column in columns)
    model = read_model(write_model(tmp_path / "many.cif", head + "\n".join(rows) + "\n"))
    check_many(model)
    assert model.document[0].find_values("_atom_site.id")[99_999] == "A0000"


def check_many(model):
    n = np.arange(MANY)
    np.testing.assert_array_equal(model.row, n)
    np.testing.assert_array_equal(model.xyz[:, 0], n // 1000)
    np.testing.assert_array_equal(model.xyz[:, 1], n % 1000)
    assert model.notes == ()


def table(model):
    """Columns to compare with a file's own, keyed by mmCIF's names."""
    residues = model.residues
    at = model.residue
    return {
        "type_symbol": np.char.upper(model.element),
        "label_atom_id": model.atom,
        "label_alt_id": model.altloc,
        "label_comp_id": residues.name[at],
        "label_asym_id": residues.label_asym[at],
        "auth_asym_id": residues.chain[at],
        "auth_seq_id": residues.number[at],
        "pdbx_PDB_ins_code": residues.icode[at],
        "Cartn_x": model.xyz[:, 0],
        "Cartn_y": model.xyz[:, 1],
        "Cartn_z": model.xyz[:, 2],
        "occupancy": model.occupancy,
        "B_iso_or_equiv": model.b_iso,
    }


def split_cif(path):
    """Rows of _atom_site where no value holds a space, as dictionaries."""
    lines = path.read_text().splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("_atom_site."))
    tags = []
    for line in lines[first:]:
        if not line.startswith("_atom_site."):
            break
        tags.append(line.split(".")[1].strip())
    rows = [line.split() for line in lines if line.startswith(("ATOM", "HETATM"))]
    return [dict(zip(tags, row, strict=True)) for row in rows]


@pytest.mark.parametrize("name", ["5ni1.cif", "modelangelo_5ni1.cif"])
def test_each_row_of_an_mmcif_file_is_found_in_its_place(demo_data, name):
    rows = split_cif(demo_data / name)
    model = read_model(demo_data / name)
    assert len(model) == len(rows)
    for tag, column in table(model).items():
        if column.dtype.kind == "U":
            expected = [row[tag].strip('"').strip(".?") for row in rows]
            assert column.tolist() == expected, tag
        else:
            given = np.array([float(row[tag]) for row in rows])
            # gemmi keeps occupancy and B in single precision
            np.testing.assert_allclose(column, given, rtol=6e-8, err_msg=tag)


PDB_FIELDS = {
    "type_symbol": (76, 78),
    "label_atom_id": (12, 16),
    "label_alt_id": (16, 17),
    "label_comp_id": (17, 20),
    "auth_asym_id": (21, 22),
    "auth_seq_id": (22, 26),
    "pdbx_PDB_ins_code": (26, 27),
    "Cartn_x": (30, 38),
    "Cartn_y": (38, 46),
    "Cartn_z": (46, 54),
    "occupancy": (54, 60),
    "B_iso_or_equiv": (60, 66),
}


@pytest.mark.parametrize("name", ["5me2.pdb", "6vyb_Ndom.pdb"])
def test_each_line_of_a_pdb_file_is_found_in_its_place(demo_data, name):
    text = (demo_data / name).read_text()
    lines = [line for line in text.splitlines() if line.startswith(("ATOM", "HETATM"))]
    model = read_model(demo_data / name)
    columns = table(model)
    assert len(model) == len(lines)
    for tag, (first, last) in PDB_FIELDS.items():
        fields = [line[first:last].strip() for line in lines]
        if columns[tag].dtype.kind == "U":
            assert columns[tag].tolist() == fields, tag
        else:
            assert columns[tag].tolist() == [float(field) for field in fields], tag


@pytest.mark.parametrize(
    ("name", "residues", "resolution", "source"),
    [
        # distinct residues among the atom records (sort -u), and what the records named say
        ("5ni1.cif", 602, 3.2, "_em_3d_reconstruction.resolution"),
        ("5me2.pdb", 570, 3.2, "REMARK 2"),
        ("modelangelo_5ni1.cif", 566, None, ""),
        ("6vyb_Ndom.pdb", 201, 3.2, "REMARK 2"),
    ],
)
def test_deposited_models(demo_data, name, residues, resolution, source):
    model = read_model(demo_data / name)
    assert len(model.residues) == residues
    assert (model.resolution, model.resolution_source) == (resolution, source)
    assert model.heavy.all()
    assert model.notes == ()


def test_chains_of_5ni1_by_author_and_by_label(demo_data):
    residues = read_model(demo_data / "5ni1.cif").residues
    chains = dict(zip(residues.label_asym, residues.chain, strict=True))
    # from _struct_asym and _pdbx_nonpoly_scheme: 4 globin chains, 4 haems, 4 sets of waters
    expected = dict(zip("ABCDEFGHIJKL", "ABCDABCDABCD", strict=True))
    assert chains == expected


def test_the_same_model_with_reference_scores_has_the_same_atoms(extra_data, demo_data):
    reference = extra_data / "emd_3488_haemoglobin" / "5ni1_mapq_sigma0.4.csv"
    lines = reference.read_text().splitlines()
    assert len(read_model(demo_data / "5ni1.cif")) == len(lines) - 1
