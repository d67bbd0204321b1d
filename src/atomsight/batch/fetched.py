"""Entries that a manifest names: files from EMDB and the PDB, and what the header says."""

from dataclasses import replace
from pathlib import Path

from atomsight.batch.entry import Entry
from atomsight.batch.estimate import need_of
from atomsight.batch.job import Ended, Job, Settings
from atomsight.batch.score import fail, message_of
from atomsight.entry_source import entry_options
from atomsight.errors import OutputError
from atomsight.half_maps import HalfMapOptions
from atomsight.io.entries import fetch_entry

STEP = "fetch"


def fetch(job: Job, attempt: int) -> Job | Ended:
    """Get the files of an entry; it is scored later, where there is room for it.

    Parameters
    ----------
    job : Job
    attempt : int

    Returns
    -------
    Job or Ended
        The same job with its files and what it will need; Ended where they cannot be had.
    """
    try:
        entry = with_files(job.entry, job.settings)
    except OutputError as exc:
        return Ended(job.entry.name, "failed", STEP, str(exc), unwritten=str(exc))
    except Exception as exc:  # noqa: BLE001  (one bad entry must not end the others)
        return fail(job, attempt, STEP, type(exc).__name__, message_of(exc))
    return replace(job, entry=entry, need=need_of(entry))


def with_files(entry: Entry, settings: Settings) -> Entry:
    """Fetch what a row does not give itself.

    Of a map that is a file of the user's own, the header says nothing. Resolution, contour level
    and half maps of the row, or of the whole run, come before those of the header.

    Parameters
    ----------
    entry : Entry
        With an id.
    settings : Settings

    Returns
    -------
    Entry
        With model and map.

    Raises
    ------
    FetchError
        If the entry is unknown or no server gives a file.
    ParameterError
        If options of half maps are given, and the entry has none.
    OutputError
        If the cache cannot be written to.
    """
    from_archive = entry.map is None
    halves = from_archive and entry.half_1 is None and settings.half_maps
    found = fetch_entry(
        entry.id or "",
        maps=from_archive,
        half_maps=halves,
        mask=halves and entry.mask is None and "mask_level" not in entry.windows,
        model=entry.model is None,
        need_model=entry.model is None,
        pdb=entry.pdb,
        cache=settings.cache,
        emdb_base=settings.emdb_base,
        pdb_base=settings.pdb_base,
    )
    entry = replace(entry, model=entry.model or found.model, map=entry.map or found.map)
    if not from_archive:
        return entry
    chosen = None
    if halves and (entry.windows or entry.mask is not None):
        chosen = HalfMapOptions(Path(), Path(), entry.mask, **entry.windows)
    options = entry_options(found, entry.options, half_maps=chosen)
    used = options.half_maps
    if used is not None:
        entry = replace(entry, half_1=used.half_1, half_2=used.half_2, mask=used.mask)
    return replace(entry, options=replace(options, half_maps=None))
