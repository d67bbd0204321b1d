"""Slurm itself, started on this machine; slurm-wlm 22.05.8 of Debian 12 was."""

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import dask
import pytest

from atomsight.batch import slurm_jobs
from atomsight.batch.job import Settings
from atomsight.batch.run import run_batch
from atomsight.batch.slurm import Slurm
from tests.support.dask_processes import until
from tests.support.slurm_daemons import SlurmDaemons, require_slurm
from tests.support.tiny_entries import (
    count_rows,
    require_all_done,
    rows_of,
    write_tiny_entries,
)

pytestmark = pytest.mark.xdist_group("slurm")

ATOMSIGHT = [sys.executable, "-m", "atomsight", "batch"]
FEW = 2
MANY = 12


@pytest.fixture(scope="module")
def slurm():
    require_slurm()
    with SlurmDaemons() as daemons:
        yield daemons


def test_an_array_of_jobs_and_again(slurm, tmp_path):
    manifest = write_tiny_entries(tmp_path / 'it\'s "here"', FEW)
    folder = tmp_path / "50% of $HOME"
    pairs = "jobs=2,cores=1,memory=2GB,walltime=0:10:00,queue=short"
    command = [*ATOMSIGHT, "script", manifest.name, "-o", folder, "--tables", "entries"]
    printed = subprocess.run(
        [*command, "--slurm", pairs], cwd=manifest.parent, check=True, capture_output=True
    ).stdout
    script = tmp_path / "job.sh"
    script.write_bytes(printed)

    def submit(*options):
        assert slurm.ask("sbatch", *options, script, cwd="/").startswith("Submitted batch job")
        until(lambda: not slurm.jobs(), 120)

    submit()
    first = require_all_done(folder, manifest, FEW)
    logs = sorted((folder / "logs").glob("array-*.log"))
    assert len(logs) == 2
    assert all(f"{FEW // 2} done, 0 failed" in log.read_text() for log in logs)
    (gone,) = folder.glob("entries/*/tiny001.parquet")
    gone.unlink()
    submit("--array=1")
    again = require_all_done(folder, manifest, FEW)
    assert again.filter(again["entry"] != "tiny001").equals(
        first.filter(first["entry"] != "tiny001")
    )


def test_jobs_are_workers_and_a_lost_one_is_made_up_for(slurm, tmp_path, monkeypatch):
    for key in ("PATH", "SLURM_CONF"):
        monkeypatch.setenv(key, slurm.environment[key])
    monkeypatch.setattr(slurm_jobs, "_LOOK_AGAIN", 1.0)
    manifest = write_tiny_entries(tmp_path / "in", MANY)
    place = Slurm(1, 1, 2 * 10**9, walltime="10:00", interface="lo")
    settings = Settings(tmp_path / "a folder", tables="entries")

    def kill_the_job():
        until(lambda: count_rows(settings.folder) > 0, 120)
        (job,) = slurm.jobs()
        slurm.ask("scancel", "--signal=KILL", "--full", job)

    with (
        dask.config.set({"distributed.deploy.lost-worker-timeout": "1s"}),
        ThreadPoolExecutor(1) as thread,
    ):
        killed = thread.submit(kill_the_job)
        # Dask's scheduler has to be in the main thread
        report = run_batch(manifest, settings, place)
        killed.result(1)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert (report.done, report.failed) == (MANY, 0)
    require_all_done(settings.folder, manifest, MANY)
    assert set(rows_of(settings.folder)["attempts"]) <= {1, 2}
    until(lambda: not slurm.jobs(), 30)
    assert len(list((settings.folder / "logs").glob("dask-*.log"))) == 2


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        ("queue=nowhere", "Slurm takes no jobs: sbatch: error: invalid partition specified"),
        ("interface=nothing", "--slurm: no scheduler of Dask can be started here"),
    ],
)
def test_jobs_that_slurm_does_not_take(slurm, tmp_path, pairs, said):
    manifest = write_tiny_entries(tmp_path, 1)
    pairs = f"jobs=1,cores=1,memory=1GB,{pairs}"
    done = subprocess.run(
        [*ATOMSIGHT, manifest, "-o", tmp_path / "out", "--slurm", pairs],
        env=slurm.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"atomsight: error: {said}")
    assert done.stderr.count("\n") == 1
