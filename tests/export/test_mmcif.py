from dataclasses import replace
from pathlib import Path

import gemmi
import numpy as np
import pytest

from atomsight.export.mmcif import write_mmcif
from atomsight.io.models import read_model
from tests.support.cases import numbered, small_model
from tests.support.models import CIF_COLUMNS, Atom, as_cif, cif_text, pdb_text, peptide, write_model

TAG = "_atom_site.Q-score"
ATOM_COLUMNS = ("xyz", "atom", "element", "altloc", "occupancy", "b_iso", "hydrogen", "residue")
RESIDUE_COLUMNS = ("chain", "number", "icode", "name")


def ascending(count):
    """A value for each atom that tells its row."""
    return np.arange(count) / 1000.0


def annotate(folder, text, *, name="in.cif", number=None, values=None, **columns):
    """Write a file, read it, write it with a value an atom: the model and what was written."""
    model = read_model(write_model(folder / name, text), model=number)
    measures = columns or {"Q-score": ascending(len(model)) if values is None else values}
    path = write_mmcif(model, measures, folder / "out.cif")
    return model, gemmi.cif.read(str(path))


def scores(block):
    return list(block.find_values(TAG))


def content(block):
    """Every pair and every column of a block, texts as they are written."""
    found = {}
    for item in block:
        if item.pair is not None:
            found[item.pair[0]] = [item.pair[1]]
        elif item.loop is not None:
            found |= {tag: list(block.find_values(tag)) for tag in item.loop.tags}
        else:
            assert item.frame is not None
            found |= {(item.frame.name, k): v for k, v in content(item.frame).items()}
    return found


def order(block):
    """Tags in the order of the file."""
    tags = []
    for item in block:
        tags += [item.pair[0]] if item.pair is not None else list(item.loop.tags)
    return tags


def check_same_atoms(model, again):
    for name in ATOM_COLUMNS:
        np.testing.assert_array_equal(getattr(again, name), getattr(model, name), name)
    for name in RESIDUE_COLUMNS:
        ours, theirs = getattr(model.residues, name), getattr(again.residues, name)
        np.testing.assert_array_equal(theirs, ours, name)


def test_every_category_of_a_real_file_is_kept(demo_data, tmp_path):
    source = demo_data / "5ni1.cif"
    model = read_model(source)
    written = write_mmcif(model, {"Q-score": ascending(len(model))}, tmp_path / "out.cif")
    before = gemmi.cif.read(str(source))
    after = gemmi.cif.read(str(written))
    assert [block.name for block in after] == [block.name for block in before]
    old, new = content(before.sole_block()), content(after.sole_block())
    assert len(old) > 400
    assert new.pop(TAG) == [f"{value:.4f}" for value in ascending(4579)]
    assert new == old
    assert [tag for tag in order(after.sole_block()) if tag != TAG] == order(before.sole_block())


AWKWARD = """\
_struct.title 'it's not "quoted" # no comment'
_struct.pdbx_descriptor
;first

 second; 'line'
;
_struct.empty ''
_struct.unknown ?
_struct.none .
_struct.text '?'
loop_
_citation_author.name
_citation_author.ordinal
"O'Hara" "a'b"
'_x' ';y'
"""


def test_what_is_hard_to_quote_is_kept(tmp_path):
    text = cif_text(small_model(), AWKWARD)
    _, document = annotate(tmp_path, text)
    old, new = content(gemmi.cif.read_string(text).sole_block()), content(document.sole_block())
    del new[TAG]
    assert new == old
    assert new["_struct.text"] == ["'?'"]
    assert gemmi.cif.as_string(new["_struct.pdbx_descriptor"][0]) == "first\n\n second; 'line'"


def atom(name, **fields):
    return Atom(name=name, element=name[0], **fields)


def waters(chain, *numbers):
    return [
        atom(
            "O", residue="HOH", record="HETATM", chain=chain, number=number, label_asym=f"{chain}w"
        )
        for number in numbers
    ]


SCATTERED = {
    "interleaved conformers of two residues": [
        atom("N", residue="SER", altloc="A"),
        atom("N", residue="THR", altloc="B"),
        atom("CA", residue="SER", altloc="A"),
        atom("CA", residue="THR", altloc="B"),
    ],
    "conformers after the residue": [
        atom("N"),
        atom("CA", altloc="A"),
        atom("C"),
        atom("CA", altloc="B"),
    ],
    "waters of a chain after the next chain": [
        *peptide("ALA GLY", chain="A"),
        *peptide("ALA GLY", chain="B"),
        *waters("A", 301, 302),
        *waters("B", 301),
    ],
    "two chains taking turns": [
        atom(name, chain=chain, number=number)
        for number in (1, 2, 3)
        for chain in "BA"
        for name in ("N", "CA")
    ],
    "a residue in two pieces": [
        atom("N", number=1),
        atom("N", number=2),
        atom("CA", number=1),
        atom("CA", number=2),
    ],
    "serials that start again": [replace(a, serial=7) for a in peptide("ALA GLY")],
}


