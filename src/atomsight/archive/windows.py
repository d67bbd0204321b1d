"""Entries of similar resolution: how wide the window should be, and what lies in it."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from atomsight.archive.expected import FITTED_RANGE
from atomsight.typing import Bool_N, FloatArray

HALF_WIDTHS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.5)
"""Å; those of the paper's Table 1."""

HALF_WIDTH = 0.5
"""Å; the paper's choice."""

PERCENTS = (2.5, 50.0, 97.5)
"""Of the rolling windows."""

FEWEST = 10
"""Entries that a window must hold: of fewer, a percentile would be a coarse guess."""

_BORDER = 5.0
_ROLLING = tuple(float(d) for d in np.arange(1.0, 10.01, 0.5))
_SLACK = 1e-6
"""Å; 3.7 - 3.2 is not 0.5 to the last bit, and resolutions have at most three decimals."""


@dataclass(frozen=True, slots=True)
class WindowChoice:
    """What a half-width means for Q_relative_resolution of the entries between 1 and 10 Å.

    Attributes
    ----------
    half_width : float
        Å.
    fewest, most : int
        Entries in the emptiest and the fullest window around an entry.
    mean : float
        Entries in a window, mean over the entries.
    r_finer, r_coarser : float or None
        Correlation of Q_relative_resolution with the resolution, of entries below 5 Å, and from 5 Å
        on; None where it cannot be computed.
    """

    half_width: float
    fewest: int
    mean: float
    most: int
    r_finer: float | None
    r_coarser: float | None


@dataclass(frozen=True, slots=True)
class RollingWindow:
    """Q of the entries around a resolution.

    Attributes
    ----------
    resolution : float
        Å.
    n : int
        Entries within ± 0.5 Å.
    low, median, high : float
        2.5th, 50th and 97.5th percentile of their Q, which hold 95 % as the band of the cubic does.
    """

    resolution: float
    n: int
    low: float
    median: float
    high: float


def in_window(resolutions: FloatArray, resolution: float, half_width: float) -> Bool_N:
    """Which entries are of similar resolution: |d_i - d| <= half-width.

    Parameters
    ----------
    resolutions : ndarray, shape (n,)
        d_i in Å; NaN is in no window.
    resolution : float
        d in Å.
    half_width : float
        Å.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    inside: Bool_N = np.abs(resolutions - resolution) <= half_width + _SLACK
    return inside


def window_choices(resolution: FloatArray, q: FloatArray) -> tuple[WindowChoice, ...]:
    """Compare half-widths: entries in a window, and the bias that is left in it.

    Parameters
    ----------
    resolution, q : ndarray, shape (n,)
        Å and Q; NaN where unknown.

    Returns
    -------
    tuple of WindowChoice

    References
    ----------
    Pintilie et al. (2025), section 7, Table 1, equations 7 and 10.
    """
    known = np.isfinite(resolution) & np.isfinite(q)
    order = np.argsort(resolution[known], kind="stable")
    d, values = resolution[known][order], q[known][order]
    return tuple(_choice(d, values, half_width) for half_width in HALF_WIDTHS)


def rolling_windows(resolution: FloatArray, q: FloatArray) -> tuple[RollingWindow, ...]:
    """Percentiles of Q in windows of ± 0.5 Å, every 0.5 Å from 1 to 10 Å, where ten entries are.

    Parameters
    ----------
    resolution, q : ndarray, shape (n,)
        Å and Q; NaN where unknown.

    Returns
    -------
    tuple of RollingWindow
    """
    found = []
    for centre in _ROLLING:
        values = q[in_window(resolution, centre, HALF_WIDTH) & np.isfinite(q)]
        if len(values) >= FEWEST:
            low, median, high = np.percentile(values, PERCENTS)
            found.append(RollingWindow(centre, len(values), float(low), float(median), float(high)))
    return tuple(found)


def _choice(d: FloatArray, q: FloatArray, half_width: float) -> WindowChoice:
    """`d` is in ascending order."""
    relative, counts = np.full(len(d), np.nan), np.zeros(len(d), dtype=np.int64)
    for inside, lower, of in _ranks(d, q, half_width):
        relative[inside], counts[inside] = 100.0 * lower / of, of
    low, high = FITTED_RANGE
    chosen = (d >= low) & (d <= high)
    finer = chosen & (d < _BORDER)
    return WindowChoice(
        half_width=half_width,
        fewest=int(counts[chosen].min()),
        mean=float(counts[chosen].mean()),
        most=int(counts[chosen].max()),
        r_finer=_correlation(relative[finer], d[finer]),
        r_coarser=_correlation(relative[chosen & ~finer], d[chosen & ~finer]),
    )


def _ranks(
    d: FloatArray, q: FloatArray, half_width: float
) -> Iterator[tuple[slice, np.ndarray, int]]:
    """For each resolution: its entries, how many in its window have a lower Q, and of how many."""
    known, code = np.unique(q, return_inverse=True)
    resolutions, first = np.unique(d, return_index=True)
    last = np.append(first[1:], len(d))
    begin = np.searchsorted(d, resolutions - half_width - _SLACK, side="left")
    end = np.searchsorted(d, resolutions + half_width + _SLACK, side="right")
    for a, b, w0, w1 in zip(first, last, begin, end, strict=True):
        upto = np.cumsum(np.bincount(code[w0:w1], minlength=len(known)))
        lower = np.concatenate(([0], upto))[code[a:b]]
        yield slice(a, b), lower, int(w1 - w0)


def _correlation(relative: FloatArray, d: FloatArray) -> float | None:
    if len(d) < 3 or np.ptp(d) == 0 or np.ptp(relative) == 0:
        return None
    return float(np.corrcoef(relative, d)[0, 1])
