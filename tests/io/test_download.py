import json
import re
import time

import pytest

from atomsight.errors import OutputError
from atomsight.io import download as module
from atomsight.io.download import Origin, download
from atomsight.io.web import NotThereError, Patience, ServerError
from tests.support.archive_server import break_off, first_time, status

DATA = bytes(range(256)) * 4096
PATH = "/file/a.map.gz"
QUICK = Patience(connect=1.0, read=0.4, attempts=3, backoff=0.01, longest=2.0)
LIMIT = 1 << 24


@pytest.fixture
def get(site, tmp_path):
    site.files[PATH] = DATA
    part = tmp_path / "part"

    def _get(**options):
        settings = {"limit": LIMIT, "patience": QUICK} | options
        return download(site.url + PATH, part, **settings)

    _get.part = part
    return _get


def ranges(site):
    return [headers.get("range") for _, headers in site.asked]


def test_a_file_with_its_marks(site, get):
    told = []
    assert get(progress=lambda *n: told.append(n)) == Origin(site.url + PATH, '"v1"', "")
    assert get.part.read_bytes() == DATA
    assert told[-1] == (len(DATA), len(DATA))
    assert [n for n, _ in told] == sorted(n for n, _ in told)
    ((_, headers),) = site.asked
    assert re.fullmatch(r"atomsight/\d\S* \(python-urllib3/\S+\)", headers["user-agent"])
    assert headers["accept-encoding"] == "identity"


def test_a_connection_that_breaks_off_is_gone_on_with(site, get):
    site.faults[PATH] = first_time(break_off(700_000))
    get()
    assert get.part.read_bytes() == DATA
    first, second = ranges(site)
    assert first is None
    kept = int(second.removeprefix("bytes=").rstrip("-"))
    assert 0 < kept <= 700_000


def test_one_that_always_breaks_off_is_given_up(site, get):
    site.faults[PATH] = break_off(1000)
    site.ranges = False
    with pytest.raises(ServerError, match=rf"after \d+ of {len(DATA)} bytes"):
        get()
    assert len(site.asked) == QUICK.attempts


def stall(handler, data):
    """Promise everything, send a little, and say nothing more."""
    handler.answer(200, data[:5000], {"ETag": '"v1"'}, length=len(data))
    handler.wfile.flush()
    time.sleep(1.5)
    handler.hang_up()
    return True


def test_a_server_that_stalls_is_not_waited_for(site, get):
    site.faults[PATH] = first_time(stall)
    start = time.monotonic()
    get()
    assert time.monotonic() - start < 1.4
    assert get.part.read_bytes() == DATA


def test_one_that_never_begins_is_given_up(site, get):
    site.faults[PATH] = lambda *_: time.sleep(1.2) or True
    with pytest.raises(ServerError, match="does not answer in time"):
        get()


@pytest.mark.parametrize("code", [500, 502, 503, 504, 429])
def test_a_server_that_fails_twice_is_asked_again(site, get, code):
    site.faults[PATH] = first_time(status(code), 2)
    get()
    assert get.part.read_bytes() == DATA
    assert len(site.asked) == 3


def test_one_that_always_fails_is_given_up(site, get):
    site.faults[PATH] = status(503)
    with pytest.raises(ServerError, match=r"refuses or fails \(HTTP 503\)"):
        get()
    assert len(site.asked) == QUICK.attempts


def test_retry_after_is_obeyed(site, get):
    site.faults[PATH] = first_time(status(429, {"Retry-After": "1"}))
    start = time.monotonic()
    get()
    assert 1.0 <= time.monotonic() - start < 1.9


def test_too_long_a_wait_is_not_waited_for(site, get):
    site.faults[PATH] = status(503, {"Retry-After": "3600"})
    with pytest.raises(ServerError, match="asks to come back in 3600 s"):
        get()
    assert len(site.asked) == 1


@pytest.mark.parametrize("code", [404, 410])
def test_a_file_that_is_not_there(site, get, code):
    site.faults[PATH] = status(code)
    with pytest.raises(NotThereError, match=f"no such file \\(HTTP {code}\\)"):
        get()
    assert len(site.asked) == 1


@pytest.mark.parametrize("code", [400, 403, 451])
def test_a_server_that_refuses_is_not_asked_again(site, get, code):
    site.faults[PATH] = status(code)
    with pytest.raises(ServerError, match=f"HTTP {code}"):
        get()
    assert len(site.asked) == 1
    assert not get.part.exists()


def interrupted(get, site, etag='"v1"', size=300_000):
    """What a process leaves that is killed in the middle."""
    get.part.write_bytes(DATA[:size])
    known = {"url": site.url + PATH, "etag": etag, "last_modified": ""}
    get.part.with_name("part.json").write_text(json.dumps(known))


def test_what_an_earlier_process_got_is_used(site, get):
    interrupted(get, site)
    get()
    assert get.part.read_bytes() == DATA
    assert ranges(site) == ["bytes=300000-"]
    assert site.asked[0][1]["if-range"] == '"v1"'


def test_all_of_it_is_there_already(site, get):
    interrupted(get, site, size=len(DATA))
    assert get().etag == '"v1"'
    assert get.part.read_bytes() == DATA
    assert len(site.asked) == 1


