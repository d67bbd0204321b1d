"""Hydrogens show the value of the atom they are bound to."""

import numpy as np

from atomsight.model import Model
from atomsight.typing import Float_N, Int_N

_CANDIDATES = 6


def parents(model: Model) -> Int_N:
    """Row of the atom that each hydrogen is bound to: the nearest one of its own residue.

    Atoms of another alternative conformer do not count as parents.

    Parameters
    ----------
    model : Model

    Returns
    -------
    ndarray of int, shape (n,)
        An atom's own row where it is not a hydrogen; -1 for a hydrogen without a parent.
    """
    result = np.arange(len(model))
    hydrogens = np.flatnonzero(model.hydrogen)
    if not len(hydrogens):
        return result
    result[hydrogens] = -1
    placed = hydrogens[model.has_position[hydrogens]]
    heavy = np.flatnonzero(model.heavy)
    if not len(placed):
        return result
    from scipy.spatial import KDTree  # noqa: PLC0415  (slow to import, and few models have hydrogens)

    # residues lie apart in a fourth dimension, so the nearest atom is one of the same residue
    apart = 10.0 * float(np.ptp(model.xyz[heavy], axis=0).max() + 100.0)
    tree = KDTree(np.column_stack([model.xyz[heavy], apart * model.residue[heavy]]))
    points = np.column_stack([model.xyz[placed], apart * model.residue[placed]])
    count = _CANDIDATES
    while len(placed):
        _, found = tree.query(points, k=list(range(1, min(count, len(heavy)) + 1)))
        candidates = heavy[found]
        same_residue = model.residue[candidates] == model.residue[placed][:, None]
        own, other = model.altloc[placed][:, None], model.altloc[candidates]
        fits = same_residue & ((own == other) | (own == "") | (other == ""))
        has_one = fits.any(axis=1)
        nearest = candidates[np.arange(len(placed)), fits.argmax(axis=1)]
        result[placed[has_one]] = nearest[has_one]
        # where atoms of other conformers are all there is so far, look further
        again = ~has_one & same_residue.all(axis=1) & (count < len(heavy))
        placed, points, count = placed[again], points[again], 4 * count
    return result


def inherit(values: Float_N, parent: Int_N) -> Float_N:
    """Give every hydrogen its parent's value.

    Parameters
    ----------
    values : ndarray, shape (n,)
    parent : ndarray of int, shape (n,)
        From `parents`.

    Returns
    -------
    ndarray, shape (n,)
        NaN for hydrogens without a parent.
    """
    result: Float_N = np.where(parent >= 0, values[parent], np.nan)
    return result
