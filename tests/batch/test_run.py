"""Whole runs: each entry to exactly one row, whatever dies on the way."""

import contextlib
import fcntl
import shutil
import signal
import threading
import time
from collections import Counter

import polars as pl
import psutil
import pytest

from atomsight.batch.cluster import Local, Running
from atomsight.batch.dataset import ATOMS, ROWS, path_of, read_rows
from atomsight.batch.job import Settings
from atomsight.batch.run import Shard, run_batch
from atomsight.errors import ClusterError, OutputError, ParameterError, ResultsError
from tests.support.crops import spoil, write_crops, write_manifest

pytestmark = pytest.mark.xdist_group("batch")


@pytest.fixture(scope="module")
def finished(crops, tmp_path_factory):
    """A run of all crops by two workers."""
    folder = tmp_path_factory.mktemp("finished")
    report = run_batch(crops, Settings(folder), Local(workers=2))
    assert (report.total, report.done, report.failed, report.kept) == (8, 8, 0, 0)
    return folder


@pytest.fixture
def again(finished, tmp_path):
    """A copy of that run."""
    return shutil.copytree(finished, tmp_path / "again")


def scores(folder):
    return read_rows(folder, ["entry", "status", "q"]).rows()


def test_one_worker_and_two_give_the_same_bytes(crops, finished, tmp_path):
    run_batch(crops, Settings(tmp_path), Local(workers=1))
    for kind in ("atoms", "residues"):
        tables = [sorted((folder / kind).rglob("*.parquet")) for folder in (finished, tmp_path)]
        assert [p.name for p in tables[0]] == [p.name for p in tables[1]]
        assert len(tables[0]) == 8
        assert all(a.read_bytes() == b.read_bytes() for a, b in zip(*tables, strict=True))
    assert scores(finished) == scores(tmp_path)


def test_a_folder_with_a_run_is_not_written_to_by_accident(crops, again):
    with pytest.raises(ResultsError, match="holds the results of 8 entries: add --resume"):
        run_batch(crops, Settings(again), Local(workers=1))


def test_to_go_on_does_only_what_is_missing_or_has_changed(crops, again):
    names = read_rows(again)["entry"].to_list()
    path_of(again, ROWS, names[2]).unlink()
    before = {path: path.stat().st_mtime_ns for path in (again / ATOMS).rglob("*.parquet")}
    report = run_batch(crops, Settings(again), Local(workers=1), resume=True)
    assert (report.kept, report.done) == (7, 1)
    after = {path: path.stat().st_mtime_ns for path in (again / ATOMS).rglob("*.parquet")}
    changed = [path.stem for path in before if after[path] != before[path]]
    assert (set(after), changed) == (set(before), [names[2]])
    # other options: nothing of before stands
    other = run_batch(crops, Settings(again, tables="residues"), Local(workers=1), resume=True)
    assert (other.kept, other.done) == (0, 8)


def test_only_failed_tries_those_again(crops, again, tmp_path):
    manifest = shutil.copytree(crops.parent, tmp_path / "copy") / crops.name
    folder = tmp_path / "set"
    hidden = manifest.parent / "files" / "crop00003.mrc"
    content = hidden.read_bytes()
    hidden.unlink()
    first = run_batch(manifest, Settings(folder), Local(workers=2))
    assert (first.done, first.failed, dict(first.steps)) == (7, 1, {"read maps": 1})
    kept = run_batch(manifest, Settings(folder), Local(workers=1), resume=True)
    assert (kept.kept, kept.done, kept.failed) == (8, 0, 0)
    tried = run_batch(manifest, Settings(folder), Local(workers=1), only_failed=True)
    assert (tried.kept, tried.done, tried.failed) == (7, 0, 1)
    hidden.write_bytes(content)
    mended = run_batch(manifest, Settings(folder), Local(workers=1), resume=True)
    assert (mended.kept, mended.done, mended.failed) == (7, 1, 0)
    assert scores(folder) == scores(again)


def test_shards_are_parts_of_one_data_set(crops, finished, tmp_path):
    for index in range(2):
        run_batch(crops, Settings(tmp_path), Local(workers=1), shard=Shard(index, 2))
    assert scores(tmp_path) == scores(finished)
    with pytest.raises(ParameterError, match="--shard 3/3: shards are counted from 0, to 2"):
        Shard(3, 3)


