import pytest

from tests.support.crops import read_source, write_crops


@pytest.fixture(scope="session")
def source(demo_data):
    return read_source(demo_data / "5ni1.cif", demo_data / "emd_3488.mrc")


@pytest.fixture(scope="session")
def crops(source, tmp_path_factory):
    """Manifest of eight small entries; nobody may change its files."""
    return write_crops(source, tmp_path_factory.mktemp("crops"), 8, radius=6.0)
