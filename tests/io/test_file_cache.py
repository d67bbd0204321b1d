import errno
import fcntl
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from atomsight.errors import FetchError, InputError, MapFileError, OutputError
from atomsight.io import file_cache
from atomsight.io.entry_files import require_whole_map
from atomsight.io.file_cache import fetch_file
from atomsight.io.web import NotThereError, Patience
from tests.support.archive_server import status
from tests.support.cases import files_below
from tests.support.demo_entry import add_plain_map

PATH = "/file/emd_3488.map.gz"
NAME = "emd_3488.map.gz"
QUICK = Patience(connect=1.0, read=1.0, attempts=2, backoff=0.01, longest=1.0)
REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def data(site, tmp_path):
    return add_plain_map(site, tmp_path, PATH)


@pytest.fixture
def fetch(site, data, tmp_path):  # noqa: ARG001  (the file must be there)
    def _fetch(*urls, **options):
        settings = {
            "what": "map",
            "limit": 1 << 24,
            "check": require_whole_map,
            "patience": QUICK,
        } | options
        return fetch_file(tmp_path / "cache", NAME, urls or [site.url + PATH], **settings)

    return _fetch


def test_a_file_lies_beside_its_record(site, fetch, data, tmp_path):
    file = fetch()
    assert files_below(tmp_path) == ["cache", f"cache/{NAME}", f"cache/{NAME}.json"]
    assert file.path.read_bytes() == data
    assert (file.url, file.size, file.etag) == (site.url + PATH, len(data), '"v1"')
    assert file.sha256 == sha256(data).hexdigest()
    record = json.loads((tmp_path / "cache" / f"{NAME}.json").read_text())
    assert record["sha256"] == file.sha256
    assert file.fetched.endswith("+00:00")


def test_what_is_there_is_not_fetched_again(site, fetch):
    first = fetch()
    assert fetch() == fetch(verify=True) == first
    assert len(site.asked) == 1
    assert fetch(refresh=True).sha256 == first.sha256
    assert len(site.asked) == 2


def test_a_file_of_another_size_is_fetched_again(site, fetch, data):
    path = fetch().path
    times = path.stat().st_mtime_ns
    path.write_bytes(data[:-1])
    os.utime(path, ns=(times, times))
    assert fetch().path.read_bytes() == data
    assert len(site.asked) == 2


def test_a_file_that_was_changed_is_fetched_again(site, fetch, data):
    path = fetch().path
    path.write_bytes(data[:-1] + b"x")
    assert fetch().path.read_bytes() == data
    assert len(site.asked) == 2


def test_one_that_was_only_touched_is_not(site, fetch):
    os.utime(fetch().path, (1, 1))
    fetch()
    assert len(site.asked) == 1


def test_rot_that_leaves_size_and_time_is_found_with_verify(site, fetch, data):
    path = fetch().path
    times = path.stat().st_mtime_ns
    path.write_bytes(data[:-1] + b"x")
    os.utime(path, ns=(times, times))
    assert fetch().path.read_bytes() != data
    assert fetch(verify=True).path.read_bytes() == data
    assert len(site.asked) == 2


@pytest.mark.parametrize("record", ["", "{}", "[]", '{"size": "x"}', None])
def test_a_file_without_a_good_record_is_fetched_again(site, fetch, record):
    path = fetch().path
    beside = path.with_name(f"{NAME}.json")
    beside.unlink()
    if record is not None:
        beside.write_text(record)
    fetch()
    assert len(site.asked) == 2
    assert "sha256" in beside.read_text()


def test_the_next_mirror_is_asked_where_one_fails(site, fetch, data):
    site.faults["/500"], site.faults["/403"] = status(500), status(403)
    names = ("/500", "/403", "/404", PATH)
    dead = "http://127.0.0.1:1/x"
    file = fetch(dead, *(site.url + name for name in names))
    assert file.path.read_bytes() == data
    assert file.url == site.url + PATH


