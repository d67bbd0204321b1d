"""Inputs that are names of entries instead of files."""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from atomsight.io.accessions import Accession, find_accession

if TYPE_CHECKING:
    from atomsight.half_maps import HalfMapOptions
    from atomsight.io.entry_files import FetchProgress
    from atomsight.outcome import Options


@dataclass(frozen=True, slots=True)
class EntryWish:
    """Which entries stand for model and map, and what is wanted of them.

    Attributes
    ----------
    model, map : Accession or None
        None where a file is given.
    one : bool
        Model and map come from one name.
    pdb : str or None
        Which model of an entry of EMDB.
    cache : Path or None
    half_maps, mask : bool
    settings : HalfMapOptions or None
        How FSC-Q is computed with the entry's half maps, where the user says how.
    """

    model: Accession | None
    map: Accession | None
    one: bool = False
    pdb: str | None = None
    cache: Path | None = None
    half_maps: bool = False
    mask: bool = False
    settings: "HalfMapOptions | None" = None


def entry_wish(
    model: Path,
    map_: Path | None,
    *,
    pdb: str | None,
    cache: Path | None,
    half_maps: bool = False,
    mask: bool = False,
    without: tuple[str, ...] = (),
) -> EntryWish | None:
    """Tell names of entries from files; a file of that name comes first.

    Returns None where both are files; `without` are options that mean nothing then.
    """
    from atomsight.errors import ParameterError

    named_model = _named(model)
    named_map = named_model if map_ is None else _named(map_)
    if map_ is None and named_map is None:
        raise ParameterError(
            f"{model}: give a map too; only the name of an entry (EMD-3488, 5NI1) stands for both"
        )
    if named_model is None and named_map is None:
        given = {"--pdb": pdb, "--cache": cache}
        needless = [*(name for name, value in given.items() if value is not None), *without]
        if needless:
            raise ParameterError(
                f"{', '.join(needless)}: means nothing without the name of an entry"
            )
        return None
    if pdb is not None and map_ is not None:
        raise ParameterError("--pdb: means nothing where MODEL and MAP are given")
    return EntryWish(named_model, named_map, map_ is None, pdb, cache, half_maps, mask)


def fetch_inputs(
    model: Path,
    map_: Path | None,
    options: "Options",
    wish: EntryWish,
    progress: "FetchProgress | None",
) -> tuple[Path, Path, "Options"]:
    """Get what the names stand for; what the header says becomes options, if the map is its own."""
    from atomsight.entry_source import entry_options
    from atomsight.errors import MapFileError, ModelFileError
    from atomsight.io.entries import Entry, fetch_entry
    from atomsight.io.files import require_file

    named = wish.model
    if named is None:
        require_file(model, "model", ModelFileError)
    if wish.map is None:
        require_file(Path(map_ or ""), "map", MapFileError)
    own: Entry | None = None
    fetch = partial(
        fetch_entry,
        cache=wish.cache,
        half_maps=wish.half_maps,
        mask=wish.mask,
        progress=progress,
    )
    if wish.one:
        entry = own = fetch(str(named), need_model=True, pdb=wish.pdb)
    elif named is not None and wish.map is not None and wish.map.archive == "EMDB" != named.archive:
        entry = own = fetch(str(wish.map), pdb=named.name)
    else:
        if named is not None:
            own = fetch(str(named), need_model=True, maps=False)
        # of a map that is not the entry's own, its header says nothing
        entry = Entry() if wish.map is None else fetch(str(wish.map), model=False)
        other = own or Entry()
        entry = replace(
            entry,
            pdb_id=other.pdb_id,
            files=entry.files + other.files,
            notes=entry.notes + other.notes,
        )
    return (
        (own and own.model) or model,
        entry.map or map_ or Path(),
        entry_options(entry, options, half_maps=wish.settings),
    )


def _named(path: Path) -> Accession | None:
    found = find_accession(str(path))
    return None if found is None or path.exists() else found
