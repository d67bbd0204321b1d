"""A cluster of Dask that runs already, out of processes that are killed in the middle."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from atomsight.batch import cluster, driver
from atomsight.batch.cluster import Running
from atomsight.batch.job import Settings
from atomsight.batch.run import run_batch
from atomsight.errors import ClusterError, ParameterError
from tests.support.dask_processes import HOST, DaskProcesses, free_port, until
from tests.support.tiny_entries import count_rows, require_all_done, write_tiny_entries

pytestmark = pytest.mark.xdist_group("dask")

COUNT = 20


@pytest.fixture
def dask_processes(tmp_path):
    logs = tmp_path / "logs"
    logs.mkdir()
    with DaskProcesses(logs) as processes:
        yield processes


@pytest.fixture
def settings(tmp_path):
    return Settings(tmp_path / "out", tables="entries")


def run_while(happens, settings, processes, tmp_path, count=COUNT):
    """Run entries, and do something else when the first of them has its row."""
    manifest = write_tiny_entries(tmp_path / "in", count)

    ended = Event()

    def then():
        until(lambda: ended.is_set() or count_rows(settings.folder) > 0, 120)
        happens()
        return count_rows(settings.folder)

    with ThreadPoolExecutor(1) as thread:
        other = thread.submit(then)
        try:
            report = run_batch(manifest, settings, Running(processes.address))
        finally:
            ended.set()
        assert other.result(1) < count, "it happened when all was done"
    assert (report.done, report.failed) == (count, 0)
    return require_all_done(settings.folder, manifest, count)


def test_a_worker_that_is_killed_is_replaced_by_one_that_comes_late(
    dask_processes, settings, tmp_path
):
    dask_processes.start_scheduler()
    dask_processes.start_worker("--no-nanny", memory=0)

    def happens():
        dask_processes.kill_worker()
        dask_processes.start_worker("--no-nanny")

    rows = run_while(happens, settings, dask_processes, tmp_path)
    assert rows["attempts"].max() <= 2


def test_a_scheduler_that_is_killed_and_started_again(
    dask_processes, settings, tmp_path, monkeypatch, caplog
):
    monkeypatch.chdir(tmp_path)
    dask_processes.start_scheduler()
    dask_processes.start_worker()

    def happens():
        dask_processes.kill_scheduler()
        dask_processes.kill_worker()
        dask_processes.start_scheduler()
        dask_processes.start_worker()

    # a relative folder is that of this process, wherever workers run
    relative = Settings(settings.folder.relative_to(tmp_path), tables="entries")
    run_while(happens, relative, dask_processes, tmp_path)
    said = [record.getMessage() for record in caplog.records if record.name == "atomsight"]
    assert said[0] == f"{dask_processes.address}: the scheduler was lost; waiting for it"
    assert any(line.startswith("connected again after ") for line in said)
    assert list((tmp_path / "out" / ".started").iterdir()) == []


def test_a_scheduler_that_does_not_come_back(dask_processes, settings, tmp_path, monkeypatch):
    dask_processes.start_scheduler()
    dask_processes.start_worker("--no-nanny")

    def happens():
        monkeypatch.setattr(driver, "PATIENCE", 0.5)
        monkeypatch.setattr(cluster, "CONNECT", "0.5s")
        dask_processes.kill_scheduler()

    with pytest.raises(ClusterError, match=r"did not come back: go on with --resume"):
        run_while(happens, settings, dask_processes, tmp_path)


def test_a_worker_of_another_version_is_refused(dask_processes, settings, tmp_path, monkeypatch):
    other = tmp_path / "other"
    other.mkdir()
    (other / "sitecustomize.py").write_text(
        "import importlib.metadata as m\nv = m.version\n"
        "m.version = lambda name: '0.0.9' if name == 'atomsight' else v(name)\n"
    )
    dask_processes.start_scheduler()
    with monkeypatch.context() as patched:
        patched.setenv("PYTHONPATH", str(other), prepend=":")
        dask_processes.start_worker("--no-nanny")
    with pytest.raises(ClusterError, match=r"there has atomsight 0\.0\.9, and this is "):
        run_batch(write_tiny_entries(tmp_path, 2), settings, Running(dask_processes.address))
    assert count_rows(settings.folder) == 0


@pytest.mark.parametrize("address", ["", "nonsense", "foo://host:1", "tcp://host", "a b:1"])
def test_what_is_no_address(address):
    with pytest.raises(ParameterError, match=r"write it as tcp://10\.0\.0\.1:8786$"):
        Running(address)


@pytest.mark.parametrize("address", ["tcp://{}", "{}"])
def test_nobody_answers(settings, tmp_path, monkeypatch, address):
    monkeypatch.setattr(cluster, "CONNECT", "0.5s")
    address = address.format(f"{HOST}:{free_port()}")
    with pytest.raises(ClusterError, match=rf"^{address}: no scheduler of Dask answers there"):
        run_batch(write_tiny_entries(tmp_path, 1), settings, Running(address))
    assert count_rows(settings.folder) == 0
