import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomsight.errors import ModelFileError
from atomsight.io.models import read_model, read_models
from tests.support.models import (
    Atom,
    cif_text,
    pdb_text,
    peptide,
    residue,
    write_model,
)

BUILDERS = {"cif": cif_text, "pdb": pdb_text}
both_formats = pytest.mark.parametrize("kind", BUILDERS)


def read(folder, kind, atoms, **options):
    return read_model(write_model(folder / f"model.{kind}", BUILDERS[kind](atoms)), **options)


def records(model):
    """What stands in the columns, one tuple an atom."""
    residues = model.residues
    return [
        (
            residues.chain[r],
            int(residues.number[r]),
            residues.icode[r],
            residues.name[r],
            model.atom[i],
            model.altloc[i],
            model.element[i],
            tuple(model.xyz[i].tolist()),
            float(model.occupancy[i]),
            float(model.b_iso[i]),
        )
        for i, r in enumerate(model.residue)
    ]


def keys(residues):
    return list(
        zip(residues.chain, residues.number.tolist(), residues.icode, residues.name, strict=True)
    )


def expected(atoms):
    return [
        (
            a.chain,
            a.number or 0,
            a.icode,
            a.residue,
            a.name,
            a.altloc,
            a.element.capitalize(),
            a.xyz,
            a.occupancy,
            a.b_iso,
        )
        for a in atoms
    ]


def numbered(atoms):
    """The same atoms, each at a place of its own."""
    return [
        Atom(**{**vars(atom), "xyz": (i * 0.5, -i * 0.25, i * 0.125), "b_iso": i + 0.25})
        for i, atom in enumerate(atoms)
    ]


WATERS = [
    Atom("O", "HOH", chain, 300 + n, "O", record="HETATM", label_asym=f"W{chain}", entity="9")
    for n, chain in enumerate("ABAB")
]
MICRO = [
    Atom(name, residue_name, "A", 5, name[0], altloc=altloc)
    for name in ("N", "CA", "C", "O", "CB")
    for residue_name, altloc in (("SER", "A"), ("THR", "B"))
]
ARRANGEMENTS = {
    "one residue": residue("ALA", "N CA C O CB"),
    "two chains": [*peptide("ALA GLY"), *peptide("SER VAL", chain="B")],
    "waters at the end": [*peptide("ALA GLY"), *peptide("SER", chain="B"), *WATERS],
    "insertion codes": [
        *peptide("GLY", first=27),
        *(atom for icode in "AB" for atom in peptide("SER", first=27, icode=icode)),
        *peptide("THR", first=28),
    ],
    "insertion code before": [*peptide("GLY", first=27, icode="A"), *peptide("SER", first=27)],
    "altlocs side by side": [
        Atom(name, "SER", "A", 5, name[0], altloc=altloc, occupancy=0.5)
        for name in ("N", "CA", "CB")
        for altloc in "AB"
    ],
    "altlocs one after another": [
        Atom(name, "SER", "A", 5, name[0], altloc=altloc, occupancy=0.33)
        for altloc in "ABC"
        for name in ("N", "CA", "CB")
    ],
    "one atom of two has altlocs": [
        Atom("N", "SER", "A", 5, "N"),
        Atom("CA", "SER", "A", 5, altloc="B"),
        Atom("CA", "SER", "A", 5, altloc="A"),
    ],
    "two residues at one place, interleaved": [
        *peptide("ALA", first=4),
        *MICRO,
        *peptide("GLY", first=6),
    ],
    "two residues at one place, in blocks": [*MICRO[::2], *MICRO[1::2]],
    "a chain that comes back": [
        *peptide("ALA"),
        *peptide("GLY", chain="B"),
        *peptide("SER", first=2),
        *peptide("VAL", first=2, chain="B"),
    ],
    "numbers that run backwards": [*peptide("ALA", first=9), *peptide("GLY", first=-3)],
    "negative numbers": [*peptide("ALA GLY", first=-1), *peptide("SER", first=1)],
    "no residue number": [*peptide("ALA"), Atom("O", "HOH", "A", None, "O", record="HETATM")],
    "unknown residues": [*peptide("UNK XYZ"), *residue("LIG", "C1 X9", number=7)],
    "a name that looks like another element": [
        Atom("CA", "CA", "A", 1, "CA", record="HETATM"),
        Atom("CA", "ALA", "A", 2, "C"),
        Atom("CD", "CD", "A", 3, "CD", record="HETATM"),
    ],
    "hydrogens and deuterium": [
        *residue("ALA", "N CA"),
        *residue("ALA", "H HA HB1", element="H"),
        *residue("ALA", "D1 D2", element="D"),
    ],
}


