"""Correlation of the map with the map of the model (Pintilie et al. 2025, equations 8 and 9)."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from atomsight.density.map import Map
from atomsight.density.simulate import Form
from atomsight.errors import OverlayError
from atomsight.evidence.model_map import (
    THRESHOLD,
    ComparisonGrid,
    compared_points,
    comparison_grid,
    model_map,
    placed,
)
from atomsight.model import Model
from atomsight.typing import Bool_N, Float_N, Float_Nx3, Int_N, Volume

MIN_POINTS = 10
"""A chain or residue with fewer points has no correlation."""


@dataclass(frozen=True, slots=True)
class Correlation:
    """How well the map agrees with the map of the model, over one set of points.

    Attributes
    ----------
    cc : float
        ``<m, c> / (|m| |c|)``, equation 8; NaN where it cannot be computed.
    cc_mean : float
        The same about the means of m and c, equation 9.
    overlap : float
        ``<m, c>``, in map units times the units of the model's map.
    n : int
        Number of points.
    """

    cc: float
    cc_mean: float
    overlap: float
    n: int


@dataclass(frozen=True, slots=True)
class MapCorrelation:
    """Correlation of the whole model, its chains and its residues.

    Attributes
    ----------
    model : Correlation
    chains : dict
        Author's chain → Correlation, in order of first appearance.
    cc, cc_mean : ndarray, shape (m,)
        One a residue; NaN with fewer than 10 points.
    n : ndarray of int, shape (m,)
        Points of each residue.
    n_outside : int
        Points left out because the map does not reach there, or holds NaN or Inf.
    form : {"gaussian", "electron"}
        How the model's map was made.
    resolution, spacing : float
        Å.
    definition : str
        All of it in one sentence.
    """

    model: Correlation
    chains: dict[str, Correlation]
    cc: Float_N
    cc_mean: Float_N
    n: Int_N
    n_outside: int
    form: Form
    resolution: float
    spacing: float
    definition: str


def correlation(
    map_: Map,
    model: Model,
    *,
    resolution: float,
    b_iso: Float_N | float = 0.0,
    form: Form = "gaussian",
) -> MapCorrelation:
    """CC and CC-mean between a map and the map of the model.

    ::

        CC      = <m, c> / (|m| |c|)                          (equation 8)
        CC-mean = <m - m̄, c - c̄> / (|m - m̄| |c - c̄|)          (equation 9)

    m are the values of the model's map at those points of its grid where they are above 0.01, c
    those of the map there, by trilinear interpolation. Each point belongs to the chain and residue
    of its nearest atom.

    Parameters
    ----------
    map_ : Map
        May be only the box around the model.
    model : Model
        Hydrogens count where they are in the file.
    resolution : float
        d in Å.
    b_iso : ndarray, shape (n,), or float
        B factors of the model's map, Å²; 0 as in the paper, ``model.b_iso`` for the model's own.
    form : {"gaussian", "electron"}
        See `atomsight.evidence.model_map.model_map`.

    Returns
    -------
    MapCorrelation

    Raises
    ------
    ParameterError
        If the resolution is no positive number, or a B factor is negative.
    OverlayError
        If no point of the model's map lies in the map.

    References
    ----------
    Pintilie et al. (2025), Acta Cryst. D81, 410-422, Appendix A1.4.
    """
    return correlations(map_, model, [b_iso], resolution=resolution, form=form)[0]


def correlations(
    map_: Map,
    model: Model,
    b_isos: Sequence[Float_N | float],
    *,
    resolution: float,
    form: Form = "gaussian",
) -> list[MapCorrelation]:
    """`correlation` for several sets of B factors, in less time than one after the other.

    Parameters
    ----------
    map_ : Map
    model : Model
    b_isos : sequence of ndarray of shape (n,), or of float
        Å².
    resolution : float
        d in Å.
    form : {"gaussian", "electron"}

    Returns
    -------
    list of MapCorrelation
        In the order of `b_isos`.

    Raises
    ------
    ParameterError
        If the resolution is no positive number, or a B factor is negative.
    OverlayError
        If no point of a model's map lies in the map.
    """
    where = comparison_grid(map_, model, resolution, form)
    maps = [model_map(where, model, b_iso) for b_iso in b_isos]
    seen = [compared_points(where, values) for values in maps]
    if not all(points.any() for points in seen):
        raise OverlayError(f"{model.path}: no point of the model's map lies in {_name(map_)}")
    residue = _nearest_residue(where.grid, np.any(seen, axis=0), model)
    return [
        _correlation(where, model, values, points, residue)
        for values, points in zip(maps, seen, strict=True)
    ]


def _correlation(
    where: ComparisonGrid,
    model: Model,
    values: Volume,
    seen: Bool_N,
    residues: npt.NDArray[np.int32],
) -> MapCorrelation:
    """Correlation over the chosen points; `residues` has the residue of each."""
    m, c = values[seen].astype(float), where.grid.values[seen].astype(float)
    residue: Int_N = residues[seen].astype(np.int64)
    count = len(model.residues)
    cc, cc_mean, _, n = _by_group(m, c, residue, count)
    names, first, chain = np.unique(model.residues.chain, return_index=True, return_inverse=True)
    by_chain = _by_group(m, c, chain[residue], len(names))
    return MapCorrelation(
        model=correlate(m, c),
        chains={
            str(names[i]): Correlation(*(column[i].item() for column in by_chain))
            for i in np.argsort(first)
        },
        cc=cc,
        cc_mean=cc_mean,
        n=n,
        n_outside=int((values[where.box] > THRESHOLD).sum() - seen.sum()),
        form=where.form,
        resolution=where.resolution,
        spacing=where.grid.voxel_size[0],
        definition=where.definition,
    )


def correlate(m: Float_N, c: Float_N) -> Correlation:
    """Correlation of two sets of values.

    Parameters
    ----------
    m, c : ndarray, shape (n,)
        Of the model's map and of the map.

    Returns
    -------
    Correlation
    """
    n = len(m)
    if n < MIN_POINTS:
        return Correlation(np.nan, np.nan, float((m * c).sum()) if n else np.nan, n)
    # sums, not dot products: those of a threaded BLAS differ in their last bits
    overlap, m_square, c_square = (float((a * b).sum()) for a, b in ((m, c), (m, m), (c, c)))
    m_about, c_about = m - m.mean(), c - c.mean()
    cross = float((m_about * c_about).sum())
    m_rest, c_rest = float(np.square(m_about).sum()), float(np.square(c_about).sum())
    flat = _constant(m_rest, m_square) or _constant(c_rest, c_square)
    zero = m_square * c_square == 0.0
    return Correlation(
        cc=np.nan if zero else overlap / sqrt(m_square * c_square),
        cc_mean=np.nan if flat else cross / sqrt(m_rest * c_rest),
        overlap=overlap,
        n=n,
    )


def _by_group(
    m: Float_N, c: Float_N, group: Int_N, groups: int
) -> tuple[Float_N, Float_N, Float_N, Int_N]:
    """CC, CC-mean, overlap and number of points of each group."""

    def total(values: Float_N) -> Float_N:
        return np.asarray(np.bincount(group, weights=values, minlength=groups), dtype=np.float64)

    n = np.bincount(group, minlength=groups).astype(np.int64)
    overlap = total(m * c)
    with np.errstate(invalid="ignore", divide="ignore"):
        cc = overlap / np.sqrt(total(m * m) * total(c * c))
        # about the means first: the sums of squares of a map with an offset lose its digits
        m_about, c_about = m - (total(m) / n)[group], c - (total(c) / n)[group]
        cross, m_square = total(m_about * c_about), total(m_about * m_about)
        c_square = total(c_about * c_about)
        cc_mean = cross / np.sqrt(m_square * c_square)
    few = n < MIN_POINTS
    flat = _constant(m_square, total(m * m)) | _constant(c_square, total(c * c))
    cc[few], cc_mean[few | flat], overlap[n == 0] = np.nan, np.nan, np.nan
    return cc, cc_mean, overlap, n


def _constant(about_mean: Any, square: Any) -> Any:
    """Whether what is left about the mean is only rounding: numbers, or one a group."""
    return about_mean <= 1e-12 * square


def _nearest_residue(grid: Map, seen: Bool_N, model: Model) -> npt.NDArray[np.int32]:
    """Residue of the atom nearest to each chosen point; -1 elsewhere."""
    from scipy.spatial import KDTree  # noqa: PLC0415  (slow to import)

    rows = np.flatnonzero(placed(model))
    points: Float_Nx3 = np.argwhere(seen)[:, ::-1] @ grid.step.T + grid.origin
    _, nearest = KDTree(model.xyz[rows]).query(points, workers=-1)
    residue = np.full(seen.shape, -1, dtype=np.int32)
    residue[seen] = model.residue[rows[nearest]]
    return residue


def _name(map_: Map) -> str:
    return "the map" if map_.path is None else str(map_.path)
