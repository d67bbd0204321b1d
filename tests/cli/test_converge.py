"""The command that measures convergence, and what validate makes of it."""

import csv
import json

import pytest

from tests.support.cases import files_below, write_map_of
from tests.support.ensembles import OTHER, jittered, write_ensemble
from tests.support.models import pdb_text, write_model


@pytest.fixture
def models(tmp_path):
    return write_ensemble(tmp_path / "models", 4)


def test_converge_writes_and_shows_the_numbers(atomsight, models, tmp_path):
    done = atomsight("converge", "--import", *models, "--resolution", "3", "-o", tmp_path / "out")
    assert (done.code, done.err) == (0, "")
    text = " ".join(done.out.split())
    facts = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert f"Cα RMSD, pairwise mean {facts['ca_rmsd']['overall']['mean']:.3f} Å" in text
    assert f"Cα RMSD to the mean mean {facts['ca_rmsd']['mean_to_mean']:.3f} Å" in text
    assert "models 4 of 16 residues, not superposed" in text
    assert "4 model_4.pdb number 16 0" in text
    assert "least fixed residues" in text
    for name in files_below(tmp_path / "out"):
        assert name in ("chimerax", "curves") or name in text


def test_matching_by_sequence_is_said(atomsight, models, tmp_path):
    other = write_model(tmp_path / "other.pdb", pdb_text(jittered(9, first=301)))
    done = atomsight("converge", "--import", *models, other, "-o", tmp_path / "out")
    text = " ".join(done.out.split())
    assert "other.pdb sequence 16 0" in text
    assert "note: other.pdb: its numbering differs from that of model_1.pdb" in text


def test_a_folder_and_a_map(atomsight, models, tmp_path):
    map_ = write_map_of(tmp_path / "map.mrc", jittered(0, scale=0.0))
    command = ("converge", "--import", models[0].parent, "--map", map_, "-o", tmp_path / "out")
    assert atomsight(*command).code == 0
    facts = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert len(facts["inputs"]["models"]) == 4
    assert len(facts["inputs"]["map"]["sha256"]) == 64


def test_an_entry_stands_beside_the_line_of_others(atomsight, models, tmp_path):
    table = tmp_path / "entries.csv"
    rows = ["resolution,ca_rmsd,protocol", "2,0.2,abc", "3,0.4,abc", "4,0.7,abc", "5,1.3,abc"]
    table.write_text("\n".join(rows), encoding="utf-8")
    line = tmp_path / "line.json"
    done = atomsight("archive", "build", table, "-o", line, "--name", "Ours")
    assert done.code == 0
    assert "mean Cα RMSD = a exp(b d)" in done.out
    command = ("converge", "--import", *models, "--resolution", "3.5", "--line", line)
    out = ("-o", tmp_path / "out")
    text = " ".join(atomsight(*command, "--protocol", "abc", *out).out.split())
    assert "expected mean 0.5" in text
    facts = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert facts["protocol"] == "abc"
    assert "expected mean none: that line is of protocol abc" in " ".join(
        atomsight(*command, *out).out.split()
    )
    assert "holds no line" in atomsight(*command[:-1], table, *out).error
    assert (
        "--at-least"
        in atomsight("archive", "build", table, "-o", line, "--at-least", "ca_rmsd=1").error
    )


