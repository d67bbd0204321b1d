"""Atomic profiles: how the map falls off around an atom (Pintilie et al. 2020, Figs. 1 and 2)."""

from dataclasses import dataclass

import numpy as np

from atomsight.density.map import Map, index_matrix, to_index
from atomsight.errors import ParameterError
from atomsight.evidence.points import trial_points
from atomsight.evidence.q_score import EXCLUSION, SIGMA_ARCHIVE, QScoreOptions
from atomsight.kernels.cells import cell_grid
from atomsight.kernels.profile import shell_sums
from atomsight.kernels.q_score import NOISE
from atomsight.model import Model
from atomsight.typing import Bool_N, Float_N, Float_Nx3, FloatArray, Int_N

MIN_SHELLS = 5
"""Shells, with the centre, that a Gaussian is fitted to: two more than it has parameters."""

_NARROWEST = 0.1
"""Å; narrowest Gaussian that is fitted."""

_WIDEST = 2.0
"""Widest Gaussian that is fitted, over the largest radius: beyond, it is a parabola."""

_GRID = 80
_GOLDEN = (np.sqrt(5.0) - 1.0) / 2.0
_STEPS = 40


@dataclass(frozen=True, slots=True)
class AtomProfiles:
    """Profiles of k atoms over s radii, the first of which is 0.

    Attributes
    ----------
    atom : ndarray of int, shape (k,)
        Rows of the model.
    radius : ndarray, shape (s,)
        Å.
    n_points : ndarray of int, shape (k, s)
        Points of each shell; 0 where too few are the atom's own. At the centre the weight it has
        in Q.
    n_outside : ndarray of int, shape (k, s)
        How many of them lie outside the map and count as 0.
    mean, sd : ndarray, shape (k, s)
        Mean of the map at these points, and its standard deviation (n - 1), map units; NaN where
        there are none.
    reference : ndarray, shape (s,)
        The Q-score's reference Gaussian, map units: (M + 10 S) exp(-r²/2σ²) + M - S, M and S being
        mean and standard deviation of the whole map (equations 1 to 5 of the 2020 paper).
    fit_a, fit_b, fit_sigma : ndarray, shape (k,)
        Height, offset (map units) and width (Å) of the Gaussian A exp(-r²/2σ²) + B fitted to the
        means; NaN where none fits. A below 0: the map is lower at the atom than around it.
    fit_sigma_error : ndarray, shape (k,)
        Standard error of the width, Å, from the scatter about the fit.
    fit_error : ndarray, shape (k,)
        Mean distance between means and fit, over the range of the means.
    q : ndarray, shape (k,)
        The Q-score; NaN where there is none.
    sigma : float
        Width of the reference Gaussian, Å.
    """

    atom: Int_N
    radius: Float_N
    n_points: Int_N
    n_outside: Int_N
    mean: FloatArray
    sd: FloatArray
    reference: Float_N
    fit_a: Float_N
    fit_b: Float_N
    fit_sigma: Float_N
    fit_sigma_error: Float_N
    fit_error: Float_N
    q: Float_N
    sigma: float


