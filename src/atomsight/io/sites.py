"""Where EMDB and the PDB lie: base addresses, mirrors, and the layout below them."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from atomsight.errors import ParameterError
from atomsight.io.accessions import Accession
from atomsight.io.web import require_address
from atomsight.typing import PathLikeStr

EMDB_VARIABLE = "ATOMSIGHT_EMDB_BASE"
PDB_VARIABLE = "ATOMSIGHT_PDB_BASE"
CACHE_VARIABLE = "ATOMSIGHT_CACHE"

EMDB_BASES = ("https://ftp.ebi.ac.uk/pub/databases/emdb", "https://files.wwpdb.org/pub/emdb")
PDB_BASES = (
    "https://files.wwpdb.org/pub/pdb",
    "https://ftp.ebi.ac.uk/pub/databases/pdb",
    "https://files.rcsb.org/download/{id}.cif.gz",
)


@dataclass(frozen=True, slots=True)
class Sites:
    """Base addresses, in the order in which they are asked.

    Attributes
    ----------
    emdb, pdb : tuple of str
        An address of the PDB with ``{id}`` in it is that of a model; any other is the root of
        the archive's divided layout.
    """

    emdb: tuple[str, ...]
    pdb: tuple[str, ...]


def find_sites(emdb: str | None = None, pdb: str | None = None) -> Sites:
    """Base addresses: as given, else from the environment, else the archives' own.

    Parameters
    ----------
    emdb, pdb : str, optional
        One address, or several with commas between them.

    Returns
    -------
    Sites

    Raises
    ------
    ParameterError
        If one of them is no address that may be asked.
    """
    return Sites(_bases(emdb, EMDB_VARIABLE, EMDB_BASES), _bases(pdb, PDB_VARIABLE, PDB_BASES))


def cache_folder(cache: PathLikeStr | None = None) -> Path:
    """Folder for fetched files: as given, else ATOMSIGHT_CACHE, else in the user's cache folder.

    Parameters
    ----------
    cache : path, optional

    Returns
    -------
    Path
    """
    if cache is not None:
        return Path(cache)
    if named := os.environ.get(CACHE_VARIABLE):
        return Path(named)
    # by the XDG base directory specification a relative path is to be ignored
    home = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(home) if Path(home).is_absolute() else Path.home() / ".cache"
    return base / "atomsight"


def emdb_urls(sites: Sites, entry: Accession, place: str, name: str) -> list[str]:
    """Addresses of a file of an EMDB entry.

    Parameters
    ----------
    sites : Sites
    entry : Accession
    place : {"header", "map", "other", "masks"}
    name : str
        Plain name, packed (.gz) or not: the other is asked for next.

    Returns
    -------
    list of str
    """
    other = name.removesuffix(".gz") if name.endswith(".gz") else f"{name}.gz"
    names = (name,) if place == "header" else (name, other)
    return [
        f"{base}/structures/{entry.name}/{place}/{file}" for file in names for base in sites.emdb
    ]


def pdb_urls(sites: Sites, entry: Accession) -> list[str]:
    """Addresses of a model of the PDB, as mmCIF.

    Parameters
    ----------
    sites : Sites
    entry : Accession

    Returns
    -------
    list of str
    """
    divided = f"data/structures/divided/mmCIF/{entry.key[-3:-1]}/{entry.key}.cif.gz"
    return [
        base.replace("{id}", entry.key) if "{id}" in base else f"{base}/{divided}"
        for base in sites.pdb
    ]


def _bases(given: str | None, variable: str, default: Sequence[str]) -> tuple[str, ...]:
    text = given if given is not None else os.environ.get(variable)
    if not text:
        return tuple(default)
    bases = tuple(base.strip().rstrip("/") for base in text.split(",") if base.strip())
    if not bases:
        raise ParameterError(f"{text!r}: names no address")
    for base in bases:
        require_address(base)
    return bases
