"""Where the model stands among the entries of the archive."""

from pathlib import Path

import numpy as np

from atomsight.archive.archives import Archive, expected_from, why_other_sigma
from atomsight.archive.expected import FITTED_RANGE, ExpectedQ, expected_q
from atomsight.archive.storage import read_archive
from atomsight.errors import ArchiveFileError
from atomsight.report.figure import Absent, Axis, Cloud, Figure, Role, Series
from atomsight.report.figures.common import Q_2025, Drawn, band_names, sentence
from atomsight.report.results import Results
from atomsight.typing import Float_N, FloatArray

_KEY, _TITLE = "archive", "Among the entries of the archive"
CELL = (0.05, 0.01)
"""Å and Q."""

FRAME = (FITTED_RANGE, (-0.2, 1.0))
"""Å and Q that figures of entries show."""

_LINE_STEP = 0.05


def archive_cloud(results: Results) -> Drawn:
    """Q against resolution of the archive's entries, with this model.

    Parameters
    ----------
    results : Results

    Returns
    -------
    tuple of Figure or Absent
    """
    d = results.facts["resolution"]["value"]
    q = results.facts["q_score"]["mean_without_water"]["value"]
    sigma = results.facts["q_score"]["sigma"]
    given = results.facts["parameters"]["archive"]
    try:
        archive = read_archive(given)
    except ArchiveFileError as exc:
        return (Absent(_KEY, _TITLE, sentence(str(exc))),)
    (low, high), _ = FRAME
    reason = why_other_sigma(archive, sigma)
    if d is None:
        reason = "the entries are compared by resolution: run again with --resolution D"
    elif q is None:
        reason = "the model has no mean Q"
    elif not low <= d <= high:
        reason = f"the entries are shown from {low:g} to {high:g} Å, and this one has {d:g} Å"
    if reason:
        return (Absent(_KEY, _TITLE, sentence(reason)),)
    cloud, inside = cells(archive.entries.resolution, archive.entries.measures["q"])
    lines = expected_lines(None if given is None else archive, sigma)
    name = Path(results.facts["inputs"]["model"]["path"]).name
    entry = Series(
        "this model", np.array([d]), np.array([q]), "points", Role.ENTRY, "diamond", labels=(name,)
    )
    n = len(archive.entries)
    return (
        Figure(
            key=_KEY,
            title=_TITLE,
            x=Axis("resolution (Å)", low, high),
            y=Axis("mean Q-score", *FRAME[1]),
            parts=(cloud, *lines, entry),
            caption=f"Mean Q of an entry without water against its reported resolution: {inside} "
            f"of the {n} entries of {archive.label} lie within the frame; cells of "
            f"{CELL[0]:g} Å × {CELL[1]:g}. This model: Q {q:.3f} at {d:g} Å. Lines: the "
            f"expected Q and its band ({Q_2025}, Figs. 1 and 2).",
        ),
    )


def cells(resolution: FloatArray, q: FloatArray) -> tuple[Cloud, int]:
    """Entries in cells.

    Parameters
    ----------
    resolution : ndarray, shape (n,)
        Å; NaN where unknown.
    q : ndarray, shape (n,)
        NaN where unknown.

    Returns
    -------
    cloud : Cloud
    inside : int
        Entries that lie within the frame.
    """
    edges = [
        low + step * np.arange(round((high - low) / step) + 1)
        for (low, high), step in zip(FRAME, CELL, strict=True)
    ]
    known = np.isfinite(resolution) & np.isfinite(q)
    count = np.histogram2d(resolution[known], q[known], edges)[0].T
    x, y = ((edge[:-1] + edge[1:]) / 2 for edge in edges)
    return Cloud("entries", x, y, count), int(count.sum())


def expected_lines(
    archive: Archive | None, sigma: float, role: Role = Role.SECOND
) -> tuple[Series, ...]:
    """Expected Q and its band against the resolution.

    Parameters
    ----------
    archive : Archive or None
        Whose own cubic is drawn; None: the published one.
    sigma : float
        Å.
    role : Role

    Returns
    -------
    tuple of Series
        Empty where nothing is expected at this sigma.
    """
    low, high = FITTED_RANGE
    if archive is not None:
        low, high = archive.regression.finest, archive.regression.coarsest
    d: Float_N = np.linspace(low, high, max(round((high - low) / _LINE_STEP), 1) + 1)
    found: list[ExpectedQ] = []
    for one in d.tolist():
        expected, _ = (
            expected_q(one, sigma) if archive is None else expected_from(archive, one, sigma)
        )
        if expected is None:
            return ()
        found.append(expected)
    ends = band_names(found[0].band)
    return (
        Series("Q_peak", d, np.array([e.peak for e in found]), "line", role),
        *(
            Series(
                name,
                d,
                np.array([getattr(e, end) for e in found]),
                "line",
                role,
                dashed=True,
            )
            for name, end in zip(ends, ("low", "high"), strict=True)
        ),
    )