def atom_profile(
    map_: Map,
    model: Model,
    atoms: int | Int_N | Bool_N,
    *,
    sigma: float = SIGMA_ARCHIVE,
    points: int = 8,
    radius: float = 2.0,
    step: float = 0.1,
    neighbours: Float_Nx3 | None = None,
    fit: bool = True,
) -> AtomProfiles:
    """Mean map value against radius around atoms, with a Gaussian fitted to it.

    The points are those of the Q-score, see `q_score`: the centre, and on each shell those that
    have no other atom nearer than 0.9 R.

    Parameters
    ----------
    map_ : Map
    model : Model
    atoms : int, ndarray of int, or ndarray of bool of shape (n,)
        Rows of the model, or a flag an atom. All other atoms still exclude points.
    sigma, points, radius, step
        See `QScoreOptions`.
    neighbours : ndarray, shape (m, 3), optional
        Further neighbours, Å, as for `q_score`.
    fit : bool
        False: no Gaussians are fitted, which takes the longest.

    Returns
    -------
    AtomProfiles

    Raises
    ------
    ParameterError
        If an option means nothing, or `atoms` names none, or a hydrogen, or an atom without
        coordinates.

    References
    ----------
    Pintilie et al. (2020), Nat. Methods 17, 328-334, Figs. 1 and 2 and equations 1 to 6.
    """
    options = QScoreOptions(sigma, points, radius, step)
    todo = _rows(model, atoms)
    around = model.xyz[model.heavy]
    if neighbours is not None:
        around = np.concatenate([around, np.asarray(neighbours, dtype=float).reshape(-1, 3)])
    radii = options.radii
    grid = cell_grid(np.ascontiguousarray(around), (1.0 + EXCLUSION) * float(radii[-1]))
    directions, offsets = trial_points(points)
    shape = (len(todo), len(radii) + 1)
    n, outside = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    base, total, square = np.zeros(len(todo)), np.zeros(shape), np.zeros(shape)
    shell_sums(
        todo, np.ascontiguousarray(model.xyz), np.ascontiguousarray(to_index(map_, model.xyz)),
        map_.values, grid.xyz, grid.start, grid.shape, grid.low, grid.size,
        directions, np.ascontiguousarray(directions @ index_matrix(map_).T), offsets, radii,
        points, EXCLUSION, n, outside, base, total, square,
    )  # fmt: skip
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total / n
        # rounding must not make a variance negative
        sd = np.sqrt(np.maximum(square - n * mean**2, 0.0) / (n - 1))
    r = np.concatenate([[0.0], radii])
    gaussian = _fit(r, mean) if fit else np.full((5, len(mean)), np.nan)
    statistics = map_.statistics
    height = statistics.mean + 10.0 * statistics.sd
    return AtomProfiles(
        atom=todo,
        radius=r,
        n_points=n,
        n_outside=outside,
        mean=mean + base[:, None],
        sd=sd,
        reference=height * np.exp(-0.5 * (r / sigma) ** 2) + statistics.mean - statistics.sd,
        fit_a=gaussian[0],
        fit_b=gaussian[1] + base,
        fit_sigma=gaussian[2],
        fit_sigma_error=gaussian[3],
        fit_error=gaussian[4],
        q=_q(np.expm1(-0.5 * (r / sigma) ** 2), n, outside, base, total, square),
        sigma=sigma,
    )


def _rows(model: Model, atoms: int | Int_N | Bool_N) -> Int_N:
    """Rows of the chosen atoms, checked."""
    chosen = np.asarray(atoms)
    if chosen.dtype == np.bool_:
        if chosen.shape != (len(model),):
            raise ParameterError(f"atoms must be {len(model)} flags, not of {chosen.shape}")
        chosen = np.flatnonzero(chosen)
    elif not np.issubdtype(chosen.dtype, np.integer):
        raise ParameterError(
            f"atoms must be rows or flags of the model's atoms, not {chosen.dtype}"
        )
    rows = np.atleast_1d(chosen).astype(np.int64)
    if rows.ndim != 1 or not len(rows):
        raise ParameterError("atoms must name at least one atom")
    if rows.min() < 0 or rows.max() >= len(model):
        raise ParameterError(f"atoms must be rows between 0 and {len(model) - 1}")
    other = rows[~model.heavy[rows]]
    if len(other):
        why = "a hydrogen" if model.hydrogen[other[0]] else "without coordinates"
        raise ParameterError(f"{model.path}: atom {other[0]} is {why}, and has no profile")
    return rows


