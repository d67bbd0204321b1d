from pathlib import Path

import numpy as np
import polars as pl
import pytest

from atomsight.errors import OutputError
from atomsight.export.chimerax import write_defattr, write_residue_csv, write_script
from atomsight.io.models import read_model
from tests.support.models import Atom, cif_text, pdb_text, peptide, write_model


def defattr(folder, atoms, values=None, make=cif_text):
    model = read_model(write_model(folder / "in", make(atoms)))
    values = np.arange(len(model)) / 8 if values is None else np.array(values)
    return write_defattr(model, "qscore", values, folder / "q.defattr").read_text()


def specs(text):
    return dict(line.strip().split("\t") for line in text.splitlines()[3:])


def test_the_attribute_file_to_the_letter(tmp_path):
    atoms = [*peptide("ALA"), Atom("O", "HOH", "B", 301, "O", record="HETATM")]
    assert defattr(tmp_path, atoms) == (
        "attribute: qscore\n"
        "match mode: 1-to-1\n"
        "recipient: atoms\n"
        "\t/A:1@N\t0.0000\n"
        "\t/A:1@CA\t0.1250\n"
        "\t/A:1@C\t0.2500\n"
        "\t/A:1@O\t0.3750\n"
        "\t/B:301@O\t0.5000\n"
    )


def test_insertion_codes_and_negative_numbers(tmp_path):
    atoms = [Atom("N", number=10, icode=code) for code in ("", "A", "B")] + [Atom("N", number=-3)]
    assert list(specs(defattr(tmp_path, atoms))) == ["/A:10@N", "/A:10A@N", "/A:10B@N", "/A:-3@N"]


def test_atoms_without_a_value_are_left_out(tmp_path):
    text = defattr(tmp_path, peptide("ALA"), [0.5, np.nan, np.inf, -0.25])
    assert specs(text) == {"/A:1@N": "0.5000", "/A:1@O": "-0.2500"}


@pytest.mark.parametrize(
    ("occupancies", "value"),
    [((0.3, 0.7), "0.9000"), ((0.7, 0.3), "0.1000"), ((0.5, 0.5), "0.1000")],
)
def test_of_conformers_the_one_with_the_highest_occupancy_is_named(tmp_path, occupancies, value):
    atoms = [
        Atom("CA", altloc=altloc, occupancy=occupancy)
        for altloc, occupancy in zip("AB", occupancies, strict=True)
    ]
    assert specs(defattr(tmp_path, atoms, [0.1, 0.9])) == {"/A:1@CA": value}


def test_a_conformer_without_a_value_gives_way_to_one_with(tmp_path):
    atoms = [Atom("CA", altloc="A", occupancy=0.7), Atom("CA", altloc="B", occupancy=0.3)]
    assert specs(defattr(tmp_path, atoms, [np.nan, 0.9])) == {"/A:1@CA": "0.9000"}


def test_lines_stand_in_the_order_of_the_model(tmp_path):
    atoms = [
        Atom("CB", occupancy=0.5),
        Atom("CA", altloc="A", occupancy=0.2),
        Atom("N"),
        Atom("CA", altloc="B", occupancy=0.8),
    ]
    assert list(specs(defattr(tmp_path, atoms))) == ["/A:1@CB", "/A:1@N", "/A:1@CA"]


def test_chain_names_of_several_letters(tmp_path):
    assert list(specs(defattr(tmp_path, [Atom(chain="AAa")]))) == ["/AAa:1@CA"]


def test_a_chain_without_a_name_is_not_named(tmp_path):
    assert list(specs(defattr(tmp_path, [Atom(chain=" ")], make=pdb_text))) == [":1@CA"]


def test_every_line_of_a_real_model_names_one_atom(demo_data, tmp_path):
    model = read_model(demo_data / "5ni1.cif")
    path = write_defattr(model, "qscore", np.zeros(len(model)), tmp_path / "q.defattr")
    assert len(specs(path.read_text())) == len(path.read_text().splitlines()) - 3 == 4579


def script(folder, **changes):
    names = {
        "map_path": Path("/data/emd_3488.mrc"),
        "model_path": "../a__Q__b.cif",
        "defattr": "qscore.defattr",
        "attribute": "qscore",
        "palette": "palette red:gray:blue range 0,1",
    }
    return write_script(folder / "qscore.cxc", **names | changes).read_text(encoding="utf-8")


def test_the_script_to_the_letter(tmp_path):
    assert script(tmp_path) == (
        'open "../a__Q__b.cif" id 1\n'
        'open "/data/emd_3488.mrc" id 2\n'
        'open "qscore.defattr" models #1\n'
        "hide #1 cartoons\n"
        "show #1 atoms\n"
        "style #1 stick\n"
        "color byattribute qscore #1 palette red:gray:blue range 0,1\n"
        "volume #2 style surface transparency 0.7\n"
        "view #1\n"
    )


def test_a_relative_map_is_found_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert f'open "{tmp_path.resolve()}/map.mrc" id 2\n' in script(
        tmp_path, map_path=Path("map.mrc")
    )


@pytest.mark.parametrize(
    ("name", "quoted"),
    [
        ("with blank.mrc", '"/d/with blank.mrc"'),
        ('say "x".mrc', r'"/d/say \"x\".mrc"'),
        ("back\\slash.mrc", r'"/d/back\\slash.mrc"'),
        ("a\nclose all", r'"/d/a\nclose all"'),
        ("a\x1b[0m;b", r'"/d/a\x1b[0m;b"'),
        ("Å.mrc", '"/d/Å.mrc"'),
        ("caf\udce9.mrc", r'"/d/caf\udce9.mrc"'),
    ],
)
def test_no_file_name_ends_its_command(tmp_path, name, quoted):
    lines = script(tmp_path, map_path=Path("/d") / name).split("\n")
    assert len(lines) == 10
    assert lines[1] == f"open {quoted} id 2"


RESIDUES = pl.DataFrame(
    {
        "chain": ["A", "A", "B", "B"],
        "number": [1, 10, -2, 301],
        "icode": ["", "B", "", ""],
        "residue": ["ALA", "GLY", "DA", "HOH"],
        "q": [0.51234, 0.6, 0.25, None],
        "q_worst": [0.1, -0.55555, 0.2, None],
        "q_backbone": [0.5, 0.6, 0.3, None],
        "q_sidechain": [0.4, None, None, None],
        "q_base": [None, None, 0.7, None],
        "more": [1, 2, 3, 4],
    }
)


def test_the_residue_table_to_the_letter(tmp_path):
    path = write_residue_csv(RESIDUES, tmp_path / "residues.csv")
    assert path.read_text() == (
        "Chain,Number,Name,Qavg,Qworst,Qbackbone,Qsidechain\n"
        "A,1,ALA,0.5123,0.1,0.5,0.4\n"
        "A,10B,GLY,0.6,-0.5556,0.6,N/A\n"
        "B,-2,DA,0.25,0.2,0.3,0.7\n"
    )


def test_files_that_cannot_be_written_are_output_errors(tmp_path):
    gone = tmp_path / "none"
    model = read_model(write_model(tmp_path / "in.cif", cif_text([Atom()])))
    for write in (
        lambda: write_defattr(model, "qscore", np.zeros(1), gone / "q.defattr"),
        lambda: write_residue_csv(RESIDUES, gone / "r.csv"),
        lambda: script(gone),
    ):
        with pytest.raises(OutputError, match="cannot write this file"):
            write()
