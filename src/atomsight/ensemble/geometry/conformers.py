"""One conformer of a model: what programs for the backbone take."""

import numpy as np

from atomsight.model import Model
from atomsight.typing import Bool_N


def main_conformer(model: Model) -> Bool_N:
    """Atoms of the most occupied conformer at each place of the chain.

    Residues of different names at one place (microheterogeneity) are conformers of one place.

    Parameters
    ----------
    model : Model

    Returns
    -------
    ndarray of bool, shape (n,)
        Atoms without altloc, and those of the altloc with the largest sum of occupancies (of two
        equal ones, the first by name).
    """
    chosen: Bool_N = model.altloc == ""
    split = np.flatnonzero(~chosen)
    if not len(split):
        return chosen
    residues = model.residues
    keys = np.stack(
        [residues.chain, residues.label_asym, residues.number.astype(str), residues.icode], axis=1
    )
    _, place = np.unique(keys, axis=0, return_inverse=True)
    at = place.reshape(-1)[model.residue[split]]
    names, letter = np.unique(model.altloc[split], return_inverse=True)
    weight = np.zeros((int(at.max()) + 1, len(names)))
    np.add.at(weight, (at, letter), model.occupancy[split])
    # a letter that does not occur at a place must not win over one of occupancy 0
    there = np.zeros_like(weight, dtype=bool)
    there[at, letter] = True
    best = np.where(there, weight, -1.0).argmax(axis=1)
    chosen[split] = letter == best[at]
    return chosen
