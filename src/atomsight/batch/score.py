"""Score one entry and write its tables: what happens in a process of its own."""

import resource
import socket
import sys
import time
import traceback
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from atomsight.batch.dataset import (
    ATOMS,
    DONE,
    FAILED,
    RESIDUES,
    ROWS,
    remove_table,
    write_table,
)
from atomsight.batch.entry import Entry
from atomsight.batch.job import Ended, Job
from atomsight.batch.schema import ATOMS as ATOM_COLUMNS
from atomsight.batch.schema import RESIDUES as RESIDUE_COLUMNS
from atomsight.batch.schema import facts_in, row_of, table_of
from atomsight.errors import (
    AtomsightError,
    ManifestError,
    MapFileError,
    ModelFileError,
    OutputError,
    OverlayError,
    ParameterError,
)
from atomsight.export.columns import atom_keys, residue_keys
from atomsight.export.summary_json import plain, summary
from atomsight.io.files import make_folder
from atomsight.output import write_results
from atomsight.validation import Validation, validate

REPORTS = "reports"

_STEPS: Mapping[type[BaseException], str] = {
    ManifestError: "manifest",
    ParameterError: "options",
    ModelFileError: "read model",
    MapFileError: "read maps",
    OverlayError: "model in map",
    MemoryError: "memory",
}
_LAST_FRAMES = 3


def score(job: Job, attempt: int) -> Ended:
    """Score an entry; whatever happens, one row says what came of it.

    Parameters
    ----------
    job : Job
    attempt : int
        1 the first time.

    Returns
    -------
    Ended
    """
    started = time.perf_counter()
    entry, settings = job.entry, job.settings
    _start_counting_memory()
    try:
        with _limited(job.limit):
            result = _validated(entry)
            facts = facts_in(plain(summary(result)))
            if settings.tables == "atoms":
                columns = {**atom_keys(result.model), **result.atoms}
                table = table_of(entry.name, columns, ATOM_COLUMNS)
                write_table(table, settings.folder, ATOMS, entry.name)
            if settings.tables != "entries":
                columns = {**residue_keys(result.model), **result.residues}
                table = table_of(entry.name, columns, RESIDUE_COLUMNS)
                write_table(table, settings.folder, RESIDUES, entry.name)
            if settings.reports:
                write_results(result, make_folder(settings.folder / REPORTS / entry.name))
    except OutputError as exc:
        return Ended(entry.name, FAILED, "write", str(exc), unwritten=str(exc))
    except Exception as exc:  # noqa: BLE001  (one bad entry must not end the others)
        seconds = time.perf_counter() - started
        return fail(job, attempt, _step_of(exc), type(exc).__name__, message_of(exc), seconds)
    seconds = time.perf_counter() - started
    row = _about(job, attempt) | {
        "status": DONE,
        "notes": "; ".join(result.notes),
        "seconds": round(seconds, 4),
        "peak_memory": _peak_memory(),
        **facts,
    }
    return _written(job, row, Ended(entry.name, DONE, seconds=seconds))


def fail(
    job: Job, attempt: int, step: str, error: str, message: str, seconds: float = 0.0
) -> Ended:
    """Write the row of an entry that could not be scored; no table of it stays.

    Parameters
    ----------
    job : Job
    attempt : int
    step, error, message : str
        Where it failed, of what kind the error is, and what it says.
    seconds : float

    Returns
    -------
    Ended
    """
    row = _about(job, attempt) | {
        "status": FAILED,
        "step": step,
        "error": error,
        "message": message,
        "seconds": round(seconds, 4),
        "atomsight": version("atomsight"),
    }
    ended = Ended(job.entry.name, FAILED, step, message, seconds)
    try:
        for table in (ATOMS, RESIDUES):
            remove_table(job.settings.folder, table, job.entry.name)
    except OutputError as exc:
        return replace(ended, unwritten=str(exc))
    return _written(job, row, ended)


def _validated(entry: Entry) -> Validation:
    if entry.model is None or entry.map is None:
        raise ManifestError(f"{entry.name}: has no model or no map")
    return validate(entry.model, entry.map, entry.all_options())


def _about(job: Job, attempt: int) -> dict[str, Any]:
    entry = job.entry
    source = entry.options.source
    return {
        "entry": entry.name,
        "id": entry.id if source is None else source.emdb_id,
        "pdb": entry.pdb if source is None else source.pdb_id,
        "model_path": None if entry.model is None else str(entry.model),
        "map_path": None if entry.map is None else str(entry.map),
        "digest": job.digest,
        "host": socket.gethostname(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "attempts": attempt,
    }


def _written(job: Job, row: Mapping[str, Any], ended: Ended) -> Ended:
    """The row comes last: an entry is finished when it has one."""
    try:
        write_table(row_of(row), job.settings.folder, ROWS, job.entry.name)
    except OutputError as exc:
        return replace(ended, unwritten=str(exc))
    return ended


def _step_of(exc: Exception) -> str:
    known = (step for kind, step in _STEPS.items() if isinstance(exc, kind))
    return next(known, "validate")


def message_of(exc: Exception) -> str:
    """What a row says of an error: for the user, or for us, with the place, where it is our fault.

    Parameters
    ----------
    exc : Exception

    Returns
    -------
    str
    """
    if isinstance(exc, AtomsightError):
        return str(exc)
    if isinstance(exc, MemoryError):
        return (
            f"no memory left for this entry ({str(exc) or 'its share is used up'}); give the "
            "run more --memory or fewer --workers"
        )
    frames = traceback.extract_tb(exc.__traceback__)[-_LAST_FRAMES:]
    places = ", ".join(f"{Path(one.filename).name}:{one.lineno}" for one in frames)
    return f"{exc} (in {places}); this is a defect of atomsight: please report it"


class _limited:  # noqa: N801  (reads as a word where it is used)
    """Run out of memory at a limit, rather than take that of the others.

    Parameters
    ----------
    limit : int
        Bytes above what the process holds already; 0: none.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._before = resource.getrlimit(resource.RLIMIT_DATA)

    def __enter__(self) -> None:
        if self._limit and sys.platform == "linux":
            most = _status("VmData") + self._limit
            with suppress(ValueError, OSError):
                resource.setrlimit(resource.RLIMIT_DATA, (most, self._before[1]))

    def __exit__(self, *_exc: object) -> None:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_DATA, self._before)


def _start_counting_memory() -> None:
    """Forget the highest use of memory of earlier entries of this process."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _peak_memory() -> int | None:
    """Highest use of memory of this entry, bytes; None where the system does not tell."""
    return _status("VmHWM") or None


def _status(field: str) -> int:
    """Bytes of one line of /proc/self/status; 0 where there is none."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith(f"{field}:"):
                return int(line.split()[1]) * 1024
    return 0
