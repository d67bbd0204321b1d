"""Neighbours from assemblies and crystals, against gemmi and against all copies one by one."""

from itertools import product

import gemmi
import numpy as np
import pytest

from atomsight.errors import ParameterError
from atomsight.evidence.copies import copy_positions
from atomsight.evidence.q_score import q_score
from atomsight.io.models import read_model
from tests.support.models import Atom, cif_text, pdb_text, write_model
from tests.support.scene import noise_map, scatter

REACH = 3.8
TWOFOLD = [(-1, 0, 0, 20.0), (0, -1, 0, 20.0), (0, 0, 1, 0.0)]
"""About an axis along z at (10, 10): rows of a matrix and a shift."""
LIFT = [(1, 0, 0, 0.0), (0, 1, 0, 0.0), (0, 0, 1, 5.0)]
DROP = [(1, 0, 0, 0.0), (0, 1, 0, 0.0), (0, 0, 1, -5.0)]
IDENTITY = [(1, 0, 0, 0.0), (0, 1, 0, 0.0), (0, 0, 1, 0.0)]


def atoms_at(places, chain="A", first=1) -> list[Atom]:
    return [
        Atom(chain=chain, number=first + i, xyz=tuple(float(v) for v in place))
        for i, place in enumerate(places)
    ]


PLACES = scatter(1, 12, 6.0, 14.0, apart=1.0)
"""Around the twofold axis, so that the copies interleave with the model."""


def assembly_text(*assemblies: tuple[str, str, str]) -> str:
    """mmCIF categories of assemblies (id, operators, subchains) over four operators."""
    fields = ("id", "details", "method_details", "oligomeric_details", "oligomeric_count")
    head = "".join(f"_pdbx_struct_assembly.{field}\n" for field in fields)
    ids = "\n".join(f"{name} ? ? ? ?" for name, _, _ in assemblies)
    rows = "\n".join(f"{name} '{operators}' {chains}" for name, operators, chains in assemblies)
    tags = [f"matrix[{i}][{j}]" for i, j in product((1, 2, 3), repeat=2)]
    tags += [*(f"vector[{i}]" for i in (1, 2, 3)), "type"]
    operators = "\n".join(
        " ".join(
            map(str, [name, *(v for row in op for v in row[:3]), *(row[3] for row in op), "?"])
        )
        for name, op in (("1", IDENTITY), ("2", TWOFOLD), ("3", LIFT), ("4", DROP))
    )
    return (
        f"loop_\n{head}{ids}\n"
        "loop_\n_pdbx_struct_assembly_gen.assembly_id\n_pdbx_struct_assembly_gen.oper_expression\n"
        f"_pdbx_struct_assembly_gen.asym_id_list\n{rows}\n"
        "loop_\n_pdbx_struct_oper_list.id\n"
        + "".join(f"_pdbx_struct_oper_list.{tag}\n" for tag in tags)
        + f"{operators}\n"
    )


def remark_350(operators) -> str:
    """REMARK 350 of one assembly of chain A."""
    lines = ["BIOMOLECULE: 1", "APPLY THE FOLLOWING TO CHAINS: A"]
    for number, rows in enumerate(operators, 1):
        lines += [
            f"  BIOMT{i} {number:3d}{row[0]:10.6f}{row[1]:10.6f}{row[2]:10.6f}{row[3]:15.5f}"
            for i, row in enumerate(rows, 1)
        ]
    return "".join(f"{'REMARK 350 ' + line:<80}\n" for line in ["", *lines])


def crystal_text(cell, group: str) -> str:
    edges = "".join(f"{v:9.3f}" for v in cell[:3]) + "".join(f"{v:7.2f}" for v in cell[3:])
    return f"CRYST1{edges} {group:<11}   1\n"


@pytest.fixture
def from_cif(tmp_path):
    def read(before="", atoms=None):
        text = cif_text(atoms or atoms_at(PLACES), before)
        return read_model(write_model(tmp_path / "m.cif", text))

    return read


@pytest.fixture
def from_pdb(tmp_path):
    def read(before="", places=PLACES):
        return read_model(write_model(tmp_path / "m.pdb", pdb_text(atoms_at(places), before)))

    return read


def moved(operator, places=PLACES) -> np.ndarray:
    rows = np.array(operator, dtype=float)
    return places @ rows[:, :3].T + rows[:, 3]


def same_places(found, expected) -> None:
    """The same positions in any order."""
    assert len(found) == len(expected)
    order, other = (np.lexsort(np.round(p, 3).T) for p in (found, expected))
    np.testing.assert_allclose(found[order], expected[other], atol=2e-3)


