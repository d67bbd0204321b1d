from dataclasses import replace
from pathlib import Path

import gemmi
import numpy as np
import pytest

from atomsight.errors import OutputError
from atomsight.export.columns import atom_keys
from atomsight.export.pdb import NOT_COMPUTED, why_not_pdb, write_pdb
from atomsight.io.models import read_model
from tests.support.cases import numbered
from tests.support.models import Atom, cif_text, pdb_text, peptide, residue, write_model

MAKERS = {".cif": cif_text, ".pdb": pdb_text}


def read(folder, atoms, ending=".cif", *, number=None, before=""):
    path = write_model(folder / f"in{ending}", MAKERS[ending](atoms, before))
    return read_model(path, model=number)


def write(model, folder, values=None, remarks=("REMARKABLE",)):
    """Lines of the file written, with values that tell the atoms apart."""
    values = np.arange(len(model)) / 100.0 if values is None else np.asarray(values, dtype=float)
    path = write_pdb(model, values, list(remarks), folder / "out.pdb")
    data = path.read_bytes()
    assert data.isascii()
    return data.decode("ascii").splitlines()


def records(lines, *names):
    return [line for line in lines if line[:6].strip() in names]


def b_column(lines):
    return [float(line[60:66]) for line in records(lines, "ATOM", "HETATM")]


def named(model, values):
    """Values by everything that names an atom: rows need not be in the same order."""
    keys = zip(*list(atom_keys(model).values())[1:10], strict=True)
    return dict(zip([(*key[:1], *key[2:]) for key in keys], values.tolist(), strict=True))


GOLDEN = """\
REMARK   0 ABOUT THIS FILE
HET     MG  A 201       1
CRYST1    1.000    1.000    1.000  90.00  90.00  90.00 P 1
ATOM      1  N  ASER A  10A      1.000   2.000   3.000  0.60  0.00           N
ATOM      2  N  BSER A  10A     -1.500   2.250  -3.125  0.40  0.01           N
ATOM      3  CA  SER A  10B      0.000   0.000   0.000  1.00  0.02           C
TER       4      SER A  10B
HETATM    5 MG    MG A 201    -999.999   0.000   0.000  1.00  0.03          MG
HETATM    6  O   HOH A 301    9999.999   0.000   0.000  1.00  0.04           O
END
"""
GOLDEN_ATOMS = [
    Atom("N", "SER", "A", 10, "N", icode="A", altloc="A", occupancy=0.6),
    Atom("N", "SER", "A", 10, "N", (-1.5, 2.25, -3.125), "A", "B", 0.4),
    Atom("CA", "SER", "A", 10, "C", (0.0, 0.0, 0.0), "B"),
    Atom("MG", "MG", "A", 201, "MG", (-999.999, 0.0, 0.0), record="HETATM", label_asym="B"),
    Atom("O", "HOH", "A", 301, "O", (9999.999, 0.0, 0.0), record="HETATM", label_asym="C"),
]


@pytest.mark.parametrize("ending", MAKERS)
def test_the_file_to_the_letter(tmp_path, ending):
    lines = write(read(tmp_path, GOLDEN_ATOMS, ending), tmp_path, remarks=["ABOUT THIS FILE"])
    assert [line.rstrip() for line in lines] == GOLDEN.splitlines()


@pytest.mark.parametrize("name", ["5ni1.cif", "5me2.pdb"])
def test_real_models_read_back_with_the_same_coordinates(demo_data, tmp_path, name):
    model = read_model(demo_data / name)
    values = np.linspace(-1.0, 1.0, len(model)).round(2)
    assert why_not_pdb(model) == ""
    write(model, tmp_path, values)
    again = read_model(tmp_path / "out.pdb")
    assert named(again, again.xyz) == named(model, model.xyz)
    assert named(again, again.occupancy) == named(model, model.occupancy)
    assert named(again, again.b_iso) == named(model, values)
    assert again.resolution == model.resolution == 3.2
    structure = gemmi.read_structure(str(tmp_path / "out.pdb"))
    assert structure[0].count_atom_sites() == len(model)


def test_everything_but_b_and_serial_stays_as_in_a_pdb_file(demo_data, tmp_path):
    source = (demo_data / "5me2.pdb").read_text().splitlines()
    lines = write(read_model(demo_data / "5me2.pdb"), tmp_path)
    for names in (("ATOM", "HETATM"), ("SEQRES",), ("CRYST1",), ("TITLE",), ("LINK",)):
        before = [line[11:60] + line[66:] for line in records(source, *names)]
        assert [line[11:60] + line[66:] for line in records(lines, *names)] == before


def test_what_has_no_value_shows_a_number_no_score_can_have(tmp_path):
    lines = write(read(tmp_path, peptide("ALA")), tmp_path, [0.5, np.nan, -1.0, np.nan])
    assert b_column(lines) == [0.5, NOT_COMPUTED, -1.0, NOT_COMPUTED]
    assert lines[3][60:66] == " -9.99"