@pytest.mark.parametrize("atoms", SCATTERED.values(), ids=SCATTERED)
def test_every_row_gets_its_own_value(tmp_path, atoms):
    model, document = annotate(tmp_path, cif_text(atoms))
    block = document.sole_block()
    assert scores(block) == [f"{value:.4f}" for value in ascending(len(atoms))]
    assert [gemmi.cif.as_string(v) for v in block.find_values("_atom_site.label_atom_id")] == [
        a.name for a in atoms
    ]
    check_same_atoms(model, read_model(tmp_path / "out.cif"))


def test_gemmi_regroups_some_of_these():
    regrouped = []
    for name, atoms in SCATTERED.items():
        block = gemmi.cif.read_string(cif_text(numbered(atoms))).sole_block()
        serials = [site.atom.serial for site in gemmi.make_structure_from_block(block)[0].all()]
        if serials != sorted(serials):
            regrouped.append(name)
    assert {"interleaved conformers of two residues", "a residue in two pieces"} <= set(regrouped)


@pytest.mark.parametrize(("number", "first"), [(None, True), (1, True), (7, False)])
def test_atoms_of_other_models_show_a_question_mark(tmp_path, number, first):
    atoms = [*peptide("ALA", model=1), *peptide("ALA", model=7)]
    _, document = annotate(tmp_path, cif_text(atoms), number=number)
    values = [f"{value:.4f}" for value in ascending(4)]
    unknown = ["?"] * 4
    assert scores(document.sole_block()) == (values + unknown if first else unknown + values)


def test_models_that_take_turns_do_not_mix(tmp_path):
    atoms = [a for pair in zip(peptide("ALA"), peptide("ALA", model=2), strict=True) for a in pair]
    _, document = annotate(tmp_path, cif_text(atoms), number=2)
    assert scores(document.sole_block()) == [
        text for value in ascending(4) for text in ("?", f"{value:.4f}")
    ]


def with_column(atoms, tag, value="0.9"):
    text = cif_text(atoms)
    last = f"_atom_site.{CIF_COLUMNS[-1]}\n"
    head, rows = text.split(last)
    lines = [f"{value} {row}" if row.startswith(("ATOM", "HETATM")) else row for row in
             rows.split("\n")]  # fmt: skip
    return head.replace("loop_\n", f"loop_\n{tag}\n") + last + "\n".join(lines)


def test_a_column_of_that_name_is_replaced_in_its_place(tmp_path):
    _, document = annotate(tmp_path, with_column(peptide("ALA"), TAG))
    (loop,) = [item.loop for item in document.sole_block()]
    assert loop.tags[0] == TAG
    assert loop.tags.count(TAG) == 1
    assert scores(document.sole_block()) == ["0.0000", "0.0010", "0.0020", "0.0030"]


@pytest.mark.parametrize("tag", ["_atom_site.q-score", "_ATOM_SITE.Q-SCORE"])
def test_a_column_whose_name_differs_only_in_case_gives_way(tmp_path, tag):
    _, document = annotate(tmp_path, with_column(peptide("ALA"), tag))
    (loop,) = [item.loop for item in document.sole_block()]
    assert [t for t in loop.tags if t.lower() == TAG.lower()] == [TAG]
    assert scores(document.sole_block()) == ["0.0000", "0.0010", "0.0020", "0.0030"]


def test_a_column_of_another_name_stays(tmp_path):
    _, document = annotate(tmp_path, with_column(peptide("ALA"), "_atom_site.Q-scores", "0.7"))
    assert list(document.sole_block().find_values("_atom_site.Q-scores")) == ["0.7"] * 4
    assert len(scores(document.sole_block())) == 4


def test_writing_again_what_was_written_changes_nothing(tmp_path):
    annotate(tmp_path, cif_text(small_model()))
    once = (tmp_path / "out.cif").read_text()
    annotate(tmp_path, once)
    assert (tmp_path / "out.cif").read_text() == once


