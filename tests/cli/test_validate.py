import hashlib
import json
import re
from dataclasses import replace

import gemmi
import numpy as np
import polars as pl
import pytest

from atomsight.io.models import read_model
from tests.cli.conftest import NOTICE
from tests.support.cases import files_below, small_model, write_case, write_map_of
from tests.support.models import cif_text, write_model

RESOLUTION = "_em_3d_reconstruction.resolution 3.2\n"
FILES = [
    "5ni1__B_from_Q__emd_3488.cif",
    "5ni1__Q__emd_3488.cif",
    "5ni1__Q__emd_3488.pdb",
    "archive",
    "archive/emdb_va.json",
    "archive/wwpdb_validation.cif",
    "atoms.csv",
    "atoms.parquet",
    "chimerax",
    "chimerax/qscore.cxc",
    "chimerax/qscore.defattr",
    "chimerax/residues_chimerax.csv",
    "curves",
    "curves/atom_inclusion.csv",
    "curves/b_factor_fit.csv",
    "curves/b_factor_relations.csv",
    "curves/solvent_distances.csv",
    "report.html",
    "residues.csv",
    "residues.parquet",
    "summary.json",
]
FOLDERS = ("archive", "chimerax", "curves")
HEADER = (
    "model,chain,label_asym,number,icode,residue,atom,altloc,element,class,"
    "x,y,z,occupancy,b_iso,q,q_status"
)


def load(folder):
    return json.loads((folder / "summary.json").read_text(encoding="utf-8"))


def words(text):
    """Text without the line breaks of the terminal."""
    return " ".join(text.split())


def test_the_demo_from_the_shell(shell, demo_data, tmp_path):
    done = shell(
        "validate", demo_data / "5ni1.cif", demo_data / "emd_3488.mrc", "-o", tmp_path / "out"
    )
    assert done.code == 0
    assert done.err in ("", NOTICE)
    folder = tmp_path / "out"
    assert files_below(folder) == FILES
    for name in FILES:
        assert name in FOLDERS or name in words(done.out)

    facts = load(folder)
    q = facts["q_score"]
    assert q["mean_without_water"]["value"] == pytest.approx(0.5535, abs=5e-5)
    assert q["mean"]["value"] == pytest.approx(0.5543, abs=5e-5)
    assert (q["mean_without_water"]["n"], q["mean"]["n"]) == (4555, 4579)
    assert facts["resolution"] == {
        "value": 3.2,
        "source": "_em_3d_reconstruction.resolution of the model",
    }
    assert (
        facts["inputs"]["map"]["sha256"]
        == hashlib.sha256((demo_data / "emd_3488.mrc").read_bytes()).hexdigest()
    )
    shown = words(done.out)
    assert "0.5535 without water (4555 atoms); 0.5543 with (4579 atoms)" in shown
    assert "resolution 3.2 Å (_em_3d_reconstruction.resolution of the model)" in shown
    assert "4579 atoms, 602 residues" in shown
    assert "100 x 100 x 100 voxels of 1.05 Å" in shown
    assert facts["percentiles"]["q"]["of_resolution"] == pytest.approx(87.3, abs=0.05)
    assert facts["b_factors"]["f"] == pytest.approx(104, abs=2)
    assert facts["correlation"]["b_zero"]["cc_mean"] == pytest.approx(0.714, abs=1e-3)
    assert facts["density"]["mean"]["mean"] == pytest.approx(4.744, abs=1e-3)
    text = (folder / "atoms.csv").read_text()
    assert text.startswith(HEADER + ",")
    atoms = pl.read_csv(folder / "atoms.csv", infer_schema_length=None)
    assert atoms["q"].mean() == pytest.approx(q["mean"]["value"], abs=1e-6)
    assert len(pl.read_parquet(folder / "atoms.parquet")) == len(atoms) == 4579
    assert len(pl.read_parquet(folder / "residues.parquet")) == 602
    assert len(pl.read_csv(folder / "residues.csv", infer_schema_length=None)) == 602
    chimerax = pl.read_csv(folder / "chimerax" / "residues_chimerax.csv", null_values="N/A")
    assert len(chimerax) == 602

    with_b = read_model(folder / "5ni1__B_from_Q__emd_3488.cif")
    np.testing.assert_allclose(
        with_b.b_iso, facts["b_factors"]["f"] * (1 - atoms["q"].to_numpy()), atol=0.006
    )
    model = read_model(demo_data / "5ni1.cif")
    assert len(with_b) == len(model)
    block = gemmi.cif.read(str(folder / "5ni1__Q__emd_3488.cif")).sole_block()
    scores = np.array([float(v) for v in block.find_values("_atom_site.Q-score")])
    np.testing.assert_allclose(scores, atoms["q"], atol=5.1e-5)
    annotated = read_model(folder / "5ni1__Q__emd_3488.pdb")
    assert len(annotated) == len(model)
    assert annotated.b_iso.mean() == pytest.approx(q["mean"]["value"], abs=1e-3)
    assert (folder / "chimerax" / "qscore.defattr").read_text().count("\n\t/") == 4579