def test_values_are_rounded_to_two_decimals(tmp_path):
    lines = write(read(tmp_path, peptide("ALA")), tmp_path, [0.557, 0.553, -0.126, 0.999])
    assert b_column(lines) == [0.56, 0.55, -0.13, 1.0]


@pytest.mark.parametrize("ending", MAKERS)
def test_our_remarks_come_first_and_the_resolution_stays(tmp_path, ending):
    before = {
        ".cif": "_em_3d_reconstruction.resolution 3.2\n_exptl.method 'ELECTRON MICROSCOPY'\n",
        ".pdb": "REMARK   2\nREMARK   2 RESOLUTION.    3.20 ANGSTROMS.\nREMARK   3 KEPT\n",
    }[ending]
    model = read(tmp_path, peptide("ALA"), ending, before=before)
    lines = write(model, tmp_path, remarks=["first", "second"])
    remarks = [line.rstrip() for line in records(lines, "REMARK")]
    assert remarks[:4] == [
        "REMARK   0 first",
        "REMARK   0 second",
        "REMARK   2",
        "REMARK   2 RESOLUTION.    3.20 ANGSTROMS.",
    ]
    assert ("REMARK   3 KEPT" in remarks) == (ending == ".pdb")
    assert read_model(tmp_path / "out.pdb").resolution == 3.2


def test_a_long_remark_goes_on_in_the_next_line(tmp_path):
    long = "Q-SCORE " + "WORD " * 20 + "SIGMA 0.4 A " + "X" * 90
    lines = records(write(read(tmp_path, peptide("ALA")), tmp_path, remarks=[long]), "REMARK")
    assert max(map(len, lines)) <= 80
    assert all(line.startswith("REMARK   0 ") for line in lines)
    joined = " ".join(line[11:] for line in lines)
    assert joined.replace(" ", "") == long.replace(" ", "")


@pytest.mark.parametrize("text", ["a\nATOM      1  X", "\x1b[31m", "naïve Å β", "caf\udce9"])
def test_a_remark_cannot_break_out_of_its_line(tmp_path, text):
    lines = write(read(tmp_path, peptide("ALA")), tmp_path, remarks=[text])
    assert len(records(lines, "ATOM")) == 4
    assert len(records(lines, "REMARK")) == 1


@pytest.mark.parametrize("ending", MAKERS)
@pytest.mark.parametrize("numbers", [(1, 2), (1, 2, 3), (3, 5, 7), (2, 1)])
def test_only_the_chosen_model_is_written(tmp_path, numbers, ending):
    atoms = [
        replace(atom, xyz=(float(number), 0.0, 0.0), model=number)
        for number in numbers
        for atom in peptide("ALA")
    ]
    for number in numbers:
        lines = write(read(tmp_path, atoms, ending, number=number), tmp_path)
        assert [line[30:38].strip() for line in records(lines, "ATOM")] == [f"{number:.3f}"] * 4
        assert b_column(lines) == [0.0, 0.01, 0.02, 0.03]
        assert records(lines, "MODEL", "ENDMDL") == []


def test_the_structure_in_memory_keeps_its_b_factors_and_models(tmp_path):
    model = read(tmp_path, [*peptide("ALA"), *peptide("ALA", model=2)])
    write(model, tmp_path)
    assert [m.num for m in model.structure] == [1, 2]
    assert {site.atom.b_iso for site in model.structure[0].all()} == {20.0}
    assert list(model.structure.raw_remarks) == []


def test_each_conformer_keeps_its_own_value(tmp_path):
    atoms = [
        Atom("CA", altloc="A", occupancy=0.7),
        Atom("CA", altloc="B", occupancy=0.3),
        Atom("CB"),
    ]
    lines = write(read(tmp_path, [atoms[2], *atoms[:2]]), tmp_path, [0.1, 0.2, 0.3])
    assert {line[12:17]: float(line[60:66]) for line in records(lines, "ATOM")} == {
        " CB  ": 0.1,
        " CA A": 0.2,
        " CA B": 0.3,
    }


def test_values_follow_their_atoms_when_gemmi_regroups_them(tmp_path):
    atoms = [
        Atom(name, number=number, element=name[0])
        for name in ("N", "CA", "C")
        for number in (1, 2, 3)
    ]
    lines = write(read(tmp_path, atoms), tmp_path)
    found = {(line[12:16].strip(), int(line[22:26])): float(line[60:66]) for line in
             records(lines, "ATOM")}  # fmt: skip
    assert [n for _, n in found] == sorted(n for _, n in found)
    assert found == {(a.name, a.number): i / 100.0 for i, a in enumerate(atoms)}


def test_hydrogens_and_deuterium_are_written_like_other_atoms(tmp_path):
    atoms = [*residue("ALA", "CA"), *residue("ALA", "HA", element="H"),
             *residue("ALA", "DB", element="D")]  # fmt: skip
    lines = write(read(tmp_path, atoms), tmp_path, [0.5, 0.5, 0.25])
    assert [(line[12:16], line[76:78]) for line in records(lines, "ATOM")] == [
        (" CA ", " C"),
        (" HA ", " H"),
        (" DB ", " D"),
    ]
    assert b_column(lines) == [0.5, 0.5, 0.25]


