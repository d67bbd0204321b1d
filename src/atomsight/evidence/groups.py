"""Means over groups of atoms: residues, chains, parts."""

import numpy as np

from atomsight.typing import Bool_N, Float_N, Int_N


def group_means(values: Float_N, group: Int_N, groups: int, chosen: Bool_N) -> Float_N:
    """Mean of the chosen values in each group.

    Parameters
    ----------
    values : ndarray, shape (n,)
    group : ndarray of int, shape (n,)
    groups : int
        Number of groups, m.
    chosen : ndarray of bool, shape (n,)
        Values that count; NaN never does.

    Returns
    -------
    ndarray, shape (m,)
        NaN for groups with nothing chosen.
    """
    used = chosen & np.isfinite(values)
    total = np.bincount(group[used], weights=values[used], minlength=groups)
    count = np.bincount(group[used], minlength=groups)
    mean: Float_N = np.divide(total, count, out=np.full(groups, np.nan), where=count > 0)
    return mean