def test_one_thread_and_two_write_the_same_table(atomsight, demo_data, tmp_path):
    for threads in (1, 2):
        done = atomsight(
            "validate", demo_data / "5ni1.cif", demo_data / "emd_3488.mrc",
            "--threads", threads, "-o", tmp_path / f"{threads}",
        )  # fmt: skip
        assert done.code == 0
        assert load(tmp_path / f"{threads}")["parameters"]["threads"] == threads
    for name in set(FILES) - {*FOLDERS, "summary.json", "report.html"}:  # these tell the time
        one, two = ((tmp_path / f"{threads}" / name).read_bytes() for threads in (1, 2))
        assert one == two


def test_a_model_in_another_frame_is_refused_with_the_shift(atomsight, demo_data, tmp_path):
    model, map_ = demo_data / "modelangelo_5ni1.cif", demo_data / "emd_3488.mrc"
    error = atomsight("validate", model, map_, "-o", tmp_path / "out").error
    assert error.startswith(f"{model}: this model does not lie in {map_}: ")
    assert "shift the model by about (-14.70, -14.70, -14.70) Å" in error
    assert "--force" in error
    assert files_below(tmp_path / "out") == []


def test_force_scores_it_all_the_same(atomsight, demo_data, tmp_path):
    model, map_ = demo_data / "modelangelo_5ni1.cif", demo_data / "emd_3488.mrc"
    done = atomsight("validate", model, map_, "--force", "-o", tmp_path)
    assert (done.code, done.err) == (0, "")
    facts = load(tmp_path)
    assert facts["parameters"]["force"] is True
    assert facts["overlay"]["ok"] is False
    assert abs(facts["q_score"]["mean"]["value"]) < 0.1
    assert "note: the model does not lie in the map: scored on request (--force)" in done.out
    assert facts["notes"][0] == "the model does not lie in the map: scored on request (--force)"


@pytest.fixture
def case(tmp_path):
    return write_case(tmp_path, before=RESOLUTION)