def test_values_show_four_decimals_and_what_is_not_finite_a_question_mark(tmp_path):
    values = np.array([0.123456, np.nan, np.inf, -1.0])
    _, document = annotate(tmp_path, cif_text(peptide("ALA")), values=values)
    assert scores(document.sole_block()) == ["0.1235", "?", "?", "-1.0000"]


def test_every_measure_has_its_column(tmp_path):
    measures = {"Q-score": np.zeros(4), "FSC-Q": np.array([-3.0, 0.5, np.nan, 1.0])}
    _, document = annotate(tmp_path, cif_text(peptide("ALA")), **measures)
    block = document.sole_block()
    assert scores(block) == ["0.0000"] * 4
    assert list(block.find_values("_atom_site.FSC-Q")) == ["-3.0000", "0.5000", "?", "1.0000"]


def test_a_wrong_number_of_values_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="shorter"):
        annotate(tmp_path, cif_text(peptide("ALA")), values=np.zeros(3))
    assert not (tmp_path / "out.cif").exists()


def test_gemmi_and_we_read_the_file_back(demo_data, tmp_path):
    model = read_model(demo_data / "5ni1.cif")
    path = write_mmcif(model, {"Q-score": ascending(len(model))}, tmp_path / "out.cif")
    structure = gemmi.read_structure(str(path))
    assert structure.name == "5NI1"
    assert structure.resolution == 3.2
    assert structure[0].count_atom_sites() == 4579
    again = read_model(path)
    check_same_atoms(model, again)
    assert (again.resolution, again.resolution_source) == (
        model.resolution,
        model.resolution_source,
    )
    np.testing.assert_array_equal(again.residues.entity, model.residues.entity)


def test_more_atoms_than_the_pdb_format_holds(large_model, tmp_path):
    path = write_mmcif(large_model, {"Q-score": ascending(len(large_model))}, tmp_path / "out.cif")
    block = gemmi.cif.read(str(path)).sole_block()
    assert len(large_model) > 99_999
    assert scores(block) == [f"{value:.4f}" for value in ascending(len(large_model))]
    assert list(block.find_values("_atom_site.id")) == [str(i + 1) for i in range(len(large_model))]
    assert gemmi.read_structure(str(path))[0].count_atom_sites() == len(large_model)


def test_letters_beyond_ascii_are_kept(tmp_path):
    title = "β-Galactosidase at 2.2 Å – «自由» 🧊"
    atoms = [replace(a, residue="'βGA'") for a in peptide("ALA")]
    model, document = annotate(tmp_path, cif_text(atoms, f"_struct.title '{title}'\n"))
    assert document.sole_block().find_value("_struct.title") == f"'{title}'"
    assert title in (tmp_path / "out.cif").read_text(encoding="utf-8")
    assert read_model(tmp_path / "out.cif").residues.name.tolist() == model.residues.name.tolist()


ROW = as_cif(Atom(xyz=(1.5, -2.5, 3.5))).split(" ")
PAIRS = "".join(f"_atom_site.{t} {v}\n" for t, v in zip(CIF_COLUMNS, ROW, strict=True))


def test_a_single_atom_given_as_pairs(tmp_path):
    text = f"data_x\n_cell.length_a 10\n{PAIRS}_struct.title last\n"
    _, document = annotate(tmp_path, text, values=np.array([0.5]))
    block = document.sole_block()
    new = content(block)
    assert new.pop(TAG) == ["0.5000"]
    assert new == content(gemmi.cif.read_string(text).sole_block())
    assert read_model(tmp_path / "out.cif").xyz.tolist() == [[1.5, -2.5, 3.5]]


def test_of_several_blocks_only_the_one_with_the_atoms_changes(tmp_path):
    text = (
        "data_comp_list\nloop_\n_chem_comp.id\n_chem_comp.name\nALA alanine\n\n"
        + cif_text(peptide("ALA"), name="model")
        + cif_text(peptide("GLY"), name="another")
        + "data_end\n_software.name x\n"
    )
    _, document = annotate(tmp_path, text)
    before = gemmi.cif.read_string(text)
    assert [b.name for b in document] == ["comp_list", "model", "another", "end"]
    for old, new in zip(before, document, strict=True):
        found = content(new)
        added = found.pop(TAG, None)
        assert (added is not None) == (new.name == "model")
        assert found == content(old)


