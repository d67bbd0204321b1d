"""Files of a comparison."""

import csv
import json
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

import atomsight as ats
from atomsight.errors import OutputError
from atomsight.evidence.local_resolution import window_size
from tests.support.cases import files_below, shifted, small_model, write_case
from tests.support.models import cif_text, write_model

FILES = [
    *("chimerax", "chimerax/compare.cxc", "chimerax/model_1.defattr", "chimerax/model_2.defattr"),
    *("compared_atoms.csv", "comparison.csv", "summary.json"),
]


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    """The small model against one whose haem is elsewhere and lacks an atom."""
    folder = tmp_path_factory.mktemp("models")
    model, map_ = write_case(folder)
    other = [a for a in shifted(small_model(), "HEM", (0, 0.7, 0)) if a.name != "CHA"]
    second = write_model(folder / "other.cif", cif_text(other))
    options = ats.CompareOptions(resolution=2.0, contour=0.5)
    return ats.compare([second, model], map_, options)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def test_all_files_are_written_and_named(result, tmp_path):
    written = ats.write_comparison(result, tmp_path / "out")
    assert files_below(tmp_path / "out") == FILES
    names = [path.relative_to(tmp_path / "out").as_posix() for path in written]
    assert names == [name for name in FILES if name != "chimerax"]


def test_the_ranking(result, tmp_path):
    ats.write_comparison(result, tmp_path)
    first, second = table(tmp_path / "comparison.csv")
    assert [first["rank"], first["model"], first["tied"]] == ["1", "model.cif", "false"]
    assert [second["rank"], second["model"], second["missing"]] == ["2", "other.cif", "1"]
    assert first["below_best"] == "0.0"
    assert first["below_best_half_width"] == first["fsc_q"] == ""
    d = result.models[1].below_best
    assert float(second["below_best"]) == pytest.approx(d.value, abs=1e-6)
    assert float(first["q"]) - float(second["q"]) == pytest.approx(d.value, abs=2e-6)
    assert first["q_band"] in ("below", "within", "above")
    assert second["sentence"] == result.models[1].sentence


def test_the_compared_atoms(result, tmp_path):
    ats.write_comparison(result, tmp_path)
    rows = table(tmp_path / "compared_atoms.csv")
    assert [row["atom"] for row in rows] == ["FE", "NA", "NB", "CHA"] * 2
    assert [row["rank"] for row in rows] == ["1"] * 4 + ["2"] * 4
    assert [row["ranked"] for row in rows] == (["true"] * 3 + ["false"]) * 2
    assert [row["q_status"] for row in rows] == ["ok"] * 7 + ["missing"]
    lost = rows[-1]
    assert [lost[name] for name in ("q", "density", "class", "moved")] == [""] * 4
    assert "fsc_q" not in lost
    model = result.models[0].scores
    for row in rows[:4]:
        (place,) = np.flatnonzero(model.model.atom == row["atom"])
        assert float(row["q"]) == pytest.approx(model.q.q[place], abs=1e-6)
        assert float(row["q_sd"]) == pytest.approx(model.q.orientation_sd[place], abs=1e-6)
        assert float(row["density"]) == pytest.approx(model.density.trilinear[place], abs=1e-6)
        assert float(row["inside"]) == (model.density.value[place] > 0.5)


def test_the_summary(result, tmp_path):
    ats.write_comparison(result, tmp_path)
    facts = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    for given in facts["inputs"]["models"] + [facts["inputs"]["map"]]:
        assert given["sha256"] == sha256(Path(given["path"]).read_bytes()).hexdigest()
    assert facts["inputs"]["half_maps"] is None
    assert facts["parameters"]["orientations"] == 8
    assert facts["atoms"]["compared"] == 4
    assert facts["atoms"]["ranked"] == 3
    assert facts["atoms"]["missing"] == {"model.cif": [], "other.cif": ["A/HEM 201 CHA"]}
    assert set(facts["definitions"]) <= set(facts["models"][0])
    assert facts["models"][0]["below_best"] is None
    assert facts["models"][1]["below_best"]["atoms"] == 3
    assert facts["expected"]["value"]["peak"] == ats.expected_q(2.0, 0.4)[0].peak
    assert facts["expected"]["classes"]["ligand"]["value"] is None
    assert facts["differences"]["cube_edge"] == 3.0
    assert "clashes" in facts["not_looked_at"]