def test_serials_beyond_the_decimal_ones_are_renumbered(tmp_path):
    atoms = [replace(a, serial="A0000") for a in peptide("ALA")]
    lines = write(read(tmp_path, atoms, ".pdb"), tmp_path)
    assert [line[6:11] for line in records(lines, "ATOM")] == [f"{n:5d}" for n in (1, 2, 3, 4)]


def test_a_model_at_the_limit_reads_back_though_its_last_serials_are_not_decimal(tmp_path):
    chain = peptide(" ".join(["ALA"] * 8333))
    atoms = [replace(a, chain=name, xyz=(0.0, 0.0, 0.0)) for name in "ABC" for a in chain]
    atoms += [Atom("O", "HOH", "D", number, "O", record="HETATM") for number in (1, 2, 3)]
    model = read(tmp_path, atoms)
    assert len(model) == 99_999
    assert why_not_pdb(model) == ""
    lines = write(model, tmp_path, np.zeros(len(model)))
    assert [line[6:11] for line in records(lines, "HETATM")] == ["A0000", "A0001", "A0002"]
    assert len(read_model(tmp_path / "out.pdb")) == 99_999


def one(**fields):
    return [Atom(), Atom(name="CB", **fields)]


REASONS = {
    "chain name AA is longer than 1 characters": one(chain="AA"),
    "residue name A1ABC is longer than 3 characters": one(residue="A1ABC"),
    "atom name HO5'1 is longer than 4 characters": [Atom(), Atom(name="HO5'1", element="H")],
    "a chain name holds letters beyond ASCII": one(chain="'Å'"),
    "a residue name holds letters beyond ASCII": one(residue="'βGA'"),
    "a atom name holds letters beyond ASCII": [Atom(), Atom(name="Cβ")],
    "residue numbers beyond -999 to 9999": one(number=10_000),
    "1 atoms without coordinates": one(xyz=None),
    "coordinates beyond -999.999 to 9999.999": one(xyz=(0.0, 10_000.0, 0.0)),
    "occupancies beyond -99.99 to 999.99": one(occupancy=1000.0),
}


@pytest.mark.parametrize(("reason", "atoms"), REASONS.items(), ids=REASONS)
def test_why_a_model_does_not_fit_the_format(tmp_path, reason, atoms):
    assert why_not_pdb(read(tmp_path, atoms)) == reason


@pytest.mark.parametrize(
    ("reason", "fields"),
    [
        ("residue numbers beyond -999 to 9999", {"number": -1000}),
        ("coordinates beyond -999.999 to 9999.999", {"xyz": (0.0, 0.0, -1000.0)}),
    ],
)
def test_both_ends_of_a_range_count(tmp_path, reason, fields):
    assert why_not_pdb(read(tmp_path, one(**fields))) == reason


@pytest.mark.parametrize(
    "fields",
    [
        {"number": 9999},
        {"number": -999},
        {"xyz": (9999.999, -999.999, 0.0)},
        {"occupancy": 999.99},
        {"chain": "z"},
        {"residue": "U"},
        {"icode": "Z"},
    ],
)
def test_what_just_fits_is_written_and_reads_back(tmp_path, fields):
    model = read(tmp_path, one(**fields))
    assert why_not_pdb(model) == ""
    write(model, tmp_path)
    again = read_model(tmp_path / "out.pdb")
    np.testing.assert_array_equal(again.xyz, model.xyz)
    np.testing.assert_array_equal(again.occupancy, model.occupancy)
    for name in ("chain", "number", "icode", "name"):
        assert getattr(again.residues, name).tolist() == getattr(model.residues, name).tolist()


def test_too_many_atoms_for_the_format(large_model):
    assert why_not_pdb(large_model) == "100800 atoms (the PDB format holds 99999)"


@pytest.mark.parametrize("ending", MAKERS)
@pytest.mark.parametrize("first", ["", "x"])
def test_a_title_beyond_ascii_does_no_harm(tmp_path, first, ending):
    """Lines of a title are broken by bytes, of which each letter has two."""
    title = first + "β" * 100
    before = {
        ".cif": f"_struct.title '{title}'\n",
        ".pdb": f"TITLE     {title}\nREMARK   3 {title}\n",
    }
    lines = write(read(tmp_path, peptide("ALA"), ending, before=before[ending]), tmp_path)
    assert any(line.startswith(f"TITLE     {first.upper()}???") for line in lines)
    assert records(lines, "ATOM")[0][12:26] == " N   ALA A   1"


def test_lines_end_as_in_unix(tmp_path):
    write(read(tmp_path, peptide("ALA")), tmp_path)
    data = (tmp_path / "out.pdb").read_bytes()
    assert b"\r" not in data
    assert data.endswith(b"\n")


def test_a_file_that_cannot_be_written_is_an_output_error(tmp_path):
    model = read(tmp_path, numbered(peptide("ALA")))
    with pytest.raises(OutputError, match=r"cannot write this file"):
        write_pdb(model, np.zeros(4), [], Path(tmp_path) / "none" / "out.pdb")
