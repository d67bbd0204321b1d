from dataclasses import replace

import numpy as np
import pytest

from atomsight.outcome import Options
from tests.support.cases import numbered, placed
from tests.support.models import nucleic, residue
from tests.support.pages import written
from tests.support.results import results, results_with_half_maps, validated_with_half_maps


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    """Peptide of three residues, ligand, ion, three waters."""
    return results(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="session")
def halved(tmp_path_factory):
    """The same with half maps and a contour level."""
    return results_with_half_maps(tmp_path_factory.mktemp("halved"))


@pytest.fixture(scope="session")
def halved_run(tmp_path_factory):
    """A validation with half maps and a contour level, and the folder that it was written to."""
    home = tmp_path_factory.mktemp("halved-run")
    found = validated_with_half_maps(home)
    return found, written(found, home / "out")


@pytest.fixture(scope="session")
def bare(tmp_path_factory):
    """Q-scores alone, and no resolution."""
    folder = tmp_path_factory.mktemp("bare")
    return results(folder, options=Options(everything=False), before="")


@pytest.fixture(scope="session")
def mixed(tmp_path_factory):
    """Two chains: a peptide with side chains and a gap, and RNA; sugar and waters."""
    atoms = [
        *residue("LYS", "N CA C O CB CG CD CE NZ", number=1, chain="A", entity="1"),
        *residue("GLY", "N CA C O", number=2, chain="A", entity="1"),
        *residue("LYS", "N CA C O CB CG CD CE NZ", number=9, chain="A", entity="1"),
        *nucleic("A C G", chain="R", entity="2"),
        *residue("NAG", "C1 C2 C3 C4 O4", number=12, chain="A", record="HETATM", entity="3"),
        *residue("HOH", "O", number=13, chain="A", record="HETATM", entity="4"),
    ]
    rng = np.random.default_rng(2)
    b_iso = rng.uniform(10, 80, len(atoms)).round(2).tolist()
    varied = [replace(a, b_iso=b) for a, b in zip(placed(atoms), b_iso, strict=True)]
    return results(tmp_path_factory.mktemp("mixed"), numbered(varied))
