import re

import pytest

from atomsight.errors import ParameterError
from atomsight.io import web
from atomsight.io.web import HTTP_VARIABLE, Patience, ServerError, ask, require_address
from tests.support.archive_server import status

QUICK = Patience(connect=0.5, read=0.5, attempts=2, backoff=0.01, longest=1.0)


@pytest.mark.parametrize(
    "url",
    [
        *("https://ftp.ebi.ac.uk/pub/databases/emdb", "https://a.b:8443/x"),
        *("http://127.0.0.1:8000/x", "http://localhost/x", "http://[::1]:80/x", "http://127.9.9.9"),
    ],
)
def test_addresses_that_may_be_asked(url):
    assert require_address(url) == url


@pytest.mark.parametrize(
    "url",
    [
        *("", "ftp://ftp.ebi.ac.uk", "file:///etc/passwd", "/etc/passwd", "ebi.ac.uk", "https://"),
        *("https://name:word@host/x", "https://host:port/x", "http://[::1", "javascript:1"),
    ],
)
def test_what_is_no_address(url):
    with pytest.raises(ParameterError, match="not an address that can be asked"):
        require_address(url)


@pytest.mark.parametrize(
    "host", ["example.org", "10.0.0.1", "127.0.0.1.example.org", "localhost.x"]
)
def test_http_only_where_it_is_allowed(monkeypatch, host):
    with pytest.raises(ParameterError, match=f"use https, or set {HTTP_VARIABLE}=1"):
        require_address(f"http://{host}/x")
    monkeypatch.setenv(HTTP_VARIABLE, "1")
    assert require_address(f"http://{host}/x")


def redirect(target):
    return status(302, {"Location": target})


def test_redirects_are_followed(site):
    site.files |= {"/a": b"", "/b/c": b"here"}
    site.faults["/a"] = redirect("b/c")
    answer = ask(f"{site.url}/a", {"Range": "bytes=1-"}, QUICK)
    assert (answer.status, answer.read()) == (206, b"ere")


def test_redirects_in_a_circle_are_not(site):
    site.faults["/a"] = redirect("/a")
    with pytest.raises(ServerError, match="sends on more than 5 times"):
        ask(f"{site.url}/a", {}, QUICK)
    assert len(site.asked) == 6


@pytest.mark.parametrize("target", ["http://example.org/x", "file:///etc/passwd", "//u:p@h/x"])
def test_redirects_to_what_may_not_be_asked_are_refused(site, target):
    site.faults["/a"] = redirect(target)
    with pytest.raises(ServerError, match="sends on to another address"):
        ask(f"{site.url}/a", {}, QUICK)
    assert len(site.asked) == 1


def test_from_https_nothing_leads_to_http(site, monkeypatch):
    """As if the first address were https; to this machine http would be allowed."""
    asked = []
    once = web._ask_once

    def plain(url, *rest):
        asked.append(url)
        return once(url.replace("https", "http"), *rest)

    monkeypatch.setattr(web, "_ask_once", plain)
    site.faults["/a"] = redirect(f"{site.url}/b")
    with pytest.raises(ServerError, match=r"from https to http://127\S+ which is not safe"):
        ask(f"{site.url}/a".replace("http", "https"), {}, QUICK)
    assert len(asked) == 1


def test_a_server_that_is_not_there(site):
    port = int(site.url.rpartition(":")[2])
    url = f"http://127.0.0.1:{1 if port != 1 else 2}/a"
    with pytest.raises(ServerError, match=r"cannot be reached \(\[Errno \d+\] Connection refused"):
        ask(url, {}, QUICK)


def test_a_server_that_speaks_another_language(site):
    def rubbish(handler, _):
        handler.wfile.write(b"220 mail ready\r\n")
        handler.hang_up()
        return True

    site.faults["/a"] = rubbish
    with pytest.raises(ServerError, match="the connection fails"):
        ask(f"{site.url}/a", {}, QUICK)


def test_proxies_of_the_environment(monkeypatch):
    for name in ("no_proxy", "NO_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert web._proxy("https://a.org/x") is None
    monkeypatch.setenv("https_proxy", "http://proxy:3128")
    assert web._proxy("https://a.org/x") == "http://proxy:3128"
    assert re.search("ProxyManager", repr(web._pool("http://proxy:3128", 0)))
    monkeypatch.setenv("http_proxy", "http://proxy:3128")
    assert web._proxy("http://127.0.0.1:80/x") is None
    monkeypatch.setenv("no_proxy", "a.org")
    assert web._proxy("https://a.org/x") is None
