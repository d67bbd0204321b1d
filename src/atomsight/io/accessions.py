"""Names of entries: EMD-3488 in EMDB, 5NI1 or pdb_00005ni1 in the PDB."""

import re
from dataclasses import dataclass
from typing import Literal

from atomsight.errors import FetchError

Archive = Literal["EMDB", "PDB"]

# EMDB pads to four digits, and longer numbers have no zero in front
_EMDB = re.compile(r"EMD[-_ ]?(\d{4}|[1-9]\d{4,7})", re.ASCII | re.IGNORECASE)
_PDB = re.compile(r"[1-9][0-9a-z]{3}", re.ASCII | re.IGNORECASE)
_LONG_PDB = re.compile(r"PDB_([0-9a-z]{8})", re.ASCII | re.IGNORECASE)
_FORMS = "EMD-3488 (EMDB), 5NI1 or pdb_00005ni1 (PDB)"


@dataclass(frozen=True, slots=True)
class Accession:
    """The name of an entry, in the form that its archive writes it.

    Attributes
    ----------
    archive : {"EMDB", "PDB"}
    name : str
        ``EMD-3488``; ``5NI1``; ``pdb_10005ni1`` where four characters do not tell it.
    """

    archive: Archive
    name: str

    @property
    def key(self) -> str:
        """What stands in the names of its files: ``3488``, ``5ni1``, ``pdb_10005ni1``."""
        return self.name.removeprefix("EMD-").lower()

    def __str__(self) -> str:
        return self.name


def find_accession(text: str) -> Accession | None:
    """Read the name of an entry.

    Parameters
    ----------
    text : str
        In capitals or not, with spaces around it.

    Returns
    -------
    Accession or None
        None where the text is no such name.
    """
    word = text.strip()
    if emdb := _EMDB.fullmatch(word):
        return Accession("EMDB", f"EMD-{emdb[1]}")
    # a number alone may be meant for either archive
    if _PDB.fullmatch(word) and not word.isdigit():
        return Accession("PDB", word.upper())
    if long := _LONG_PDB.fullmatch(word):
        short = long[1].removeprefix("0000")
        plain = len(short) == 4 and _PDB.fullmatch(short)
        return Accession("PDB", short.upper() if plain else f"pdb_{long[1].lower()}")
    return None


def accession(text: str) -> Accession:
    """Read the name of an entry, or refuse it.

    Parameters
    ----------
    text : str

    Returns
    -------
    Accession

    Raises
    ------
    FetchError
        If the text is no such name.
    """
    found = find_accession(text)
    if found is None:
        raise FetchError(f"{text}: this is not the name of an entry; it looks like {_FORMS}")
    return found
