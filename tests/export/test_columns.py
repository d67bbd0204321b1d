import gemmi
import numpy as np

from atomsight.export.columns import atom_keys, residue_keys
from atomsight.io.models import read_model
from tests.support.cases import numbered, small_model
from tests.support.models import Atom, cif_text, peptide, write_model

ATOM_KEYS = [
    *("model", "chain", "label_asym", "number", "icode", "residue", "atom", "altloc"),
    *("element", "class", "x", "y", "z", "occupancy", "b_iso"),
]
RESIDUE_KEYS = ["model", "chain", "label_asym", "number", "icode", "residue", "class", "entity"]


def model_of(folder, atoms, number=None):
    return read_model(write_model(folder / "in.cif", cif_text(atoms)), model=number)


def test_names_and_order_of_the_columns(tmp_path):
    model = model_of(tmp_path, small_model())
    assert list(atom_keys(model)) == ATOM_KEYS
    assert list(residue_keys(model)) == RESIDUE_KEYS


def test_each_atom_is_described_as_in_the_file(tmp_path):
    atoms = [
        Atom("N", "SER", "AA", -5, "N", (1.0, 2.0, 3.0), "B", "C", 0.35, 12.5, label_asym="Z"),
        *peptide("GLY", chain="B"),
    ]
    columns = atom_keys(model_of(tmp_path, numbered(atoms)))
    first = {name: column[0] for name, column in columns.items()}
    assert first == {
        "model": 1,
        "chain": "AA",
        "label_asym": "Z",
        "number": -5,
        "icode": "B",
        "residue": "SER",
        "atom": "N",
        "altloc": "C",
        "element": "N",
        "class": "protein",
        "x": 1.0,
        "y": 2.0,
        "z": 3.0,
        "occupancy": 0.35,
        "b_iso": 12.5,
    }
    assert columns["icode"][1] == columns["altloc"][1] == ""


def test_each_residue_is_described_as_in_the_file(tmp_path):
    columns = residue_keys(model_of(tmp_path, small_model()))
    rows = list(zip(*(columns[name].tolist() for name in RESIDUE_KEYS), strict=True))
    assert rows[0] == (1, "A", "A", 1, "", "ALA", "protein", "1")
    assert [row[6] for row in rows] == [
        *["protein"] * 3,
        "ligand",
        "ion",
        *["water"] * 3,
    ]
    assert [row[3] for row in rows] == [1, 2, 3, 201, 202, 301, 302, 303]


def test_rows_stand_in_the_order_of_a_real_file(demo_data):
    columns = atom_keys(read_model(demo_data / "5ni1.cif"))
    block = gemmi.cif.read(str(demo_data / "5ni1.cif")).sole_block()

    def in_file(tag, kind=str):
        return [kind(gemmi.cif.as_string(v)) for v in block.find_values(f"_atom_site.{tag}")]

    assert columns["atom"].tolist() == in_file("label_atom_id")
    assert columns["chain"].tolist() == in_file("auth_asym_id")
    assert columns["label_asym"].tolist() == in_file("label_asym_id")
    assert columns["number"].tolist() == in_file("auth_seq_id", int)
    assert columns["element"].tolist() == [e.capitalize() for e in in_file("type_symbol")]
    for name, tag in (("x", "Cartn_x"), ("y", "Cartn_y"), ("z", "Cartn_z"),
                      ("occupancy", "occupancy"), ("b_iso", "B_iso_or_equiv")):  # fmt: skip
        assert columns[name].tolist() == in_file(tag, float)


def test_no_two_atoms_of_a_real_file_share_their_keys(demo_data):
    columns = atom_keys(read_model(demo_data / "5ni1.cif"))
    names = [n for n in ATOM_KEYS if n not in ("x", "y", "z", "occupancy", "b_iso")]
    rows = set(zip(*(columns[name].tolist() for name in names), strict=True))
    assert len(rows) == 4579


def test_the_number_of_the_chosen_model_stands_in_every_row(tmp_path):
    model = model_of(tmp_path, [*peptide("ALA"), *peptide("ALA", model=9)], number=9)
    assert atom_keys(model)["model"].tolist() == [9] * 4
    assert residue_keys(model)["model"].tolist() == [9]


def test_coordinates_that_are_not_there_are_nan(tmp_path):
    columns = atom_keys(model_of(tmp_path, [Atom(), Atom(name="CB", xyz=None)]))
    for axis in "xyz":
        assert np.isnan(columns[axis]).tolist() == [False, True]
