"""Results read back from a folder are those that were written, or the user is told why not."""

import gzip
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from atomsight.errors import InputError, MapFileError, ResultsError
from atomsight.outcome import Options
from atomsight.report.figures.collect import figures
from atomsight.report.page import page
from atomsight.report.results import load_results, results_of
from atomsight.validation import validate
from tests.support.cases import numbered, placed, small_model, write_map_of
from tests.support.models import cif_text, peptide, residue, write_model
from tests.support.pages import assert_same, data_of, page_data, validated, written

ROUNDED = 1.01e-3
"""A CSV file has six decimals, a page three: a last one may differ."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A validation with a contour level, and the folder that it was written to."""
    home = tmp_path_factory.mktemp("whole")
    found = validated(home, options=Options(contour=0.3))
    return found, written(found, home / "out")


@pytest.fixture
def folder(whole, tmp_path):
    """A copy to spoil."""
    return shutil.copytree(whole[1], tmp_path / "out")


def refusal(folder, error=ResultsError, **options):
    with pytest.raises(error) as caught:
        load_results(folder, **options)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_folder_gives_the_page_of_the_run(whole):
    found, folder = whole
    own, read = page_data(results_of(found)), page_data(load_results(folder))
    assert own["profiles"] == read["profiles"]
    assert own["residues"] == read["residues"]
    assert_same(own, read, places=ROUNDED)


def test_a_folder_gives_the_figures_of_the_run(halved_run):
    found, folder = halved_run
    own, read = results_of(found), load_results(folder)
    assert [type(one) for one in figures(own)] == [type(one) for one in figures(read)]
    assert [one.key for one in figures(own)] == [one.key for one in figures(read)]
    assert_same(page_data(own), page_data(read), places=ROUNDED)
    assert set(own.curves) == set(read.curves)
    for name, columns in own.curves.items():
        assert list(columns) == list(read.curves[name])
        for key, values in columns.items():
            if values.dtype.kind == "U":
                assert values.tolist() == read.curves[name][key].tolist()
            else:
                np.testing.assert_allclose(values, read.curves[name][key], atol=1e-6)


def test_columns_keep_their_kinds(whole):
    found, folder = whole
    own, read = results_of(found), load_results(folder)
    for one, two in ((own.atoms, read.atoms), (own.residues, read.residues)):
        assert list(one) == list(two)
        for name, values in one.items():
            assert (values.dtype.kind in "UO") == (two[name].dtype.kind == "U"), name


def test_results_of_the_q_command_can_be_read(tmp_path):
    found = validated(tmp_path, options=Options(everything=False))
    read = load_results(written(found, tmp_path / "out", everything=False))
    assert_same(page_data(results_of(found)), page_data(read), places=ROUNDED)


def test_residues_that_a_file_tears_apart_still_match(tmp_path):
    """PDB files may come back to a residue after another; tables follow the model that is read."""
    atoms = small_model()
    torn = numbered([*atoms[:3], *atoms[4:12], atoms[3], *atoms[12:]])
    found = validated(tmp_path, torn, model="model.pdb")
    read = load_results(written(found, tmp_path / "out"))
    assert read.atoms["atom"].tolist() == read.model.atom.tolist()
    assert read.atoms["atom"].tolist() != found.model.atom.tolist()
    np.testing.assert_allclose(np.column_stack([read.atoms[c] for c in "xyz"]), read.model.xyz)
    own = {
        tuple(place): q for place, q in zip(found.model.xyz.tolist(), found.atoms["q"], strict=True)
    }
    for place, q in zip(read.model.xyz.tolist(), read.atoms["q"], strict=True):
        assert q == pytest.approx(own[tuple(place)], abs=1e-6)
    assert read.residues["number"].tolist() == read.model.residues.number.tolist()
    assert_same(page_data(results_of(found))["residues"], page_data(read)["residues"], places=0)


NAMES = ["1", "NA", "nan", "=1+1", "null", "True", "inf", "-", "0x1", "1e5"]


def test_chains_keep_names_that_look_like_something_else(tmp_path):
    atoms = [
        atom for name in NAMES for atom in peptide("ALA", chain=name, label_asym=f"L{len(name)}")
    ]
    found = validated(tmp_path, numbered(placed(atoms)))
    read = load_results(written(found, tmp_path / "out"))
    assert read.atoms["chain"].tolist() == found.model.residues.chain[found.model.residue].tolist()
    assert sorted(set(read.residues["chain"].tolist())) == sorted(NAMES)
    data = page_data(read)
    assert [label.split("/")[0] for label in data["residues"]["label"]] == NAMES
    assert_same(page_data(results_of(found)), data, places=ROUNDED)


def test_the_chosen_model_of_several(tmp_path):
    atoms = small_model()
    both = [replace(a, model=2) for a in atoms[:16]] + [replace(a, model=7) for a in atoms]
    write_map_of(tmp_path / "map.mrc", atoms)
    model = write_model(tmp_path / "m.cif", cif_text(both))
    found = validate(model, tmp_path / "map.mrc", Options(model_number=7))
    read = load_results(written(found, tmp_path / "out"))
    assert len(read.model) == 20
    assert_same(page_data(results_of(found)), page_data(read), places=ROUNDED)


@pytest.mark.parametrize("where", ["", "nowhere", "file"])
def test_a_folder_without_results(tmp_path, where):
    (tmp_path / "file").write_text("x")
    message = refusal(tmp_path / where)
    assert str(tmp_path / where) in message
    assert "holds no summary.json; give a folder that atomsight wrote results to" in message


