"""``atomsight batch``: plan, run, go on, and what a person is told."""

import signal
import subprocess
import time

import polars as pl
import psutil
import pytest

from atomsight.batch.dataset import read_rows
from tests.cli.conftest import PROGRAM
from tests.support.crops import read_source, write_crops, write_manifest

pytestmark = pytest.mark.xdist_group("batch")


@pytest.fixture(scope="module")
def manifest(demo_data, tmp_path_factory):
    """Three small entries, and one whose map is not there."""
    source = read_source(demo_data / "5ni1.cif", demo_data / "emd_3488.mrc")
    path = write_crops(source, tmp_path_factory.mktemp("entries"), 3, radius=5.0)
    with path.open("a", encoding="utf-8") as handle:
        handle.write("lost,files/crop00000.cif,files/lost.mrc,3.2\n")
    return path


def test_plan_then_run_then_go_on(shell, manifest, tmp_path):
    planned = shell("batch", "plan", manifest, "--workers", 2, "-o", "plan.csv")
    assert (planned.code, planned.err) == (0, "")
    first, second, third, fourth = planned.out.splitlines()
    assert first == "4 entries, 1 of them would fail"
    assert second.startswith("line 5 (lost): ")
    assert second.endswith("files/lost.mrc: no such map file")
    assert third.startswith("memory: up to 3")
    assert "with 2 workers" in fourth
    table = pl.read_csv(tmp_path / "plan.csv")
    assert table["entry"].to_list() == ["crop00000", "crop00001", "crop00002", "lost"]
    assert table["voxels"].null_count() == 1

    # "batch MANIFEST" is "batch run MANIFEST"
    done = shell("batch", manifest, "-o", "set", "--workers", 2, "--no-fit-b")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("4 entries: 3 done, 1 failed; ")
    assert "failed at 'read maps': 1" in done.out
    rows = read_rows(tmp_path / "set")
    assert rows["status"].to_list() == ["done", "done", "done", "failed"]
    assert rows["b_factor_f"].null_count() == 4

    refused = shell("batch", manifest, "-o", "set")
    assert (refused.code, refused.out) == (2, "")
    assert "set: holds the results of 4 entries: add --resume to go on" in refused.err
    again = shell("batch", manifest, "-o", "set", "--no-fit-b", "--resume")
    assert "0 done, 0 failed, 4 kept from earlier runs" in again.out


def test_a_run_that_is_told_to_end_does_so_in_order(manifest, tmp_path):
    """SIGTERM, as from Slurm: processes are gone, no entry is blamed, and the run can go on."""
    rows = [
        (
            f"e{i}",
            *(manifest.parent / "files" / f"crop0000{i % 3}.{end}" for end in ("cif", "mrc")),
            3.2,
        )
        for i in range(300)
    ]
    many = write_manifest(tmp_path / "many.csv", ("name", "model", "map", "resolution"), rows)
    command = [PROGRAM, "batch", "run", many, "-o", "set", "--tables", "entries"]
    run = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while len(read_rows(tmp_path / "set", ["entry"])) < 3 and time.monotonic() < deadline:
        time.sleep(0.2)
    children = psutil.Process(run.pid).children(recursive=True)
    run.send_signal(signal.SIGTERM)
    _, said = run.communicate(timeout=60)
    assert run.returncode == 128 + signal.SIGTERM
    assert b"Traceback" not in said
    _, alive = psutil.wait_procs(children, timeout=10)
    assert not alive
    assert not list((tmp_path / "set" / ".started").iterdir())
    finished = len(read_rows(tmp_path / "set"))
    assert 3 <= finished < 300


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--memory", "lots"], "--memory is 'lots', not a size of memory"),
        (["--shard", "3"], "--shard is '3'; write I/N"),
        (["--shard", "2/2"], "--shard 2/2: shards are counted from 0, to 1"),
        (["--workers", "0"], "--workers must be at least 1, not 0"),
        (["--timeout", "-1"], "--timeout must not be negative"),
        (["--scheduler", "x", "--workers", "2"], "are those of the cluster, with --scheduler"),
    ],
)
def test_options_that_mean_nothing(atomsight, manifest, tmp_path, options, message):
    done = atomsight("batch", manifest, "-o", tmp_path / "set", *options)
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert done.err.count("\n") == 1


def test_a_manifest_that_is_none(atomsight, tmp_path):
    done = atomsight("batch", "plan", tmp_path / "none.csv")
    assert (done.code, "no such manifest file" in done.err) == (2, True)


def test_without_its_libraries_it_says_what_to_install(atomsight, manifest, tmp_path, monkeypatch):
    monkeypatch.setattr("atomsight.batch.cluster.find_spec", lambda _name: None)
    done = atomsight("batch", manifest, "-o", tmp_path / "set")
    assert done.code == 2
    assert "pip install 'atomsight[cluster]'" in done.err
    assert not (tmp_path / "set").exists()