def test_two_runs_do_not_write_to_one_folder(crops, again):
    with (again / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        for shard in (None, Shard(0, 2)):
            with pytest.raises(OutputError, match="another run is writing here"):
                run_batch(crops, Settings(again), Local(workers=1), resume=True, shard=shard)


def test_broken_entries_are_rows_and_harm_no_other(source, tmp_path):
    manifest = write_crops(source, tmp_path, 9, radius=6.0)
    steps = spoil(tmp_path, [f"crop{i:05d}" for i in (0, 2, 3, 5, 6, 8)])
    seen = []
    report = run_batch(
        manifest, Settings(tmp_path / "set"), Local(workers=2), progress=lambda *a: seen.append(a)
    )
    assert (report.done, report.failed) == (3, 6)
    assert report.steps == Counter(steps.values())
    table = read_rows(tmp_path / "set")
    assert dict(table.filter(pl.col("status") == "failed").select("entry", "step").rows()) == steps
    assert [one[1] for one in seen] == list(range(1, 10))


class Killer(threading.Thread):
    """Kills processes that score, one after the other, while a run goes on."""

    def __init__(self, kills, sign=signal.SIGKILL):
        super().__init__(daemon=True)
        self.kills, self.done, self.over, self.sign = kills, 0, False, sign

    def run(self):
        me = psutil.Process()
        while not self.over and self.done < self.kills:
            time.sleep(0.4)
            for child in me.children():
                with contextlib.suppress(psutil.Error):
                    # not the tracker of resources, nor one that is still starting
                    if "spawn_main" not in " ".join(child.cmdline()) or child.cpu_times().user < 2:
                        continue
                    child.send_signal(self.sign)
                    self.done += 1
                    break


def test_killed_processes_cost_no_entry(crops, finished, tmp_path):
    rows = pl.read_csv(crops)
    files = [
        pl.col(key).map_elements(lambda x: str(crops.parent / x), pl.String)
        for key in ("model", "map")
    ]
    copies = [rows.with_columns(*files, name=pl.col("name") + f"_{i}") for i in range(4)]
    manifest = tmp_path / "many.csv"
    pl.concat(copies).write_csv(manifest)
    killer = Killer(kills=4)
    killer.start()
    report = run_batch(
        manifest, Settings(tmp_path / "set", retries=9, tables="entries"), Local(workers=2)
    )
    killer.over = True
    assert killer.done >= 2
    assert (report.done, report.failed) == (32, 0)
    expected = {name: q for name, _, q in scores(finished)}
    found = read_rows(tmp_path / "set")
    assert all(q == expected[name[:-2]] for name, q in found.select("entry", "q").rows())
    assert found["attempts"].max() > 1
    assert len(list((tmp_path / "set" / "entries").rglob("*.parquet"))) == 32


def test_an_entry_that_never_ends_is_ended(crops, tmp_path):
    """Its process is stopped, as one that hangs would be: it does not even answer SIGTERM."""
    killer = Killer(kills=1, sign=signal.SIGSTOP)
    rows = [
        ("slow", *(str(crops.parent / "files" / f"crop00000.{end}") for end in ("cif", "mrc")), 3.2)
    ]
    many = [(f"{name}{i}", *rest) for i in range(16) for name, *rest in rows]
    manifest = write_manifest(tmp_path / "m.csv", ("name", "model", "map", "resolution"), many)
    killer.start()
    report = run_batch(
        manifest, Settings(tmp_path / "set", timeout=3.0, tables="entries"), Local(workers=1)
    )
    killer.over = True
    assert killer.done == 1
    assert (report.done, report.failed, dict(report.steps)) == (15, 1, {"timeout": 1})
    row = read_rows(tmp_path / "set").filter(pl.col("status") == "failed").row(0, named=True)
    assert row["message"] == "not done after 3 s (--timeout)"


def test_an_entry_that_ended_its_runs_is_given_up(crops, tmp_path):
    """As when a machine has no memory left and the whole job goes: notes on disk tell."""
    name = "crop00001"
    (tmp_path / ".started").mkdir()
    for begun, failed in ((3, 0), (4, 1)):
        (tmp_path / ".started" / name).write_text(str(begun), encoding="ascii")
        report = run_batch(crops, Settings(tmp_path), Local(workers=2), only_failed=True)
        assert report.failed == failed
        path_of(tmp_path, ROWS, name).unlink()
        assert not list((tmp_path / ".started").iterdir())


def test_an_entry_that_needs_more_than_there_is(crops, tmp_path):
    report = run_batch(crops, Settings(tmp_path), Local(workers=2, memory=2**20))
    assert dict(report.steps) == {"memory": 8}
    assert "needs about" in read_rows(tmp_path)["message"][0]


def test_a_full_disk_ends_the_run_and_it_goes_on_later(crops, finished, tmp_path):
    blocked = tmp_path / "atoms"
    blocked.write_text("in the way of all tables", encoding="utf-8")
    with pytest.raises(OutputError, match=r"cannot write this table .* go on with --resume"):
        run_batch(crops, Settings(tmp_path), Local(workers=2))
    blocked.unlink()
    run_batch(crops, Settings(tmp_path), Local(workers=2), resume=True)
    assert scores(tmp_path) == scores(finished)


def test_a_scheduler_that_is_not_there(crops, tmp_path, monkeypatch):
    monkeypatch.setattr("atomsight.batch.cluster.CONNECT", "1s")
    with pytest.raises(
        ClusterError, match=r"tcp://127\.0\.0\.1:9: no scheduler of Dask answers there"
    ):
        run_batch(crops, Settings(tmp_path), Running("tcp://127.0.0.1:9"))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Local(workers=0), "--workers must be at least 1"),
        (lambda: Settings("x", timeout=-1), "--timeout must not be negative"),
        (lambda: Settings("x", retries=-1), "--retries must not be negative"),
    ],
)
def test_options_that_mean_nothing(make, message):
    with pytest.raises(ParameterError, match=message):
        make()
