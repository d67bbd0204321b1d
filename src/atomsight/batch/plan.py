"""Look at every row of a manifest before anything runs: what would fail, and what it all needs."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from atomsight.batch.entry import Entry, entry_of
from atomsight.batch.estimate import Estimate, estimate
from atomsight.batch.job import Settings, Tables
from atomsight.batch.manifest import Row, read_manifest
from atomsight.errors import InputError, MapFileError, ModelFileError
from atomsight.io.accessions import accession
from atomsight.io.files import require_file
from atomsight.io.maps import read_header
from atomsight.typing import PathLikeStr

_BYTES_PER_ATOM: dict[Tables, int] = {"entries": 0, "residues": 25, "atoms": 130}
"""Of the data set, packed; measured on protein."""

_BYTES_PER_ENTRY: dict[Tables, int] = {"entries": 25_000, "residues": 50_000, "atoms": 70_000}


@dataclass(frozen=True, slots=True)
class Planned:
    """One row, looked at.

    Attributes
    ----------
    name : str
    line : int
    problem : str
        Why it would fail; empty where nothing is known against it.
    estimate : Estimate or None
        None where it would fail, or its files are still to be fetched.
    """

    name: str
    line: int
    problem: str = ""
    estimate: Estimate | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """All rows, looked at.

    Attributes
    ----------
    rows : list of Planned
        In the manifest's order.
    """

    rows: list[Planned]

    @property
    def bad(self) -> list[Planned]:
        """Those that would fail."""
        return [row for row in self.rows if row.problem]

    @property
    def unknown(self) -> int:
        """How many are still to be fetched."""
        return sum(not row.problem and row.estimate is None for row in self.rows)

    @property
    def largest(self) -> int:
        """Bytes that the largest entry needs."""
        return max((e.memory for e in self._estimates()), default=0)

    @property
    def seconds(self) -> float:
        """Of one processor, for all entries together."""
        return sum(e.seconds for e in self._estimates())

    def disk(self, tables: Tables) -> int:
        """Bytes of the data set, without reports.

        Parameters
        ----------
        tables : {"entries", "residues", "atoms"}

        Returns
        -------
        int
        """
        atoms = sum(e.atoms for e in self._estimates())
        return atoms * _BYTES_PER_ATOM[tables] + len(self.rows) * _BYTES_PER_ENTRY[tables]

    def table(self) -> pl.DataFrame:
        """One row an entry.

        Returns
        -------
        polars.DataFrame
            entry, line, problem, atoms, voxels, memory (bytes), seconds.
        """
        known = [row.estimate for row in self.rows]
        columns = {
            key: [None if e is None else getattr(e, key) for e in known]
            for key in ("atoms", "voxels", "memory", "seconds")
        }
        names = {
            key: [getattr(row, key) for row in self.rows] for key in ("name", "line", "problem")
        }
        return pl.DataFrame(names | columns).rename({"name": "entry"})

    def _estimates(self) -> Iterator[Estimate]:
        return (row.estimate for row in self.rows if row.estimate is not None)


def plan(manifest: PathLikeStr, settings: Settings, memory: int = 0) -> Plan:
    """Check every row of a manifest: its values, its files, the headers of its maps.

    Models are not read: a batch of thousands would take minutes. What only shows when they are (a
    file that breaks off, a model that does not lie in its map) becomes a row of the results.

    Parameters
    ----------
    manifest : path
    settings : Settings
    memory : int
        Bytes that a worker has; an entry that needs more would fail. 0: not checked.

    Returns
    -------
    Plan

    Raises
    ------
    ManifestError
        If the manifest as a whole cannot be used.
    """
    return Plan([_look_at(row, settings, memory) for row in read_manifest(manifest)])


def _look_at(row: Row, settings: Settings, memory: int) -> Planned:
    try:
        entry = entry_of(row, settings.options)
        entry.all_options()
        if entry.id is not None:
            accession(entry.id)
        _check_files(entry)
        found = estimate(entry) if entry.fetched else None
    except InputError as exc:
        return Planned(row.name, row.line, str(exc))
    if found is not None and memory and found.memory > memory:
        need = found.memory / 2**30
        problem = f"needs about {need:.1f} GiB, more than a worker has (--memory)"
        return Planned(row.name, row.line, problem, found)
    return Planned(row.name, row.line, estimate=found)


def _check_files(entry: Entry) -> None:
    if entry.model is not None:
        require_file(entry.model, "model", ModelFileError)
    shapes: dict[Path, tuple[int, ...]] = {}
    for path in (entry.map, entry.half_1, entry.half_2, entry.mask):
        if path is not None:
            shapes[path] = read_header(path).shape
    first, *others = shapes.items() or [(None, ())]
    for path, shape in others:
        if shape != first[1]:
            raise MapFileError(
                f"{path}: has {shape} voxels, and {first[0]} has {first[1]}: they must share a grid"
            )
