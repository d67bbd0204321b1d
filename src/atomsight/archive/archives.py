"""An archive: a table of entries with the statistical model made of it."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from atomsight.archive.expected import ExpectedQ, same_sigma, why_out_of_range
from atomsight.archive.regression import INSIDE, Regression, fit_regression
from atomsight.archive.table import Entries, read_entries, select_entries
from atomsight.archive.windows import (
    HALF_WIDTH,
    RollingWindow,
    WindowChoice,
    rolling_windows,
    window_choices,
)
from atomsight.errors import ArchiveFileError, InputError, ParameterError
from atomsight.io.files import sha256
from atomsight.typing import PathLikeStr

FORMAT = 1
"""Of the facts; a change that older programs cannot read gets the next number."""


@dataclass(frozen=True, slots=True)
class Archive:
    """Entries to compare with, and the statistical model of their Q.

    Attributes
    ----------
    name : str
    date : str
        Of the table, or the day when it was built.
    table : str
        Name of the file that it was built from.
    sha256 : str
        Of that file.
    program : str
        What built it.
    sigma : float
        Å; of its Q.
    filters : tuple of str
        Which entries of the table were taken; empty: all.
    notes : tuple of str
        What was left out of the table.
    entries : Entries
    regression : Regression
    windows : tuple of WindowChoice
    rolling : tuple of RollingWindow
    """

    name: str
    date: str
    table: str
    sha256: str
    program: str
    sigma: float
    filters: tuple[str, ...]
    notes: tuple[str, ...]
    entries: Entries
    regression: Regression
    windows: tuple[WindowChoice, ...]
    rolling: tuple[RollingWindow, ...]

    @property
    def label(self) -> str:
        """Name, date, number of entries and the beginning of the checksum, in one line."""
        return f"{self.name} ({self.date}, {len(self.entries)} entries, {self.sha256[:8]})"


def build_archive(
    table: PathLikeStr,
    *,
    name: str | None = None,
    date: str | None = None,
    sigma: float = 0.4,
    at_least: dict[str, float] | None = None,
) -> Archive:
    """Make an archive of a table of entries.

    Parameters
    ----------
    table : path
        CSV with the columns ``resolution`` and ``q``; ``id``, ``inclusion`` and other columns of
        numbers if there are any.
    name : str, optional
        The table's name without its ending when None.
    date : str, optional
        Of the table; today when None.
    sigma : float
        Å; of its Q.
    at_least : dict of str to float, optional
        Name of a measure → only entries with at least this value are taken.

    Returns
    -------
    Archive

    Raises
    ------
    ArchiveFileError
        If the table cannot be read or is too small for a statistical model.
    ParameterError
        If `at_least` names no measure of the table, or sigma is not above 0.

    References
    ----------
    Pintilie et al. (2025).
    """
    if not (np.isfinite(sigma) and sigma > 0):
        raise ParameterError(f"sigma {sigma:g}: must be above 0 Å")
    path = Path(table)
    entries, notes = read_entries(path)
    filters = []
    for measure, limit in (at_least or {}).items():
        if measure not in entries.measures:
            others = ", ".join(entries.measures)
            raise ParameterError(f"{path}: no measure {measure!r} to choose by; it has {others}")
        entries = select_entries(entries, entries.measures[measure] >= limit)
        filters.append(f"{measure} >= {limit:g}")
    q = entries.measures["q"]
    try:
        regression = fit_regression(entries.resolution, q)
    except InputError as exc:
        raise ArchiveFileError(f"{path}: {exc}") from None
    return Archive(
        name=name or path.name.removesuffix(".gz").rpartition(".")[0] or path.name,
        date=date or f"{datetime.now(UTC):%Y-%m-%d}",
        table=path.name,
        sha256=sha256(path),
        program=f"atomsight {version('atomsight')}",
        sigma=sigma,
        filters=tuple(filters),
        notes=notes,
        entries=entries,
        regression=regression,
        windows=window_choices(entries.resolution, q),
        rolling=rolling_windows(entries.resolution, q),
    )


def archive_facts(archive: Archive) -> dict[str, Any]:
    """Everything about an archive but its entries, as JSON holds it.

    Parameters
    ----------
    archive : Archive

    Returns
    -------
    dict
    """
    facts = {
        field: getattr(archive, field)
        for field in ("name", "date", "table", "sha256", "program", "sigma", "filters", "notes")
    }
    measures = archive.entries.measures.items()
    return {
        "format": FORMAT,
        **facts,
        "n": len(archive.entries),
        "measures": {name: int(np.isfinite(values).sum()) for name, values in measures},
        "half_width": HALF_WIDTH,
        "regression": asdict(archive.regression),
        "windows": [asdict(choice) for choice in archive.windows],
        "rolling": [asdict(window) for window in archive.rolling],
    }


def why_other_sigma(archive: Archive, sigma: float | None) -> str:
    """Why a Q of this sigma cannot be compared with an archive.

    Parameters
    ----------
    archive : Archive
    sigma : float or None
        Å; None: it is the archive's.

    Returns
    -------
    str
        Empty where it can.
    """
    if sigma is None or same_sigma(sigma, archive.sigma):
        return ""
    return f"the archive's Q has sigma {archive.sigma:g}, not {sigma:g}"


def expected_from(
    archive: Archive, resolution: float | None, sigma: float | None = None
) -> tuple[ExpectedQ | None, str]:
    """Expected Q of a whole model by an archive's own cubic, at the archive's sigma.

    Parameters
    ----------
    archive : Archive
    resolution : float or None
        Å.
    sigma : float, optional
        Å; of the Q to compare with. The archive's when None.

    Returns
    -------
    expected : ExpectedQ or None
    reason : str
        Why there is none; empty where there is one. Nothing is extrapolated beyond the entries.
    """
    fitted = archive.regression
    reason = why_out_of_range(resolution, (fitted.finest, fitted.coarsest))
    if reason or resolution is None:
        return None, reason
    if reason := why_other_sigma(archive, sigma):
        return None, reason
    mean = float(np.polyval(fitted.cubic.coefficients, resolution))
    return ExpectedQ(
        peak=mean + fitted.peak,
        low=mean + fitted.low,
        high=mean + fitted.high,
        band=f"{INSIDE:.0%} of entries on either side of the peak".replace("%", " %"),
        definition=f"cubic of {archive.name} {archive.date} ({fitted.n} entries, "
        f"{fitted.finest:g}-{fitted.coarsest:g} Å, sigma {archive.sigma:g})",
    ), ""
