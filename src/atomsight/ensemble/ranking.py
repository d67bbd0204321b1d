"""Which of many models are kept: the mean of four ranks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from atomsight.ensemble.geometry.quality import Quality
from atomsight.errors import ParameterError
from atomsight.typing import Float_N, FloatArray, Int_N

CRITERIA = ("ramachandran_outliers_percent", "geometry_outliers", "clashscore", "energy")
"""In all of them, less is better."""

KEEP = 10
"""Models of the published pipeline."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """Models in order of the mean of their ranks.

    Attributes
    ----------
    values : ndarray, shape (n, 4)
        What was ranked, in the order of `CRITERIA`.
    ranks : ndarray, shape (n, 4)
        From 1, the best; equal values share the mean of their ranks. NaN throughout where no
        model has the value.
    mean_rank : ndarray, shape (n,)
        Over the criteria that any model has.
    order : ndarray of int, shape (n,)
        Rows of the models, best first.
    keep : int
        How many are kept.
    """

    values: FloatArray
    ranks: FloatArray
    mean_rank: Float_N
    order: Int_N
    keep: int

    @property
    def kept(self) -> Int_N:
        """Rows of the models that are kept, best first."""
        return self.order[: self.keep]


def rank_models(values: FloatArray, *, keep: int = KEEP) -> Ranking:
    """Rank models by Ramachandran outliers, geometry outliers, clashscore and energy.

    Each criterion gives ranks from 1, and their mean orders the models. Equal values share the
    mean of their ranks, so that a criterion in which all are equal moves nobody. A model without
    a value comes after all that have one. Equal means are ordered by energy, then by the order
    given: the result is always the same.

    Parameters
    ----------
    values : ndarray, shape (n, 4)
        In the order of `CRITERIA`: percent, counts of bonds and angles more than 4 sigma off,
        clashes per 1000 atoms, and the aggregate energy (force field + map) in kJ/mol; NaN where
        there is none.
    keep : int
        How many to keep; all of them where there are fewer.

    Returns
    -------
    Ranking

    Raises
    ------
    ParameterError
        If there are no models, a row is not four values, `keep` is below 1, or no model has any
        value.

    References
    ----------
    Herzik, Fraser & Lander (2019), Structure 27, 344-358.
    """
    values = np.asarray(values, dtype=float)
    if values.ndim != 2 or values.shape[1] != len(CRITERIA) or not len(values):
        raise ParameterError(
            f"ranking takes one row of {len(CRITERIA)} values a model, not shape {values.shape}"
        )
    if keep < 1:
        raise ParameterError(f"at least 1 model must be kept, not {keep}")
    if np.isnan(values).all():
        raise ParameterError("no model has a value to be ranked by")
    ranks = np.stack([_ranks(column) for column in values.T], axis=1)
    mean_rank = np.nanmean(ranks, axis=1)
    order = np.lexsort((np.arange(len(values)), values[:, -1], mean_rank))
    return Ranking(values, ranks, mean_rank, order, min(keep, len(values)))


def rank_by_quality(quality: Sequence[Quality], energy: Float_N, *, keep: int = KEEP) -> Ranking:
    """Rank models by their geometry and their energies.

    Parameters
    ----------
    quality : sequence of Quality
        One a model.
    energy : ndarray, shape (n,)
        Force field + map, kJ/mol; NaN where an engine gives none.
    keep : int
        How many to keep.

    Returns
    -------
    Ranking

    Raises
    ------
    ParameterError
        If there are no models, not as many energies, or `keep` is below 1.
    """
    if len(quality) != len(energy):
        raise ParameterError(f"{len(quality)} models, but {len(energy)} energies")
    values = [
        (
            one.backbone.outliers_percent,
            float(one.covalent.n_outliers),
            one.clashes.clashscore,
            float(e),
        )
        for one, e in zip(quality, energy, strict=True)
    ]
    return rank_models(np.array(values, dtype=float).reshape(-1, len(CRITERIA)), keep=keep)


def _ranks(column: Float_N) -> Float_N:
    """Ranks from 1; equal values share their mean rank, and NaN shares the last ones."""
    if np.isnan(column).all():
        return np.full(len(column), np.nan)
    filled = np.where(np.isnan(column), np.inf, column)
    _, kind, count = np.unique(filled, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    shared: Float_N = (last - (count - 1) / 2.0)[kind.reshape(-1)]
    return shared