def _q(
    reference: Float_N,
    n: Int_N,
    outside: Int_N,
    base: Float_N,
    total: FloatArray,
    square: FloatArray,
) -> Float_N:
    """Q from the sums of the shells: the correlation over all points."""
    points = n.sum(axis=1)
    sum_u, sum_v = total.sum(axis=1), n @ reference
    with np.errstate(invalid="ignore", divide="ignore"):
        variance_u = square.sum(axis=1) - sum_u**2 / points
        variance_v = n @ reference**2 - sum_v**2 / points
        q: Float_N = (total @ reference - sum_u * sum_v / points) / np.sqrt(variance_u * variance_v)
        spread = np.sqrt((square / np.maximum(n, 1)).max(axis=1))
        constant = variance_u <= points * (NOISE * (np.abs(base) + spread)) ** 2
    q[constant | (points == n[:, 0]) | (outside.sum(axis=1) == points)] = np.nan
    return q


def _fit(r: Float_N, mean: FloatArray) -> FloatArray:
    """A, B, sigma, its standard error and the mean error of the Gaussian fitted to each profile.

    For any width the best height and offset follow from a straight line, so that the search has
    one dimension: a grid of widths, and then golden sections around the best.
    """
    known = np.isfinite(mean)
    values = np.where(known, mean, 0.0)
    highest = np.where(known, mean, -np.inf).max(axis=1)
    extent = highest - np.where(known, mean, np.inf).min(axis=1)
    possible = (known.sum(axis=1) >= MIN_SHELLS) & (extent > 0) & np.isfinite(extent)
    result = np.full((5, len(mean)), np.nan)
    rows = np.flatnonzero(possible)
    if not len(rows):
        return result
    weight = known[rows].astype(float)
    y = values[rows] / extent[rows, None]
    widths = np.geomspace(_NARROWEST, _WIDEST * r[-1], _GRID)
    misfit = np.stack([_line(r, np.full(len(rows), w), y, weight)[2] for w in widths])
    best = misfit.argmin(axis=0)
    inside = (best > 0) & (best < _GRID - 1)
    rows, weight, y, best = rows[inside], weight[inside], y[inside], best[inside]
    low, high = widths[best - 1], widths[best + 1]
    for _ in range(_STEPS):
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        better = _line(r, left, y, weight)[2] < _line(r, right, y, weight)[2]
        low, high = np.where(better, low, left), np.where(better, right, high)
    width = 0.5 * (low + high)
    a, b, square = _line(r, width, y, weight)
    shape = np.exp(-0.5 * (r / width[:, None]) ** 2)
    shells = weight.sum(axis=1)
    error = (weight * np.abs(y - a[:, None] * shape - b[:, None])).sum(axis=1) / shells
    scale = extent[rows]
    result[:, rows] = (
        a * scale, b * scale, width, _width_error(r, a, width, square, weight), error,
    )  # fmt: skip
    return result


def _line(
    r: Float_N, width: Float_N, y: FloatArray, weight: FloatArray
) -> tuple[Float_N, Float_N, Float_N]:
    """Height and offset that fit best for given widths, and the sum of squares left."""
    shape = np.exp(-0.5 * (r / width[:, None]) ** 2)
    n = weight.sum(axis=1)
    x = shape - ((weight * shape).sum(axis=1) / n)[:, None]
    mean_y = (weight * y).sum(axis=1) / n
    about = y - mean_y[:, None]
    a = (weight * x * about).sum(axis=1) / (weight * x * x).sum(axis=1)
    b = mean_y - a * (weight * shape).sum(axis=1) / n
    left = (weight * (about - a[:, None] * x) ** 2).sum(axis=1)
    return a, b, left


def _width_error(
    r: Float_N, a: Float_N, width: Float_N, square: Float_N, weight: FloatArray
) -> Float_N:
    """Standard error of the width, from the derivatives of the three parameters."""
    shape = np.exp(-0.5 * (r / width[:, None]) ** 2)
    slope = a[:, None] * shape * r**2 / width[:, None] ** 3
    derivatives = np.stack([shape, np.ones_like(shape), slope], axis=-1) * weight[:, :, None]
    normal = derivatives.transpose(0, 2, 1) @ derivatives
    variance = square / (weight.sum(axis=1) - 3.0)
    error: Float_N = np.sqrt(variance * np.linalg.pinv(normal)[:, 2, 2])
    return error
