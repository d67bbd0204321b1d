"""What all commands share: exit codes, version, what is loaded, the notice of compilation."""

import os
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import pytest

import atomsight as package
from atomsight.errors import AtomsightError, OutputError
from tests.cli.conftest import NOTICE, PROGRAM
from tests.support.cases import files_below, write_case

SOURCES = Path(package.__file__).parent
NOBODY = 65534


@pytest.mark.parametrize("option", ["--version"])
def test_the_version(atomsight, option):
    done = atomsight(option)
    assert (done.code, done.out, done.err) == (0, f"atomsight {version('atomsight')}\n", "")


def test_python_m_atomsight_is_the_same_program(tmp_path):
    command = [sys.executable, "-m", "atomsight", "--version"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout == f"atomsight {version('atomsight')}\n"


@pytest.mark.parametrize("arguments", [(), ("validate",), ("q",)])
def test_a_bare_command_shows_its_help(atomsight, arguments):
    done = atomsight(*arguments)
    assert done.code == 2
    assert "Usage: " in done.out + done.err
    assert "--help" in done.out + done.err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--unknown",), "No such option: --unknown"),
        (("nonsense",), "No such command 'nonsense'"),
        (("fsc-q", "a.cif"), "Missing argument 'MAP'"),
        (("validate", "a.cif", "b.mrc", "c.mrc"), "Got unexpected extra argument"),
        (("validate", "a.cif", "b.mrc", "--unknown"), "No such option: --unknown"),
        (("validate", "a.cif", "b.mrc", "--sigma"), "Option '--sigma' requires an argument"),
        (("validate", "a.cif", "b.mrc", "--sigma", "wide"), "Invalid value for '--sigma'"),
        (("validate", "a.cif", "b.mrc", "--points", "1.5"), "Invalid value for '--points'"),
        (("q", "a.cif", "b.mrc", "--origin", "north"), "Invalid value for '--origin'"),
        (("q", "a.cif", "b.mrc", "--neighbours", "all"), "Invalid value for '--neighbours'"),
    ],
)
def test_wrong_usage_exits_with_2_and_says_why(
    atomsight, arguments, complaint, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    done = atomsight(*arguments)
    assert done.code == 2
    assert complaint in done.err
    assert "Traceback" not in done.err
    assert files_below(tmp_path) == []


def test_our_own_fault_exits_with_1(tmp_path):
    """A bug shows its traceback and is not taken for a fault of the input."""
    code = (
        "import atomsight.validation as v, sys\n"
        "def broken(*_, **__): raise ZeroDivisionError('a bug')\n"
        "v.q_score = broken\n"
        "from atomsight.cli import main\n"
        f"sys.argv = ['atomsight', 'q', *{[str(p) for p in write_case(tmp_path)]}, '-o', 'out']\n"
        "main()\n"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1
    assert "ZeroDivisionError: a bug" in done.stderr
    assert files_below(tmp_path / "out") == []


@pytest.mark.parametrize("error", [AtomsightError("x: wrong"), OutputError("x: wrong")])
def test_every_error_of_ours_is_one_line(atomsight, tmp_path, monkeypatch, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr("atomsight.validation.validate", fail)
    done = atomsight("q", *write_case(tmp_path), "-o", tmp_path / "out")
    assert done.error == "x: wrong"


def test_letters_that_the_encoding_lacks_do_not_stop_a_run(shell, tmp_path):
    ascii_only = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = shell("q", *write_case(tmp_path), "-o", tmp_path / "out", env=ascii_only)
    assert done.code == 0
    assert "none given and none in" in done.out
    assert "Q (sigma 0.4 ?)" in done.out
    refused = shell("q", *write_case(tmp_path), "--sigma", "0", env=ascii_only)
    assert refused.error == r"sigma must be a positive number of \xc5, not 0.0"


def loaded_by(*arguments):
    """Modules that are loaded after the command line has run."""
    code = (
        "import sys\n"
        "from atomsight.cli import main\n"
        f"sys.argv = ['atomsight', *{list(arguments)}]\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(*sys.modules)\n"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    "arguments", [("--help",), ("--version",), ("validate", "--help"), ("q", "--help")]
)
def test_help_loads_nothing_that_computes(arguments):
    loaded = loaded_by(*arguments)
    assert loaded & {"numba", "polars", "gemmi", "numpy", "scipy", "atomsight.validation"} == set()
    assert "typer" in loaded


@pytest.fixture
def case(tmp_path):
    return write_case(tmp_path)


def test_compilation_is_told_on_the_first_run_and_not_on_the_next(shell, case, tmp_path):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    first = shell("q", *case, "-o", tmp_path / "out", env=environment)
    assert (first.code, first.err) == (0, NOTICE)
    assert any(name.endswith(".nbi") for name in files_below(tmp_path / "cache"))
    second = shell("q", *case, "-o", tmp_path / "out", env=environment)
    assert (second.code, second.err) == (0, "")
    assert second.out == first.out


def can_run(*command):
    try:
        return subprocess.run(command, check=False, capture_output=True).returncode == 0
    except OSError:
        return False


ANOTHER_USER = ("setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups")
READ_ONLY_SOURCES = (
    *("unshare", "--mount", "sh", "-c"),
    f'mount --bind "{SOURCES}" "{SOURCES}" && mount -o remount,ro,bind "{SOURCES}" && "$0" "$@"',
)


@pytest.fixture
def stranger():
    """What to put before a command so that it cannot write to the sources."""
    if os.geteuid() != 0:
        pytest.skip("needs root to become another user or to mount the sources read-only")
    for before in (ANOTHER_USER, READ_ONLY_SOURCES):
        if can_run(*before, sys.executable, "-c", "import atomsight"):
            return before
    pytest.skip(f"no other user can run {sys.executable}, and nothing can be mounted")


@pytest.fixture
def open_folder():
    """A folder that another user can reach, unlike pytest's."""
    folder = Path(tempfile.mkdtemp(prefix="atomsight-test-"))
    os.chown(folder, NOBODY, NOBODY)
    yield folder
    shutil.rmtree(folder)


def test_where_neither_sources_nor_home_can_be_written(shell, stranger, open_folder):
    case = write_case(open_folder)
    temporary = open_folder / "temporary"
    temporary.mkdir()
    temporary.chmod(0o777)
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
    environment = {**kept, "HOME": "/nonexistent", "TMPDIR": str(temporary)}
    for notice in (NOTICE, ""):
        done = shell(
            "q", *case, "-o", temporary / "out", before=stranger, cwd=temporary, env=environment
        )
        assert (done.code, done.err) == (0, notice)
    (private,) = temporary.glob("atomsight-kernels-*")
    assert private.stat().st_mode & 0o077 == 0


def test_a_full_disk_is_said_in_one_line_and_leaves_nothing(shell, case, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    alone = ("unshare", "--mount", "sh", "-c")
    mount = f'mount -t tmpfs -o size=24k none "{disk}"'
    if os.geteuid() != 0 or not can_run(*alone, mount):
        pytest.skip("needs root and mount namespaces for a small disk")
    script = f'{mount}; "$0" "$@"; code=$?; [ ! -e "{disk}/out" ] || ls -A "{disk}/out"; exit $code'
    done = shell("validate", *case, "-o", disk / "out", before=(*alone, script))
    assert done.error.startswith(f"{disk}/out/")
    assert done.error.endswith("cannot write this file (No space left on device)")


def test_the_program_is_installed():
    assert PROGRAM.is_file()
