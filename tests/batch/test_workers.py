"""What is made of workers that come, go and differ; real ones are in test_scheduler."""

from importlib.metadata import PackageNotFoundError, version
from types import SimpleNamespace

import pytest
from distributed.scheduler import KilledWorker

from atomsight.batch import slurm_jobs, workers
from atomsight.batch.cluster import Connection
from atomsight.batch.driver import Driver, Report
from atomsight.batch.entry import Entry
from atomsight.batch.job import Job, Settings
from atomsight.batch.slurm_jobs import Jobs
from atomsight.batch.workers import Capacity, Workers, attempt_here
from atomsight.errors import ClusterError
from atomsight.outcome import Options
from tests.support.tiny_entries import rows_of


class Client:
    """Answers like a client of Dask."""

    def __init__(self, *found, answer="0.1.0"):
        self.found = {
            f"tcp://a:{i}": {"nthreads": threads, "resources": resources}
            for i, (threads, resources) in enumerate(found)
        }
        self.answer = answer

    def scheduler_info(self, n_workers):
        assert n_workers == -1
        return {"workers": self.found}

    def run(self, _call, _text, workers, on_error):
        assert on_error == "return"
        return dict.fromkeys(workers, self.answer)


@pytest.mark.parametrize(
    ("found", "capacity"),
    [
        ([(4, {"memory": 8e9}), (2, {"memory": 2e9})], Capacity(6, 4, 8_000_000_000)),
        ([(4, {}), (2, {})], Capacity(6, 4, 0)),
        ([(16, {}), (2, {"memory": 2e9})], Capacity(2, 2, 2_000_000_000)),
        ([], None),
    ],
)
def test_what_workers_have(found, capacity):
    assert Workers(Connection(Client(*found))).look() == capacity


def test_no_workers_are_told_of_once(monkeypatch, caplog):
    monkeypatch.setattr(workers, "_TELL_AFTER", -1.0)
    seen = Workers(Connection(Client()))
    for _ in range(4):
        assert seen.look() is None
    assert [r.getMessage() for r in caplog.records] == [
        "the cluster has no workers; waiting until one comes"
    ]


def test_a_worker_without_atomsight_is_refused_before_it_gets_an_entry():
    client = Client((1, {}), answer=PackageNotFoundError("atomsight"))
    with pytest.raises(ClusterError, match=r"^tcp://a:0: the worker of Dask there has no atom"):
        Workers(Connection(client)).look()


def test_a_worker_that_went_while_it_was_asked_is_no_error():
    assert Workers(Connection(Client((1, {}), answer=OSError("gone")))).look() is not None


@pytest.fixture
def job(tmp_path):
    return Job(Entry("one", Options()), Settings(tmp_path, retries=1), "0123")


def test_a_folder_that_a_worker_does_not_see(tmp_path, job):
    away = Job(job.entry, Settings(tmp_path / "not shared"), "0123")
    with pytest.raises(ClusterError, match=r"does not see .*not shared; it must be on a file sys"):
        attempt_here(away, 1, version("atomsight"))
    assert not (tmp_path / "not shared").exists()


def test_another_version_is_refused_before_anything_is_scored(job):
    with pytest.raises(ClusterError, match=r"and this is 9\.9; install the same version$"):
        attempt_here(job, 1, "9.9")


class Failed:
    """A future that ended with an error."""

    status = "error"

    def __init__(self, exc):
        self.exception = lambda: exc


def test_an_entry_whose_worker_was_killed_is_sent_again_but_not_for_ever(job):
    report = Report()
    driver = Driver(iter([]), report)
    future = Failed(KilledWorker("one", SimpleNamespace(address="tcp://a:1"), 3))
    driver._take(future, {future: job})
    assert (driver._again, report.failed) == ([job], 0)
    driver._take(future, {future: job})
    assert (driver._again, report.failed) == ([job], 1)
    row = rows_of(job.settings.folder)
    assert row.select("step", "error").row(0) == ("cluster", "KilledWorker")


def test_atomsight_that_cannot_be_loaded_ends_the_run(job):
    exc = RuntimeError("Error during deserialization of the task graph")
    exc.__cause__ = ModuleNotFoundError("No module named 'atomsight'")
    future = Failed(exc)
    with pytest.raises(ClusterError, match=r"cannot load atomsight \(No module named 'atomsight'"):
        Driver(iter([]), Report())._take(future, {future: job})


class Cluster:
    """Takes jobs like dask-jobqueue."""

    def __init__(self, *numbers):
        self.numbers = numbers
        self.workers = {}
        self.asked = 0

    def scale(self, jobs):
        self.asked += 1
        self.workers = {i: SimpleNamespace(job_id=n) for i, n in enumerate(self.numbers[:jobs])}


def test_jobs_that_slurm_refuses_in_part_are_no_error(tmp_path):
    Jobs(Cluster("7", None), 2, tmp_path, ["sbatch: error: too many"]).submit()
    with pytest.raises(ClusterError, match=r"^Slurm takes no jobs: sbatch: error: too many$"):
        Jobs(Cluster(None, None), 2, tmp_path, ["sbatch: error: too many"]).submit()


def test_jobs_that_all_ended_before_a_worker_came(tmp_path, monkeypatch):
    monkeypatch.setattr(slurm_jobs, "_LOOK_AGAIN", 0.0)
    left = []
    monkeypatch.setattr(slurm_jobs, "_any_left", lambda ids: ids == ["7"] and left.pop(0))
    cluster = Cluster("7")
    jobs = Jobs(cluster, 1, tmp_path / "logs", [])
    jobs.submit()
    left += [True, False, True, False]
    for _ in left[:]:
        jobs.watch(0)
    jobs.watch(1)
    assert cluster.asked == 6
    left += [False, False]
    jobs.watch(0)
    with pytest.raises(ClusterError, match=r"all jobs of Slurm ended .*logs$"):
        jobs.watch(0)


def test_what_sbatch_said_is_all_that_is_passed_on():
    text = "Command exited with non-zero exit code.\nExit code: 1\nstderr:\nsbatch: error: no\n\n"
    assert slurm_jobs._refusal(text) == "sbatch: error: no"
    assert slurm_jobs._refusal("No such file: 'sbatch'\nmore") == "No such file: 'sbatch'"