def test_the_script_opens_all_models_in_the_order_of_the_ranking(result, tmp_path):
    ats.write_comparison(result, tmp_path)
    models = [str(m.scores.model.path.resolve()) for m in result.models]
    assert (tmp_path / "chimerax" / "compare.cxc").read_text(encoding="utf-8") == (
        f'open "{models[0]}" id 1\n'
        'open "model_1.defattr" models #1\n'
        f'open "{models[1]}" id 2\n'
        'open "model_2.defattr" models #2\n'
        f'open "{result.map.path.resolve()}" id 3\n'
        "hide #1-2 cartoons\n"
        "show #1-2 atoms\n"
        "style #1-2 stick\n"
        "color byattribute qscore #1-2 palette red:gray:blue range 0,1\n"
        "volume #3 style surface transparency 0.7\n"
        "view #1/A:201\n"
    )
    lines = (tmp_path / "chimerax" / "model_2.defattr").read_text().splitlines()
    assert len(lines) == 3 + len(result.models[1].scores.model)


def test_the_script_looks_at_every_compared_residue_but_not_at_a_whole_model(tmp_path):
    model, map_ = write_case(tmp_path)
    for name, step, view in (
        ("two", ("HEM", "MG"), "view #1/A:201 | #1/A:202"),
        ("all", ("ALA", "GLY", "SER"), "view #1-2"),
    ):
        atoms = small_model()
        for residue in step:
            atoms = shifted(atoms, residue, (0, 0.4, 0))
        other = write_model(tmp_path / f"{name}.cif", cif_text(atoms))
        result = ats.compare([model, other], map_, ats.CompareOptions(resolution=2.0))
        ats.write_comparison(result, tmp_path / name)
        script = (tmp_path / name / "chimerax" / "compare.cxc").read_text(encoding="utf-8")
        assert script.splitlines()[-1] == view


def test_half_maps_add_columns_and_inputs(tmp_path):
    folder = tmp_path
    model, map_ = write_case(folder)
    grid = ats.read_map(map_)
    signal = ats.simulate_map(ats.read_model(model), grid, b_iso=40.0).values
    rng = np.random.default_rng(2)
    one, two = ((signal + rng.normal(0, 0.1, signal.shape)).astype(np.float32) for _ in range(2))
    for name, values in (("half1", one), ("half2", two), ("full", (one + two) / 2)):
        ats.write_map(values, grid, folder / f"{name}.mrc")
    other = write_model(folder / "other.cif", cif_text(shifted(small_model(), "HEM", (0, 0.7, 0))))
    halves = ats.HalfMapOptions(folder / "half1.mrc", folder / "half2.mrc", box=10, b_iso=40.0)
    options = ats.CompareOptions(resolution=2.0, half_maps=halves)
    result = ats.compare([other, model], folder / "full.mrc", options)
    ats.write_comparison(result, folder / "out")
    first, second = result.models
    assert first.figures.q_half_1 > second.figures.q_half_1
    assert first.figures.q_half_2 > second.figures.q_half_2
    assert first.figures.fsc_q < second.figures.fsc_q
    rows = table(folder / "out" / "compared_atoms.csv")
    assert {"fsc_q", "local_resolution_half", "q_half_1", "q_half_2"} <= set(rows[0])
    assert {row["fsc_q_status"] for row in rows} == {"ok"}
    mean = np.mean([float(row["fsc_q"]) for row in rows[:4]])
    assert mean == pytest.approx(first.figures.fsc_q, abs=1e-5)
    facts = json.loads((folder / "out" / "summary.json").read_text(encoding="utf-8"))
    assert [Path(h["path"]).name for h in facts["inputs"]["half_maps"]] == [
        "half1.mrc",
        "half2.mrc",
    ]
    assert facts["fsc_q"]["box"] == result.box == 10
    assert window_size(2.0, 0.8) != 10
    # of the full map and its halves, no more is said than that they belong together
    assert not [note for note in result.notes if "is not the mean" in note]
    sharp = ats.write_map(one, grid, folder / "sharp.mrc")
    with pytest.raises(ats.MapFileError, match="half1"):
        ats.compare([other, model], sharp, options)


def test_files_are_written_all_or_none(result, tmp_path):
    out = tmp_path / "out"
    (out / "comparison.csv").mkdir(parents=True)
    with pytest.raises(OutputError, match=r"comparison\.csv: cannot write this file"):
        ats.write_comparison(result, out)
    assert files_below(out) == ["comparison.csv"]
