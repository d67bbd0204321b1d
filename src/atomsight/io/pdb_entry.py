"""What a model of the PDB says of itself: which map it was fitted into, and whether it stands."""

from dataclasses import dataclass
from pathlib import Path

import gemmi

from atomsight.errors import FetchError
from atomsight.io.accessions import Accession, find_accession
from atomsight.io.files import read_text_bytes


@dataclass(frozen=True, slots=True)
class PdbEntry:
    """What stands in the mmCIF file of an entry beside the atoms.

    Attributes
    ----------
    name, title, method : str
    maps : tuple of str
        Entries of EMDB that it was fitted into.
    """

    name: str
    title: str
    method: str
    maps: tuple[str, ...]


def read_pdb_entry(path: Path, entry: Accession) -> PdbEntry:
    """Read what an mmCIF file of the PDB says of itself.

    Parameters
    ----------
    path : Path
        Plain or gzipped.
    entry : Accession
        The entry that it must be.

    Returns
    -------
    PdbEntry

    Raises
    ------
    FetchError
        If the file is no mmCIF file of that entry, or the entry is obsolete.
    """
    data = read_text_bytes(path, "model", FetchError)
    try:
        block = gemmi.cif.read_string(data.decode("utf-8", "replace"))[0]
    except (RuntimeError, ValueError, IndexError) as exc:
        raise FetchError(f"{path}: cannot be read as mmCIF ({exc})") from None
    name = find_accession(_value(block, "_entry.id") or block.name)
    if name != entry or not block.find_values("_atom_site.Cartn_x"):
        raise FetchError(f"{path}: this is not the model {entry}")
    for row in block.find("_pdbx_database_PDB_obs_spr.", ["id", "pdb_id", "replace_pdb_id"]):
        kind, new, old = (gemmi.cif.as_string(value) for value in row)
        if kind == "OBSLTE" and find_accession(old) == entry:
            raise FetchError(f"{path}: {entry} is obsolete; it is superseded by {new.upper()}")
    if _value(block, "_pdbx_database_status.status_code") == "OBS":
        raise FetchError(f"{path}: {entry} is obsolete")
    return PdbEntry(
        name=entry.name,
        title=_value(block, "_struct.title"),
        method=_value(block, "_exptl.method"),
        maps=_maps(block),
    )


def _maps(block: gemmi.cif.Block) -> tuple[str, ...]:
    """Maps that the model was fitted into; of other maps it only says that they are related."""
    related = block.find("_pdbx_database_related.", ["db_name", "db_id", "content_type"])
    names = [
        gemmi.cif.as_string(row[1])
        for row in related
        if gemmi.cif.as_string(row[0]).upper() == "EMDB"
        and gemmi.cif.as_string(row[2]) == "associated EM volume"
    ]
    if not names:
        codes = block.find("_database_2.", ["database_id", "database_code"])
        names = [
            gemmi.cif.as_string(row[1])
            for row in codes
            if gemmi.cif.as_string(row[0]).upper() == "EMDB"
        ]
    found = [e.name for name in names if (e := find_accession(name)) and e.archive == "EMDB"]
    return tuple(dict.fromkeys(found))


def _value(block: gemmi.cif.Block, tag: str) -> str:
    """First value of a tag, as pair or in a loop."""
    return next((gemmi.cif.as_string(value) for value in block.find_values(tag)), "")