def test_no_copies_unless_asked_for(from_cif):
    found = copy_positions(from_cif(assembly_text(("1", "1,2", "A"))), "none", REACH)
    assert found.shape == (0, 3)


def test_an_assembly_of_an_mmcif_file_gives_the_copy_and_not_the_model(from_cif):
    model = from_cif(assembly_text(("1", "1,2", "A")))
    same_places(copy_positions(model, "assembly", 50.0), moved(TWOFOLD))


def test_remark_350_of_a_pdb_file_gives_the_same(from_pdb):
    model = from_pdb(remark_350([IDENTITY, TWOFOLD]))
    same_places(copy_positions(model, "assembly", 50.0), moved(TWOFOLD))


@pytest.mark.parametrize("expression", ["1,2,3", "(1-3)", "1-3", "(1,2,3)", "(1-2,3)"])
def test_lists_and_ranges_of_operators_are_followed(from_cif, expression):
    model = from_cif(assembly_text(("1", expression, "A")))
    expected = np.concatenate([moved(TWOFOLD), moved(LIFT)])
    same_places(copy_positions(model, "assembly", 50.0), expected)


@pytest.mark.parametrize(
    "expression", ["(1,2)(1,3)", "(1-2),3", "P(1-3)", "(1-2)(3)", "1, 2", "1,9", "9"]
)
def test_operators_that_would_be_read_in_part_are_refused(from_cif, expression):
    model = from_cif(assembly_text(("one", "1,2", "A"), ("two", expression, "A")))
    same_places(copy_positions(model, "assembly", 50.0), moved(TWOFOLD))
    with pytest.raises(ParameterError, match="operators of assembly two cannot be followed"):
        copy_positions(model, "assembly", 50.0, assembly="two")


def test_the_first_assembly_counts_unless_another_one_is_named(from_cif):
    model = from_cif(assembly_text(("one", "1,2", "A"), ("two", "1,3", "A")))
    same_places(copy_positions(model, "assembly", 50.0), moved(TWOFOLD))
    same_places(copy_positions(model, "assembly", 50.0, assembly="two"), moved(LIFT))


@pytest.mark.parametrize(("listed", "copied"), [("A", 6), ("B", 6), ("A,B", 12)])
def test_only_the_chains_that_an_assembly_lists_are_copied(from_cif, listed, copied):
    atoms = atoms_at(PLACES[:6], "A") + atoms_at(PLACES[6:], "B")
    model = from_cif(assembly_text(("1", "1,2", listed)), atoms)
    expected = moved(TWOFOLD)[6:] if listed == "B" else moved(TWOFOLD)[:copied]
    same_places(copy_positions(model, "assembly", 50.0), expected)


@pytest.mark.parametrize(("number", "operator"), [(3, LIFT), (4, DROP)])
def test_copies_beyond_reach_are_left_out(from_cif, number, operator):
    model = from_cif(assembly_text(("1", f"1,{number}", "A")))
    expected = moved(operator)
    low, high = PLACES.min(axis=0) - 1.0, PLACES.max(axis=0) + 1.0
    inside = ((low <= expected) & (expected <= high)).all(axis=1)
    assert 0 < inside.sum() < len(inside)
    same_places(copy_positions(model, "assembly", 1.0), expected[inside])


def test_hydrogens_are_not_copied(from_cif):
    atoms = atoms_at(PLACES)
    hydrogens = [Atom(name="H", element="H", number=1, xyz=(9.0, 9.0, 9.0))]
    model = from_cif(assembly_text(("1", "1,2", "A")), atoms + hydrogens)
    same_places(copy_positions(model, "assembly", 50.0), moved(TWOFOLD))


def test_files_without_assembly_or_crystal_say_so(from_cif, from_pdb):
    with pytest.raises(ParameterError, match="describes no assembly"):
        copy_positions(from_cif(), "assembly", REACH)
    with pytest.raises(ParameterError, match="describes no crystal"):
        copy_positions(from_cif(), "crystal", REACH)
    with pytest.raises(ParameterError, match="describes no crystal"):
        copy_positions(from_pdb(crystal_text((1, 1, 1, 90, 90, 90), "P 1")), "crystal", REACH)


def test_an_assembly_without_operators_is_refused(from_pdb):
    with pytest.raises(ParameterError, match="operators of assembly 1 cannot be followed"):
        copy_positions(from_pdb(remark_350([])), "assembly", REACH)


def test_an_unknown_assembly_is_refused_with_the_known_ones(from_cif):
    model = from_cif(assembly_text(("one", "1,2", "A"), ("two", "1,3", "A")))
    with pytest.raises(ParameterError, match=r"no assembly three; it has one, two"):
        copy_positions(model, "assembly", REACH, assembly="three")