@both_formats
@pytest.mark.parametrize("atoms", ARRANGEMENTS.values(), ids=ARRANGEMENTS)
def test_atoms_come_in_the_order_of_the_file(tmp_path, kind, atoms):
    atoms = numbered(atoms)
    model = read(tmp_path, kind, atoms)
    assert records(model) == expected(atoms)
    np.testing.assert_array_equal(model.row, np.arange(len(atoms)))
    assert [atom.element in {"H", "D"} for atom in atoms] == model.hydrogen.tolist()


@both_formats
@pytest.mark.parametrize("atoms", ARRANGEMENTS.values(), ids=ARRANGEMENTS)
def test_residues_come_in_order_of_first_appearance_each_once(tmp_path, kind, atoms):
    residues = read(tmp_path, kind, numbered(atoms)).residues
    assert keys(residues) == list(dict.fromkeys(row[:4] for row in expected(atoms)))


@both_formats
@given(order=st.permutations(range(16)))
def test_atoms_in_any_order_keep_it(tmp_path_factory, kind, order):
    both = [*peptide("ALA GLY", label_asym="A"), *peptide("SER VAL", chain="B", label_asym="B")]
    atoms = numbered([both[i] for i in order])
    model = read(tmp_path_factory.getbasetemp(), kind, atoms)
    assert records(model) == expected(atoms)
    np.testing.assert_array_equal(model.row, np.arange(16))
    assert keys(model.residues) == list(dict.fromkeys(row[:4] for row in expected(atoms)))


@both_formats
def test_serials_in_the_structure_lead_back_to_the_rows(tmp_path, kind):
    atoms = numbered([*ARRANGEMENTS["a chain that comes back"], *MICRO])
    model = read(tmp_path, kind, atoms)
    found = {
        site.atom.serial - 1: (site.chain.name, site.atom.name) for site in model.structure[0].all()
    }
    for i, row in enumerate(model.row):
        assert found[row] == (atoms[i].chain, model.atom[i])


@both_formats
def test_hydrogens_at_the_end_of_the_file_belong_to_their_residues(tmp_path, kind):
    heavy = [*peptide("ALA GLY"), *peptide("SER", chain="B")]
    last = [Atom("HA", a.residue, a.chain, a.number, "H") for a in heavy if a.name == "CA"]
    model = read(tmp_path, kind, [*heavy, *last])
    assert len(model.residues) == 3
    assert model.residue.tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 0, 1, 2]


@both_formats
@pytest.mark.parametrize("compress", [True, False])
@pytest.mark.parametrize("name", ["model", "model.gz", "model.txt", "model.cif", "model.pdb"])
def test_the_format_is_told_by_content_not_by_name(tmp_path, kind, compress, name):
    content = BUILDERS[kind](ARRANGEMENTS["two chains"])
    model = read_model(write_model(tmp_path / name, content, compress=compress))
    assert records(model) == expected(ARRANGEMENTS["two chains"])
    assert model.path == tmp_path / name
    assert (model.document is None) == (kind == "pdb")


@both_formats
@pytest.mark.parametrize("value", [0.0, 0.1, 9.99, 99.99, 128.07, 256.01, 512.34, 999.99])
def test_decimal_numbers_are_those_of_the_file(tmp_path, kind, value):
    model = read(tmp_path, kind, [Atom(b_iso=value, occupancy=round(value / 1000, 2))])
    assert model.b_iso.tolist() == [value]
    assert model.occupancy.tolist() == [round(value / 1000, 2)]
    assert model.b_iso.dtype == model.occupancy.dtype == model.xyz.dtype == np.float64


