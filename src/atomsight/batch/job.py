"""One entry as a task: what is to be done with it, the same for the same row and options."""

import json
from dataclasses import dataclass, field, replace
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from atomsight.batch.entry import Entry
from atomsight.batch.manifest import FILES, Row
from atomsight.errors import ParameterError
from atomsight.export.summary_json import plain
from atomsight.outcome import Options

Tables = Literal["entries", "residues", "atoms"]
"""How much is kept of an entry: its row; also its residues; also its atoms."""

TABLES: tuple[Tables, ...] = ("entries", "residues", "atoms")


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for all entries of a run.

    Attributes
    ----------
    folder : Path
        Of the data set.
    options : Options
        Rows may change them.
    tables : {"entries", "residues", "atoms"}
    reports : bool
        Also write everything that ``atomsight validate`` writes, in ``reports/NAME``.
    timeout : float
        Seconds for one entry; 0: none.
    retries : int
        How often an entry is begun again whose process was ended.
    half_maps : bool
        Of entries that are fetched: get their half maps, for FSC-Q.
    cache : Path or None
        Folder for files that are fetched; see `atomsight.fetch_entry`.
    emdb_base, pdb_base : str or None
        Where they are fetched from.
    """

    folder: Path
    options: Options = field(default_factory=lambda: Options(threads=1))
    tables: Tables = "atoms"
    reports: bool = False
    timeout: float = 0.0
    retries: int = 3
    half_maps: bool = True
    cache: Path | None = None
    emdb_base: str | None = None
    pdb_base: str | None = None

    def __post_init__(self) -> None:
        if self.timeout < 0:
            raise ParameterError(f"--timeout must not be negative, not {self.timeout:g}")
        if self.retries < 0:
            raise ParameterError(f"--retries must not be negative, not {self.retries}")

    def anywhere(self) -> "Settings":
        """The same, with paths that hold in any working directory.

        Returns
        -------
        Settings
        """
        archive = self.options.archive
        return replace(
            self,
            folder=self.folder.resolve(),
            options=replace(self.options, archive=archive and archive.resolve()),
            cache=self.cache and self.cache.resolve(),
        )


@dataclass(frozen=True, slots=True)
class Job:
    """One entry to score.

    Attributes
    ----------
    entry : Entry
    settings : Settings
    digest : str
        From `digest_of`.
    need : int
        Bytes that it is expected to need.
    limit : int
        Bytes at which its process runs out of memory; 0: none.
    """

    entry: Entry
    settings: Settings
    digest: str
    need: int = 0
    limit: int = 0


@dataclass(frozen=True, slots=True)
class Ended:
    """How a job ended; its row is on disk, unless `unwritten` says why not.

    Attributes
    ----------
    name : str
    status : {"done", "failed"}
    step : str
        Where it failed; empty if it did not.
    message : str
    seconds : float
    unwritten : str
        Why nothing could be written.
    """

    name: str
    status: str
    step: str = ""
    message: str = ""
    seconds: float = 0.0
    unwritten: str = ""


def fingerprint(settings: Settings) -> str:
    """All of a run that the numbers and tables of every entry depend on.

    Parameters
    ----------
    settings : Settings

    Returns
    -------
    str
        JSON.
    """
    options = plain(settings.options)
    # changes no number
    del options["threads"]
    kept = [settings.tables, settings.reports, settings.half_maps]
    facts = {"options": options, "kept": kept, "version": version("atomsight")}
    return json.dumps(facts, sort_keys=True, ensure_ascii=True)


def digest_of(row: Row, common: str) -> str:
    """First 16 hexadecimal digits of the SHA-256 of all that an entry's results depend on.

    Files count by path, size and time of change.

    Parameters
    ----------
    row : Row
    common : str
        From `fingerprint`.

    Returns
    -------
    str
    """
    states = [_state(row.folder / row.cells[key]) for key in FILES if key in row.cells]
    text = json.dumps([common, row.cells, states], sort_keys=True, ensure_ascii=True)
    return sha256(text.encode()).hexdigest()[:16]


def _state(path: Path) -> list[str | int]:
    try:
        found = path.stat()
    except (OSError, ValueError):
        return [str(path)]
    return [str(path), found.st_size, found.st_mtime_ns]
