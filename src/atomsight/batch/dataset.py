"""A data set on disk: one file a table and entry, each whole or not there, found again by name."""

import os
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import polars as pl

from atomsight.batch.schema import ENTRIES
from atomsight.errors import OutputError, ResultsError
from atomsight.export.tables import put_parquet
from atomsight.io.files import reason_of

ROWS, RESIDUES, ATOMS = "entries", "residues", "atoms"
"""Folders of the tables; each is a hive-partitioned parquet data set."""

DONE, FAILED = "done", "failed"
"""Values of the column status."""

_UNFINISHED = ".unfinished"

_PIECE = 1000
"""Files that are read at a time: polars holds some 70 kB for each."""


def path_of(folder: Path, table: str, name: str) -> Path:
    """Where a table of an entry lies: 256 parts, so that no folder gets too large.

    Parameters
    ----------
    folder : Path
        Of the data set.
    table : str
    name : str
        Of the entry.

    Returns
    -------
    Path
    """
    part = sha256(name.encode()).hexdigest()[:2]
    return folder / table / f"part={part}" / f"{name}.parquet"


def write_table(table: pl.DataFrame, folder: Path, kind: str, name: str) -> Path:
    """Write one table of one entry; it takes its place in one step.

    Parameters
    ----------
    table : polars.DataFrame
    folder : Path
    kind : str
        Which table.
    name : str

    Returns
    -------
    Path

    Raises
    ------
    OutputError
        If it cannot be written; then what was there before is still there.
    """
    target = path_of(folder, kind, name)
    # beside the tables, not among them: readers take every file that they find there
    unfinished = folder / _UNFINISHED / f"{uuid4().hex}.parquet"
    try:
        for place in (target.parent, unfinished.parent):
            place.mkdir(parents=True, exist_ok=True)
        put_parquet(table, unfinished)
        unfinished.replace(target)
    except OSError as exc:
        raise OutputError(f"{target}: cannot write this table ({reason_of(exc)})") from None
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
    return target


def remove_table(folder: Path, kind: str, name: str) -> None:
    """Take a table of an entry away, if it is there.

    Parameters
    ----------
    folder : Path
    kind : str
    name : str

    Raises
    ------
    OutputError
        If it cannot be taken away.
    """
    path = path_of(folder, kind, name)
    try:
        path.unlink(missing_ok=True)
    except OSError as exc:
        raise OutputError(f"{path}: cannot remove this table ({reason_of(exc)})") from None


def read_rows(folder: Path, columns: list[str] | None = None) -> pl.DataFrame:
    """The rows of all entries that a run finished, done or failed.

    A file that cannot be read (a machine that lost its power) counts as not there.

    Parameters
    ----------
    folder : Path
    columns : list of str, optional
        Of `ENTRIES`; all by default.

    Returns
    -------
    polars.DataFrame
        By name.

    Raises
    ------
    ResultsError
        If the folder cannot be read.
    """
    names = list(ENTRIES) if columns is None else columns
    paths = table_files(folder, ROWS)
    nothing = pl.DataFrame(schema={name: ENTRIES[name] for name in names})
    table = pl.concat([nothing, *read_pieces(paths, names)])
    return table.sort("entry") if "entry" in names else table


def read_pieces(paths: list[Path], names: list[str], size: int = _PIECE) -> Iterator[pl.DataFrame]:
    """Tables of many files, some files at a time; those that cannot be read count as not there.

    Parameters
    ----------
    paths : list of Path
        From `table_files`.
    names : list of str
        Columns.
    size : int
        Files in a piece.

    Yields
    ------
    polars.DataFrame
    """
    for start in range(0, len(paths), size):
        piece = paths[start : start + size]
        try:
            yield pl.scan_parquet(piece, hive_partitioning=False).select(names).collect()
        except (OSError, pl.exceptions.PolarsError, TypeError):
            # one of them is broken; or its path is no UTF-8, which polars does not take
            yield from _readable(piece, names)


def table_files(folder: Path, kind: str) -> list[Path]:
    """Files of one table of a data set, in order.

    Parameters
    ----------
    folder : Path
    kind : str
        Which table.

    Returns
    -------
    list of Path
        Empty where there is no such table.

    Raises
    ------
    ResultsError
        If the folder cannot be read.
    """
    try:
        return sorted(_paths(folder / kind))
    except OSError as exc:
        raise ResultsError(f"{folder}: cannot read this data set ({reason_of(exc)})") from None


def _paths(place: Path) -> Iterator[Path]:
    """Files of one table."""
    if not place.is_dir():
        return
    for part in os.scandir(place):
        if part.is_dir() and part.name.startswith("part="):
            yield from (Path(file.path) for file in os.scandir(part) if file.name[:1] != ".")


def _readable(paths: list[Path], names: list[str]) -> Iterator[pl.DataFrame]:
    for path in paths:
        with suppress(OSError, pl.exceptions.PolarsError):
            yield pl.read_parquet(path.read_bytes(), columns=names).select(names)


def begin_dataset(folder: Path, *, alone: bool) -> None:
    """Take away what runs that were killed had not finished.

    Parameters
    ----------
    folder : Path
    alone : bool
        Whether nobody else is writing there; otherwise nothing is taken away.
    """
    if not alone:
        return
    place = folder / _UNFINISHED
    with suppress(OSError):
        for path in place.glob("*.parquet"):
            path.unlink(missing_ok=True)
        place.rmdir()