def test_all_mirrors_fail_and_each_says_why(site, fetch, tmp_path):
    site.faults["/500"] = status(500)
    with pytest.raises(FetchError) as caught:
        fetch(f"{site.url}/500", f"{site.url}/404", "http://127.0.0.1:1/x")
    text = str(caught.value)
    assert not isinstance(caught.value, NotThereError)
    assert "cannot fetch the map: " in text
    assert f"{site.url}/500: the server refuses or fails (HTTP 500); " in text
    assert f"{site.url}/404: there is no such file (HTTP 404); " in text
    assert "http://127.0.0.1:1/x: the server cannot be reached" in text
    assert files_below(tmp_path) == ["cache"]


def test_it_is_nowhere(site, fetch):
    with pytest.raises(NotThereError):
        fetch(f"{site.url}/a", f"{site.url}/b")


PAGE = b"<!DOCTYPE html><html>Down for maintenance</html>" * 40


def test_an_error_page_in_place_of_a_map(site, fetch, data, tmp_path):
    site.files["/page"] = PAGE
    with pytest.raises(FetchError, match=r"no such map \(begins with '<!DOCTYPE html><'\): not a"):
        fetch(f"{site.url}/page")
    assert files_below(tmp_path) == ["cache"]
    assert fetch(f"{site.url}/page", site.url + PATH).path.read_bytes() == data


def test_nothing_at_all_in_place_of_a_map(site, fetch, tmp_path):
    site.files[PATH] = b""
    with pytest.raises(FetchError, match=r"begins with ''\): this map file is empty"):
        fetch()
    assert files_below(tmp_path) == ["cache"]


def bomb(data):
    """A good map, packed, and 64 MB of nothing behind it."""
    import gzip

    return gzip.compress(gzip.decompress(data) + bytes(64 << 20), 6)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda d: d[:-9], "breaks off or is damaged"),
        (lambda d: d[:-8] + b"\0" * 8, "breaks off or is damaged"),
        (lambda d: d[:2000] + b"\0" * 10 + d[2010:], "breaks off or is damaged"),
        (bomb, "unpacks to more than its header promises"),
    ],
    ids=["short", "crc", "flipped", "bomb"],
)
def test_a_packed_map_is_unpacked_to_its_end_once(site, fetch, data, tmp_path, change, complaint):
    site.files[PATH] = change(data)
    with pytest.raises(FetchError, match=complaint):
        fetch()
    assert files_below(tmp_path) == ["cache"]


def test_a_packed_map_that_is_short_but_sound(site, fetch, data):
    import gzip

    site.files[PATH] = gzip.compress(gzip.decompress(data)[:-4], mtime=0)
    with pytest.raises(FetchError, match=r"unpacks to \d+ bytes, its header promises \d+"):
        fetch()


def test_what_is_in_the_cache_stays_where_nothing_better_comes(site, fetch, data):
    path = fetch().path
    site.files[PATH] = PAGE
    with pytest.raises(FetchError):
        fetch(refresh=True)
    assert path.read_bytes() == data
    assert fetch().path == path


