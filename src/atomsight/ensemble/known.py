"""Convergence that was measured before, beside a model that is validated."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from atomsight.ensemble.matching import match
from atomsight.ensemble.residues import Residues, polymer_residues
from atomsight.errors import ResultsError
from atomsight.model import Model
from atomsight.typing import Float_N


@dataclass(frozen=True, slots=True)
class KnownConvergence:
    """What a folder of `write_convergence` holds.

    Attributes
    ----------
    folder : Path
    models : int
        Number of models.
    resolution : float or None
        Å; of their map.
    residues : Residues
    ca_rmsd, ca_rmsd_to_mean : ndarray, shape (m,)
        Å.
    protocol : str
        What made the models; empty where it is not known.
    """

    folder: Path
    models: int
    resolution: float | None
    residues: Residues
    ca_rmsd: Float_N
    ca_rmsd_to_mean: Float_N
    protocol: str = ""


@dataclass(frozen=True, slots=True)
class PlacedConvergence:
    """The same at the residues of a model.

    Attributes
    ----------
    known : KnownConvergence
    ca_rmsd, ca_rmsd_to_mean : ndarray, shape (r,)
        Å; one a residue of the model, NaN where there is none.
    matched_by : str
        ``number``, ``sequence``, or ``number and sequence``.
    without : int
        Residues of the model's polymers that the ensemble does not have.
    """

    known: KnownConvergence
    ca_rmsd: Float_N
    ca_rmsd_to_mean: Float_N
    matched_by: str
    without: int


def place(known: KnownConvergence, model: Model) -> PlacedConvergence:
    """Bring the RMSDs of an ensemble to the residues of a model.

    Parameters
    ----------
    known : KnownConvergence
    model : Model

    Returns
    -------
    PlacedConvergence

    Raises
    ------
    ResultsError
        If no chain of the model has the sequence of a chain of the ensemble.
    """
    own = polymer_residues(model)
    found = match(known.residues, own)
    if not found.chains:
        raise ResultsError(
            f"{known.folder}: the models there have no chain of the sequence of a chain of "
            f"{model.path}; give --convergence the folder of this molecule"
        )
    matched = found.rows >= 0
    rows = own.row[found.rows[matched]]
    columns = []
    for values in (known.ca_rmsd, known.ca_rmsd_to_mean):
        column = np.full(len(model.residues), np.nan)
        column[rows] = values[matched]
        columns.append(column)
    return PlacedConvergence(known, columns[0], columns[1], found.by, found.left_out)