FOREIGN = {
    "no JSON": "data_x",
    "nothing": "",
    "bytes": b"\xff\xfe\x00",
    "another thing": "[1, 2]",
    "null": "null",
    "an empty one": "{}",
    "other inputs": '{"inputs": {"map": "a", "model": 3}, "q_score": 0}',
    "of other versions": '{"inputs": {"map": {"path": "a"}, "model": {"path": "b"}}, "q_score": 0}',
    "parts that are none": json.dumps(
        dict.fromkeys(("versions", "parameters", "resolution", "q_score", "expected"), "x")
        | {"inputs": {"map": {"path": "a"}, "model": {"path": "b"}}}
    ),
}


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN)
def test_a_summary_of_something_else(folder, content):
    path = folder / "summary.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert (
        refusal(folder)
        == f"{path}: is no summary that validate, q or fsc-q of this version writes; run again"
    )


@pytest.mark.parametrize("name", ["atoms", "residues"])
def test_tables_of_another_run(folder, name):
    path = folder / f"{name}.csv"
    lines = path.read_text().splitlines(keepends=True)
    complaint = f"{folder}: its tables and its model do not belong together; run again"
    path.write_text("".join(lines[:-1]))
    assert refusal(folder) == complaint
    path.write_text("".join([*lines[:-1], lines[1]]))
    assert refusal(folder) == complaint
    path.write_text("".join(lines).replace("SER", "THR"))
    assert refusal(folder) == complaint
    path.write_text("a,b\n1,2\n")
    assert refusal(folder) == complaint


def test_a_table_with_text_where_numbers_belong(folder):
    path = folder / "atoms.csv"
    head, first, *others = path.read_text().splitlines(keepends=True)
    cells = first.split(",")
    cells[head.split(",").index("q")] = "good"
    path.write_text("".join([head, ",".join(cells), *others]))
    assert refusal(folder).startswith(f"{path}: holds text where numbers belong")


@pytest.mark.parametrize("content", [None, "", "a,b\n1\n1,2,3\n"])
def test_tables_that_cannot_be_read(folder, content):
    path = folder / "residues.csv"
    path.unlink() if content is None else path.write_text(content)
    assert refusal(folder).startswith(f"{path}: cannot be read as a table of results")


def test_a_folder_whose_model_is_gone(folder):
    path = folder / "model__Q__map.cif"
    path.unlink()
    assert refusal(folder, InputError) == f"{path}: no such model file"


def moved(folder):
    """The folder of a run whose map is no longer there, and the map."""
    path = folder / "summary.json"
    facts = json.loads(path.read_text())
    map_ = facts["inputs"]["map"]["path"]
    facts["inputs"]["map"]["path"] = "/gone/map.mrc"
    path.write_text(json.dumps(facts))
    return map_


def test_a_map_that_was_moved_is_asked_for(folder):
    moved(folder)
    read = load_results(folder)
    assert read.map is None
    assert read.no_map == "the map is no longer at map.mrc: give it with --map"
    html = page(read)
    assert "No surface: the map is no longer at map.mrc: give it with --map." in html
    data = data_of(html)
    assert (data["map"], data["profiles"], data["noProfiles"]) == (None, None, read.no_map)


def test_a_map_that_was_moved_can_be_given(whole, folder):
    read = load_results(folder, map_=moved(folder))
    assert read.no_map == ""
    assert_same(page_data(results_of(whole[0])), page_data(read), places=ROUNDED)


def test_another_map_at_the_same_place_is_not_used(tmp_path):
    found = validated(tmp_path)
    folder = written(found, tmp_path / "out")
    write_map_of(tmp_path / "map.mrc", small_model(), width=0.8)
    read = load_results(folder)
    assert read.map is None
    assert read.no_map == "map.mrc is not the map that was scored: its SHA-256 is another one"
    assert read.no_map in page(read)


def test_another_map_that_is_given_is_refused(folder, tmp_path):
    other = write_map_of(tmp_path / "other.mrc", small_model(), width=0.8)
    message = refusal(folder, MapFileError, map_=other)
    assert message == "other.mrc is not the map that was scored: its SHA-256 is another one"


@pytest.mark.parametrize("where", ["nowhere.mrc", "."])
def test_a_map_that_is_given_and_not_there(folder, tmp_path, where):
    assert str(tmp_path / where) in refusal(folder, MapFileError, map_=tmp_path / where)


def test_a_packed_map(tmp_path):
    found = validated(tmp_path, map_="map.mrc.gz")
    read = load_results(written(found, tmp_path / "out"))
    assert read.no_map == ""
    assert_same(page_data(results_of(found)), page_data(read), places=ROUNDED)
    # the same map unpacked is another file
    plain = tmp_path / "plain.mrc"
    plain.write_bytes(gzip.decompress((tmp_path / "map.mrc.gz").read_bytes()))
    with pytest.raises(MapFileError, match="SHA-256"):
        load_results(tmp_path / "out", map_=plain)


def test_alternative_conformers_insertion_codes_and_missing_values(tmp_path):
    atoms = [
        *residue("SER", "N CA C O", number=5, icode="A", chain="A"),
        *(
            replace(a, altloc=alt)
            for alt in "AB"
            for a in residue("SER", "CB OG", number=5, icode="A")
        ),
        *residue("SER", "N CA C O", number=5, icode="B", chain="A"),
        *(replace(a, xyz=None) for a in residue("SER", "CB", number=5, icode="B")),
    ]
    found = validated(tmp_path, numbered(placed(atoms)))
    read = load_results(written(found, tmp_path / "out"))
    assert np.isnan(read.atoms["q"]).tolist() == [False] * 12 + [True]
    assert read.residues["icode"].tolist() == ["A", "B"]
    assert page_data(read)["atoms"]["name"][4:8] == ["CB (A)", "OG (A)", "CB (B)", "OG (B)"]
    assert_same(page_data(results_of(found)), page_data(read), places=ROUNDED)
