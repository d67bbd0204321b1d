"""Which atoms of several models are the same, and which are compared."""

from dataclasses import replace

import numpy as np
import pytest

from atomsight.comparison.matching import compared_atoms
from atomsight.errors import ParameterError
from atomsight.io.models import read_model
from tests.support.cases import moved, shifted, small_model
from tests.support.models import cif_text, residue, write_model

HAEM = "//A/201"


def read(folder, **models):
    """Models from atoms, as files and read."""
    return [
        read_model(write_model(folder / f"{name}.cif", cif_text(atoms)))
        for name, atoms in models.items()
    ]


def test_what_differs_is_compared_by_name_whatever_the_order(tmp_path):
    atoms = small_model()
    other = shifted(atoms, "HEM", (1.0, 0.0, 0.0))
    one, two = read(tmp_path, one=atoms, two=other[::-1])
    found = compared_atoms([one, two])
    assert found.atom.tolist() == ["FE", "NA", "NB", "CHA"]
    assert set(found.residue) == {"HEM"}
    assert found.moved == pytest.approx([1.0] * 4)
    assert found.scope == (
        "4 of 17 atoms other than hydrogen and water: "
        "those that differ by more than 0.1 Å or are in some models only"
    )
    assert found.part
    for model, rows in zip((one, two), found.rows, strict=True):
        assert model.atom[rows].tolist() == found.atom.tolist()
    assert found.name(0) == "A/HEM 201 FE"


def test_a_move_of_less_than_a_tenth_counts_only_where_nothing_moved_more(tmp_path):
    atoms = small_model()
    small = shifted(atoms, "HEM", (0.09, 0.0, 0.0))
    both = shifted(small, "MG", (0.11, 0.0, 0.0))
    one, two, three = read(tmp_path, one=atoms, two=small, three=both)
    assert set(compared_atoms([one, two]).residue) == {"HEM"}
    assert "differ at all, by less than 0.1 Å" in compared_atoms([one, two]).scope
    assert set(compared_atoms([one, three]).residue) == {"MG"}


def test_models_that_differ_in_most_atoms_are_compared_whole(tmp_path):
    atoms = small_model()
    one, two = read(tmp_path, one=atoms, two=moved(atoms, (0.3, 0.0, 0.0)))
    found = compared_atoms([one, two])
    assert len(found) == 17
    assert not found.part
    assert "all; 17 differ" in found.scope
    assert "HOH" not in found.residue


def test_what_one_model_lacks_is_compared_but_not_in_all(tmp_path):
    atoms = small_model()
    other = [a for a in shifted(atoms, "HEM", (0.5, 0, 0)) if (a.residue, a.name) != ("HEM", "NB")]
    one, two = read(tmp_path, one=other, two=atoms)
    found = compared_atoms([one, two])
    assert found.atom.tolist() == ["FE", "NA", "CHA", "NB"]
    assert found.in_all.tolist() == [True, True, True, False]
    assert found.rows[0, 3] == -1
    assert np.isnan(found.moved[3])


def test_conformers_insertion_codes_and_chains_are_part_of_the_name(tmp_path):
    a = residue("LIG", "C1 C2", number=1, record="HETATM")
    atoms = [
        *a,
        *[replace(x, icode="A") for x in a],
        *[replace(x, altloc="B") for x in a],
        *[replace(x, chain="B") for x in a],
    ]
    one, two = read(tmp_path, one=atoms, two=moved(atoms, (1.0, 0, 0))[::-1])
    found = compared_atoms([one, two])
    assert len(found) == 8
    assert found.moved == pytest.approx([1.0] * 8)
    assert found.name(4) == "A/LIG 1 C1.B"
    assert found.name(2) == "A/LIG 1A C1"


def test_three_models_are_compared_where_any_two_differ(tmp_path):
    atoms = small_model()
    one, two, three = read(
        tmp_path,
        one=atoms,
        two=shifted(atoms, "HEM", (0.06, 0, 0)),
        three=shifted(shifted(atoms, "HEM", (-0.06, 0, 0)), "MG", (2.0, 0, 0)),
    )
    found = compared_atoms([one, two, three])
    assert set(found.residue) == {"HEM", "MG"}
    assert found.moved == pytest.approx([0.12] * 4 + [2.0])


def test_a_selection_is_taken_as_it_is_but_for_water(tmp_path):
    atoms = small_model()
    one, two = read(tmp_path, one=atoms, two=shifted(atoms, "MG", (0.5, 0, 0)))
    assert set(compared_atoms([one, two], HAEM).residue) == {"HEM"}
    assert "HOH" not in compared_atoms([one, two], "//A").residue
    water = compared_atoms([one, two], "(HOH)")
    assert (len(water), set(water.residue)) == (3, {"HOH"})
    assert water.scope == "3 atoms other than hydrogen: the selection '(HOH)'"


def test_names_that_stand_twice_are_left_out_and_counted(tmp_path):
    atoms = small_model()
    twice = [*atoms, *moved(residue("MG", "MG", number=202, element="MG"), (9.0, 9.0, 9.0))]
    one, two = read(tmp_path, one=twice, two=shifted(atoms, "HEM", (0.5, 0, 0)))
    found = compared_atoms([one, two])
    assert "MG" not in found.residue
    assert found.notes == (f"{one.path}: 1 atoms bear a name twice; they are left out",)


@pytest.mark.parametrize(
    ("other", "selection", "message"),
    [
        (lambda a: a, None, "the same atoms in the same places; there is nothing to compare"),
        (lambda a: [x for x in a if x.residue != "HEM"], HAEM, r"names no atom of .*two\.cif"),
        (
            lambda a: [replace(x, chain="Z") for x in a],
            None,
            r"no compared atom is in all 2 models \(A/ALA 1 N is in .*one\.cif only\)",
        ),
        (
            lambda a: [x for x in a if x.residue == "HOH"],
            None,
            r"two\.cif: holds nothing but water",
        ),
        (lambda a: a, "(((", "cannot be understood"),
    ],
)
def test_nothing_to_compare_is_said_with_the_file(tmp_path, other, selection, message):
    atoms = small_model()
    with pytest.raises(ParameterError, match=message):
        compared_atoms(read(tmp_path, one=atoms, two=other(atoms)), selection)


def test_a_selection_of_hydrogens_alone_is_refused(tmp_path):
    atoms = [*small_model(), *residue("ALA", "HA", number=1, element="H")]
    models = read(tmp_path, one=atoms, two=shifted(atoms, "HEM", (1, 0, 0)))
    with pytest.raises(ParameterError, match="names only hydrogens"):
        compared_atoms(models, "//A/1/HA")
