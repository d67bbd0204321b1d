import gzip
import os
import zlib

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from atomsight.errors import ModelFileError
from atomsight.io.models import read_model
from tests.support.models import Atom, cif_text, nucleic, pdb_text, peptide, residue, write_model

ATOMS = [
    *peptide("ALA GLY"),
    *nucleic("A", chain="B"),
    Atom("ZN", "ZN", "C", 1, "ZN", record="HETATM"),
]
TEXTS = {"cif": cif_text(ATOMS, "_cell.length_a 10\n"), "pdb": pdb_text(ATOMS, "REMARK   2\n")}
BUILDERS = {"cif": cif_text, "pdb": pdb_text}
both_formats = pytest.mark.parametrize("kind", BUILDERS)


def refused(path, complaint):
    with pytest.raises(ModelFileError, match=complaint) as caught:
        read_model(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_a_missing_file(tmp_path):
    refused(tmp_path / "none.cif", "no such model file")


def test_a_folder(tmp_path):
    refused(tmp_path, "this is a folder, not a model file")


def test_an_empty_file(tmp_path):
    refused(write_model(tmp_path / "empty.cif", ""), "this model file is empty")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(tmp_path):
    path = write_model(tmp_path / "model.cif", TEXTS["cif"])
    path.chmod(0)
    refused(path, "no permission to read this model file")


@pytest.mark.parametrize("compress", [True, False])
@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)), "not a text file"),
        (bytes(range(1, 256)) * 9, "holds no atoms"),
        (b"This is a letter, not a model.\n", "neither mmCIF nor PDB records found"),
        (b"<?xml version='1.0'?>\n<PDBx:datablock/>\n", "neither mmCIF nor PDB records found"),
        (b"   \n\n\n", "neither mmCIF nor PDB records found"),
        (b"REMARK   2 RESOLUTION. 3.0 ANGSTROMS.\nEND\n", "neither mmCIF nor PDB records found"),
        (b"ATOMIC COORDINATES\n", "line is too short"),
        (b"data_x\n_cell.length_a 10\n", "no _atom_site category"),
        (b"data_\n", "no _atom_site category"),
        (b"data_x\nloop_\n_atom_site.id\n_atom_site.Cartn_x\n", "no column type_symbol, Cartn_y"),
        (b"data_x\nloop_\n_atom_site.id\n_atom_site.Cartn_x\n1 2 3\n", "Wrong number of values"),
        (b"data_x\n_cell.length_a 'ten\n", "cannot be read as a model"),
        (b"data_x\n_a.text\n;\nno end\n", "cannot be read as a model"),
        (b"data_x\n_a.b 1 2 3\n", "cannot be read as a model"),
    ],
)
def test_a_file_that_is_no_model(tmp_path, content, complaint, compress):
    refused(write_model(tmp_path / "model.cif", content, compress=compress), complaint)


@pytest.mark.parametrize("lost", [2, 20, 60])
def test_an_mmcif_file_that_breaks_off_within_a_row(tmp_path, lost):
    text = TEXTS["cif"].rstrip("#\n")[:-lost]
    refused(write_model(tmp_path / "model.cif", text), "Wrong number of values in loop _atom_site")


@pytest.mark.parametrize("kept", [10, 30, 53])
def test_a_pdb_file_that_breaks_off_within_a_line(tmp_path, kept):
    lines = TEXTS["pdb"].splitlines()
    text = "\n".join([*lines[:6], lines[6][:kept]])
    refused(write_model(tmp_path / "model.pdb", text), "line is too short")


@both_formats
def test_hydrogens_alone_are_nothing_to_score(tmp_path, kind):
    atoms = [*residue("ALA", "H HA", element="H"), *residue("ALA", "D1", element="D")]
    path = write_model(tmp_path / "model", BUILDERS[kind](atoms))
    refused(path, "holds only hydrogens; there is nothing to score")


@both_formats
def test_hydrogens_with_and_heavy_atoms_without_coordinates_are_nothing_to_score(tmp_path, kind):
    atoms = [Atom("CA", xyz=None), Atom("HA", element="H")]
    refused(write_model(tmp_path / "model", BUILDERS[kind](atoms)), "nothing to score")