def test_the_model_itself_does_not_change(tmp_path):
    path = write_model(tmp_path / "in.cif", cif_text(small_model()))
    model = read_model(path)
    before = model.document.as_string()
    columns = {name: getattr(model, name).copy() for name in ATOM_COLUMNS}
    write_mmcif(model, {"Q-score": ascending(len(model))}, tmp_path / "out.cif")
    assert model.document.as_string() == before
    assert path.read_text() == cif_text(small_model())
    for name, values in columns.items():
        np.testing.assert_array_equal(getattr(model, name), values)


def test_pairs_are_not_turned_into_a_loop_in_memory(tmp_path):
    model, _ = annotate(tmp_path, f"data_x\n{PAIRS}", values=np.zeros(1))
    assert model.document.sole_block().find_pair("_atom_site.id") is not None


@pytest.mark.parametrize("atoms", SCATTERED.values(), ids=SCATTERED)
def test_a_pdb_file_is_converted_and_every_atom_gets_its_own_value(tmp_path, atoms):
    model, document = annotate(tmp_path, pdb_text(atoms), name="in.pdb")
    block = document.sole_block()
    tags = ["label_atom_id", "label_alt_id", "label_comp_id", "auth_asym_id", "auth_seq_id"]
    rows = block.find("_atom_site.", [*tags, "Q-score"])
    found = {tuple(row.str(i) for i in range(5)): row[5] for row in rows}
    expected = {
        (a.name, a.altloc, a.residue, a.chain, str(a.number)): f"{value:.4f}"
        for a, value in zip(atoms, ascending(len(atoms)), strict=True)
    }
    assert found == expected
    assert len(read_model(tmp_path / "out.cif")) == len(model)


@pytest.mark.parametrize("chain", ["'", '"', ";", "_", "#", "[", "$", "<", "&", "?", "."])
def test_chains_of_a_pdb_file_may_have_any_sign_as_name(tmp_path, chain):
    atoms = [*peptide("ALA", chain=chain), replace(Atom("MG", "MG", chain, 5), record="HETATM")]
    model, _ = annotate(tmp_path, pdb_text(numbered(atoms)), name="in.pdb")
    read = read_model(tmp_path / "out.cif")
    assert read.residues.chain.tolist() == model.residues.chain.tolist() == [chain] * 2
    assert read.residues.label_asym.tolist() == model.residues.label_asym.tolist()


def test_a_converted_pdb_file_keeps_coordinates_resolution_and_name(demo_data, tmp_path):
    model = read_model(demo_data / "5me2.pdb")
    path = write_mmcif(model, {"Q-score": np.zeros(len(model))}, tmp_path / "out.cif")
    block = gemmi.cif.read(str(path)).sole_block()
    assert (block.name, block.find_value("_entry.id")) == ("5ME2", "5ME2")
    again = read_model(path)
    check_same_atoms(model, again)
    assert again.resolution == model.resolution == 3.2
    np.testing.assert_array_equal(again.atom_class, model.atom_class)


@pytest.mark.parametrize(
    ("name", "block_name"),
    [("my model (2).pdb", "my_model_(2)"), ("Å.pdb", "_"), ("plain.pdb", "plain")],
)
def test_a_pdb_file_without_a_header_is_named_after_itself(tmp_path, name, block_name):
    _, document = annotate(tmp_path, pdb_text(peptide("ALA")), name=name)
    assert document.sole_block().name == block_name


def test_models_of_a_pdb_file_are_told_apart(tmp_path):
    atoms = [*peptide("ALA", model=2), *peptide("ALA", model=5)]
    _, document = annotate(tmp_path, pdb_text(atoms), name="in.pdb", number=5)
    assert scores(document.sole_block()) == ["?"] * 4 + ["0.0000", "0.0010", "0.0020", "0.0030"]
    assert list(document.sole_block().find_values("_atom_site.pdbx_PDB_model_num")) == list(
        "22225555"
    )


@pytest.mark.parametrize(("name", "make"), [("in.pdb", pdb_text), ("in.cif", cif_text)])
def test_atoms_without_coordinates_stay_so(tmp_path, name, make):
    model, document = annotate(tmp_path, make([Atom(), Atom(name="CB", xyz=None)]), name=name)
    for axis in "xyz":
        assert document.sole_block().find_values(f"_atom_site.Cartn_{axis}")[1] == "?"
    np.testing.assert_array_equal(read_model(tmp_path / "out.cif").xyz, model.xyz)


def test_a_gzipped_file_is_written_plain(tmp_path):
    source = write_model(tmp_path / "in.cif.gz", cif_text(peptide("ALA")), compress=True)
    path = write_mmcif(read_model(source), {"Q-score": np.ones(4)}, Path(tmp_path / "out.cif"))
    assert path.read_text().startswith("data_x")
