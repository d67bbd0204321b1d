"""How measures go with the model's own B factors (atomic displacement parameters)."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from atomsight.errors import ParameterError
from atomsight.evidence.groups import group_means
from atomsight.model import Model
from atomsight.typing import Bool_N, Float_N, Int_N

MIN_PAIRS = 3
"""Pairs that a coefficient needs."""


@dataclass(frozen=True, slots=True)
class Relation:
    """How one measure goes with B, over atoms or over residues.

    Attributes
    ----------
    n : int
        Pairs in which both are known.
    pearson, spearman : float
        Coefficients; NaN where `reason` says why.
    reason : str
        Why there is none; empty where there is one.
    b : ndarray, shape (k,)
        Median B of each bin, Å², from low to high; bins hold about equally many pairs, and equal B
        share a bin.
    count : ndarray of int, shape (k,)
        Pairs in each bin.
    low, median, high : ndarray, shape (k,)
        First quartile, median and third quartile of the measure in each bin.
    """

    n: int
    pearson: float
    spearman: float
    reason: str
    b: Float_N
    count: Int_N
    low: Float_N
    median: Float_N
    high: Float_N


@dataclass(frozen=True, slots=True)
class AdpRelation:
    """How one measure goes with the model's B factors.

    Attributes
    ----------
    atoms : Relation
    residues : Relation
        Of the means over each residue's atoms.
    """

    atoms: Relation
    residues: Relation


def adp_relations(
    model: Model,
    columns: Mapping[str, Float_N],
    *,
    counted: Bool_N | None = None,
    bins: int = 10,
) -> dict[str, AdpRelation]:
    """Correlation of measures with the model's own B factors.

    Pearson's coefficient, and Spearman's (Pearson's of the ranks, equal values sharing their mean
    rank), over atoms and over residues, and quartiles of each measure in bins of B for a figure.
    Where all B are equal there is no coefficient.

    Parameters
    ----------
    model : Model
        `b_iso` is compared.
    columns : mapping
        Name of a measure → one value an atom, NaN where there is none.
    counted : ndarray of bool, shape (n,), optional
        Atoms that enter; all but hydrogens when not given.
    bins : int
        Number of bins at most.

    Returns
    -------
    dict
        Name of the measure → `AdpRelation`.

    Raises
    ------
    ParameterError
        If a column has the wrong length, or bins is not positive.
    """
    if bins < 1:
        raise ParameterError(f"bins must be at least 1, not {bins}")
    use = ~model.hydrogen if counted is None else counted & ~model.hydrogen
    result, m = {}, len(model.residues)
    for name, column in columns.items():
        values = np.asarray(column, dtype=float)
        if values.shape != (len(model),):
            raise ParameterError(f"{name}: needs {len(model)} values, one an atom")
        both = use & np.isfinite(values) & np.isfinite(model.b_iso)
        b_mean, mean = (group_means(v, model.residue, m, both) for v in (model.b_iso, values))
        result[name] = AdpRelation(
            relation(np.where(both, model.b_iso, np.nan), values, bins),
            relation(b_mean, mean, bins),
        )
    return result


def relation(b: Float_N, values: Float_N, bins: int = 10) -> Relation:
    """How values go with B factors.

    Parameters
    ----------
    b : ndarray, shape (n,)
        Å².
    values : ndarray, shape (n,)
        Pairs with a NaN are left out.
    bins : int
        Number of bins at most.

    Returns
    -------
    Relation
    """
    known = np.isfinite(b) & np.isfinite(values)
    x, y = b[known], values[known]
    reason = _no_coefficient(x, y)
    pearson = spearman = float("nan")
    if not reason:
        pearson = float(np.corrcoef(x, y)[0, 1])
        spearman = float(np.corrcoef(ranks(x), ranks(y))[0, 1])
    return Relation(len(x), pearson, spearman, reason, *_quartiles(x, y, bins))


def _no_coefficient(b: Float_N, values: Float_N) -> str:
    if len(b) < MIN_PAIRS:
        return f"only {len(b)} values have a B factor beside them"
    if _constant(b):
        return f"all B factors are {b[0]:g} Å²"
    if _constant(values):
        return f"all values are {values[0]:g}"
    return ""


def ranks(values: Float_N) -> Float_N:
    """Ranks from 1 on; equal values share their mean rank. (scipy.stats is slow to import.)

    Parameters
    ----------
    values : ndarray, shape (n,)

    Returns
    -------
    ndarray, shape (n,)
    """
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    ranks: Float_N = (last - 0.5 * (count - 1))[place]
    return ranks


def _constant(values: Float_N) -> bool:
    # means over residues of one value differ in their last digits
    return bool(np.ptp(values) <= 1e-9 * np.abs(values).max())


def _quartiles(
    b: Float_N, values: Float_N, bins: int
) -> tuple[Float_N, Int_N, Float_N, Float_N, Float_N]:
    """Median B, number and quartiles of the values in bins of B."""
    if not len(b):
        none = np.empty(0)
        return none, np.empty(0, dtype=np.int64), none, none, none
    edges = np.unique(np.quantile(b, np.linspace(0.0, 1.0, bins + 1)[1:-1]))
    which = np.searchsorted(edges, b, side="left")
    used = np.unique(which)
    low, median, high = np.array(
        [np.quantile(values[which == i], [0.25, 0.5, 0.75]) for i in used]
    ).T
    middle = np.array([np.median(b[which == i]) for i in used])
    return middle, np.bincount(which)[used], low, median, high
