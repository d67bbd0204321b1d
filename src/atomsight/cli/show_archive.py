"""What a person sees of the archive in the terminal."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from atomsight.archive.archives import Archive, expected_from
from atomsight.archive.expected import ExpectedQ
from atomsight.archive.line import ConvergenceLine
from atomsight.archive.percentiles import Percentiles
from atomsight.archive.regression import DEGREE
from atomsight.archive.windows import WindowChoice
from atomsight.evidence.components import Components

_LABEL = 14
_WEAK = 0.3


def percentile_lines(
    found: Sequence[Percentiles], sigma: float, expected: ExpectedQ | None, reason: str
) -> Iterator[str]:
    """Percentiles of one model, with their definition, window and numbers of entries.

    Parameters
    ----------
    found : sequence of Percentiles
        Of one archive and definition.
    sigma : float
        Å; of Q.
    expected : ExpectedQ or None
    reason : str
        Why nothing is expected.

    Yields
    ------
    str
    """
    yield _row("archive", found[0].archive)
    yield _row("percentile", found[0].text)
    for one in found:
        width = f" (sigma {sigma:g} Å)" if one.measure == "q" else ""
        yield _row(one.measure, "none" if one.value is None else f"{one.value:g}{width}")
        yield _row("  of all", _share(one.of_all, one.n_all, "", one.no_all))
        where = f" within {one.half_width:g} Å of {one.resolution or 0:g} Å"
        similar = _share(one.of_resolution, one.n_window, where, one.no_resolution)
        yield _row("  of similar", similar)
    if expected is None:
        yield _row("expected Q", f"none: {reason}")
    else:
        band = f"{expected.peak:.3f} ({expected.low:.3f} to {expected.high:.3f})"
        yield _row("expected Q", f"{band}: {expected.definition}")


def build_lines(archive: Archive, path: Path) -> Iterator[str]:
    """What was built, and what was left out.

    Parameters
    ----------
    archive : Archive
    path : Path
        Where it was written.

    Yields
    ------
    str
    """
    yield f"{path}: {archive.label}"
    fit = archive.regression.cubic
    yield (
        f"cubic of {archive.regression.n} entries: R² {fit.r2:.4f}; on entries not fitted "
        f"R² {fit.test_r2:.3f}, RMSE {fit.test_rmse:.3f}, MAE {fit.test_mae:.3f}"
    )
    for text in archive.filters:
        yield f"only entries with {text}"
    for note in archive.notes:
        yield f"note: {note}"


def line_lines(line: ConvergenceLine, path: Path) -> Iterator[str]:
    """A line of convergence that was built.

    Parameters
    ----------
    line : ConvergenceLine
    path : Path
        Where it was written.

    Yields
    ------
    str
    """
    fit = line.fit
    yield f"{path}: {line.label}"
    yield (
        f"mean Cα RMSD = a exp(b d): a {fit.a:.4g} ± {fit.a_error:.2g} Å, b {fit.b:.4g} ± "
        f"{fit.b_error:.2g} per Å, R² {fit.r2:.3f}, from {fit.finest:g} to {fit.coarsest:g} Å"
    )
    for note in line.notes:
        yield f"note: {note}"


def archive_lines(archive: Archive) -> Iterator[str]:
    """The statistics of an archive.

    Parameters
    ----------
    archive : Archive

    Yields
    ------
    str
    """
    fitted = archive.regression
    yield _row("archive", archive.label)
    yield _row("table", f"{archive.table}, SHA-256 {archive.sha256}")
    yield _row("built by", f"{archive.program}; Q of sigma {archive.sigma:g} Å")
    measures = archive.entries.measures.items()
    counts = ", ".join(f"{name} {int(np.isfinite(v).sum())}" for name, v in measures)
    yield _row("measures", counts)
    for text in archive.filters:
        yield _row("only", text)
    for note in archive.notes:
        yield _row("note", note)
    yield ""
    yield f"Polynomials in the resolution, {fitted.n} entries of {_span(archive)}"
    yield "degree      R²  sd of residuals   unseen R²    RMSE     MAE  coefficients, highest first"
    for fit in fitted.fits:
        numbers = " ".join(f"{c:.4f}" for c in fit.coefficients)
        yield (
            f"{fit.degree:6d}  {fit.r2:.4f}  {fit.residual_sd:15.4f}  {fit.test_r2:10.3f}  "
            f"{fit.test_rmse:6.3f}  {fit.test_mae:6.3f}  {numbers}"
        )
    yield (
        f"band around degree {DEGREE}: peak {fitted.peak:+.3f}, low {fitted.low:+.3f}, "
        f"high {fitted.high:+.3f}; skewness of the residuals {fitted.skewness:.2f}"
    )
    yield ""
    yield "Entries in a window, and correlation r of Q_relative_resolution with the resolution"
    yield "  ± Å  fewest    mean    most  r below 5 Å  r from 5 Å"
    for choice in archive.windows:
        yield (
            f"{choice.half_width:5.1f}  {choice.fewest:6d}  {choice.mean:6.0f}  {choice.most:6d}  "
            f"{_r(choice.r_finer)}  {_r(choice.r_coarser)}"
        )
    narrow = [c.half_width for c in archive.windows if _unbiased(c)]
    yield f"widest with correlations within 0.3: {max(narrow):g} Å" if narrow else "none within 0.3"
    yield ""
    yield "Q within 0.5 Å of a resolution, and the band"
    yield "    Å  entries   2.5 %  median  97.5 %     low    peak    high"
    for window in archive.rolling:
        expected, _ = expected_from(archive, window.resolution)
        band = (expected.low, expected.peak, expected.high) if expected else ()
        yield (
            f"{window.resolution:5.1f}  {window.n:7d}  "
            f"{_numbers((window.low, window.median, window.high, *band))}"
        )


def component_facts(found: Components) -> dict[str, Any]:
    """Principal components as JSON holds them.

    Parameters
    ----------
    found : Components

    Returns
    -------
    dict
    """
    return {
        "entries": found.n,
        "left_out": found.n_left_out,
        "constant": list(found.constant),
        "explained": found.explained.tolist(),
        "variance": found.variance.tolist(),
        "loadings": {
            name: row.tolist() for name, row in zip(found.names, found.loadings, strict=True)
        },
    }


def component_lines(found: Components) -> Iterator[str]:
    """Principal components over the entries of a table.

    Parameters
    ----------
    found : Components

    Yields
    ------
    str
    """
    yield f"{found.n} entries, {found.n_left_out} left out (not all values); correlation matrix"
    if found.constant:
        yield f"left out, one value only: {', '.join(found.constant)}"
    count = len(found.explained)
    width = max(len(name) for name in (*found.names, "of variance"))
    yield " " * width + "".join(f"{f'component {i + 1}':>14}" for i in range(count))
    yield f"{'of variance':{width}}" + "".join(f"{100 * e:12.1f} %" for e in found.explained)
    yield f"{'together':{width}}" + "".join(f"{100 * e:12.1f} %" for e in found.explained.cumsum())
    for name, row in zip(found.names, found.loadings, strict=True):
        yield f"{name:{width}}" + "".join(f"{value:14.3f}" for value in row)


def _row(label: str, text: str) -> str:
    return f"{label:{_LABEL}}{text}"


def _share(percent: float | None, n: int, where: str, reason: str) -> str:
    return f"none: {reason}" if percent is None else f"{percent:.1f} % of {n} entries{where}"


def _span(archive: Archive) -> str:
    return f"{archive.regression.finest:g} to {archive.regression.coarsest:g} Å"


def _unbiased(choice: WindowChoice) -> bool:
    """Whether little correlation is left, as in the paper."""
    return all(r is None or abs(r) <= _WEAK for r in (choice.r_finer, choice.r_coarser))


def _r(value: float | None) -> str:
    return f"{value:11.3f}" if value is not None else f"{'-':>11s}"


def _numbers(values: Iterable[float]) -> str:
    return "  ".join(f"{value:6.3f}" for value in values)
