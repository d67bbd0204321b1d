from dataclasses import replace

import pytest

from atomsight.io.models import read_model
from tests.support.cases import numbered
from tests.support.models import cif_text, peptide, write_model


@pytest.fixture(scope="session")
def large_model(tmp_path_factory):
    """100,800 atoms in 28 chains."""
    chain = peptide(" ".join(["ALA"] * 900))
    atoms = [replace(atom, chain=f"C{n}") for n in range(28) for atom in chain]
    text = cif_text(numbered(atoms))
    return read_model(write_model(tmp_path_factory.mktemp("large") / "large.cif", text))
