"""Tables of atoms and residues as CSV and parquet."""

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import numpy as np
import polars as pl

from atomsight.errors import ResultsError
from atomsight.io.files import whole_file, write_text

CSV_DECIMALS = 6

_WHOLE = ("model", "number")
_TEXT = (
    *("chain", "label_asym", "icode", "residue", "atom", "altloc", "element", "class", "entity"),
    *("q_band", "support", "verdict", "verdict_part", "verdict_sentence", "measure", "over"),
)

Table = pl.DataFrame


def frame(columns: Mapping[str, np.ndarray]) -> pl.DataFrame:
    """A table whose missing values are null rather than NaN.

    Parameters
    ----------
    columns : mapping
        Name of the column → values; all of one length.

    Returns
    -------
    polars.DataFrame
    """
    table = pl.DataFrame({name: pl.Series(_plain(values)) for name, values in columns.items()})
    return table.with_columns(pl.col(pl.Float64).fill_nan(None))


def _plain(values: np.ndarray) -> np.ndarray | list[str]:
    """Strings as a list: polars takes numpy's numbers but not its strings."""
    return values.astype(str).tolist() if values.dtype.kind in "UO" else values


def read_csv(path: Path) -> dict[str, np.ndarray]:
    """Columns of a table that `write_csv` wrote.

    Parameters
    ----------
    path : Path

    Returns
    -------
    dict
        Name of the column → values: float64 with NaN where there is none, or int64, or str.

    Raises
    ------
    ResultsError
        If there is no such file, or it is not such a table.
    """
    try:
        table = pl.read_csv(path.read_bytes(), infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as exc:
        raise ResultsError(
            f"{path}: cannot be read as a table of results ({_first_line(exc)})"
        ) from None
    try:
        # "model" is a number of a file's MODEL beside other keys, and a curve of FSC elsewhere
        keyed = "chain" in table.columns
        return {name: _typed(name, table[name], keyed=keyed) for name in table.columns}
    except pl.exceptions.PolarsError as exc:
        raise ResultsError(
            f"{path}: holds text where numbers belong ({_first_line(exc)})"
        ) from None


def _first_line(exc: Exception) -> str:
    """Polars adds advice for programmers."""
    return str(exc).partition("\n")[0]


def _typed(name: str, column: pl.Series, *, keyed: bool) -> np.ndarray:
    """A column by its name: chain "1" is a name, residue number 1 is none."""
    if name in _TEXT or name.endswith("_status"):
        return np.array(column.fill_null("").to_list(), dtype=np.str_)
    if keyed and name in _WHOLE:
        return column.cast(pl.Int64).to_numpy()
    return column.cast(pl.Float64).fill_null(float("nan")).to_numpy()


def write_csv(table: pl.DataFrame, path: Path) -> Path:
    """Write a table as CSV: missing values empty, floats rounded to six decimals.

    Parameters
    ----------
    table : polars.DataFrame
    path : Path

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    short = pl.col(pl.Float64).round(CSV_DECIMALS)
    shown = table.with_columns(
        # zero without a sign, missing values as they are
        pl.when(short.ne_missing(0.0)).then(short).otherwise(0.0),
        # an empty name would be written as "": nothing is what readers expect
        pl.col(pl.String).replace("", None),
    )
    return write_text(path, shown.write_csv())


def write_parquet(table: pl.DataFrame, path: Path) -> Path:
    """Write a table as parquet, in full precision.

    Parameters
    ----------
    table : polars.DataFrame
    path : Path

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    with whole_file(path) as temporary:
        put_parquet(table, temporary)
    return path


def put_parquet(table: pl.DataFrame, path: Path) -> None:
    """Write a table as parquet to where a caller sees to it that it is whole.

    Parameters
    ----------
    table : polars.DataFrame
    path : Path

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    # polars reports a full disk in many ways, so the bytes are written here
    content = BytesIO()
    table.write_parquet(content)
    path.write_bytes(content.getbuffer())
