import pytest

from atomsight.archive.archives import build_archive
from tests.support.entries import made_up_table


@pytest.fixture
def table(tmp_path):
    return made_up_table(tmp_path / "own.csv")


@pytest.fixture
def archive(table):
    return build_archive(table, date="2025-01-02")