def test_validate_shows_what_converge_found(atomsight, models, tmp_path):
    pytest.importorskip("matplotlib")
    map_ = write_map_of(tmp_path / "map.mrc", jittered(0, scale=0.0))
    atomsight("converge", "--import", *models, "-o", tmp_path / "found")
    done = atomsight(
        *("validate", models[0], map_, "--convergence", tmp_path / "found"),
        *("--no-fit-b", "--figures", "svg", "-o", tmp_path / "out"),
    )
    assert done.code == 0
    assert "convergence mean Cα RMSD" in " ".join(done.out.split())
    columns = []
    for folder in ("found", "out"):
        with (tmp_path / folder / "residues.csv").open(encoding="utf-8", newline="") as handle:
            columns.append([row["ca_rmsd"] for row in csv.DictReader(handle)])
    assert columns[0] == columns[1]
    assert (tmp_path / "out" / "curves" / "convergence.csv").is_file()
    facts = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert facts["convergence"]["models"] == 4
    assert facts["parameters"]["convergence"] == str(tmp_path / "found")
    figure = tmp_path / "out" / "figures" / "ca_rmsd.svg"
    assert "Convergence of independent models" in figure.read_text(encoding="utf-8")
    # the same from the folder alone
    figure.unlink()
    assert atomsight("report", tmp_path / "out", "--figures", "svg").code == 0
    assert figure.is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("{one}", "{two}"), "models are made for one resolution: give --resolution"),
        (("{one}",), "give one model and its map, not 1 files"),
        (
            ("{one}", "{two}", "--resolution", "3", "--protocol", "x"),
            "mean nothing without --import",
        ),
        (("{one}", "{two}", "--resolution", "3", "--command", "x"), "--engine external"),
        (("{one}", "{two}", "--resolution", "3", "--engine", "external"), "needs --command"),
        (
            ("{one}", "{lost}", "--resolution", "3", "--models", "4", "--keep", "5"),
            "--keep must be",
        ),
        (
            ("{one}", "{two}", "--resolution", "3", "--engine", "external", "--platform", "cpu"),
            "--platform and --copies: mean nothing with --engine external",
        ),
        (("--import", "{one}", "{two}", "--platform", "cpu"), "means nothing with --import"),
        (
            ("{one}", "{two}", "--resolution", "3", "--copies", "moving"),
            "--copies: of what? give the --symmetry",
        ),
        (("--import", "{one}", "{two}", "--symmetry", "C2"), "means nothing with --import"),
        (("--import", "{one}", "{two}", "--b-factors", "q"), "means nothing with --import"),
        (("--import", "{one}"), "convergence needs at least two models, not 1"),
        (("--import", "{one}", "{odd}"), "odd.pdb: none of its chains has the sequence"),
        (("--import", "{one}", "{one}"), "this model is given twice"),
        (("--import", "{one}", "{two}", "--resolution", "0"), "positive number of Å"),
        (("--import", "{one}", "{two}", "--map", "{lost}"), "no such map file"),
    ],
)
def test_what_is_wrong_is_said_in_one_line_and_nothing_is_left(
    atomsight, models, tmp_path, arguments, message
):
    odd = write_model(tmp_path / "odd.pdb", pdb_text(jittered(1, names=OTHER)))
    files = {"one": models[0], "two": models[1], "odd": odd, "lost": tmp_path / "lost.mrc"}
    before = files_below(tmp_path)
    words = [word.format(**files) for word in arguments]
    done = atomsight("converge", *words, "-o", tmp_path / "out")
    assert message in done.error
    assert files_below(tmp_path) == before


def test_a_missing_servalcat_is_told_before_any_work(atomsight, models, tmp_path, monkeypatch):
    monkeypatch.setattr("atomsight.ensemble.servalcat.shutil.which", lambda *_, **__: None)
    before = files_below(tmp_path)
    done = atomsight(
        *("converge", models[0], tmp_path / "lost.mrc", "--resolution", "3", "--models", "3"),
        *("--keep", "2", "--b-factors", "servalcat", "-o", tmp_path / "out"),
    )
    assert "servalcat is not installed: run: pip install 'atomsight[ensemble]'" in done.error
    assert "--b-factors q" in done.error
    assert files_below(tmp_path) == before


def test_validate_refuses_other_folders(atomsight, models, tmp_path):
    map_ = write_map_of(tmp_path / "map.mrc", jittered(0, scale=0.0))
    command = ("validate", models[0], map_, "-o", tmp_path / "out", "--convergence")
    assert "holds no results of atomsight converge" in atomsight(*command, tmp_path).error
    odd = [
        write_model(tmp_path / f"odd_{i}.pdb", pdb_text(jittered(i, names=OTHER))) for i in (1, 2)
    ]
    atomsight("converge", "--import", *odd, "-o", tmp_path / "odd")
    assert "no chain of the sequence" in atomsight(*command, tmp_path / "odd").error


def test_a_platform_that_is_not_there_is_refused_with_the_remedy(atomsight, models, tmp_path):
    pytest.importorskip("openmm")
    pytest.importorskip("pdbfixer")
    from atomsight.ensemble.engines.platforms import registered

    if "CUDA" in registered():
        pytest.skip("this machine has CUDA for OpenMM")
    before = files_below(tmp_path)
    command = ("converge", models[0], models[1], "--resolution", "3", "--platform", "cuda")
    done = atomsight(*command, "-o", tmp_path / "out")
    assert done.code == 2
    assert "--platform cuda: " in done.error
    assert "openmm[cuda12]" in done.error
    assert files_below(tmp_path) == before
