"""Files of an ensemble."""

import csv
import json
from hashlib import sha256

import gemmi
import numpy as np
import pytest

from atomsight.ensemble.importing import converge_models
from atomsight.errors import ResultsError
from atomsight.export.convergence import read_convergence, write_convergence
from tests.support.cases import files_below
from tests.support.ensembles import jittered, write_ensemble
from tests.support.models import pdb_text, write_model

FILES = [
    *("chimerax", "chimerax/ca_rmsd.defattr", "chimerax/convergence.cxc"),
    *("curves", "curves/convergence.csv"),
    *("ensemble.cif", "models.csv", "pairs.csv", "residues.csv", "summary.json"),
]


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    """Three models, one of them under other numbers and a residue short."""
    folder = tmp_path_factory.mktemp("models")
    paths = write_ensemble(folder, 2)
    other = [a for a in jittered(7, first=101) if a.number != 104]
    return converge_models([*paths, write_model(folder / "other.pdb", pdb_text(other))])


@pytest.fixture
def folder(result, tmp_path):
    write_convergence(result, tmp_path / "out")
    return tmp_path / "out"


def table(path):
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def test_all_files_are_written_and_named(result, tmp_path):
    written = write_convergence(result, tmp_path / "out")
    assert files_below(tmp_path / "out") == FILES
    names = [path.relative_to(tmp_path / "out").as_posix() for path in written]
    assert names == [name for name in FILES if name not in ("chimerax", "curves")]


def test_residues(result, folder):
    rows = table(folder / "residues.csv")
    assert [row["number"] for row in rows] == [str(i) for i in range(1, 17)]
    assert [row["models"] for row in rows] == ["3"] * 3 + ["2"] + ["3"] * 12
    assert {row["class"] for row in rows} == {"protein"}
    for name in ("ca_rmsd", "ca_rmsd_to_mean"):
        values = [float(row[name]) for row in rows]
        np.testing.assert_allclose(values, getattr(result, name), atol=1e-6)


def test_models_and_pairs(result, folder):
    first, _, third = table(folder / "models.csv")
    assert (first["model"], first["name"], first["matched_by"]) == ("1", "model_1.pdb", "number")
    assert (third["matched_by"], third["missing"]) == ("sequence", "1")
    pairs = [(r["model_1"], r["model_2"]) for r in table(folder / "pairs.csv")]
    assert pairs == [("1", "2"), ("1", "3"), ("2", "3")]
    assert float(table(folder / "pairs.csv")[2]["rmsd"]) == pytest.approx(
        result.mutual[1, 2], abs=1e-6
    )


def test_the_histogram_holds_all_residues(folder):
    rows = table(folder / "curves" / "convergence.csv")
    assert sum(int(row["residues"]) for row in rows) == 16


def test_the_summary_says_which_rmsd_it_is(result, folder):
    facts = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    rmsd = facts["ca_rmsd"]
    assert "all pairs" in rmsd["definition"]
    assert "mean position" in rmsd["definition_to_mean"]
    assert rmsd["models"] == 3
    assert rmsd["overall"]["mean"] == pytest.approx(result.ca_rmsd.mean())
    assert rmsd["mean_to_mean"] == pytest.approx(result.ca_rmsd_to_mean.mean())
    assert facts["inputs"]["models"][2]["matched_by"] == "sequence"
    assert len(facts["notes"]) == len(result.notes) == 2
    for model, given in zip(result.models, facts["inputs"]["models"], strict=True):
        assert given["sha256"] == sha256(model.path.read_bytes()).hexdigest()


def test_one_file_holds_all_models_and_gives_the_same_numbers(result, folder):
    structure = gemmi.read_structure(str(folder / "ensemble.cif"))
    assert [model.num for model in structure] == [1, 2, 3]
    again = converge_models([folder / "ensemble.cif"])
    np.testing.assert_allclose(again.ca_rmsd, result.ca_rmsd, atol=2e-3)
    assert [one.matched_by for one in again.members] == ["number", "number", "sequence"]


def test_attributes_are_at_each_models_own_numbers(result, folder):
    lines = (folder / "chimerax" / "ca_rmsd.defattr").read_text(encoding="utf-8").splitlines()
    assert lines[:3] == ["attribute: ca_rmsd", "match mode: any", "recipient: residues"]
    values = dict(line.strip().split("\t") for line in lines[3:])
    assert len(values) == 47
    assert float(values["#1.1/A:5"]) == pytest.approx(result.ca_rmsd[4], abs=1e-4)
    assert values["#1.3/A:105"] == values["#1.1/A:5"]
    assert "#1.3/A:104" not in values


def test_the_script_shows_a_worm_and_the_map_if_there_is_one(result, folder, tmp_path):
    script = (folder / "chimerax" / "convergence.cxc").read_text(encoding="utf-8")
    assert 'open "../ensemble.cif" id 1\n' in script
    assert "cartoon byattribute ca_rmsd #1.1 " in script
    assert "volume" not in script
    write_convergence(result, tmp_path / "b", map_path=tmp_path / "map.mrc")
    script = (tmp_path / "b" / "chimerax" / "convergence.cxc").read_text(encoding="utf-8")
    assert f'open "{tmp_path / "map.mrc"}" id 2\n' in script


def test_what_was_written_is_read_back(result, folder):
    known = read_convergence(folder)
    assert (known.models, known.resolution, known.folder) == (3, None, folder)
    np.testing.assert_allclose(known.ca_rmsd, result.ca_rmsd, atol=1e-6)
    np.testing.assert_array_equal(known.residues.number, result.number)
    np.testing.assert_array_equal(known.residues.chain, result.chain)
    np.testing.assert_allclose(known.residues.xyz, result.xyz, atol=1e-6)


@pytest.mark.parametrize("content", [None, "{}", '{"kind": "validation"}', "nonsense", "[]"])
def test_other_folders_are_refused(tmp_path, content):
    if content is not None:
        (tmp_path / "summary.json").write_text(content, encoding="utf-8")
    with pytest.raises(ResultsError, match="holds no results of atomsight converge"):
        read_convergence(tmp_path)


def test_a_table_without_its_columns_is_refused(folder):
    (folder / "residues.csv").write_text("chain,number\nA,1\n", encoding="utf-8")
    with pytest.raises(ResultsError, match="has no column"):
        read_convergence(folder)
