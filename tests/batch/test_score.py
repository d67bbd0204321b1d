"""One entry: the numbers of the single command, and one row whatever happens."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import atomsight as ats
from atomsight.batch.dataset import ATOMS, RESIDUES, ROWS, path_of, read_rows
from atomsight.batch.entry import entry_of
from atomsight.batch.job import Job, Settings
from atomsight.batch.manifest import read_manifest
from atomsight.batch.schema import ATOMS as ATOM_COLUMNS
from atomsight.batch.schema import RESIDUES as RESIDUE_COLUMNS
from atomsight.batch.score import fail, score
from atomsight.export.columns import atom_keys, residue_keys
from atomsight.export.tables import frame
from atomsight.io.map_writing import write_map
from atomsight.output import write_results
from tests.support.crops import spoil, write_crop, write_manifest


def job_of(manifest, folder, row=0, **settings):
    found = Settings(folder, **settings)
    return Job(entry_of(read_manifest(manifest)[row], found.options), found, "digest")


def test_numbers_are_those_of_the_single_command_to_the_last_bit(crops, tmp_path):
    job = job_of(crops, tmp_path / "set")
    assert score(job, 1).status == "done"
    single = ats.validate(job.entry.model, job.entry.map, ats.Options(resolution=3.2))
    write_results(single, tmp_path / "single")
    for kind in (ATOMS, RESIDUES):
        expected = pl.read_parquet(tmp_path / "single" / f"{kind}.parquet")
        found = pl.read_parquet(path_of(tmp_path / "set", kind, job.entry.name))
        assert set(found["entry"]) == {job.entry.name}
        assert found.select(expected.columns).equals(expected, null_equal=True)
        others = found.drop("entry", *expected.columns)
        assert others.null_count().row(0) == (len(found),) * others.width
    row = read_rows(tmp_path / "set").row(0, named=True)
    assert row["q"] == single.averages["mean_without_water"].mean
    assert (row["atoms"], row["resolution"], row["attempts"]) == (len(single.model), 3.2, 1)
    assert row["map_sha256"] == single.checksums[str(job.entry.map)]
    assert row["peak_memory"] > 50e6


def test_the_schema_knows_every_column_that_a_validation_can_give(source, tmp_path):
    """With half maps, contour level and rotated points: what a run may be asked for."""
    model, map_ = write_crop(source, tmp_path, "a", seed=3, radius=9.0)
    density = ats.read_map(map_)
    noise = np.random.default_rng(0).normal(scale=0.02, size=density.values.shape)
    for name, sign in (("h1", 1), ("h2", -1)):
        write_map(density.values + sign * noise, density, tmp_path / f"{name}.mrc")
    halves = ats.HalfMapOptions(tmp_path / "h1.mrc", tmp_path / "h2.mrc", box=10)
    options = ats.Options(resolution=3.2, half_maps=halves, contour=0.1, orientations=2)
    result = ats.validate(model, map_, options)
    atoms = frame({**atom_keys(result.model), **result.atoms})
    residues = frame({**residue_keys(result.model), **result.residues})
    convergence = {"ca_rmsd", "ca_rmsd_to_mean"}
    for table, schema in ((atoms, ATOM_COLUMNS), (residues, RESIDUE_COLUMNS)):
        assert set(table.columns) == set(schema) - {"entry"} - convergence
        kinds = {name: kind for name, kind in schema.items() if name in table.columns}
        assert {name: table.schema[name] for name in kinds} == kinds


@pytest.mark.parametrize(
    ("tables", "kept"),
    [("entries", {ROWS}), ("residues", {ROWS, RESIDUES}), ("atoms", {ROWS, RESIDUES, ATOMS})],
)
def test_only_what_was_asked_for_is_kept(crops, tmp_path, tables, kept):
    score(job_of(crops, tmp_path, tables=tables), 1)
    assert {path.parents[1].name for path in tmp_path.rglob("*.parquet")} == kept


def test_a_report_for_each_entry(crops, tmp_path):
    job = job_of(crops, tmp_path, reports=True)
    score(job, 1)
    assert (tmp_path / "reports" / job.entry.name / "report.html").stat().st_size > 1e6


def test_every_fault_is_a_row_that_says_what_where(source, tmp_path):
    names = [f"bad{i}" for i in range(6)]
    rows = []
    for seed, name in enumerate(names):
        model, map_ = write_crop(source, tmp_path / "files", name, seed=seed, radius=6.0)
        rows.append((name, model, map_, 3.2))
    steps = spoil(tmp_path, names)
    manifest = write_manifest(tmp_path / "m.csv", ("name", "model", "map", "resolution"), rows)
    for i, name in enumerate(names):
        ended = score(job_of(manifest, tmp_path / "set", i), 1)
        assert (ended.status, ended.step, ended.unwritten) == ("failed", steps[name], "")
    table = read_rows(tmp_path / "set")
    assert dict(table.select("entry", "step").iter_rows()) == steps
    assert all(name in message for name, message in table.select("entry", "message").iter_rows()), (
        table["message"].to_list()
    )
    assert not list((tmp_path / "set").glob("atoms/**/*.parquet"))


def test_an_error_of_ours_is_a_row_too(crops, tmp_path, monkeypatch):
    def breaks(*_args):
        raise ZeroDivisionError("no such thing")

    monkeypatch.setattr("atomsight.batch.score.validate", breaks)
    ended = score(job_of(crops, tmp_path), 1)
    assert (ended.status, ended.step) == ("failed", "validate")
    row = read_rows(tmp_path).row(0, named=True)
    assert row["error"] == "ZeroDivisionError"
    assert "no such thing (in " in row["message"]
    assert "test_score.py:" in row["message"]


def test_a_failure_takes_the_tables_of_an_earlier_success(crops, tmp_path):
    job = job_of(crops, tmp_path)
    score(job, 1)
    fail(job, 2, "timeout", "TimeoutError", "too long", 3.0)
    assert [p.parents[1].name for p in tmp_path.rglob("*.parquet")] == [ROWS]
    row = read_rows(tmp_path).row(0, named=True)
    assert (row["status"], row["attempts"], row["q"]) == ("failed", 2, None)


def test_what_cannot_be_written_is_told(crops, tmp_path):
    (tmp_path / "entries").write_text("in the way", encoding="utf-8")
    job = job_of(crops, tmp_path)
    for ended in (score(job, 1), fail(job, 1, "x", "X", "x")):
        assert ended.status == "failed" or ended.unwritten
        assert "cannot write this table" in ended.unwritten


def test_an_id_without_files_says_so(crops, tmp_path):
    job = job_of(crops, tmp_path)
    ended = score(replace(job, entry=replace(job.entry, map=None)), 1)
    assert (ended.status, ended.step) == ("failed", "manifest")


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is one of Linux")
def test_a_process_stops_at_its_share_of_memory(crops, tmp_path):
    """In a process of its own, as the limit is one of the process."""
    code = f"""
from dataclasses import replace
from pathlib import Path
import numpy as np
from atomsight.batch import score as module
from tests.batch.test_score import job_of
module.validate = lambda *_: np.ones(2**25)  # 256 MiB, and no result
job = job_of(Path({str(crops)!r}), Path({str(tmp_path)!r}))
for limit in (2**27, 0, 2**33):
    print(module.score(replace(job, limit=limit), 1).step)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == ["memory", "validate", "validate"]
