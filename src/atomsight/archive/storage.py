"""An archive in one file: its entries as parquet, its statistical model among the metadata."""

import json
from functools import cache
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from atomsight.archive.archives import FORMAT, Archive, archive_facts
from atomsight.archive.regression import PolynomialFit, Regression
from atomsight.archive.table import Entries
from atomsight.archive.windows import RollingWindow, WindowChoice
from atomsight.errors import ArchiveFileError
from atomsight.io.files import require_file, whole_file
from atomsight.typing import PathLikeStr

REFERENCE = "emdb-202505.parquet"
"""The archive that comes with the package, in the folder data."""

_KEY = "atomsight-archive"
_MAGIC = b"PAR1"
_WHAT = "archive"


def write_archive(archive: Archive, path: PathLikeStr) -> Path:
    """Write an archive: a parquet file with the statistical model as JSON among its metadata.

    Parameters
    ----------
    archive : Archive
    path : path

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    entries = archive.entries
    numbers = {"resolution": entries.resolution, **entries.measures}
    table = pl.DataFrame({"id": entries.ids.tolist(), **numbers})
    content = BytesIO()
    table.with_columns(pl.col(pl.Float64).fill_nan(None)).write_parquet(
        content,
        compression_level=19,
        metadata={_KEY: json.dumps(archive_facts(archive), ensure_ascii=False)},
    )
    with whole_file(path) as temporary:
        temporary.write_bytes(content.getbuffer())
    return Path(path)


def read_archive(path: PathLikeStr | None = None) -> Archive:
    """Read an archive.

    Parameters
    ----------
    path : path, optional
        A file of `write_archive`; the archive that comes with the package when None.

    Returns
    -------
    Archive

    Raises
    ------
    ArchiveFileError
        If the file is missing or no archive.
    """
    if path is None:
        return _reference()
    return _read(require_file(path, _WHAT, ArchiveFileError))


@cache
def _reference() -> Archive:
    return _read(Path(str(files("atomsight.archive") / "data" / REFERENCE)))


def _read(file: Path) -> Archive:
    content = file.read_bytes()
    try:
        if not content.startswith(_MAGIC):
            raise ValueError("no parquet")  # noqa: TRY301
        facts = json.loads(pl.read_parquet_metadata(BytesIO(content))[_KEY])
        if facts["format"] == FORMAT:
            return _archive(facts, pl.read_parquet(BytesIO(content)))
    except (pl.exceptions.PolarsError, KeyError, TypeError, ValueError):
        raise ArchiveFileError(
            f"{file}: not an archive, or damaged; make one with: "
            "atomsight archive build TABLE -o FILE"
        ) from None
    raise ArchiveFileError(
        f"{file}: this archive was made by another version of atomsight; build it again"
    )


def _archive(facts: dict[str, Any], table: pl.DataFrame) -> Archive:
    if facts["n"] != table.height:
        raise ValueError("rows are missing")
    resolution, *values = (
        table[name].fill_null(float("nan")).to_numpy()
        for name in ("resolution", *facts["measures"])
    )
    ids = np.array(table["id"].to_list(), dtype=np.str_)
    fitted = facts["regression"]
    fits = tuple(
        PolynomialFit(**(fit | {"coefficients": tuple(fit["coefficients"])}))
        for fit in fitted["fits"]
    )
    return Archive(
        **{name: facts[name] for name in ("name", "date", "table", "sha256", "program", "sigma")},
        filters=tuple(facts["filters"]),
        notes=tuple(facts["notes"]),
        entries=Entries(ids, resolution, dict(zip(facts["measures"], values, strict=True))),
        regression=Regression(**(fitted | {"fits": fits})),
        windows=tuple(WindowChoice(**choice) for choice in facts["windows"]),
        rolling=tuple(RollingWindow(**window) for window in facts["rolling"]),
    )
