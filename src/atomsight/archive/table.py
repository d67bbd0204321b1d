"""Reading a table of entries: resolution, Q and whatever else was measured."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from atomsight.errors import ArchiveFileError
from atomsight.io.files import read_text_bytes, require_file
from atomsight.typing import Bool_N, FloatArray, PathLikeStr, Str_N

_WHAT = "table"
_NAMES = {
    "id": ("id", "emdb", "emdb_id", "entry"),
    "resolution": ("resolution",),
    "q": ("q", "qscore", "q_score", "q-score"),
    "inclusion": ("inclusion", "atom_inclusion", "ai"),
    "ca_rmsd": ("ca_rmsd", "mean_ca_rmsd"),
    "protocol": ("protocol",),
}
"""What a column means, and the names by which it is known, in any case of letters."""

_WORDS = ("id", "protocol")
"""Columns of text."""

LIMITS = {"q": (-1.0, 1.0), "inclusion": (0.0, 1.0), "ca_rmsd": (0.0, np.inf)}
"""Between these a measure lies by its definition."""

_MISSING = {"", "-", "?", ".", "na", "n/a", "nan", "null", "none"}
_SEPARATORS = ",;\t"


@dataclass(frozen=True, slots=True)
class Entries:
    """What is known of the entries of an archive, one of each a map with its model.

    Attributes
    ----------
    ids : ndarray of str, shape (n,)
        Empty where the table names none.
    resolution : ndarray, shape (n,)
        Å; NaN where it is unknown.
    measures : dict of str to ndarray, shape (n,)
        Name → values, NaN where there is none.
    protocol : ndarray of str, shape (n,)
        What made the models of each, for their convergence; empty where the table does not say.
    """

    ids: Str_N
    resolution: FloatArray
    measures: dict[str, FloatArray]
    protocol: Str_N = field(default_factory=lambda: np.empty(0, dtype=np.str_))

    def __len__(self) -> int:
        return len(self.resolution)


def select_entries(entries: Entries, chosen: Bool_N) -> Entries:
    """Some of the entries, in their order.

    Parameters
    ----------
    entries : Entries
    chosen : ndarray of bool, shape (n,)

    Returns
    -------
    Entries
    """
    measures = {name: values[chosen] for name, values in entries.measures.items()}
    protocol = entries.protocol[chosen] if len(entries.protocol) else entries.protocol
    return Entries(entries.ids[chosen], entries.resolution[chosen], measures, protocol)


def table_columns(path: PathLikeStr) -> tuple[str, ...]:
    """What the columns of a table mean, under the names that measures have here.

    Parameters
    ----------
    path : path

    Returns
    -------
    tuple of str

    Raises
    ------
    ArchiveFileError
        If the file cannot be read, or two columns mean the same.
    """
    file = require_file(path, _WHAT, ArchiveFileError)
    return tuple(_known_columns(file, _split(file)[0], ()))


def read_entries(path: PathLikeStr, needed: str = "q") -> tuple[Entries, tuple[str, ...]]:
    """Read a table of entries.

    Text with one header line, separated by commas, semicolons or tabs, plain or gzipped. Columns
    ``resolution`` (Å) and ``q`` must be there; ``id``, ``inclusion``, ``ca_rmsd`` and ``protocol``
    may be; other columns of numbers become measures by their own names. Empty cells are missing
    values.

    Parameters
    ----------
    path : path
    needed : str
        A measure that must be there, instead of ``q``.

    Returns
    -------
    entries : Entries
        Rows with at least one measure; those without a resolution belong to them.
    notes : tuple of str
        What was left out.

    Raises
    ------
    ArchiveFileError
        If the file cannot be read, lacks a column, or holds a value that is not what its column
        says.
    """
    file = require_file(path, _WHAT, ArchiveFileError)
    header, rows = _split(file)
    columns = _known_columns(file, header, ("resolution", needed))
    kept = [(line, row) for line, row in rows if any(cell.strip() for cell in row)]
    if not kept:
        raise ArchiveFileError(f"{file}: this table has a header and no rows")
    notes = _count_note(len(rows) - len(kept), "empty row", "empty rows", "skipped")
    values: dict[str, FloatArray] = {}
    texts = []
    for name, place in columns.items():
        cells = [(line, row[place].strip()) for line, row in kept]
        if name in _WORDS:
            continue
        if name not in _NAMES and not all(_is_number(cell) for _, cell in cells):
            texts.append(header[place])
            continue
        values[name], infinite = _numbers(file, name, header[place], cells)
        notes += _count_note(
            infinite, f"infinite {name}", f"infinite values of {name}", "taken as missing"
        )
    if texts:
        notes.append(f"left out, not all numbers: {', '.join(texts)}")
    words = {
        name: [row[columns[name]].strip() if name in columns else "" for _, row in kept]
        for name in _WORDS
    }
    ids, protocol = (np.array(words[name], dtype=np.str_) for name in _WORDS)
    resolution = values.pop("resolution")
    entries = Entries(ids, resolution, values, protocol)
    measured = np.any([np.isfinite(v) for v in values.values()], axis=0)
    notes += _count_note(
        int((~measured).sum()), "row without any measure", "rows without any measure", "skipped"
    )
    entries = select_entries(entries, measured)
    notes += _count_note(
        int(np.isnan(entries.resolution).sum()),
        "entry without a resolution",
        "entries without a resolution",
        "counted among all entries only",
    )
    return entries, tuple(notes)


def _split(file: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Header and rows with the numbers of their lines."""
    try:
        text = read_text_bytes(file, _WHAT, ArchiveFileError).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ArchiveFileError(
            f"{file}: this is no text in UTF-8; export the table as CSV"
        ) from None
    first = text.partition("\n")[0]
    separator = max(_SEPARATORS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        header = [name.strip() for name in next(reader, [])]
        rows = [(reader.line_num, row) for row in reader]
    except csv.Error as exc:
        raise ArchiveFileError(f"{file}: line {reader.line_num} is no CSV ({exc})") from None
    rows = [(line, row or [""] * len(header)) for line, row in rows]
    for line, row in rows:
        if len(row) != len(header):
            raise ArchiveFileError(
                f"{file}: line {line} has {len(row)} cells, but the header has {len(header)}"
            )
    return header, rows


def _known_columns(file: Path, header: list[str], required: Iterable[str]) -> dict[str, int]:
    """What each column means → its place."""
    meaning = {alias: name for name, aliases in _NAMES.items() for alias in aliases}
    places: dict[str, int] = {}
    for place, title in enumerate(header):
        name = meaning.get(title.lower(), title.lower())
        if not name:
            continue
        if name in places:
            raise ArchiveFileError(
                f"{file}: the columns {header[places[name]]!r} and {title!r} both mean {name}; "
                "keep one"
            )
        places[name] = place
    for needed in required:
        if needed not in places:
            names = " or ".join(repr(alias) for alias in _NAMES[needed])
            raise ArchiveFileError(
                f"{file}: no column {names} (there are: {', '.join(header) or 'none'}); "
                "the first line must name the columns"
            )
    return places


def _numbers(
    file: Path, name: str, title: str, cells: Iterable[tuple[int, str]]
) -> tuple[FloatArray, int]:
    """Values of a column, NaN where missing, and how many were infinite."""
    found = []
    low, high = LIMITS.get(name, (-np.inf, np.inf))
    for line, cell in cells:
        if not _is_number(cell):
            raise ArchiveFileError(
                f"{file}: line {line}: {title} is {cell!r}, not a number (with a decimal point)"
            )
        value = np.nan if cell.lower() in _MISSING else float(cell)
        if name == "resolution" and value <= 0:
            raise ArchiveFileError(f"{file}: line {line}: {title} is {cell}; it must be above 0 Å")
        if np.isfinite(value) and not low <= value <= high:
            raise ArchiveFileError(
                f"{file}: line {line}: {title} is {cell}, but it lies between {low:g} and {high:g}"
            )
        found.append(value)
    values = np.array(found, dtype=np.float64)
    infinite = np.isinf(values)
    values[infinite] = np.nan
    return values, int(infinite.sum())


def _is_number(cell: str) -> bool:
    if cell.lower() in _MISSING:
        return True
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell


def _count_note(count: int, one: str, many: str, fate: str) -> list[str]:
    """A note about what was left out, if anything was."""
    return [f"{count} {one if count == 1 else many} {fate}"] if count else []
