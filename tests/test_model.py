from pathlib import Path

import numpy as np
import pytest

from atomsight.errors import ParameterError
from atomsight.io.models import read_model
from atomsight.model import AtomClass, select
from tests.support.models import Atom, cif_text, pdb_text, peptide, residue, write_model
from tests.support.scene import make_model, residue_table

NAN = float("nan")
ATOMS = [
    *peptide("ALA GLY SER ALA", chain="A"),
    *peptide("GLY LYS", chain="B", first=11),
    *residue("HEM", "FE NA CHA", chain="B", number=20, record="HETATM"),
    Atom(name="O", residue="HOH", chain="C", number=1, element="O", record="HETATM"),
]


@pytest.fixture(params=["m.pdb", "m.cif"])
def model(request, tmp_path: Path):
    text = pdb_text(ATOMS) if request.param == "m.pdb" else cif_text(ATOMS)
    return read_model(write_model(tmp_path / request.param, text))


def names(model, chosen) -> list[str]:
    table, rows = model.residues, model.residue[chosen]
    return [
        f"{table.chain[row]}{table.number[row]}{atom}"
        for row, atom in zip(rows, model.atom[chosen], strict=True)
    ]


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ("//A/2", ["A2N", "A2CA", "A2C", "A2O"]),
        ("//A/2-3/CA", ["A2CA", "A3CA"]),
        ("//*/*/CA[C]", ["A1CA", "A2CA", "A3CA", "A4CA", "B11CA", "B12CA"]),
        ("//A,C/1/O", ["A1O", "C1O"]),
        ("(HEM)", ["B20FE", "B20NA", "B20CHA"]),
        ("(HOH)", ["C1O"]),
        ("/1/B/12/N", ["B12N"]),
    ],
)
def test_a_selection_names_its_atoms(model, selection, expected):
    assert names(model, select(model, selection)) == expected


def test_a_selection_is_one_flag_an_atom_in_their_order(model):
    everything = select(model, "*")
    assert everything.dtype == bool
    assert everything.shape == (len(model),) == (len(ATOMS),)
    assert everything.all()


def test_a_selection_takes_the_right_atoms_of_a_shuffled_file(tmp_path):
    order = np.random.default_rng(0).permutation(len(ATOMS))
    text = cif_text([ATOMS[i] for i in order])
    shuffled = read_model(write_model(tmp_path / "m.cif", text))
    chosen = select(shuffled, "//B/12")
    expected = [
        f"B12{ATOMS[i].name}" for i in order if (ATOMS[i].chain, ATOMS[i].number) == ("B", 12)
    ]
    assert names(shuffled, chosen) == expected


def test_only_atoms_of_the_model_at_hand_are_selected(tmp_path):
    text = pdb_text([Atom(model=1), Atom(model=2, number=2), Atom(model=2, number=3)])
    path = write_model(tmp_path / "m.pdb", text)
    second = read_model(path, model=2)
    assert list(select(second, "//A")) == [True, True]
    assert list(select(second, "//A/3")) == [False, True]
    with pytest.raises(ParameterError, match="names no atom"):
        select(second, "/1/A")


@pytest.mark.parametrize("selection", ["//Z", "//A/99", "(XYZ)", "//A/1/CB"])
def test_a_selection_of_nothing_is_refused_with_the_file(model, selection):
    with pytest.raises(ParameterError, match="names no atom") as caught:
        select(model, selection)
    assert model.path.name in str(caught.value)
    assert selection in str(caught.value)


@pytest.mark.parametrize("selection", ["/x/A", "//A/1-2-3-4", "[", "//A/(("])
def test_nonsense_is_refused(model, selection):
    with pytest.raises(ParameterError, match="selection"):
        select(model, selection)


def test_heavy_atoms_have_a_place_and_are_no_hydrogens():
    scene = make_model([[0, 0, 0], [1, 1, 1], [2, 2, NAN], [3, 3, 3]], element=["C", "H", "O", "D"])
    assert list(scene.has_position) == [True, True, False, True]
    assert list(scene.heavy) == [True, False, False, False]
    assert len(scene) == 4


def test_atoms_have_the_class_of_their_residue():
    rows = [("A", 1, "", "ALA", AtomClass.PROTEIN), ("A", 2, "", "HOH", AtomClass.WATER)]
    scene = make_model(np.zeros((3, 3)), residue=[0, 1, 0], residues=rows)
    assert list(scene.atom_class) == [AtomClass.PROTEIN, AtomClass.WATER, AtomClass.PROTEIN]
    assert len(scene.residues) == 2


def test_classes_have_names_for_tables():
    assert [kind.label for kind in AtomClass] == [
        *("protein", "nucleic", "saccharide", "ligand", "ion", "water")
    ]


def test_a_residue_has_a_name_for_people():
    rows = [("A", 51, "", "GLY", AtomClass.PROTEIN), ("B", -3, "C", "HEM", AtomClass.LIGAND)]
    table = residue_table(rows)
    assert [table.label(row) for row in range(2)] == ["A/GLY 51", "B/HEM -3C"]
