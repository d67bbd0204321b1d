import pytest

from tests.support.archive_server import Site, serving


@pytest.fixture
def site(monkeypatch):
    """A server on this machine, empty; nothing else is asked, and no proxy."""
    monkeypatch.setenv("no_proxy", "*")
    with serving(Site()) as site:
        yield site