@both_formats
def test_an_atom_without_coordinates_keeps_its_row_and_is_nowhere(tmp_path, kind):
    atoms = [Atom("N", element="N"), Atom("CA", xyz=None), Atom("C"), Atom("HA", element="H")]
    model = read(tmp_path, kind, atoms)
    assert model.atom.tolist() == ["N", "CA", "C", "HA"]
    assert model.has_position.tolist() == [True, False, True, True]
    assert np.isnan(model.xyz[1]).all()
    assert model.heavy.tolist() == [True, False, True, False]
    assert model.notes == ("1 atoms have no coordinates",)


def several_models(kind, folder, numbers=(1, 2, 5), **options):
    atoms = [
        Atom(**{**vars(atom), "model": number, "xyz": (number * 10.0, float(i), 0.0)})
        for number in numbers
        for i, atom in enumerate(peptide("ALA GLY"))
    ]
    return read(folder, kind, atoms, **options)


@both_formats
def test_the_first_of_several_models_is_taken_and_that_is_said(tmp_path, kind):
    model = several_models(kind, tmp_path)
    assert (model.number, model.model_numbers) == (1, (1, 2, 5))
    assert set(model.xyz[:, 0]) == {10.0}
    assert model.notes == ("the file holds 3 MODELs: MODEL 1 taken (--model)",)


@both_formats
@pytest.mark.parametrize(("number", "first"), [(1, 0), (2, 8), (5, 16)])
def test_a_model_can_be_chosen_and_its_rows_count_from_the_top_of_the_file(
    tmp_path, kind, number, first
):
    model = several_models(kind, tmp_path, model=number)
    assert model.number == number
    assert set(model.xyz[:, 0]) == {number * 10.0}
    np.testing.assert_array_equal(model.row, np.arange(first, first + 8))
    assert model.notes == ()


@both_formats
def test_all_models_are_read_at_once_as_one_by_one(tmp_path, kind):
    one = several_models(kind, tmp_path)
    models = read_models(one.path)
    assert [model.number for model in models] == [1, 2, 5]
    for model in models:
        alone = read_model(one.path, model=model.number)
        np.testing.assert_array_equal(model.xyz, alone.xyz)
        np.testing.assert_array_equal(model.row, alone.row)
        assert records(model) == records(alone)
        assert (model.model_numbers, model.notes) == ((1, 2, 5), ())


@both_formats
def test_a_model_that_is_not_there_is_refused_with_those_that_are(tmp_path, kind):
    with pytest.raises(ModelFileError, match=r"has no MODEL 3; it has 1, 2, 5$"):
        several_models(kind, tmp_path, model=3)
    with pytest.raises(ModelFileError, match=r"has no MODEL 99; it has 1, 2, .*, 10 …$"):
        several_models(kind, tmp_path, numbers=range(1, 21), model=99)


def test_a_pdb_model_without_atoms_is_passed_over(tmp_path):
    text = "MODEL        1\nENDMDL\n" + pdb_text(
        Atom(**{**vars(atom), "model": number}) for number in (2, 3) for atom in peptide("ALA")
    )
    model = read_model(write_model(tmp_path / "model.pdb", text))
    assert (model.number, model.model_numbers) == (2, (2, 3))


@pytest.mark.parametrize("length", [1, 4, 7, 8, 9, 40])
@pytest.mark.parametrize("other", ["CA", ""])
def test_names_of_any_length_are_kept_whole_in_mmcif(tmp_path, length, other):
    name = ("Q" + "abcdefghij" * 4)[:length]
    atoms = [
        Atom("N", entity="1"),
        Atom(name, name, name, 1, label_asym=name, entity="2", record="HETATM"),
        Atom(other or name, "ALA", "long-chain-name", 7, label_asym="B2", entity="1"),
    ]
    model = read(tmp_path, "cif", atoms)
    assert records(model) == expected(atoms)
    assert model.residues.label_asym.tolist() == ["A", name, "B2"]
    assert model.residues.entity.tolist() == ["1", "2", "1"]