CRYSTALS = [
    ((22.0, 25.0, 28.0, 90, 90, 90), "P 21 21 21"),
    ((14.0, 15.0, 16.0, 90, 90, 90), "P 1"),
    ((24.0, 19.0, 26.0, 90, 105, 90), "C 1 2 1"),
    ((24.0, 24.0, 20.0, 90, 90, 120), "P 31 2 1"),
    ((17.0, 19.0, 21.0, 70, 80, 100), "P -1"),
]


def all_copies(model, cell, group: str) -> np.ndarray:
    """Every copy in seven cells either way, one by one, within reach of an atom."""
    unit = gemmi.UnitCell(*cell)
    out = np.array(unit.orth.mat.tolist())
    fractions = model.xyz @ np.array(unit.frac.mat.tolist()).T
    low, high = model.xyz.min(axis=0) - REACH, model.xyz.max(axis=0) + REACH
    found = []
    for number, operation in enumerate(gemmi.SpaceGroup(group).operations()):
        image = np.array([operation.apply_to_xyz(list(f)) for f in fractions])
        for whole in product(range(-7, 8), repeat=3):
            if number or any(whole):
                place = (image + whole) @ out.T
                found.append(place[((place >= low) & (place <= high)).all(axis=1)])
    return near(model, np.concatenate(found))


def near(model, places) -> np.ndarray:
    return places[np.linalg.norm(places[:, None] - model.xyz, axis=-1).min(axis=1) <= REACH]


@pytest.mark.parametrize(("cell", "group"), CRYSTALS)
def test_crystal_copies_within_reach_are_there_and_each_once(from_pdb, cell, group):
    model = from_pdb(crystal_text(cell, group), scatter(3, 40, 40.0, 52.0))
    found = copy_positions(model, "crystal", REACH)
    assert len(np.unique(found.round(6), axis=0)) == len(found)
    same_places(near(model, found), all_copies(model, cell, group))


def test_crystal_copies_out_of_reach_are_few(from_pdb):
    model = from_pdb(crystal_text((40, 45, 50, 90, 90, 90), "P 21 21 21"), PLACES)
    assert len(copy_positions(model, "crystal", 1.0)) == 0


def test_a_model_longer_than_its_cell_has_copies_from_cells_further_away(from_pdb):
    # a rod along the diagonal; turned about z, it crosses itself near both of its ends
    cell = (40.0, 40.0, 110.0, 90, 90, 90)
    rod = np.linspace(-40, 40, 60)[:, None] * [1.0, 0.1, 1.0] + [3.0, 2.0, 5.0]
    model = from_pdb(crystal_text(cell, "P 1 1 2"), rod.round(3))
    found = copy_positions(model, "crystal", REACH)
    same_places(near(model, found), all_copies(model, cell, "P 1 1 2"))


def test_crystal_contacts_are_those_that_gemmi_finds(from_pdb):
    cell, group = CRYSTALS[0]
    model = from_pdb(crystal_text(cell, group), scatter(3, 60, 40.0, 54.0))
    copies = copy_positions(model, "crystal", REACH)
    structure = model.structure
    search = gemmi.NeighborSearch(structure[0], structure.cell, REACH).populate()
    contacts = 0
    for place in model.xyz:
        centre = gemmi.Position(*place)
        marks = search.find_atoms(centre, radius=REACH)
        positions = [
            structure.cell.find_nearest_pbc_position(
                centre, mark.to_cra(structure[0]).atom.pos, mark.image_idx
            ).tolist()
            for mark in marks
        ]
        theirs = np.sort(np.linalg.norm(np.array(positions) - place, axis=1))
        everything = np.linalg.norm(np.concatenate([model.xyz, copies]) - place, axis=1)
        mine = np.sort(everything[everything < REACH])
        np.testing.assert_allclose(mine, theirs, atol=1e-4)
        contacts += len(mine) - (np.linalg.norm(model.xyz - place, axis=1) < REACH).sum()
    assert contacts > 15


def test_copies_change_q_at_the_interface_only(from_cif):
    model = from_cif(assembly_text(("1", "1,2", "A")), atoms_at(scatter(2, 40, 3.0, 12.5, 1.2)))
    copies = copy_positions(model, "assembly", REACH)
    map_ = noise_map(1)
    alone, together = q_score(map_, model).q, q_score(map_, model, neighbours=copies).q
    away = np.linalg.norm(model.xyz[:, None] - copies, axis=-1).min(axis=1)
    assert (away < 3.0).any()
    assert (away > REACH).any()
    np.testing.assert_array_equal(alone[away > REACH], together[away > REACH])
    assert (alone[away < 2.0] != together[away < 2.0]).all()
