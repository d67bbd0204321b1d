"""Convergence that was measured before, at the residues of a model."""

from pathlib import Path

import numpy as np
import pytest

from atomsight.ensemble.known import KnownConvergence, place
from atomsight.errors import ResultsError
from atomsight.io.models import read_model
from tests.support.ensembles import OTHER, jittered, residues
from tests.support.models import pdb_text, residue, write_model


@pytest.fixture
def known():
    rmsd = np.linspace(0.1, 1.6, 16)
    return KnownConvergence(Path("ensemble"), 10, 3.0, residues(), rmsd, rmsd / 1.5)


def model(folder, **common):
    water = residue("HOH", "O", number=999, record="HETATM", chain="W")
    return read_model(write_model(folder / "model.pdb", pdb_text([*jittered(0, **common), *water])))


@pytest.mark.parametrize(("first", "by"), [(1, "number"), (51, "sequence")])
def test_values_come_to_their_residues(known, tmp_path, first, by):
    placed = place(known, model(tmp_path, first=first))
    np.testing.assert_array_equal(placed.ca_rmsd[:16], known.ca_rmsd)
    np.testing.assert_array_equal(placed.ca_rmsd_to_mean[:16], known.ca_rmsd_to_mean)
    assert np.isnan(placed.ca_rmsd[16:]).all()
    assert (placed.matched_by, placed.without) == (by, 0)


def test_residues_that_the_ensemble_lacks_are_counted(known, tmp_path):
    short = KnownConvergence(
        known.folder, 10, None, known.residues.take(np.arange(14)), known.ca_rmsd[:14],
        known.ca_rmsd_to_mean[:14],
    )  # fmt: skip
    placed = place(short, model(tmp_path))
    assert placed.without == 2
    assert np.isnan(placed.ca_rmsd[14:]).all()


def test_another_molecule_is_refused(known, tmp_path):
    with pytest.raises(ResultsError, match=r"no chain of the sequence of a chain of .*model\.pdb"):
        place(known, model(tmp_path, names=OTHER))
