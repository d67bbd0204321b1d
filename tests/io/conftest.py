import pytest

from tests.support.archive_server import Site, serving


@pytest.fixture
def site():
    """A server on this machine, empty."""
    with serving(Site()) as site:
        yield site
