"""Convergence against resolution over many maps: an exponential with its errors."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import curve_fit

from atomsight.errors import InputError, ParameterError
from atomsight.typing import Float_N, FloatArray

FEWEST = 3
"""Resolutions that a fit of two parameters needs for errors."""


@dataclass(frozen=True, slots=True)
class ConvergenceFit:
    """Mean Cα RMSD of an entry as a·exp(b·d), d its resolution.

    Attributes
    ----------
    a, b : float
        Å and 1/Å.
    a_error, b_error : float
        Standard errors, from the scatter of the points about the line.
    correlation : float
        Of the errors of a and b.
    n : int
        Entries.
    residual_sd : float
        Å; sqrt(Σ residual² / (n - 2)).
    r2 : float
        Share of the variance that it explains.
    finest, coarsest : float
        Å; between them lie the entries.
    protocol : str
        Which engine and protocol made all of the models; empty where it was not said.
    """

    a: float
    b: float
    a_error: float
    b_error: float
    correlation: float
    n: int
    residual_sd: float
    r2: float
    finest: float
    coarsest: float
    protocol: str = ""

    def at(self, d: FloatArray | float) -> Float_N:
        """The line, and nothing beyond the entries.

        Parameters
        ----------
        d : float or ndarray
            Å.

        Returns
        -------
        ndarray
            Å; NaN outside the resolutions of the entries.
        """
        d = np.asarray(d, dtype=float)
        inside = (d >= self.finest) & (d <= self.coarsest)
        line: Float_N = np.where(inside, self.a * np.exp(self.b * d), np.nan)
        return line

    def error_at(self, d: FloatArray | float) -> Float_N:
        """Standard error of the line itself, by the errors of a and b.

        Parameters
        ----------
        d : float or ndarray
            Å.

        Returns
        -------
        ndarray
            Å; NaN outside the resolutions of the entries. A new entry scatters by `residual_sd`
            beside it.
        """
        d = np.asarray(d, dtype=float)
        by_a, by_b = self.a_error, self.a * d * self.b_error
        squares = by_a**2 + by_b**2 + 2.0 * self.correlation * by_a * by_b
        error: Float_N = np.exp(self.b * d) * np.sqrt(np.maximum(squares, 0.0))
        shown: Float_N = np.where(np.isfinite(self.at(d)), error, np.nan)
        return shown


def fit_convergence(
    d: FloatArray, rmsd: FloatArray, protocol: Sequence[str] | str = ""
) -> ConvergenceFit:
    """Fit a·exp(b·d) to mean Cα RMSDs of entries, by least squares.

    Parameters
    ----------
    d : ndarray, shape (n,)
        Å; resolution of each map.
    rmsd : ndarray, shape (n,)
        Å; mean RMSD of the residues among independent models of it. Pairs with a NaN are left
        out.
    protocol : str or sequence of str
        What made the models, one for all or one an entry. Only entries of one protocol make a
        line: another sampler reaches other distances in the same map.

    Returns
    -------
    ConvergenceFit

    Raises
    ------
    ParameterError
        If lengths differ or the entries are of several protocols.
    InputError
        If there are fewer than three resolutions, values not above 0, or nothing fits.

    References
    ----------
    Herzik, Fraser & Lander (2019), Structure 27, 344-358, Figure 4. Its line is that of Rosetta
    and Phenix, and says nothing of other programs.
    """
    x, y = np.asarray(d, dtype=float), np.asarray(rmsd, dtype=float)
    if x.ndim != 1 or x.shape != y.shape:
        raise ParameterError(f"{x.size} resolutions and {y.size} RMSDs: give one of each an entry")
    name = _one_protocol(protocol, len(x))
    known = np.isfinite(x) & np.isfinite(y)
    x, y = x[known], y[known]
    distinct = len(np.unique(x))
    if distinct < FEWEST:
        raise InputError(
            f"{len(x)} entries of {distinct} resolutions; a·exp(b·d) with errors needs {FEWEST}"
        )
    if (x <= 0).any() or (y <= 0).any():
        raise InputError("resolutions and RMSDs must be above 0 Å")
    # the line through the logarithms is where the search begins
    slope, offset = np.polyfit(x, np.log(y), 1)
    try:
        (a, b), covariance = curve_fit(_line, x, y, p0=(np.exp(offset), slope))
    except RuntimeError as exc:
        raise InputError(f"no a·exp(b·d) fits these {len(x)} entries ({exc})") from None
    residuals = y - _line(x, a, b)
    squares, variance = float((residuals**2).sum()), float(((y - y.mean()) ** 2).sum())
    a_error, b_error = np.sqrt(np.diag(covariance)).tolist()
    product = a_error * b_error
    return ConvergenceFit(
        a=float(a),
        b=float(b),
        a_error=a_error,
        b_error=b_error,
        correlation=float(covariance[0, 1] / product) if product > 0 else 0.0,
        n=len(x),
        residual_sd=float(np.sqrt(squares / (len(x) - 2))),
        r2=1.0 - squares / variance if variance > 0 else float("nan"),
        finest=float(x.min()),
        coarsest=float(x.max()),
        protocol=name,
    )


def _line(d: FloatArray, a: float, b: float) -> Float_N:
    return np.asarray(a * np.exp(b * d))


def _one_protocol(protocol: Sequence[str] | str, n: int) -> str:
    if isinstance(protocol, str):
        return protocol
    if len(protocol) != n:
        raise ParameterError(f"{len(protocol)} protocols for {n} entries: give one an entry")
    names = list(dict.fromkeys(protocol))
    if len(names) > 1:
        shown = ", ".join(repr(name) for name in names[:5])
        raise ParameterError(
            f"the entries are of {len(names)} protocols ({shown}): fit those of each by themselves"
        )
    return names[0] if names else ""
