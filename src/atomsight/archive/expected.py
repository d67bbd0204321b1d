"""Which Q-score the archive lets us expect at a resolution, and how wide its band is."""

from dataclasses import dataclass

import numpy as np

from atomsight.model import AtomClass

NO_RESOLUTION = "no resolution given and none in the model's metadata (--resolution)"

FITTED_RANGE = (1.0, 10.0)
"""Å; outside it there is no expected value."""


@dataclass(frozen=True, slots=True)
class ExpectedQ:
    """What to expect of a well-fitted model at a resolution.

    Attributes
    ----------
    peak : float
        The most frequent Q.
    low, high : float
        The band around it.
    band : str
        What the band is.
    definition : str
        Where the numbers come from.
    """

    peak: float
    low: float
    high: float
    band: str
    definition: str


@dataclass(frozen=True, slots=True)
class ClassLine:
    """Expected Q of one class of molecule, a straight line in the resolution."""

    slope: float
    intercept: float


# Pintilie et al. (2025), equation 1 and section 2: EMDB entries of 1 to 10 Å, sigma 0.4
_CUBIC_2025 = (-0.0016, 0.0434, -0.3956, 1.3366)
_PEAK_2025, _LOW_2025, _HIGH_2025 = 0.024, -0.126, 0.109
# MapQ 2.9.7, sigma 0.6
_CUBIC_MAPQ = (-0.0019064058, 0.0499875375, -0.4513945578, 1.5361860733)
_HALF_WIDTH_MAPQ = 0.1

# MapQ 2.9.7; protein and nucleic acid at sigma 0.6 are close to Fig. 5 of Pintilie et al. (2020)
_LINES: dict[float, dict[AtomClass, ClassLine]] = {
    0.4: {
        AtomClass.PROTEIN: ClassLine(-0.1866, 1.1242),
        AtomClass.NUCLEIC: ClassLine(-0.1465, 0.9436),
    },
    0.6: {
        AtomClass.PROTEIN: ClassLine(-0.1775, 1.1192),
        AtomClass.NUCLEIC: ClassLine(-0.1377, 0.9973),
        AtomClass.ION: ClassLine(-0.1103, 1.0795),
        AtomClass.WATER: ClassLine(-0.0895, 1.0001),
    },
}


def expected_q(resolution: float | None, sigma: float) -> tuple[ExpectedQ | None, str]:
    """Expected Q of a whole model.

    ::

        sigma 0.4:  Q_mean = -0.0016 d³ + 0.0434 d² - 0.3956 d + 1.3366
                    Q_peak = Q_mean + 0.024;  Q_low_95 = Q_mean - 0.126;  Q_high_95 = Q_mean + 0.109

    Parameters
    ----------
    resolution : float or None
        d in Å.
    sigma : float
        Of the Q-score, Å; there are statistics for 0.4 and 0.6.

    Returns
    -------
    expected : ExpectedQ or None
    reason : str
        Why there is none; empty where there is one.

    References
    ----------
    Pintilie et al. (2025), equation 1 (sigma 0.4); MapQ 2.9.7 (sigma 0.6).
    """
    reason = _no_expectation(resolution, sigma)
    if reason or resolution is None:
        return None, reason
    if same_sigma(sigma, 0.4):
        mean = float(np.polyval(_CUBIC_2025, resolution))
        return ExpectedQ(
            peak=mean + _PEAK_2025,
            low=mean + _LOW_2025,
            high=mean + _HIGH_2025,
            band="95 % of entries lie above low, 95 % below high (one-sided)",
            definition="cubic of Pintilie et al. 2025 (EMDB entries, 1-10 Å, sigma 0.4)",
        ), ""
    peak = float(np.polyval(_CUBIC_MAPQ, resolution))
    return ExpectedQ(
        peak=peak,
        low=peak - _HALF_WIDTH_MAPQ,
        high=peak + _HALF_WIDTH_MAPQ,
        band="peak ± 0.1",
        definition="cubic of MapQ 2.9.7 (sigma 0.6)",
    ), ""


def expected_class_q(
    resolution: float | None, sigma: float, atom_class: AtomClass
) -> tuple[float | None, str]:
    """Expected mean Q of one class of molecule.

    Parameters
    ----------
    resolution : float or None
        Å.
    sigma : float
        Å.
    atom_class : AtomClass

    Returns
    -------
    expected : float or None
    reason : str
        Why there is none; empty where there is one.

    References
    ----------
    MapQ 2.9.7.
    """
    reason = _no_expectation(resolution, sigma)
    if reason or resolution is None:
        return None, reason
    lines = next(lines for known, lines in _LINES.items() if same_sigma(sigma, known))
    line = lines.get(atom_class)
    if line is None:
        return None, f"no line has been published for {atom_class.label} at sigma {sigma:g}"
    return line.slope * resolution + line.intercept, ""


def why_out_of_range(resolution: float | None, range_: tuple[float, float] = FITTED_RANGE) -> str:
    """Why a resolution cannot be compared with the archive.

    Parameters
    ----------
    resolution : float or None
        Å.
    range_ : tuple of float
        Å; between these the statistics were fitted.

    Returns
    -------
    str
        Empty where it can.
    """
    if resolution is None:
        return NO_RESOLUTION
    low, high = range_
    if not low <= resolution <= high:
        return f"{resolution:g} Å is outside {low:g}-{high:g} Å, where the statistics were fitted"
    return ""


def _no_expectation(resolution: float | None, sigma: float) -> str:
    if reason := why_out_of_range(resolution):
        return reason
    if not any(same_sigma(sigma, known) for known in _LINES):
        return f"there are statistics for sigma 0.4 and 0.6, not {sigma:g}"
    return ""


def same_sigma(sigma: float, known: float) -> bool:
    """Whether two widths are the same but for rounding.

    Parameters
    ----------
    sigma, known : float
        Å.

    Returns
    -------
    bool
    """
    return abs(sigma - known) < 1e-9
