"""Principal components of measures over entries or atoms (Ramírez-Aportela et al. 2021)."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from atomsight.errors import ParameterError
from atomsight.typing import Bool_N, Float_N, FloatArray


@dataclass(frozen=True, slots=True)
class Components:
    """Principal components of p measures over n rows.

    Attributes
    ----------
    names : tuple of str
        The p measures.
    constant : tuple of str
        Measures left out because they have one value only.
    used : ndarray of bool, shape (rows,)
        Rows without NaN: those that count.
    n, n_left_out : int
        Rows that count, and rows with a NaN or Inf.
    mean, sd : ndarray, shape (p,)
        Of each measure over these rows (sd with n - 1).
    variance : ndarray, shape (k,)
        Of each component, largest first: the eigenvalues of the correlation matrix.
    explained : ndarray, shape (k,)
        Share of the whole variance, which is p.
    loadings : ndarray, shape (p, k)
        Each column is a component: its direction, of length 1, its largest entry positive.
    scores : ndarray, shape (rows, k)
        Each row's place along the components; NaN for rows left out.
    """

    names: tuple[str, ...]
    constant: tuple[str, ...]
    used: Bool_N
    n: int
    n_left_out: int
    mean: Float_N
    sd: Float_N
    variance: Float_N
    explained: Float_N
    loadings: FloatArray
    scores: FloatArray


def principal_components(columns: Mapping[str, Float_N]) -> Components:
    """Principal components of the correlation matrix of several measures.

    Each measure is taken about its mean and over its standard deviation, Z; the singular values of
    Z = U S Vᵀ give the variances S²/(n - 1), the loadings V and the scores U S.

    Parameters
    ----------
    columns : mapping
        Name of a measure → its values, one a row, NaN where there is none.

    Returns
    -------
    Components

    Raises
    ------
    ParameterError
        If there are fewer than 2 measures that vary, not more rows than measures, or columns of
        different lengths.

    References
    ----------
    Ramírez-Aportela et al. (2021), Nat. Commun. 12, 42, Supplementary Fig. 7.
    """
    arrays = {name: np.asarray(column, dtype=float) for name, column in columns.items()}
    if len({array.shape for array in arrays.values()}) > 1:
        lengths = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise ParameterError(f"measures must have one value a row each: {lengths}")
    if len(arrays) < 2:
        raise ParameterError("principal components need at least 2 measures")
    table = np.column_stack(list(arrays.values()))
    used = np.isfinite(table).all(axis=1)
    kept = table[used]
    if len(kept) <= len(arrays):
        raise ParameterError(
            f"principal components of {len(arrays)} measures need more than {len(arrays)} rows "
            f"without NaN, not {len(kept)} of {len(table)}"
        )
    varies = np.ptp(kept, axis=0) > 1e-12 * np.abs(kept).max(axis=0)
    names = [name for name, good in zip(arrays, varies.tolist(), strict=True) if good]
    constant = tuple(name for name in arrays if name not in names)
    if len(names) < 2:
        raise ParameterError(
            f"principal components need at least 2 measures that vary; constant: "
            f"{', '.join(constant)}"
        )
    kept = kept[:, varies]
    mean, sd = kept.mean(axis=0), kept.std(axis=0, ddof=1)
    left, singular, right = np.linalg.svd((kept - mean) / sd, full_matrices=False)
    # the sign of a component is arbitrary: its largest loading is made positive
    sign = np.sign(right[np.arange(len(right)), np.abs(right).argmax(axis=1)])
    scores = np.full((len(table), len(singular)), np.nan)
    scores[used] = left * singular * sign
    variance = singular**2 / (len(kept) - 1)
    return Components(
        names=tuple(names),
        constant=constant,
        used=used,
        n=len(kept),
        n_left_out=int(len(table) - len(kept)),
        mean=mean,
        sd=sd,
        variance=variance,
        explained=variance / variance.sum(),
        loadings=right.T * sign,
        scores=scores,
    )
