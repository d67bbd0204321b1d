"""Entries of EMDB and the PDB by name: map, half maps, mask, model, and what the header says."""

from dataclasses import dataclass, replace
from pathlib import Path

from atomsight.errors import FetchError
from atomsight.io.accessions import Accession, accession
from atomsight.io.emdb_header import EmdbHeader
from atomsight.io.entry_files import EntryFiles, FetchProgress
from atomsight.io.file_cache import FetchedFile
from atomsight.io.sites import cache_folder, find_sites
from atomsight.io.web import PATIENCE, Patience
from atomsight.typing import PathLikeStr


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry, and where its files lie. What there is not, or was not asked for, is None.

    Attributes
    ----------
    emdb_id, pdb_id : str or None
        ``EMD-3488``, ``5NI1``: of the map and of the model.
    pdb_ids : tuple of str
        All models fitted into the map, by the header.
    title : str
    released : str
        Date of the map's release.
    map, model : Path or None
    half_maps : tuple of Path, or None
        Two of them.
    mask : Path or None
        Where the entry has just one.
    resolution : float or None
        Å, by the header of EMDB.
    resolution_method : str
        E.g. ``FSC 0.143 CUT-OFF``.
    contour : float or None
        Contour level that the entry recommends, map units.
    contour_source : str
        Who chose it: ``AUTHOR``, ``EMDB``, …
    notes : tuple of str
        What a reader should know.
    files : tuple of FetchedFile
        All files, with address, size and SHA-256.
    """

    emdb_id: str | None = None
    pdb_id: str | None = None
    pdb_ids: tuple[str, ...] = ()
    title: str = ""
    released: str = ""
    map: Path | None = None
    model: Path | None = None
    half_maps: tuple[Path, Path] | None = None
    mask: Path | None = None
    resolution: float | None = None
    resolution_method: str = ""
    contour: float | None = None
    contour_source: str = ""
    notes: tuple[str, ...] = ()
    files: tuple[FetchedFile, ...] = ()


def fetch_entry(
    entry: str,
    *,
    maps: bool = True,
    half_maps: bool = True,
    mask: bool = True,
    model: bool = True,
    need_model: bool = False,
    pdb: str | None = None,
    cache: PathLikeStr | None = None,
    emdb_base: str | None = None,
    pdb_base: str | None = None,
    verify: bool = False,
    refresh: bool = False,
    patience: Patience = PATIENCE,
    progress: FetchProgress | None = None,
) -> Entry:
    """Get an entry of EMDB or the PDB: what is in the cache from there, the rest from a server.

    Several processes, also on several machines, may do so at the same time with one cache.

    Parameters
    ----------
    entry : str
        ``EMD-3488``, ``5NI1`` or ``pdb_00005ni1``. From the PDB, the map is the one that the
        model names.
    maps, half_maps, mask, model : bool
        What to get. Without `maps`, neither half maps nor mask.
    need_model : bool
        Refuse an entry that names no model, before its maps are fetched.
    pdb : str, optional
        Which model of an entry of EMDB that has several; the first one by default.
    cache : path, optional
        Folder for the files; ATOMSIGHT_CACHE, else ``atomsight`` in the user's cache folder.
    emdb_base, pdb_base : str, optional
        Base addresses, with commas between mirrors; ATOMSIGHT_EMDB_BASE and ATOMSIGHT_PDB_BASE,
        else the archives' own servers.
    verify : bool
        Compare the SHA-256 of all files in the cache with those of the day when they came.
    refresh : bool
        Fetch all files again.
    patience : Patience
    progress : callable, optional
        Called with (name of the file, bytes got, bytes in all).

    Returns
    -------
    Entry

    Raises
    ------
    FetchError
        If the entry is unknown, not released or obsolete, or no server gives a file.
    OutputError
        If the cache cannot be written to.
    """
    named = accession(entry)
    chosen = None if pdb is None else accession(pdb)
    if chosen is not None and chosen.archive != "PDB":
        raise FetchError(f"{pdb}: a model is an entry of the PDB")
    if chosen is not None and named.archive == "PDB" and chosen != named:
        raise FetchError(f"{named} and {chosen} are two models; name one of them")
    get = EntryFiles(
        cache_folder(cache), find_sites(emdb_base, pdb_base), verify, refresh, patience, progress
    )
    if named.archive == "PDB":
        found = _from_model(get, named, maps=maps, half_maps=half_maps, mask=mask)
    else:
        header = get.header(named)
        found = _described(header)
        if model:
            found = _with_model(get, header, chosen, found)
        if need_model and found.model is None:
            raise FetchError(
                f"{named}: this entry names no model fitted into its map; give a model beside it"
            )
        if maps:
            found = _with_maps(get, header, found, half_maps=half_maps, mask=mask)
    return replace(found, files=tuple(get.files))


def _from_model(
    get: EntryFiles, named: Accession, *, maps: bool, half_maps: bool, mask: bool
) -> Entry:
    """A model, and the map that it names."""
    path, told = get.model(named)
    if not maps:
        return Entry(pdb_id=named.name, model=path, title=told.title)
    if not told.maps:
        method = told.method or "method unknown"
        raise FetchError(f"{named}: this entry names no map in EMDB ({method})")
    header = get.header(accession(told.maps[0]))
    found = replace(_described(header), pdb_id=named.name, model=path)
    if len(told.maps) > 1:
        others = ", ".join(told.maps[1:])
        note = f"{named} names {len(told.maps)} maps: {header.name} is taken, not {others}"
        found = replace(found, notes=(*found.notes, note))
    return _with_maps(get, header, found, half_maps=half_maps, mask=mask)


def _with_model(
    get: EntryFiles, header: EmdbHeader, chosen: Accession | None, found: Entry
) -> Entry:
    """The model that was asked for, or the first one that the header names."""
    names, notes = header.models, found.notes
    if chosen is None and not names:
        return replace(found, notes=(*notes, f"{header.name} names no model fitted into its map"))
    name = names[0] if chosen is None else chosen.name
    if chosen is None and len(names) > 1:
        others = ", ".join(names[1:])
        notes += (f"{header.name} names {len(names)} models: {name} is taken, not {others}",)
    if name not in names:
        notes += (f"{header.name} does not name {name} as a model fitted into its map",)
    path, _ = get.model(accession(name))
    return replace(found, model=path, pdb_id=name, notes=notes)


def _with_maps(
    get: EntryFiles, header: EmdbHeader, found: Entry, *, half_maps: bool, mask: bool
) -> Entry:
    """The map, both half maps, and the mask where there is just one."""
    named = accession(header.name)
    if header.map is None:
        raise FetchError(f"{named}: this entry has no map")
    notes = found.notes
    halves = masked = None
    if half_maps and len(header.half_maps) == 2:
        first, second = (get.map(named, "other", file, "half map") for file in header.half_maps)
        halves = (first, second)
    elif half_maps:
        notes += (f"{named} has {len(header.half_maps) or 'no'} half maps",)
    if mask and len(header.masks) == 1:
        masked = get.map(named, "masks", header.masks[0], "mask")
    elif mask and header.masks:
        names = ", ".join(file.name for file in header.masks)
        notes += (f"{named} has {len(header.masks)} masks, none of which is taken: {names}",)
    path = get.map(named, "map", header.map, "map")
    return replace(found, map=path, half_maps=halves, mask=masked, notes=notes)


def _described(header: EmdbHeader) -> Entry:
    """What a header says, of an entry that is released."""
    _require_released(header)
    return Entry(
        emdb_id=header.name,
        pdb_ids=header.models,
        title=header.title,
        released=header.released,
        resolution=header.resolution,
        resolution_method=header.resolution_method,
        contour=header.contour,
        contour_source=header.contour_source,
        notes=header.notes,
    )


def _require_released(header: EmdbHeader) -> None:
    """Refuse an entry that is obsolete, withdrawn or not yet there."""
    instead = ", ".join(header.superseded_by)
    if header.status == "OBS":
        raise FetchError(
            f"{header.name}: this entry is obsolete; "
            + (f"it is superseded by {instead}" if instead else "no other one supersedes it")
        )
    if header.status == "WDRN":
        raise FetchError(f"{header.name}: this entry was withdrawn")
    if header.status != "REL":
        raise FetchError(
            f"{header.name}: the map of this entry is not released yet (status "
            f"{header.status or 'unknown'})"
        )
