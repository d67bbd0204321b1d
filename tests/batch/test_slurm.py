"""What is asked of Slurm; that Slurm takes it is in test_slurm_real."""

import errno
import fcntl
import shlex
import subprocess

import pytest

from atomsight.batch.run import Shard, alone
from atomsight.batch.slurm import Slurm, log_directives, slurm_of
from atomsight.batch.slurm_script import array_script
from atomsight.errors import OutputError, ParameterError


def test_all_keys():
    text = " jobs=8, cores=16,memory=64GiB,walltime=2-12:00,queue=short,account=me,interface=ib0"
    place = slurm_of(text)
    assert place == Slurm(8, 16, 64 * 2**30, "2-12:00", "short", "me", "ib0")
    assert place.directives() == [
        "--job-name=atomsight",
        "--ntasks=1",
        "--cpus-per-task=16",
        "--mem=65536M",
        "--time=2-12:00",
        "--partition=short",
        "--account=me",
    ]


def test_what_is_not_given_is_left_to_slurm():
    place = slurm_of("jobs=1,cores=2,memory=1GB")
    assert place.directives()[1:] == ["--ntasks=1", "--cpus-per-task=2", "--mem=954M"]


def test_some_of_a_job_is_for_the_process_that_watches():
    assert slurm_of("jobs=1,cores=1,memory=2GiB").for_entries == 3 * 2**29


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "'' means nothing; write KEY=VALUE, of jobs, cores, memory, walltime, queue, acc"),
        ("jobs", "'jobs' means nothing"),
        ("jobs=", "'jobs=' means nothing"),
        ("jobs=1,cores=1,memory=2GB,colour=red", "'colour=red' means nothing; write KEY=VALUE"),
        ("jobs=1,jobs=2", "jobs is there twice"),
        ("jobs=1", "cores, memory missing; write it as jobs=8,cores=16,memory=64GB"),
        ("jobs=1.5,cores=1,memory=2GB", "jobs is '1.5', not a whole number"),
        ("jobs=-1,cores=1,memory=2GB", "jobs is '-1', not a whole number"),
        ("jobs=²,cores=1,memory=2GB", "jobs is '²', not a whole number"),
        ("jobs=1,cores=0,memory=2GB", "cores must be at least 1"),
        ("jobs=1,cores=1,memory=lots", "memory is 'lots', not a size of memory"),
        ("jobs=1,cores=1,memory=800MB", "memory must be at least 1GB for each job"),
        ("jobs=1,cores=1,memory=2GB,walltime=8h", "walltime is '8h'; write it as 8:00:00"),
        ("jobs=1,cores=1,memory=2GB,queue=a b", "queue is 'a b', which cannot be one"),
        ("jobs=1,cores=1,memory=2GB,account=a\nb", r"account is 'a\\nb', which cannot be one"),
    ],
)
def test_what_means_nothing(text, said):
    with pytest.raises(ParameterError) as caught:
        slurm_of(text)
    assert said.replace(r"\\", "\\") in str(caught.value)
    assert str(caught.value).startswith("--slurm: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["a\\b", "a\nb", "a\x7fb"])
def test_folders_that_slurm_cannot_log_to(tmp_path, name):
    with pytest.raises(OutputError, match="choose another with -o"):
        log_directives(tmp_path / name, "x")
    assert not (tmp_path / name).exists()


def test_the_folder_for_logs_is_made_and_its_name_is_no_pattern(tmp_path):
    output, _ = log_directives(tmp_path / "100% %j", "array-%A")
    assert output == shlex.quote(f"--output={tmp_path}/100%% %%j/logs/array-%A.log").replace(
        "'--output=", "--output='"
    )
    assert (tmp_path / "100% %j" / "logs").is_dir()


def test_a_script_says_to_the_shell_what_was_meant(tmp_path, monkeypatch):
    """Read by bash itself, with a program in atomsight's place that prints its arguments."""
    folder = tmp_path / 'it\'s "$HOME" `x`'
    folder.mkdir()
    monkeypatch.chdir(folder)
    words = ["m n.csv", "-o", "out's; rm -rf *", "--tables", "entries"]
    text = array_script(slurm_of("jobs=3,cores=2,memory=2GiB"), folder / "out", words)
    program = tmp_path / "program"
    program.write_text('#!/bin/bash\npwd; printf "%s\\n" "$@"\n')
    program.chmod(0o755)
    lines = text.splitlines()
    assert lines[-1].startswith("exec ")
    lines[-1] = lines[-1].replace(lines[-1].split()[1], shlex.quote(str(program)), 1)
    printed = subprocess.run(
        ["bash", "-c", "\n".join(lines)],
        env={"SLURM_ARRAY_TASK_ID": "2", "PATH": "/usr/bin:/bin"},
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert printed.splitlines() == [
        str(folder),
        *("-m", "atomsight", "batch", "run", *words),
        *("--workers", "2", "--memory", str(3 * 2**29), "--shard", "2/3"),
    ]


def test_directives_come_before_the_first_command(tmp_path):
    text = array_script(slurm_of("jobs=3,cores=2,memory=2GiB,queue=q"), tmp_path, ["m.csv"])
    lines = text.splitlines()
    assert lines[0] == "#!/bin/bash"
    directives = [i for i, line in enumerate(lines) if line.startswith("#SBATCH ")]
    assert "#SBATCH --array=0-2" in lines
    assert "#SBATCH --partition=q" in lines
    first = next(i for i, line in enumerate(lines) if not line.startswith("#"))
    assert max(directives) < first


def test_a_script_needs_no_network(tmp_path):
    with pytest.raises(ParameterError, match="interface means nothing in a script"):
        array_script(slurm_of("jobs=3,cores=2,memory=2GiB,interface=lo"), tmp_path, ["m.csv"])


@pytest.mark.parametrize("shard", [None, Shard(1, 2)])
def test_a_file_system_without_locks_is_told_of(tmp_path, monkeypatch, caplog, shard):
    """As Lustre that is mounted without flock; made by a stand-in, as none is at hand."""

    def flock(*_):
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", flock)
    with alone(tmp_path, shard):
        (told,) = [record.getMessage() for record in caplog.records]
    assert told.startswith(f"{tmp_path}: no locks on this file system (Function not implemented)")
