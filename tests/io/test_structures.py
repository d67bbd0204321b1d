from pathlib import Path

import gemmi
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomsight.errors import ModelFileError
from atomsight.io.structures import hybrid36, parse_structure
from tests.support.models import CIF_COLUMNS, Atom, as_cif, as_pdb, cif_text, pdb_text, peptide

PATH = Path("some.cif")
ATOMS = peptide("ALA GLY")
FORMATS = {"cif": cif_text(ATOMS), "pdb": pdb_text(ATOMS)}


def parse(text):
    return parse_structure(text if isinstance(text, bytes) else text.encode(), PATH)


def sites(parsed):
    """Every atom with its residue and chain; they live no longer than `parsed`."""
    return [site for model in parsed.structure for site in model.all()]


def names(parsed):
    return [site.atom.name for site in sites(parsed)]


def refused(text, complaint):
    with pytest.raises(ModelFileError, match=complaint) as caught:
        parse(text)
    assert str(caught.value).startswith("some.cif: ")


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (99_999, "99999"),
        # Grosse-Kunstleve et al., hybrid-36: "A0000" to "ZZZZZ", then "a0000" to "zzzzz"
        (100_000, "A0000"),
        (100_001, "A0001"),
        (100_010, "A000A"),
        (100_036, "A0010"),
        (43_770_015, "ZZZZZ"),
        (43_770_016, "a0000"),
        (87_440_031, "zzzzz"),
    ],
)
def test_hybrid_36_of_known_numbers(number, text):
    assert hybrid36(number) == text


@given(st.integers(0, 43_770_015) | st.integers(99_990, 101_400))
def test_gemmi_reads_hybrid_36_back(number):
    line = as_pdb(Atom(serial=hybrid36(number)))
    assert gemmi.read_pdb_string(line + "\n")[0][0][0][0].serial == number


@pytest.mark.parametrize("number", [-1, 87_440_032, 10**12])
def test_numbers_beyond_hybrid_36_are_refused(number):
    with pytest.raises(ValueError, match="does not fit"):
        hybrid36(number)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf"], ids=["", "byte order mark"])
def test_line_ends_and_a_byte_order_mark_change_nothing(kind, line_end, before):
    parsed = parse(before + FORMATS[kind].replace("\n", line_end).encode())
    assert names(parsed) == [atom.name for atom in ATOMS]
    assert [site.atom.serial for site in sites(parsed)] == list(range(1, 9))
    assert parsed.notes == ()


@pytest.mark.parametrize(
    "before",
    ["# made by a program\n", "\n\n  \n", "#\n#\n\n# data_ in a comment\n", "#" * 5000 + "\n"],
)
def test_comments_and_blank_lines_may_stand_before_the_first_block(before):
    assert names(parse(before + FORMATS["cif"])) == [atom.name for atom in ATOMS]


def test_keywords_and_tags_of_mmcif_may_be_in_any_case():
    text = FORMATS["cif"].replace("data_", "DATA_").replace("loop_", "Loop_")
    text = text.replace("_atom_site.Cartn", "_ATOM_SITE.cartn").replace(
        "_atom_site.id", "_Atom_Site.ID"
    )
    parsed = parse(text)
    assert [site.atom.pos.tolist() for site in sites(parsed)] == [list(a.xyz) for a in ATOMS]


@pytest.mark.parametrize("name", ["", "1", "5NI1", "x" * 2000])
def test_a_block_may_have_any_name(name):
    assert names(parse(cif_text(ATOMS, name=name))) == [atom.name for atom in ATOMS]


def test_blocks_without_atoms_are_passed_over():
    parsed = parse(f"data_first\n_cell.length_a 10\n{FORMATS['cif']}data_comp_HEM\n_chem.b 1\n")
    assert parsed.block.name == "x"
    assert [block.name for block in parsed.document] == ["first", "x", "comp_HEM"]
    assert parsed.notes == ()


def test_the_first_of_several_blocks_with_atoms_is_taken_and_named():
    second = cif_text(peptide("TRP TRP TRP"), name="other")
    parsed = parse(FORMATS["cif"] + second)
    assert len(sites(parsed)) == 8
    assert parsed.notes == ("2 blocks hold atoms: data_x taken",)


COLUMN_SETS = {
    "all": CIF_COLUMNS,
    "no auth": [c for c in CIF_COLUMNS if not c.startswith("auth")],
    "no label": [c for c in CIF_COLUMNS if not c.startswith("label")],
    "no alt_id": [c for c in CIF_COLUMNS if c != "label_alt_id"],
    "no asym_id": [c for c in CIF_COLUMNS if c != "label_asym_id"],
    "few": [*CIF_COLUMNS[1:4], *CIF_COLUMNS[5:7], *CIF_COLUMNS[8:9], *CIF_COLUMNS[10:13]],
}


@pytest.mark.parametrize("columns", COLUMN_SETS.values(), ids=COLUMN_SETS)
def test_label_or_author_columns_may_be_absent(columns):
    parsed = parse(cif_text(ATOMS, columns=columns))
    found = [
        (s.chain.name, s.residue.seqid.num, s.residue.name, s.atom.name) for s in sites(parsed)
    ]
    assert found == [(a.chain, a.number, a.residue, a.name) for a in ATOMS]
    assert {str(s.residue.entity_type) for s in sites(parsed)} == {"EntityType.Polymer"}


@pytest.mark.parametrize("columns", COLUMN_SETS.values(), ids=COLUMN_SETS)
def test_the_document_stays_as_it_was(columns):
    text = cif_text([Atom(serial=s) for s in ("7", "x2", "7")], columns=columns)
    assert parse(text).document.as_string() == gemmi.cif.read_string(text).as_string()


