import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("atomsight", deadline=None)
settings.load_profile("atomsight")

REPOSITORY = Path(__file__).resolve().parents[1]


def folder(variable: str, default: Path, needed: str) -> Path:
    path = Path(os.environ.get(variable) or default)
    if not (path / needed).exists():
        pytest.skip(f"no {needed} in {path}; set {variable}")
    return path


@pytest.fixture(scope="session")
def demo_data() -> Path:
    """emd_3488.mrc, 5ni1.cif, 5me2.pdb, modelangelo_5ni1.cif, emd_21457_seg*.mrc, 6vyb_Ndom.pdb."""
    return folder("ATOMSIGHT_DEMO_DATA", REPOSITORY / ".cache" / "data", "emd_3488.mrc")


@pytest.fixture(scope="session")
def extra_data() -> Path:
    """Larger real maps and models with reference values; absent outside development."""
    return folder("ATOMSIGHT_EXTRA_DATA", REPOSITORY.parent / "shared" / "data", "README.md")