def test_results_go_to_a_folder_of_their_own_unless_told_otherwise(
    atomsight, case, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert atomsight("validate", *case).code == 0
    assert (tmp_path / "atomsight-results" / "summary.json").is_file()


def test_a_given_resolution_is_used_and_said(atomsight, case, tmp_path):
    done = atomsight("validate", *case, "--resolution", "2.5", "-o", tmp_path / "out")
    assert "resolution 2.5 Å (given)" in words(done.out)
    facts = load(tmp_path / "out")
    assert facts["resolution"] == {"value": 2.5, "source": "given"}
    assert facts["parameters"]["resolution"] == 2.5


def test_without_a_resolution_there_is_no_expectation_and_that_is_said(atomsight, tmp_path):
    done = atomsight("validate", *write_case(tmp_path), "-o", tmp_path / "out")
    assert done.code == 0
    assert "none given and none in the model's metadata (--resolution)" in words(done.out)
    assert "expected Q none: " in words(done.out)
    assert load(tmp_path / "out")["expected"]["value"] is None


def test_sigma_reaches_scores_expectation_and_remarks(atomsight, case, tmp_path):
    done = atomsight("validate", *case, "--sigma", "0.6", "-o", tmp_path / "six")
    atomsight("validate", *case, "-o", tmp_path / "four")
    assert "Q (sigma 0.6 Å)" in done.out
    six, four = load(tmp_path / "six"), load(tmp_path / "four")
    assert six["q_score"]["sigma"] == 0.6
    assert six["q_score"]["mean"]["value"] != four["q_score"]["mean"]["value"]
    assert "MapQ" in six["expected"]["value"]["definition"]
    assert "SIGMA 0.6 A" in (tmp_path / "six" / "model__Q__map.pdb").read_text()


def test_shape_of_the_points_reaches_the_summary(atomsight, case, tmp_path):
    done = atomsight(
        "validate", *case, "--points", 4, "--radius", 1.5, "--step", 0.25, "-o", tmp_path / "out"
    )
    assert done.code == 0
    assert load(tmp_path / "out")["parameters"]["q"] == {
        "sigma": 0.4, "points": 4, "radius": 1.5, "step": 0.25,
    }  # fmt: skip


def test_a_selection_leaves_the_others_without_a_score(atomsight, case, tmp_path):
    done = atomsight("validate", *case, "--select", "//A/2-3", "-o", tmp_path / "out")
    assert done.code == 0
    atoms = pl.read_csv(tmp_path / "out" / "atoms.csv")
    scored = atoms.filter(pl.col("q").is_not_null())
    assert sorted(set(scored["number"])) == [2, 3]
    assert set(atoms.filter(pl.col("q").is_null())["q_status"]) == {"not_selected"}
    facts = load(tmp_path / "out")
    assert facts["parameters"]["selection"] == "//A/2-3"
    assert facts["q_score"]["status_counts"]["not_selected"] == 12


def test_rotated_points_give_mean_and_spread_of_each_atom(atomsight, case, tmp_path):
    done = atomsight("validate", *case, "--orientations", 3, "--seed", 5, "-o", tmp_path / "out")
    assert done.code == 0
    atoms = pl.read_csv(tmp_path / "out" / "atoms.csv")
    first = atoms.columns.index("q")
    assert atoms.columns[first + 1 : first + 4] == [
        *("q_status", "q_orientation_mean", "q_orientation_sd")
    ]
    assert (atoms["q_orientation_sd"] > 0).all()
    assert ((atoms["q"] - atoms["q_orientation_mean"]).abs() < 0.1).all()
    facts = load(tmp_path / "out")["q_score"]["orientations"]
    assert (facts["n"], facts["seed"]) == (3, 5)


@pytest.fixture
def two_models(tmp_path):
    """A file with MODEL 2 and MODEL 7, and a map of both."""
    atoms = small_model()
    text = cif_text([replace(a, model=number) for number in (2, 7) for a in atoms])
    return write_model(tmp_path / "m.cif", text), write_map_of(tmp_path / "map.mrc", atoms)


@pytest.mark.parametrize("number", [2, 7])
def test_the_chosen_model_of_several(atomsight, two_models, tmp_path, number):
    done = atomsight("validate", *two_models, "--model", number, "-o", tmp_path / "out")
    assert done.code == 0
    assert "note:" not in done.out
    facts = load(tmp_path / "out")["inputs"]["model"]
    assert (facts["model_number"], facts["model_numbers"]) == (number, [2, 7])
    assert set(pl.read_csv(tmp_path / "out" / "atoms.csv")["model"]) == {number}
    block = gemmi.cif.read(str(tmp_path / "out" / "m__Q__map.cif")).sole_block()
    known = [v != "?" for v in block.find_values("_atom_site.Q-score")]
    assert known == ([True] * 20 + [False] * 20 if number == 2 else [False] * 20 + [True] * 20)
    assert len(read_model(tmp_path / "out" / "m__Q__map.pdb")) == 20


def test_of_several_models_the_first_is_taken_and_that_is_said(atomsight, two_models, tmp_path):
    done = atomsight("validate", *two_models, "-o", tmp_path / "out")
    assert "note: the file holds 2 MODELs: MODEL 2 taken (--model)" in words(done.out)


def test_neighbours_of_the_assembly(atomsight, demo_data, tmp_path):
    """5NI1's assembly is the file itself: the same scores, another parameter."""
    done = atomsight(
        "q", demo_data / "5ni1.cif", demo_data / "emd_3488.mrc", "--neighbours", "assembly",
        "-o", tmp_path,
    )  # fmt: skip
    assert done.code == 0
    facts = load(tmp_path)
    assert facts["parameters"]["neighbours"] == "assembly"
    assert facts["q_score"]["mean"]["value"] == pytest.approx(0.5543, abs=5e-5)


def test_the_origin_can_be_chosen(atomsight, tmp_path):
    model, map_ = write_case(tmp_path)
    refused = atomsight("validate", model, map_, "--origin", "zero", "-o", tmp_path / "out").error
    assert "does not lie in" in refused
    done = atomsight("validate", model, map_, "--origin", "origin", "-o", tmp_path / "out")
    assert done.code == 0
    assert "note: origin on request: taken from ORIGIN" in done.out
    assert load(tmp_path / "out")["parameters"]["origin"] == "origin"


@pytest.mark.parametrize("name", ["emd_21457_seg", "emd_21457_seg_nstart"])
def test_a_map_with_another_origin_convention(atomsight, demo_data, tmp_path, name):
    done = atomsight(
        "q", demo_data / "6vyb_Ndom.pdb", demo_data / f"{name}.mrc", "-o", tmp_path / name
    )
    assert (done.code, done.err) == (0, "")
    assert load(tmp_path / name)["q_score"]["mean"]["value"] == pytest.approx(0.2400, abs=5e-5)


def test_a_map_whose_origin_was_lost_is_refused_with_advice(atomsight, demo_data, tmp_path):
    error = atomsight(
        "q", demo_data / "6vyb_Ndom.pdb", demo_data / "emd_21457_seg_orig0.mrc", "-o", tmp_path
    ).error
    assert re.search(r"This would help: (read the map with|shift the model by)", error)


def test_a_pdb_model_and_packed_files(atomsight, tmp_path):
    plain = write_case(tmp_path, model="model.pdb")
    packed = write_case(tmp_path, model="packed.pdb.gz", map_="map.mrc.gz")
    for name, files in (("plain", plain), ("packed", packed)):
        assert atomsight("validate", *files, "-o", tmp_path / name).code == 0
    assert (tmp_path / "packed" / "packed__Q__map.cif").is_file()
    one, two = ((tmp_path / name / "atoms.csv").read_bytes() for name in ("plain", "packed"))
    assert one == two