@pytest.mark.parametrize("columns", [CIF_COLUMNS, COLUMN_SETS["no label"]], ids=["all", "no label"])
def test_a_single_atom_may_stand_outside_a_loop(columns):
    values = as_cif(Atom(serial=12), columns).split()
    pairs = [f"_atom_site.{tag} {value}" for tag, value in zip(columns, values, strict=True)]
    text = "data_x\n" + "\n".join(pairs) + "\n"
    parsed = parse(text)
    (site,) = sites(parsed)
    assert (site.atom.name, site.residue.name, site.atom.serial) == ("CA", "ALA", 1)
    assert parsed.document.as_string() == gemmi.cif.read_string(text).as_string()


@pytest.mark.parametrize("absent", ["id", "type_symbol", "Cartn_x", "Cartn_y", "Cartn_z"])
def test_a_column_that_no_model_can_do_without_is_named(absent):
    columns = [c for c in CIF_COLUMNS if c != absent]
    refused(cif_text(ATOMS, columns=columns), f"_atom_site has no column {absent}$")


@pytest.mark.parametrize(
    ("record", "serial"),
    [
        ("ATOM  ", "    1"),
        ("ATOM  ", "*****"),
        ("ATOM  ", "     "),
        ("ATOM  ", "A0000"),
        ("ATOM  ", "  -17"),
        ("ATOM 1", "00000"),
        ("HETATM", "99999"),
        ("HETATM", "abcde"),
        ("atom  ", "    1"),
        ("hetatm", "    1"),
    ],
)
def test_serials_of_any_form_become_rows_of_the_file(record, serial):
    lines = [f"{record}{serial}{as_pdb(atom)[11:]}" for atom in ATOMS]
    parsed = parse("\n".join(lines) + "\n")
    assert [site.atom.serial for site in sites(parsed)] == list(range(1, 9))
    assert [site.atom.pos.tolist() for site in sites(parsed)] == [list(a.xyz) for a in ATOMS]
    assert {site.residue.het_flag for site in sites(parsed)} == {record[0].upper()}


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
@pytest.mark.parametrize("kind", FORMATS)
def test_remarks_in_any_encoding_are_no_obstacle(kind, encoding):
    remark = {"pdb": "REMARK   3 Ångström\x85é\nTITLE     Übergang\n", "cif": "# Ångström\x85é\n"}
    parsed = parse((remark[kind] + FORMATS[kind]).encode(encoding))
    assert names(parsed) == [atom.name for atom in ATOMS]
    said = ("the file is not UTF-8: read as Latin-1",) if encoding == "latin-1" else ()
    assert parsed.notes == said


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
@pytest.mark.parametrize("field", ["name", "residue", "chain", "altloc", "icode"])
def test_a_letter_outside_ascii_moves_no_column_of_a_pdb_file(encoding, field):
    odd = Atom(**{field: "Å"}, xyz=(-1.25, 22.5, 333.125), occupancy=0.5, b_iso=12.5)
    parsed = parse(pdb_text([odd]).encode(encoding))
    (site,) = sites(parsed)
    assert site.atom.pos.tolist() == [-1.25, 22.5, 333.125]
    assert (site.atom.occ, site.atom.b_iso) == (0.5, 12.5)


@pytest.mark.parametrize(
    "value",
    ["Müller", "'Müller, J.'", '"Müller\'s"', "Müller's", "ü'", "\n;\nMüller 'x #y\n;", "ü#ü"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_values_of_mmcif_outside_ascii_may_be_quoted_or_bare(value, encoding):
    before = f"_a.before \"it's\"\n_a.b {value}\n# ä comment 'of mine\n_a.after 'x'\n"
    parsed = parse(cif_text(ATOMS, before).encode(encoding))
    block = parsed.block
    assert names(parsed) == [atom.name for atom in ATOMS]
    assert gemmi.cif.as_string(block.find_value("_a.b")) == gemmi.cif.as_string(value.strip("\n"))
    assert block.find_value("_a.before") == '"it\'s"'
    assert block.find_value("_a.after") == "'x'"


def test_letters_outside_ascii_are_kept_in_mmcif():
    parsed = parse(cif_text([Atom(name="Cα", residue="ÅÖÜ", chain="Ω", entity="1")]))
    (site,) = sites(parsed)
    assert (site.atom.name, site.residue.name, site.chain.name) == ("Cα", "ÅÖÜ", "Ω")


@pytest.mark.parametrize(
    "place",
    [
        " " * 24,
        " " * 8 + "   2.000   3.000",
        "   1.000" + " " * 8 + "   3.000",
        "   1.000   2.000" + " " * 8,
        "********   2.000   3.000",
        "   1.000     nan   3.000",
        "   1.000   2.0x0   3.000",
        "     inf   2.000   3.000",
    ],
)
def test_what_is_no_position_does_not_become_zero(place):
    lines = [as_pdb(atom) for atom in ATOMS]
    lines[2] = lines[2][:30] + place + lines[2][54:]
    parsed = parse("\n".join(lines))
    known = [np.isfinite(site.atom.pos.tolist()).all() for site in sites(parsed)]
    assert known == [True, True, False, True, True, True, True, True]


def test_a_line_that_ends_within_its_position_is_refused():
    refused(as_pdb(Atom())[:50] + "\n", "too short")


def test_atoms_after_the_end_are_counted_and_left_out():
    parsed = parse(FORMATS["pdb"] + pdb_text(peptide("TRP", first=3)))
    assert len(sites(parsed)) == 8
    assert parsed.notes == ("4 atom records stand after END and are left out",)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_with_nul_bytes_is_no_text(kind):
    refused(FORMATS[kind].encode() + b"\0" * 512, "it holds NUL bytes")