@both_formats
def test_a_model_in_which_no_atom_has_coordinates(tmp_path, kind):
    atoms = [Atom(name, xyz=None) for name in ("CA", "C")]
    refused(write_model(tmp_path / "model", BUILDERS[kind](atoms)), "none of its atoms has coord")


def test_models_without_atoms(tmp_path):
    path = write_model(tmp_path / "model.pdb", "MODEL        1\nENDMDL\nMODEL        2\nENDMDL\n")
    refused(path, "holds no atoms")


def test_two_models_of_the_same_number(tmp_path):
    one = "MODEL        1\n" + "\n".join(TEXTS["pdb"].splitlines()[1:-1]) + "\nENDMDL\n"
    refused(write_model(tmp_path / "model.pdb", one * 2), "duplicate MODEL number")


def test_a_gzip_that_breaks_off(tmp_path):
    path = write_model(tmp_path / "model.cif.gz", TEXTS["cif"], compress=True)
    path.write_bytes(path.read_bytes()[:-40])
    refused(path, "breaks off or is damaged")


def test_a_gzip_bomb(tmp_path):
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    blanks = b" " * 2**20
    packed = packer.compress(TEXTS["pdb"].encode())
    packed += b"".join(packer.compress(blanks) for _ in range(65))
    path = tmp_path / "model.pdb.gz"
    path.write_bytes(packed + packer.flush())
    assert path.stat().st_size < 100_000
    refused(path, "expands to more than 64 MiB, which no model file of this size does")


def read_or_refuse(path):
    try:
        model = read_model(path)
    except ModelFileError as refusal:
        assert str(refusal).startswith(str(path))  # noqa: PT017
        return
    assert model.heavy.any()
    assert (np.diff(model.row) > 0).all()
    assert len(model) == len(model.atom) == len(model.residue) == len(model.b_iso)
    assert model.residue.max() == len(model.residues) - 1


@given(
    st.binary(min_size=1, max_size=300), st.sampled_from([b"", b"data_x\n", b"ATOM  ", b"\x1f\x8b"])
)
def test_arbitrary_bytes_are_read_or_refused(tmp_path_factory, content, before):
    path = tmp_path_factory.getbasetemp() / "arbitrary"
    path.write_bytes(before + content)
    read_or_refuse(path)


pieces = st.tuples(
    st.integers(0, 5000),
    st.integers(0, 12),
    st.binary(max_size=6)
    | st.sampled_from(
        [b" ", b"\n", b"?", b".", b"'", b'"', b";", b"\n;", b"loop_", b"#", b"-", b"*"]
    )
    | st.sampled_from(
        [b"9" * 9, b"nan", b"1e999", b"data_y\n", b"\nEND\n", b"\nMODEL        1\n", b"\nTER\n"]
    ),
)


@both_formats
@settings(max_examples=400)
@given(changes=st.lists(pieces, min_size=1, max_size=4))
@example(changes=[])
def test_a_changed_file_is_read_or_refused(tmp_path_factory, kind, changes):
    content = TEXTS[kind].encode()
    for place, length, instead in changes:
        start = place % (len(content) + 1)
        content = content[:start] + instead + content[start + length :]
    path = tmp_path_factory.getbasetemp() / f"changed.{kind}"
    path.write_bytes(content or b"\n")
    read_or_refuse(path)


@both_formats
@given(place=st.integers(0, 5000), change=st.integers(1, 255))
def test_a_damaged_gzip_is_read_whole_or_refused(tmp_path_factory, kind, place, change):
    packed = bytearray(gzip.compress(TEXTS[kind].encode(), mtime=0))
    packed[place % len(packed)] ^= change
    path = tmp_path_factory.getbasetemp() / f"damaged.{kind}.gz"
    path.write_bytes(packed)
    try:
        model = read_model(path)
    except ModelFileError:
        return
    assert model.atom.tolist() == [atom.name for atom in ATOMS]
    assert model.xyz.tolist() == [list(atom.xyz) for atom in ATOMS]
