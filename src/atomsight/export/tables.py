"""Tables of atoms and residues as CSV and parquet."""

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import numpy as np
import polars as pl

from atomsight.io.files import whole_file, write_text

CSV_DECIMALS = 6

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
    # polars reports a full disk in many ways, so the bytes are written here
    content = BytesIO()
    table.write_parquet(content)
    with whole_file(path) as temporary:
        temporary.write_bytes(content.getbuffer())
    return path