def test_two_threads_fetch_once(site, fetch):
    site.faults[PATH] = lambda *_: time.sleep(0.3)
    found = []
    threads = [threading.Thread(target=lambda: found.append(fetch().sha256)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == len(site.asked) == 1


FETCH = """
import sys
from pathlib import Path
from atomsight.io.entry_files import require_whole_map
from atomsight.io.file_cache import fetch_file
from atomsight.io.web import Patience
url, folder = sys.argv[1:]
file = fetch_file(
    Path(folder), "emd_3488.map.gz", [url], what="map", limit=1 << 24, check=require_whole_map,
    patience=Patience(read=20.0, backoff=0.01), progress=lambda *n: print(*n, flush=True),
)
print(file.sha256)
"""


def process(site, tmp_path):
    return subprocess.Popen(
        [sys.executable, "-c", FETCH, site.url + PATH, str(tmp_path / "cache")],
        stdout=subprocess.PIPE,
        text=True,
    )


def test_two_processes_fetch_once(site, data, tmp_path):
    site.faults[PATH] = lambda *_: time.sleep(1.0)
    both = [process(site, tmp_path) for _ in range(2)]
    sums = [one.communicate(timeout=60)[0].split()[-1] for one in both]
    assert sums == [sha256(data).hexdigest()] * 2
    assert len(site.asked) == 1
    assert files_below(tmp_path) == ["cache", f"cache/{NAME}", f"cache/{NAME}.json"]


def test_a_process_is_killed_and_the_next_goes_on(site, fetch, data, tmp_path):
    half = len(data) // 2
    done = threading.Event()

    def hold(handler, whole):
        if done.is_set():
            return False
        handler.answer(200, whole[:half], {"ETag": '"v1"'}, length=len(whole))
        handler.wfile.flush()
        done.wait(30)
        handler.hang_up()
        return True

    site.faults[PATH] = hold
    killed = process(site, tmp_path)
    (part,) = wait_for(lambda: list((tmp_path / "cache").glob(".*.part")))
    wait_for(lambda: part.stat().st_size)
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=30)
    done.set()
    assert not (tmp_path / "cache" / NAME).exists()
    kept = part.stat().st_size
    assert 0 < kept <= half
    assert fetch().path.read_bytes() == data
    assert site.asked[-1][1]["range"] == f"bytes={kept}-"
    assert files_below(tmp_path) == ["cache", f"cache/{NAME}", f"cache/{NAME}.json"]


def wait_for(condition):
    for _ in range(600):
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError


def test_without_locks_processes_do_not_share_a_part(fetch, monkeypatch):
    def no_locks(*_):
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr(file_cache.fcntl, "flock", no_locks)
    parts = []

    def look(part):
        parts.append(part.name)

    path = fetch(check=look).path
    assert parts == [f".{NAME}.{file_cache._HOST}.{os.getpid()}.part"]
    assert [p.name for p in path.parent.iterdir() if "part" in p.name] == []


def test_machines_that_share_a_folder_do_not_share_a_part(site, fetch, data, monkeypatch):
    """Locks of a network file system may hold on one machine only."""
    other = []

    def meanwhile(*_):
        if not other:
            other.append("asked")
            with monkeypatch.context() as patch:
                patch.setattr(file_cache, "_HOST", "other")
                other.append(fetch())
        return False

    site.faults[PATH] = meanwhile
    mine = fetch()
    assert len(site.asked) == 2
    assert mine.sha256 == other[1].sha256 == sha256(data).hexdigest()
    assert fetch(verify=True).sha256 == mine.sha256
    assert sorted(p.name for p in mine.path.parent.iterdir()) == [NAME, f"{NAME}.json"]


def test_a_lock_that_was_removed_meanwhile_is_taken_anew(fetch, tmp_path, monkeypatch):
    real, path = fcntl.flock, tmp_path / "cache" / f".{NAME}.{file_cache._HOST}.lock"
    calls = []

    def removed_once(handle, how):
        calls.append(how)
        if len(calls) == 1:
            path.unlink()
        real(handle, how)

    monkeypatch.setattr(file_cache.fcntl, "flock", removed_once)
    fetch()
    assert len(calls) == 2


def test_a_cache_that_cannot_be_written(fetch, tmp_path):
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(OutputError, match=r"is a file, not a folder; choose .* ATOMSIGHT_CACHE"):
        fetch()


def test_a_full_disk_leaves_nothing(fetch, data, tmp_path):
    """A limit on the size of files fails as a full disk does, in the middle of a write."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(data) // 2, before[1]))
    try:
        with pytest.raises(OutputError, match=r"cannot keep what is fetched here \(File too large"):
            fetch()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, old)
    assert files_below(tmp_path) == ["cache"]


def test_any_complaint_about_the_content_is_passed_on(fetch):
    def no(path):
        raise InputError(f"{path}: wrong entry")

    with pytest.raises(FetchError, match=r"begins with '.*'\): wrong entry$"):
        fetch(check=no)
    with pytest.raises(FetchError, match=r"a bigger boat$"):
        fetch(check=lambda _: (_ for _ in ()).throw(MapFileError("a bigger boat")))
    assert replace(fetch(), url="").url == ""
