"""How surely one model is better than another: a paired difference, and its interval."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from atomsight.typing import Float_N, Float_Nx3, Int_N

LEVEL = 0.95
"""Of the intervals: of all comparisons with the best together."""

LEAST_EDGE = 3.0
"""Å; Q looks 2 Å around an atom, so nearer atoms share their map values at any resolution."""

LEAST_BLOCKS = 4
"""With fewer places that are independent nothing is said about the order."""

_RESAMPLES = 2000
_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Difference:
    """Mean of one model minus mean of another, over the same atoms.

    Attributes
    ----------
    value : float
    standard_error : float
        From resampled blocks of atoms, and from the sampling of Q; NaN with too few blocks.
    half_width : float
        Of the interval `value` ± `half_width`; NaN with too few blocks.
    sampling : float
        Standard deviation of the difference over rotated point sets; part of the standard error.
    atoms, blocks : int
        Number of atoms, and of blocks of atoms that count as independent.
    level : float
        Probability of the interval.
    """

    value: float
    standard_error: float
    half_width: float
    sampling: float
    atoms: int
    blocks: int
    level: float

    @property
    def told_apart(self) -> bool:
        """Whether the interval leaves out 0."""
        return bool(abs(self.value) > self.half_width)


def block_edge(resolution: float | None) -> float:
    """Edge of the cubes whose atoms are taken as one observation.

    Parameters
    ----------
    resolution : float or None
        Å.

    Returns
    -------
    float
        The resolution, at least 3 Å; 4 Å where there is none.
    """
    return 4.0 if resolution is None else max(float(resolution), LEAST_EDGE)


def atom_blocks(xyz: Float_Nx3, edge: float) -> Int_N:
    """Cube of space that each atom lies in.

    Parameters
    ----------
    xyz : ndarray, shape (n, 3)
        Å.
    edge : float
        Å.

    Returns
    -------
    ndarray of int, shape (n,)
        0, 1, 2, … without gaps.
    """
    cube = np.floor((xyz - xyz.min(axis=0)) / edge).astype(np.int64)
    _, block = np.unique(cube, axis=0, return_inverse=True)
    return np.asarray(block.ravel(), dtype=np.int64)


def paired_difference(
    first: Float_N,
    second: Float_N,
    block: Int_N,
    *,
    sampling: float = 0.0,
    comparisons: int = 1,
    seed: int = 0,
) -> Difference:
    """Mean difference of values of the same atoms, with an interval from resampled blocks.

    The noise of a map at neighbouring atoms is the same noise, so not atoms but blocks of them
    are resampled (a block bootstrap)::

        se²      = G/(G-1) · var(mean over resampled blocks) + sampling²
        interval = mean ± t(1 - (1 - level)/(2 · comparisons), G - 1) · se

    with G blocks and Student's t.

    Parameters
    ----------
    first, second : ndarray, shape (n,)
        Values of the same atoms in two models, none of them NaN.
    block : ndarray of int, shape (n,)
        From `atom_blocks`.
    sampling : float
        Of the difference, from rotated point sets: the blocks need not show it.
    comparisons : int
        How many intervals are looked at together (Bonferroni).
    seed : int
        Of the resampling.

    Returns
    -------
    Difference
    """
    difference = first - second
    n = len(difference)
    count = np.bincount(block).astype(float)
    groups = len(count)
    value = float(difference.mean())
    if groups < LEAST_BLOCKS:
        nan = float("nan")
        return Difference(value, nan, nan, sampling, n, groups, LEVEL)
    total = np.bincount(block, weights=difference)
    rng = np.random.default_rng(seed)
    means = []
    for _ in range(_RESAMPLES // _AT_ONCE):
        drawn = rng.multinomial(groups, np.full(groups, 1.0 / groups), size=_AT_ONCE)
        means.append((drawn @ total) / (drawn @ count))
    variance = float(np.var(np.concatenate(means), ddof=1)) * groups / (groups - 1)
    error = float(np.hypot(np.sqrt(variance), sampling))
    quantile = float(special.stdtrit(groups - 1, 1.0 - (1.0 - LEVEL) / (2.0 * comparisons)))
    return Difference(value, error, quantile * error, sampling, n, groups, LEVEL)