def test_primes_and_stars_stay_in_atom_names(tmp_path):
    atoms = numbered([Atom(name, "A", "A", 1, name[0]) for name in ("C1'", "O2*", "H5''", "OP1")])
    for kind in BUILDERS:
        assert read(tmp_path, kind, atoms).atom.tolist() == ["C1'", "O2*", "H5''", "OP1"]


@pytest.mark.parametrize(
    ("columns", "residue_name", "element"),
    [
        (" CA ", "ALA", "C"),
        ("CA  ", " CA", "CA"),
        (" HA ", "ALA", "H"),
        ("HG11", "VAL", "H"),
        ("1HB ", "ALA", "H"),
        ("HG  ", " HG", "HG"),
        ("FE  ", "HEM", "FE"),
        ("ZN  ", " ZN", "ZN"),
        (" OP1", "  A", "O"),
        (" D  ", "ALA", "D"),
    ],
)
def test_elements_come_from_the_columns_of_the_name_where_a_pdb_file_has_none(
    tmp_path, columns, residue_name, element
):
    line = f"ATOM      2 {columns} {residue_name} A   2       4.000   5.000   6.000  1.00 10.00"
    first = pdb_text(residue("ALA", "N CA C", number=1)).splitlines()[:3]
    model = read_model(write_model(tmp_path / "old.pdb", "\n".join([*first, line]) + "\n"))
    assert model.element[3] == element.capitalize()
    assert model.hydrogen[3] == (element in {"H", "D"})


CASES = {
    "em": ("_em_3d_reconstruction.resolution 3.2\n", 3.2, "_em_3d_reconstruction.resolution"),
    "refine": ("_refine.ls_d_res_high 1.75\n", 1.75, "_refine.ls_d_res_high"),
    "reflns": ("_reflns.d_resolution_high 2.1\n", 2.1, "_reflns.d_resolution_high"),
    "unknown in em": (
        "_em_3d_reconstruction.resolution ?\n_refine.ls_d_res_high 2.5(1)\n",
        2.5,
        "_refine.ls_d_res_high",
    ),
    "em before refine": (
        "_refine.ls_d_res_high 2.5\n_em_3d_reconstruction.resolution 3.1\n",
        3.1,
        "_em_3d_reconstruction.resolution",
    ),
    "several": (
        "loop_\n_em_3d_reconstruction.id\n_em_3d_reconstruction.resolution\n1 .\n2 3.9\n",
        3.9,
        "_em_3d_reconstruction.resolution",
    ),
    "zero": ("_refine.ls_d_res_high 0.0\n", None, ""),
    "negative": ("_refine.ls_d_res_high -3\n", None, ""),
    "text": ("_refine.ls_d_res_high unknown\n", None, ""),
    "nothing": ("", None, ""),
}


@pytest.mark.parametrize(("before", "resolution", "source"), CASES.values(), ids=CASES)
def test_resolution_in_mmcif_and_where_it_stands(tmp_path, before, resolution, source):
    path = write_model(tmp_path / "model.cif", cif_text(peptide("ALA"), before))
    model = read_model(path)
    assert model.resolution == resolution
    assert model.resolution_source == source


@pytest.mark.parametrize(
    ("before", "resolution", "source"),
    [
        ("REMARK   2\nREMARK   2 RESOLUTION.    3.20 ANGSTROMS.\n", 3.2, "REMARK 2"),
        ("REMARK   2\nREMARK   2 RESOLUTION. NOT APPLICABLE.\n", None, ""),
        ("", None, ""),
    ],
)
def test_resolution_in_pdb_and_where_it_stands(tmp_path, before, resolution, source):
    path = write_model(tmp_path / "model.pdb", pdb_text(peptide("ALA"), before))
    model = read_model(path)
    assert model.resolution == pytest.approx(resolution)
    assert model.resolution_source == source
