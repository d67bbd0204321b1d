import shutil

import pytest

from tests.support.tiny_entries import write_tiny_entries

PAIRS = "jobs=2,cores=1,memory=2GB"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--slurm", "jobs=2"), "--slurm: cores, memory missing"),
        (("--slurm", PAIRS, "--scheduler", "tcp://a:1"), "--scheduler and --slurm: give one"),
        (("--slurm", PAIRS, "--workers", 2), "--workers, --memory and --dashboard: are those of"),
        (("--scheduler", "tcp://a:1", "--memory", "2GB"), "--workers, --memory and --dashboard"),
        (("--scheduler", "here"), "--scheduler is 'here'; write it as tcp://10.0.0.1:8786"),
    ],
)
def test_places_that_are_refused(atomsight, tmp_path, options, said):
    manifest = write_tiny_entries(tmp_path, 1)
    assert atomsight("batch", manifest, "-o", tmp_path / "out", *options).error.startswith(said)
    assert not (tmp_path / "out").exists()


def test_slurm_where_there_is_none(atomsight, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    manifest = write_tiny_entries(tmp_path, 1)
    done = atomsight("batch", manifest, "-o", tmp_path / "out", "--slurm", PAIRS)
    assert done.error == "--slurm: no sbatch here; run this where jobs are submitted"


def script(atomsight, *arguments):
    return atomsight("batch", "script", "--slurm", PAIRS, *arguments)


def test_the_script_is_printed_and_nothing_is_run(atomsight, tmp_path):
    manifest = write_tiny_entries(tmp_path, 3)
    done = script(atomsight, manifest, "-o", tmp_path / "out", "--sigma", 0.6, "--reports")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("#!/bin/bash\n")
    last = f"batch run {manifest} -o {tmp_path / 'out'} --sigma 0.6 --reports --workers 1 "
    assert last in done.out
    assert done.out.endswith('--shard "$SLURM_ARRAY_TASK_ID/2"\n')
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["logs"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--workers", 2), "--workers: means nothing in a script; --slurm says it"),
        (("--shard", "0/2"), "--shard: means nothing in a script"),
        (("--scheduler", "tcp://a:1", "--memory", "1GB"), "--memory, --scheduler: means nothing"),
    ],
)
def test_what_the_script_says_itself(atomsight, tmp_path, options, said):
    manifest = write_tiny_entries(tmp_path, 3)
    assert script(atomsight, manifest, *options).error.startswith(said)


def test_a_script_for_no_manifest(atomsight, tmp_path):
    assert "no such manifest file" in script(atomsight, tmp_path / "none.csv").error


def test_options_that_no_job_would_take(atomsight, tmp_path):
    manifest = write_tiny_entries(tmp_path, 3)
    for wrong in (("--colour", "red"), ("--tables", "none"), ("--sigma", "wide")):
        done = script(atomsight, manifest, *wrong)
        assert (done.code, done.out) == (2, "")
        assert wrong[0] in done.err
