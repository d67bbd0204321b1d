import importlib.util
import os
import tempfile
from pathlib import Path

import pytest

from atomsight.kernels import compilation
from atomsight.kernels import q_score as rules
from atomsight.kernels.compilation import kernel, telling_of_compilation

VARIABLE = "NUMBA_CACHE_DIR"
KERNELS = ("find_neighbours", "map_value", "is_inside", "still_kept", "try_points", "q_scores")


@pytest.fixture
def load(tmp_path):
    """Load a kernel from a file that numba has not seen before; called again, from the same."""
    path = tmp_path / "some_kernel.py"
    path.write_text("def quotient(a, b):\n    return a / b\n")

    def load():
        spec = importlib.util.spec_from_file_location("some_kernel", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return kernel(module.quotient)

    return load


def times_told(work) -> int:
    told = []
    with telling_of_compilation(lambda: told.append(True)):
        work()
    return len(told)


@pytest.mark.parametrize("name", KERNELS)
def test_kernels_release_the_gil_and_follow_ieee_arithmetic(name):
    options = getattr(rules, name).targetoptions
    assert options["nogil"] is True
    assert not options.get("fastmath")
    assert options["error_model"] == "numpy"


def test_a_kernel_gives_what_the_function_gives(load):
    quotient = load()
    assert quotient(1.0, 4.0) == 0.25
    assert quotient(1.0, 0.0) == float("inf")


def test_compilation_is_told_once(load):
    quotient = load()
    assert times_told(lambda: (quotient(1.0, 2.0), quotient(1, 2))) == 1


def test_nothing_is_told_when_the_kernel_is_ready(load):
    quotient = load()
    quotient(1.0, 2.0)
    assert times_told(lambda: quotient(2.0, 3.0)) == 0


def test_nothing_is_told_when_the_kernel_lies_on_disk(load):
    load()(1.0, 2.0)
    again = load()
    assert times_told(lambda: again(1.0, 2.0)) == 0


def test_nothing_is_told_afterwards(load):
    told = []
    with telling_of_compilation(lambda: told.append(True)):
        pass
    load()(1.0, 2.0)
    assert told == []


@pytest.fixture
def read_only(monkeypatch, tmp_path):
    """No folder that numba would choose can be written; temporary files go to tmp_path."""
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield tmp_path
    os.environ.pop(VARIABLE, None)


def test_where_nothing_can_be_written_the_cache_goes_to_a_private_folder(read_only):
    compilation._prepare_cache()
    folder = Path(os.environ[VARIABLE])
    assert folder.parent == read_only
    assert folder.stat().st_mode & 0o077 == 0


@pytest.mark.usefixtures("read_only")
def test_the_private_folder_serves_again():
    compilation._prepare_cache()
    first = os.environ.pop(VARIABLE)
    compilation._prepare_cache()
    assert os.environ[VARIABLE] == first


def test_a_folder_of_somebody_else_is_not_used(read_only, monkeypatch):
    monkeypatch.setattr(os, "getuid", lambda: 4242)
    foreign = read_only / "atomsight-kernels-4242"
    foreign.mkdir()
    compilation._prepare_cache()
    assert Path(os.environ[VARIABLE]).is_dir()
    assert Path(os.environ[VARIABLE]) != foreign


@pytest.mark.usefixtures("read_only")
def test_a_file_in_the_way_is_no_obstacle():
    compilation._prepare_cache()
    folder = Path(os.environ.pop(VARIABLE))
    folder.rmdir()
    folder.write_text("in the way")
    compilation._prepare_cache()
    assert Path(os.environ[VARIABLE]).is_dir()


def test_a_folder_that_the_user_chose_stays(monkeypatch, tmp_path):
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    monkeypatch.setattr(os, "access", lambda *_: False)
    compilation._prepare_cache()
    assert os.environ[VARIABLE] == str(tmp_path)


def test_where_a_folder_can_be_written_numba_chooses(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(os, "access", lambda *_: True)
    compilation._prepare_cache()
    assert VARIABLE not in os.environ
