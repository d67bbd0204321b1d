"""Where a value stands among the entries of the archive."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from atomsight.archive.archives import Archive, why_other_sigma
from atomsight.archive.expected import why_out_of_range
from atomsight.archive.storage import read_archive
from atomsight.archive.table import LIMITS
from atomsight.archive.windows import FEWEST, HALF_WIDTH, in_window
from atomsight.errors import ParameterError
from atomsight.typing import Bool_N

Definition = Literal["paper", "emdb"]

EMDB_HALF_WIDTH = 1.0
"""Å; with it the percentiles in EMDB's own table come out."""

_TEXTS: dict[Definition, str] = {
    "paper": "share of entries with a lower value (Pintilie et al. 2025, equations 6 and 7)",
    "emdb": "share of entries with this value or a lower one, the model itself counted as an entry "
    "(EMDB)",
}


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Where a value stands among all entries and among those of similar resolution.

    Attributes
    ----------
    measure : str
    value : float or None
    resolution : float or None
        Å.
    of_all, of_resolution : float or None
        Per cent: Q_relative_all and Q_relative_resolution where the measure is Q.
    n_all, n_window : int
        Entries compared with; 0 where there is no percentile.
    range_all, range_window : tuple of float, or None
        Finest and coarsest resolution among them, Å.
    half_width : float
        Of the window, Å.
    definition : {"paper", "emdb"}
    text : str
        The definition in words.
    archive : str
        Name, date, size and checksum of the archive.
    no_all, no_resolution : str
        Why there is none; empty where there is one.
    """

    measure: str
    value: float | None
    resolution: float | None
    of_all: float | None
    of_resolution: float | None
    n_all: int
    n_window: int
    range_all: tuple[float, float] | None
    range_window: tuple[float, float] | None
    half_width: float
    definition: Definition
    text: str
    archive: str
    no_all: str
    no_resolution: str


def percentiles(
    value: float | None,
    resolution: float | None,
    measure: str = "q",
    *,
    sigma: float = 0.4,
    definition: Definition = "paper",
    archive: Archive | None = None,
) -> Percentiles:
    """Where a value stands among all entries of an archive, and among those of similar resolution.

    ::

        Q_relative_all        = 100 · #{Q_i < Q} / n
        Q_relative_resolution = 100 · #{|d_i - d| <= 0.5 Å, Q_i < Q} / #{|d_i - d| <= 0.5 Å}

    Parameters
    ----------
    value : float or None
        Of the whole model. For Q: the mean over its atoms without hydrogen and water, as EMDB has
        it.
    resolution : float or None
        d in Å.
    measure : str
        A measure of the archive: ``"q"``; in the one that comes with the package also
        ``"inclusion"``, ``"smoc"``, ``"ccc"``.
    sigma : float
        Å; of the value, where the measure is Q.
    definition : {"paper", "emdb"}
        ``"emdb"``: a window of ± 1.0 Å, and (#{Q_i <= Q} + 1) / (n + 1).
    archive : Archive, optional
        The one that comes with the package when None.

    Returns
    -------
    Percentiles
        Without a percentile of the resolution where there is no resolution, or one outside 1 to
        10 Å, or fewer than 10 entries in the window; without any where there is no value, or sigma
        is not the archive's.

    Raises
    ------
    ParameterError
        If the archive has no such measure, a value cannot be one of it, or the definition is
        unknown.

    References
    ----------
    Pintilie et al. (2025), equations 6 and 7.
    """
    source = read_archive() if archive is None else archive
    if definition not in get_args(Definition):
        raise ParameterError(f"definition {definition!r}: choose paper or emdb")
    if measure not in source.entries.measures:
        raise ParameterError(
            f"{source.name} has no measure {measure!r}; it has {', '.join(source.entries.measures)}"
        )
    low, high = LIMITS.get(measure, (-np.inf, np.inf))
    if value is not None and np.isfinite(value) and not low <= value <= high:
        raise ParameterError(f"{measure} {value:g}: it lies between {low:g} and {high:g}")
    half_width = HALF_WIDTH if definition == "paper" else EMDB_HALF_WIDTH
    known = np.isfinite(source.entries.measures[measure])
    of_all, n_all, range_all, no_all = None, 0, None, _no_value(value, measure, sigma, source)
    of_resolution, n_window, range_window, no_resolution = None, 0, None, no_all
    if value is not None and not no_all:
        of_all, n_all, range_all = _share(source, measure, known, value, definition)
        window, no_resolution = _window(source, known, resolution, half_width)
        if not no_resolution:
            of_resolution, n_window, range_window = _share(
                source, measure, window, value, definition
            )
    return Percentiles(
        measure=measure,
        value=_finite(value),
        resolution=_finite(resolution),
        of_all=of_all,
        of_resolution=of_resolution,
        n_all=n_all,
        n_window=n_window,
        range_all=range_all,
        range_window=range_window,
        half_width=half_width,
        definition=definition,
        text=_TEXTS[definition],
        archive=source.label,
        no_all=no_all,
        no_resolution=no_resolution,
    )


def _finite(number: float | None) -> float | None:
    return None if number is None or not np.isfinite(number) else number


def _no_value(value: float | None, measure: str, sigma: float, archive: Archive) -> str:
    if _finite(value) is None:
        return f"no value of {measure}"
    if measure == "q" and (reason := why_other_sigma(archive, sigma)):
        return reason
    if not np.isfinite(archive.entries.measures[measure]).any():
        return f"no entry of {archive.name} has a value of {measure}"
    return ""


def _window(
    archive: Archive, known: Bool_N, resolution: float | None, half_width: float
) -> tuple[Bool_N, str]:
    """Which entries with a value are of similar resolution, and why none."""
    reason = why_out_of_range(resolution)
    if reason or resolution is None:
        return np.zeros_like(known), reason
    inside = known & in_window(archive.entries.resolution, resolution, half_width)
    n = int(inside.sum())
    if n < FEWEST:
        reason = (
            f"only {n} entries of {archive.name} lie within {half_width:g} Å of "
            f"{resolution:g} Å; {FEWEST} are needed"
        )
    return inside, reason


def _share(
    archive: Archive, measure: str, chosen: Bool_N, value: float, definition: Definition
) -> tuple[float, int, tuple[float, float] | None]:
    """Per cent, of how many entries, and from which resolution to which these reach."""
    values = archive.entries.measures[measure][chosen]
    resolutions = archive.entries.resolution[chosen]
    resolutions = resolutions[np.isfinite(resolutions)]
    reach = (float(resolutions.min()), float(resolutions.max())) if len(resolutions) else None
    n = len(values)
    if definition == "emdb":
        return 100.0 * (int((values <= value).sum()) + 1) / (n + 1), n + 1, reach
    return 100.0 * int((values < value).sum()) / n, n, reach
