"""How far independent models of one map lie apart, residue by residue (Herzik et al. 2019)."""

from dataclasses import dataclass

import numpy as np

from atomsight.errors import ParameterError
from atomsight.typing import Float_N, FloatArray, Int_N

WELL, POOR, BAD = 1.0, 3.0, 4.0
"""Å; below 1 Å the map fixes a residue, above 3 Å its register may be off, above 4 Å it may be
better not to deposit it."""

PAIRWISE = (
    "per residue, sqrt of the mean squared Cα distance (C1' of nucleic acid) over all pairs of "
    "models, without superposition"
)
TO_MEAN = (
    "per residue, sqrt of the mean squared distance of the models' Cα (C1') from their mean "
    "position, without superposition; pairwise = to mean x sqrt(2n/(n-1)) for n models"
)


@dataclass(frozen=True, slots=True)
class Spread:
    """How the residues' RMSD is distributed.

    Attributes
    ----------
    n : int
        Residues with an RMSD.
    mean, median, largest : float
        Å; NaN without residues.
    skewness : float
        Third central moment over the cube of the standard deviation; above 0: a tail of poorly
        fixed residues. NaN where all are the same.
    below_1, from_1_to_3, above_3 : float
        Shares of the residues.
    n_above_3, n_above_4 : int
        Residues whose register may be off, and those that may be better not deposited.
    """

    n: int
    mean: float
    median: float
    largest: float
    skewness: float
    below_1: float
    from_1_to_3: float
    above_3: float
    n_above_3: int
    n_above_4: int


def mean_position(xyz: FloatArray) -> tuple[FloatArray, Int_N]:
    """Mean position of each residue, and how many models have it.

    Parameters
    ----------
    xyz : ndarray, shape (k, m, 3)
        Å; NaN where a model lacks a residue.

    Returns
    -------
    mean : ndarray, shape (m, 3)
        NaN where no model has it.
    n : ndarray of int, shape (m,)
    """
    known = np.asarray(np.isfinite(xyz).all(axis=2))
    n = known.sum(axis=0).astype(np.int64)
    total = np.where(known[:, :, None], xyz, 0.0).sum(axis=0)
    mean = np.divide(total, n[:, None], out=np.full(total.shape, np.nan), where=n[:, None] > 0)
    return mean, n


def rmsd_to_mean(xyz: FloatArray) -> Float_N:
    """RMSD of each residue to the mean of the models, `sqrt(mean_i |x_i - <x>|²)`.

    Parameters
    ----------
    xyz : ndarray, shape (k, m, 3)
        Å; NaN where a model lacks a residue.

    Returns
    -------
    ndarray, shape (m,)
        Å; NaN where fewer than two models have the residue.
    """
    mean, n = mean_position(xyz)
    squares = np.nansum(((xyz - mean) ** 2).sum(axis=2), axis=0)
    rmsd: Float_N = np.sqrt(np.divide(squares, n, out=np.full(len(n), np.nan), where=n > 1))
    return rmsd


def pairwise_rmsd(xyz: FloatArray) -> Float_N:
    """RMSD of each residue over all pairs of models, `sqrt(mean_{i<j} |x_i - x_j|²)`.

    It does not depend on the number of models, but for chance. For n models it is the RMSD to the
    mean times sqrt(2n/(n-1)), and so it is computed.

    Parameters
    ----------
    xyz : ndarray, shape (k, m, 3)
        Å; NaN where a model lacks a residue.

    Returns
    -------
    ndarray, shape (m,)
        Å; NaN where fewer than two models have the residue.

    References
    ----------
    Herzik, Fraser & Lander (2019), Structure 27, 344-358; which of the two it used is not said.
    """
    n = np.isfinite(xyz).all(axis=2).sum(axis=0)
    factor = np.divide(2.0 * n, n - 1.0, out=np.full(len(n), np.nan), where=n > 1)
    rmsd: Float_N = rmsd_to_mean(xyz) * np.sqrt(factor)
    return rmsd


def mutual_rmsd(xyz: FloatArray) -> FloatArray:
    """RMSD of each model to each other, over the residues that both have.

    Parameters
    ----------
    xyz : ndarray, shape (k, m, 3)
        Å; NaN where a model lacks a residue.

    Returns
    -------
    ndarray, shape (k, k)
        Å; 0 on the diagonal, NaN where two models share no residue.
    """
    k = len(xyz)
    found = np.zeros((k, k))
    for i in range(k):
        for j in range(i):
            squares = ((xyz[i] - xyz[j]) ** 2).sum(axis=1)
            both = np.isfinite(squares)
            found[i, j] = found[j, i] = np.sqrt(squares[both].mean()) if both.any() else np.nan
    return found


def spread(rmsd: Float_N) -> Spread:
    """How RMSDs of residues are distributed.

    Parameters
    ----------
    rmsd : ndarray, shape (m,)
        Å; NaN is left out.

    Returns
    -------
    Spread
    """
    values = rmsd[np.isfinite(rmsd)]
    nan = float("nan")
    if not len(values):
        return Spread(0, nan, nan, nan, nan, nan, nan, nan, 0, 0)
    centred = values - values.mean()
    sd = float(np.sqrt((centred**2).mean()))
    flat = sd <= 1e-12 * max(float(values.max()), 1e-12)
    return Spread(
        n=len(values),
        mean=float(values.mean()),
        median=float(np.median(values)),
        largest=float(values.max()),
        skewness=nan if flat else float((centred**3).mean() / sd**3),
        below_1=float((values < WELL).mean()),
        from_1_to_3=float(((values >= WELL) & (values <= POOR)).mean()),
        above_3=float((values > POOR).mean()),
        n_above_3=int((values > POOR).sum()),
        n_above_4=int((values > BAD).sum()),
    )


def histogram(rmsd: Float_N, width: float = 0.1) -> dict[str, np.ndarray]:
    """Numbers of residues in bins of RMSD, from 0 on.

    Parameters
    ----------
    rmsd : ndarray, shape (m,)
        Å; NaN is left out.
    width : float
        Å.

    Returns
    -------
    dict
        ``from``, ``to`` (Å) and ``residues``.

    Raises
    ------
    ParameterError
        If the width is not above 0.
    """
    if not width > 0:
        raise ParameterError(f"width {width:g}: must be above 0 Å")
    values = rmsd[np.isfinite(rmsd)]
    n = max(int(np.floor(values.max(initial=0.0) / width)) + 1, 1)
    edges = np.round(np.arange(n + 1) * width, 9)
    return {
        "from": edges[:-1],
        "to": edges[1:],
        "residues": np.histogram(values, edges)[0].astype(np.int64),
    }
