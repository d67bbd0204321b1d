"""A manifest: one entry a row, named before anything runs."""

import io
import re
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from atomsight.errors import ManifestError
from atomsight.export.names import stem
from atomsight.io.files import read_text_bytes, require_file
from atomsight.typing import PathLikeStr

FILES = ("model", "map", "half_1", "half_2", "mask")
"""Columns with paths, absolute or from the manifest's folder."""

HALF_MAP_SETTINGS = ("mask_level", "box", "window", "b_iso")

SETTINGS = (
    *("resolution", "contour", "sigma", "select", "model_number", "origin", "force"),
    *("neighbours", "assembly", *HALF_MAP_SETTINGS),
)
"""Columns that change how an entry is scored; an empty cell leaves it as the whole run has it."""

COLUMNS = ("name", "id", "pdb", *FILES, *SETTINGS)

LONGEST_NAME = 100

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
_UNFIT = re.compile(r"[^A-Za-z0-9._+-]+")
_WHAT = "manifest"
_PARQUET = b"PAR1"
_RESERVED = frozenset({"con", "prn", "aux", "nul"})


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a manifest, as it was written.

    Attributes
    ----------
    name : str
        Unique; results go under it. Letters, digits and ``._+-`` only.
    line : int
        In the manifest; 1 is the header.
    folder : Path
        What relative paths start from.
    cells : dict
        Column → text; empty cells are left out.
    """

    name: str
    line: int
    folder: Path
    cells: dict[str, str]

    @property
    def place(self) -> str:
        """Where it stands, for messages."""
        return f"line {self.line} ({self.name})"


def read_manifest(path: PathLikeStr) -> list[Row]:
    """Read the rows of a manifest, CSV or parquet; values other than names are not looked at yet.

    Parameters
    ----------
    path : path

    Returns
    -------
    list of Row

    Raises
    ------
    ManifestError
        If the file is no table, has no or unknown columns, holds no entry, or a name cannot be
        one or is there twice.
    """
    file = require_file(path, _WHAT, ManifestError)
    table = _table(file)
    _check_columns(file, table.columns)
    folder = file.resolve().parent
    rows = []
    first: dict[str, Row] = {}
    for line, values in enumerate(table.iter_rows(named=True), 2):
        cells = {
            key.strip().lower(): text for key, value in values.items() if (text := _text(value))
        }
        if not cells:
            continue
        row = Row(_name_of(cells, file, line), line, folder, cells)
        other = first.setdefault(row.name.casefold(), row)
        if other is not row:
            raise ManifestError(
                f"{file}: lines {other.line} and {line} are both called {row.name}; give each a "
                "name of its own in the column name"
            )
        rows.append(row)
    if not rows:
        raise ManifestError(f"{file}: holds no entries, only the names of columns")
    return rows


def _table(file: Path) -> pl.DataFrame:
    with file.open("rb") as handle:
        parquet = handle.read(len(_PARQUET)) == _PARQUET
    try:
        if parquet:
            return pl.read_parquet(file)
        text = read_text_bytes(file, _WHAT, ManifestError).decode("utf-8-sig")
        # a name such as 5e10 or 0012 is text
        return pl.read_csv(io.StringIO(text), infer_schema=False, separator=_separator(text))
    except UnicodeDecodeError:
        raise ManifestError(f"{file}: this is no text in UTF-8; export it as CSV") from None
    except (OSError, pl.exceptions.PolarsError) as exc:
        reason = str(exc).partition("\n")[0]
        raise ManifestError(
            f"{file}: cannot be read as a table, CSV or parquet ({reason})"
        ) from None


def _separator(text: str) -> str:
    header = text.partition("\n")[0]
    return max((",", "\t", ";"), key=header.count)


def _check_columns(file: Path, columns: list[str]) -> None:
    names = [column.strip().lower() for column in columns]
    unknown = [column for column, name in zip(columns, names, strict=True) if name not in COLUMNS]
    if unknown:
        raise ManifestError(
            f"{file}: knows no column {', '.join(map(repr, unknown))}; there are "
            f"{', '.join(COLUMNS)}"
        )
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ManifestError(f"{file}: has the column {twice[0]} twice")
    if "id" not in names and not {"model", "map"} <= set(names):
        raise ManifestError(f"{file}: needs the columns model and map, or id")


def _text(value: object) -> str:
    """A cell as text; parquet has numbers and answers of its own."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _name_of(cells: dict[str, str], file: Path, line: int) -> str:
    """Name of a row: the one given, its id, or those of its files."""
    given = cells.get("name")
    if given is None:
        name = cells.get("id") or "__".join(
            stem(Path(cells[key])) for key in ("model", "map") if key in cells
        )
        name = _UNFIT.sub("_", name).strip("._+-")[:LONGEST_NAME]
    else:
        name = given
    if not _NAME.fullmatch(name) or len(name) > LONGEST_NAME or name.casefold() in _RESERVED:
        raise ManifestError(
            f"{file}: line {line}: {name!r} cannot be a name: letters, digits and . _ + -, "
            f"beginning with a letter or digit, at most {LONGEST_NAME} of them"
        )
    return name