def test_more_than_all_of_it_is_thrown_away(site, get):
    interrupted(get, site, size=len(DATA))
    site.files[PATH] = DATA[:-1]
    get()
    assert get.part.read_bytes() == DATA[:-1]


def test_another_version_is_fetched_from_the_start(site, get):
    interrupted(get, site)
    site.files[PATH], site.etags[PATH] = DATA[::-1], '"v2"'
    assert get().etag == '"v2"'
    assert get.part.read_bytes() == DATA[::-1]


def test_it_changes_while_it_is_fetched(site, get):
    def change(handler, data):
        break_off(400_000)(handler, data)
        site.files[PATH], site.etags[PATH] = DATA[::-1], '"v2"'
        return True

    site.faults[PATH] = first_time(change)
    assert get().etag == '"v2"'
    assert get.part.read_bytes() == DATA[::-1]


def test_a_server_without_ranges_sends_all_of_it(site, get):
    interrupted(get, site)
    site.ranges = False
    get()
    assert get.part.read_bytes() == DATA


OTHER = '{"url": "http://other/", "etag": "\\"v1\\"", "last_modified": ""}'


@pytest.mark.parametrize("known", [OTHER, '{"url": "http://other/"}', "{", "[]", "7", None])
def test_a_part_of_unknown_origin_is_not_used(site, get, known):
    get.part.write_bytes(b"x" * 1000)
    if known is not None:
        get.part.with_name("part.json").write_text(known)
    get()
    assert get.part.read_bytes() == DATA
    assert ranges(site) == [None]


def test_a_weak_mark_or_none_cannot_tell_that_the_rest_belongs(site, get):
    for etag in ("", 'W/"v1"'):
        interrupted(get, site, etag=etag)
        get()
        assert get.part.read_bytes() == DATA
    assert ranges(site) == [None, None]
    assert Origin("u", 'W/"1"', "Mon").validator == "Mon"


@pytest.mark.parametrize(
    "where", ["bytes 5-9/10", "bytes 300000-300001/9999999", "nonsense", "bytes */5"]
)
def test_a_part_that_was_not_asked_for_is_thrown_away(site, get, where):
    interrupted(get, site)
    headers = {"Content-Range": where, "ETag": '"v1"'}
    site.faults[PATH] = first_time(status(206, headers, b"wrong"))
    get()
    assert get.part.read_bytes() == DATA


@pytest.mark.parametrize("etag", ['"v2"', None])
def test_a_part_of_another_version_is_thrown_away(site, get, etag):
    """Though If-Range asked for all of it then."""
    interrupted(get, site)
    new = DATA[::-1]
    site.files[PATH], site.etags[PATH] = new, '"v2"'
    where = f"bytes 300000-{len(new) - 1}/{len(new)}"
    headers = {"Content-Range": where} | ({} if etag is None else {"ETag": etag})
    site.faults[PATH] = first_time(status(206, headers, new[300_000:]))
    get()
    assert get.part.read_bytes() == new


def test_a_part_that_is_shorter_than_it_says_is_gone_on_with(site, get):
    interrupted(get, site)
    where = f"bytes 300000-{len(DATA) - 1}/{len(DATA)}"
    headers = {"Content-Range": where, "ETag": '"v1"'}
    site.faults[PATH] = first_time(status(206, headers, DATA[300_000:500_000]))
    get()
    assert get.part.read_bytes() == DATA
    assert ranges(site) == ["bytes=300000-", "bytes=500000-"]


def test_a_file_that_is_longer_than_it_may_be_is_not_begun(get):
    with pytest.raises(ServerError, match=f"{len(DATA)} bytes, more than the 1000 that"):
        get(limit=1000)
    assert not get.part.exists()


def endless(handler, _):
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(b"10000\r\n" + bytes(65536) + b"\r\n")
    except OSError:
        handler.hang_up()
    return True


def test_an_endless_body_is_cut_off(site, get):
    site.faults[PATH] = endless
    with pytest.raises(ServerError, match="sends more than the 1000000 bytes"):
        get(limit=1_000_000)
    assert not get.part.exists()


def chunked(handler, data, end=b"0\r\n\r\n"):
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n" + end)
    handler.hang_up()
    return True


def test_a_body_in_chunks(site, get):
    site.faults[PATH] = chunked
    get()
    assert get.part.read_bytes() == DATA


def test_chunks_without_an_end_are_not_whole(site, get):
    site.faults[PATH] = lambda handler, data: chunked(handler, data, end=b"")
    with pytest.raises(ServerError, match="connection fails"):
        get()


def test_a_body_whose_end_cannot_be_known(site, get):
    def until_closed(handler, data):
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(data)
        handler.hang_up()
        return True

    site.faults[PATH] = until_closed
    with pytest.raises(ServerError, match="does not say how long the file is"):
        get()


def test_a_longer_body_than_promised_is_cut(site, get):
    def longer(handler, data):
        handler.answer(200, data, length=len(data) - 100)
        handler.hang_up()
        return True

    site.faults[PATH] = longer
    get()
    assert get.part.read_bytes() == DATA[:-100]


def test_a_disk_without_room_is_noticed_before(get, monkeypatch):
    usage = type("Usage", (), {"free": len(DATA)})
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(OutputError, match=rf"no space for {len(DATA)} bytes, {len(DATA)} are free"):
        get()
    assert list(get.part.parent.iterdir()) == []
