"""What a batch says as a whole: one table, failures, outliers, residues, an archive, a page."""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote_from_bytes

import numpy as np
import polars as pl

from atomsight.batch.dataset import FAILED, ROWS, read_rows, table_files
from atomsight.batch.index_page import index_page
from atomsight.batch.outliers import outliers
from atomsight.batch.own_archive import (
    ARCHIVE,
    FIGURE,
    OwnArchive,
    archive_figure,
    band_counts,
    own_archive,
    usable,
)
from atomsight.batch.residue_views import ResidueViews, residue_views
from atomsight.batch.score import REPORTS
from atomsight.errors import OutputError, ResultsError
from atomsight.export.tables import write_csv, write_parquet
from atomsight.io.files import make_folder, staged, write_text
from atomsight.report.page import FIGURES, PAGE
from atomsight.report.static import FigureKind, require_matplotlib
from atomsight.typing import PathLikeStr

SUMMARY = "summary"
"""Folder within the data set, unless another is named."""

INDEX = "index.html"
_MADE_OF_SOME = (ARCHIVE, "residue_outliers.csv", "residue_types.csv")
"""Files that not every data set gives."""

_FAILURE = ("entry", "step", "error", "message", "attempts", "seconds", "host", "created")


@dataclass(frozen=True, slots=True)
class Summary:
    """What was found in a data set.

    Attributes
    ----------
    rows : polars.DataFrame
        All entries.
    unreadable : int
        Files of rows that could not be read.
    failures, outliers : polars.DataFrame
    archive : OwnArchive
    residues : ResidueViews or None
    files : tuple of Path
        Written, relative to `folder`.
    folder : Path
    """

    rows: pl.DataFrame
    unreadable: int
    failures: pl.DataFrame
    outliers: pl.DataFrame
    archive: OwnArchive
    residues: ResidueViews | None
    files: tuple[Path, ...]
    folder: Path

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know."""
        return tuple(_notes(self.unreadable, self.archive, self.residues))


def summarise(
    folder: PathLikeStr, output: PathLikeStr | None = None, *, figures: FigureKind | None = None
) -> Summary:
    """Summarise the data set of a batch.

    Parameters
    ----------
    folder : path
        That a batch wrote to. It may still be running.
    output : path, optional
        Folder for the summary; ``summary`` within the data set when None.
    figures : {"svg", "png", "pdf"}, optional
        Also write the figure for print.

    Returns
    -------
    Summary

    Raises
    ------
    ResultsError
        If the folder holds no data set, or one without a finished entry.
    MissingLibraryError
        If `figures` is given and matplotlib is not installed.
    OutputError
        If a file cannot be written; then none is.
    """
    if figures is not None:
        require_matplotlib()
    source = Path(folder)
    files = _files_of_rows(source)
    rows = read_rows(source).with_columns(pl.col(pl.Float64).fill_nan(None))
    if rows.is_empty():
        raise ResultsError(
            f"{source}: no entry is finished; {len(files)} files of entries, none can be read"
            if files
            else f"{source}: no entry is finished yet"
        )
    target = make_folder(source / SUMMARY if output is None else output)
    # a name need not be UTF-8, and what is written must be
    name = source.resolve().name.encode(errors="backslashreplace").decode()
    failures = rows.filter(pl.col("status") == FAILED).select(_FAILURE).sort("step", "entry")
    broken = outliers(rows)
    residues = residue_views(source, usable(rows))
    with staged(target) as stage:
        own = own_archive(rows, name, stage)
        write_csv(rows, stage / "entries.csv")
        write_parquet(rows, stage / "entries.parquet")
        write_csv(failures, stage / "failures.csv")
        write_csv(broken, stage / "outliers.csv")
        if residues is not None:
            write_csv(residues.worst, stage / "residue_outliers.csv")
            write_csv(residues.types, stage / "residue_types.csv")
        figure = archive_figure(own, rows, name)
        if figures is not None and figure is not None:
            from atomsight.report.drawing import save  # noqa: PLC0415  (matplotlib is an extra)

            save(figure, make_folder(stage / FIGURES) / f"{FIGURE}.{figures}", figures)
        beside = sorted(path.name for path in stage.iterdir())
        unreadable = len(files) - rows.height
        page = index_page(
            rows,
            broken,
            heading=name,
            answer=_answer(rows, failures),
            facts=list(_facts(rows, own, residues)),
            notes=list(_notes(unreadable, own, residues)),
            figure=figure,
            reports=_reports(source, target),
            reported=_reported(source),
            files=beside,
        )
        write_text(stage / INDEX, page)
        written = sorted(p.relative_to(stage) for p in stage.rglob("*") if p.is_file())
    _remove_earlier(target, written)
    return Summary(rows, unreadable, failures, broken, own, residues, tuple(written), target)


def _files_of_rows(source: Path) -> list[Path]:
    if not source.is_dir():
        what = "this is a file" if source.exists() else "no such folder"
        raise ResultsError(f"{source}: {what}; give the folder of 'atomsight batch' (its -o)")
    if not (source / ROWS).is_dir():
        raise ResultsError(
            f"{source}: holds no data set (no folder {ROWS}); give the folder that "
            "'atomsight batch' wrote to (its -o)"
        )
    return table_files(source, ROWS)


def _remove_earlier(target: Path, written: list[Path]) -> None:
    """What an earlier summary wrote and this one has no reason to."""
    for name in _MADE_OF_SOME:
        if Path(name) not in written:
            try:
                (target / name).unlink(missing_ok=True)
            except OSError as exc:
                raise OutputError(
                    f"{target / name}: is of an earlier summary and cannot be removed "
                    f"({exc.strerror})"
                ) from None


def _reports(source: Path, target: Path) -> str:
    """Where the reports lie as the page sees them: each part quoted, no scheme."""
    way = os.path.relpath((source / REPORTS).resolve(), target.resolve())
    return f"{quote_from_bytes(os.fsencode(way))}/"


def _reported(source: Path) -> set[str]:
    """Names of the entries that have a report."""
    place = source / REPORTS
    with suppress(OSError):
        return {one.name for one in os.scandir(place) if Path(one.path, PAGE).is_file()}
    return set()


def _answer(rows: pl.DataFrame, failures: pl.DataFrame) -> str:
    counts = band_counts(rows)
    done = rows.height - failures.height
    said = f"{rows.height} entries: {done} done, {failures.height} failed."
    if not (known := sum(counts.values())):
        return said
    return (
        f"{said} Of the {known} with an expected Q, {counts['within']} lie within its band, "
        f"{counts['below']} below and {counts['above']} above."
    )


def _facts(
    rows: pl.DataFrame, own: OwnArchive, residues: ResidueViews | None
) -> Iterator[tuple[str, str]]:
    for name, column, unit, places in (("resolution", "resolution", " Å", 2), ("Q", "q", "", 3)):
        values = rows[column].drop_nulls().to_numpy()
        if len(values):
            low, middle, high = (
                f"{value:.{places}f}" for value in np.quantile(values, (0.0, 0.5, 1.0))
            )
            yield name, f"{low} to {high}{unit}, median {middle}{unit}, of {len(values)} entries"
    yield "archive", f"none: {own.reason}" if own.archive is None else own.archive.label
    if residues is not None:
        yield "residues", residues.text
    minutes = (rows["seconds"].sum() or 0.0) / 60
    time = f"{minutes:.1f} min" if minutes < 60 else f"{minutes / 60:.1f} h"
    yield "scored in", f"{time}, all entries added up"


def _notes(unreadable: int, own: OwnArchive, residues: ResidueViews | None) -> Iterator[str]:
    if unreadable:
        yield f"files of entries that cannot be read: {unreadable} (--resume scores these again)"
    if residues is not None and residues.unreadable:
        yield f"files of residues that cannot be read: {residues.unreadable}"
    yield from own.notes
