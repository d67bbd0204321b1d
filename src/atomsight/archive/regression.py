"""Q as a polynomial in the resolution: how well it fits, and the band around it."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from atomsight.archive.expected import FITTED_RANGE
from atomsight.errors import InputError
from atomsight.typing import FloatArray

DEGREES = (1, 2, 3, 4)
DEGREE = 3
"""Of the curve that expected values follow, as in the paper."""

FEWEST = 50
"""Entries that a fit needs."""

PEAK_HALF_WIDTH = 0.01
"""Q; the band that holds the most entries is this wide on both sides of the peak."""

INSIDE = 0.95
"""Share of the entries on each side of the peak that the band holds."""

PARTS, REPEATS, SEED = 10, 5, 0
"""Of the cross-validation: each tenth is tested on a fit to the other nine, in five divisions."""

_PEAK_STEP = 0.001
_FEWEST_RESOLUTIONS = 10


@dataclass(frozen=True, slots=True)
class PolynomialFit:
    """A polynomial fitted to Q against the resolution d.

    Attributes
    ----------
    degree : int
    coefficients : tuple of float
        Highest power first.
    r2 : float
        Share of the variance of Q that it explains.
    residual_sd : float
        Residual standard error, sqrt(Σ residual² / (n - degree - 1)).
    test_r2, test_rmse, test_mae : float
        Cross-validation: R², root mean square and mean absolute error on entries that the fit had
        not seen; means over 50 splits into nine tenths and one tenth.
    """

    degree: int
    coefficients: tuple[float, ...]
    r2: float
    residual_sd: float
    test_r2: float
    test_rmse: float
    test_mae: float


@dataclass(frozen=True, slots=True)
class Regression:
    """Statistical model of Q.

    Attributes
    ----------
    n : int
        Entries fitted.
    finest, coarsest : float
        Å; between them lie the entries fitted, within 1 to 10 Å.
    fits : tuple of PolynomialFit
        Degrees 1 to 4; expected values follow the cubic.
    skewness : float
        Of the residuals of the cubic; negative: the tail goes to low Q.
    peak, low, high : float
        Offsets from the cubic.
    """

    n: int
    finest: float
    coarsest: float
    fits: tuple[PolynomialFit, ...]
    skewness: float
    peak: float
    low: float
    high: float

    @property
    def cubic(self) -> PolynomialFit:
        """The fit that expected values follow."""
        return next(fit for fit in self.fits if fit.degree == DEGREE)


def fit_regression(resolution: FloatArray, q: FloatArray) -> Regression:
    """Fit polynomials to the entries between 1 and 10 Å, and the band around the cubic.

    Peak: the offset with the most residuals within ± 0.01. Low and high: between them and the peak
    lie 95 % of the residuals on that side, so that 95 % of all lie in the band.

    Parameters
    ----------
    resolution : ndarray, shape (n,)
        Å; NaN where unknown.
    q : ndarray, shape (n,)
        NaN where unknown.

    Returns
    -------
    Regression

    Raises
    ------
    InputError
        If there are fewer than 50 entries, fewer than 10 resolutions, or only one value of Q.

    References
    ----------
    Pintilie et al. (2025), sections 2, 3 and A1.3.
    """
    d, values = _fitted(resolution, q)
    fits = tuple(_fit(d, values, degree) for degree in DEGREES)
    cubic = next(fit for fit in fits if fit.degree == DEGREE)
    residuals = values - np.polyval(cubic.coefficients, d)
    peak = peak_offset(residuals)
    low, high = side_offsets(residuals, peak)
    centred = residuals - residuals.mean()
    return Regression(
        n=len(d),
        finest=float(d.min()),
        coarsest=float(d.max()),
        fits=fits,
        skewness=float((centred**3).mean() / (centred**2).mean() ** 1.5),
        peak=peak,
        low=low,
        high=high,
    )


def peak_offset(residuals: FloatArray) -> float:
    """The offset with the most residuals within ± 0.01, in steps of 0.001.

    Parameters
    ----------
    residuals : ndarray, shape (n,)

    Returns
    -------
    float
        The middle one where several hold as many.
    """
    ordered = np.sort(residuals)
    steps = np.arange(np.floor(ordered[0] / _PEAK_STEP), np.ceil(ordered[-1] / _PEAK_STEP) + 1)
    offsets = steps * _PEAK_STEP
    upto = np.searchsorted(ordered, offsets + PEAK_HALF_WIDTH, side="right")
    counts = upto - np.searchsorted(ordered, offsets - PEAK_HALF_WIDTH, side="left")
    best = offsets[counts == counts.max()]
    return round(float(best[(len(best) - 1) // 2]), 6)


def side_offsets(residuals: FloatArray, peak: float) -> tuple[float, float]:
    """Offsets that hold 95 % of the residuals below the peak, and 95 % of those above it.

    Parameters
    ----------
    residuals : ndarray, shape (n,)
    peak : float

    Returns
    -------
    low, high : float
        The peak itself where no residual lies on that side.
    """
    below, above = residuals[residuals < peak], residuals[residuals > peak]
    low = np.quantile(below, 1 - INSIDE) if len(below) else peak
    high = np.quantile(above, INSIDE) if len(above) else peak
    return float(low), float(high)


def _fitted(resolution: FloatArray, q: FloatArray) -> tuple[FloatArray, FloatArray]:
    low, high = FITTED_RANGE
    chosen = (resolution >= low) & (resolution <= high) & np.isfinite(q)
    d, values = resolution[chosen], q[chosen]
    if len(d) < FEWEST:
        raise InputError(
            f"{len(d)} entries with Q between {low:g} and {high:g} Å; "
            f"a statistical model needs {FEWEST}"
        )
    distinct = len(np.unique(d))
    if distinct < _FEWEST_RESOLUTIONS:
        raise InputError(
            f"the entries have {distinct} different resolutions; "
            f"a polynomial in the resolution needs {_FEWEST_RESOLUTIONS}"
        )
    if np.ptp(values) == 0:
        raise InputError(f"all entries have the same Q, {values[0]:g}")
    return d, values


def _fit(d: FloatArray, q: FloatArray, degree: int) -> PolynomialFit:
    coefficients = np.polyfit(d, q, degree)
    residuals = q - np.polyval(coefficients, d)
    squares = float((residuals**2).sum())
    tests = list(_unseen_residuals(d, q, degree))
    # against the variance of all entries: that of a tenth may be 0
    r2 = [1.0 - float((test**2).mean()) / float(q.var()) for test in tests]
    return PolynomialFit(
        degree=degree,
        coefficients=tuple(float(c) for c in coefficients),
        r2=1.0 - squares / float(((q - q.mean()) ** 2).sum()),
        residual_sd=float(np.sqrt(squares / (len(d) - degree - 1))),
        test_r2=float(np.mean(r2)),
        test_rmse=float(np.mean([np.sqrt((test**2).mean()) for test in tests])),
        test_mae=float(np.mean([np.abs(test).mean() for test in tests])),
    )


def _unseen_residuals(d: FloatArray, q: FloatArray, degree: int) -> Iterator[FloatArray]:
    """Residuals of a tenth of the entries from a fit to the others; same parts for any degree."""
    rng = np.random.default_rng(SEED)
    for _ in range(REPEATS):
        for test in np.array_split(rng.permutation(len(d)), PARTS):
            train = np.ones(len(d), dtype=np.bool_)
            train[test] = False
            fit = np.polyfit(d[train], q[train], degree)
            yield q[test] - np.polyval(fit, d[test])
