"""The files of entries: what each is called, how long it may be, and how to tell it is right."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from atomsight.errors import FetchError, MapFileError
from atomsight.io.accessions import Accession
from atomsight.io.emdb_header import EmdbHeader, HeaderFile, read_emdb_header
from atomsight.io.file_cache import FetchedFile, fetch_file
from atomsight.io.files import is_gzip, open_binary
from atomsight.io.maps import read_header
from atomsight.io.pdb_entry import PdbEntry, read_pdb_entry
from atomsight.io.sites import Sites, emdb_urls, pdb_urls
from atomsight.io.web import NotThereError, Patience

FetchProgress = Callable[[str, int, int], None]
"""Called with (name of the file, bytes got, bytes in all)."""

_MIB = 1 << 20
_HEADER_LIMIT = 8 * _MIB
_MODEL_LIMIT = 256 * _MIB
_MAP_LIMIT = 32 * 1024 * _MIB
_MAP_FLOOR = 64 * _MIB
_MAP_SLACK = 4
"""No map on a server is larger than unpacked, but old headers are not exact."""


@dataclass(frozen=True, slots=True)
class EntryFiles:
    """Gets files of entries into the cache, and remembers which.

    Attributes
    ----------
    cache : Path
    sites : Sites
    verify, refresh : bool
        As for `fetch_file`.
    patience : Patience
    progress : callable or None
    files : list of FetchedFile
        What was got so far.
    """

    cache: Path
    sites: Sites
    verify: bool
    refresh: bool
    patience: Patience
    progress: FetchProgress | None
    files: list[FetchedFile] = field(default_factory=list)

    def header(self, entry: Accession) -> EmdbHeader:
        """Get and read the header of an entry of EMDB.

        Parameters
        ----------
        entry : Accession

        Returns
        -------
        EmdbHeader

        Raises
        ------
        FetchError
        """
        name = f"emd-{entry.key}.xml"
        check = partial(read_emdb_header, entry=entry)
        urls = emdb_urls(self.sites, entry, "header", name)
        return check(self._get(entry, name, urls, "header", _HEADER_LIMIT, check))

    def map(self, entry: Accession, place: str, file: HeaderFile, what: str) -> Path:
        """Get a map, half map or mask.

        Parameters
        ----------
        entry : Accession
        place : {"map", "other", "masks"}
        file : HeaderFile
        what : str
            What it is to the user.

        Returns
        -------
        Path

        Raises
        ------
        FetchError
        """
        limit = _MAP_LIMIT
        if file.size is not None:
            limit = min(limit, max(_MAP_FLOOR, _MAP_SLACK * file.size))
        urls = emdb_urls(self.sites, entry, place, file.name)
        return self._get(entry, file.name, urls, what, limit, require_whole_map)

    def model(self, entry: Accession) -> tuple[Path, PdbEntry]:
        """Get a model of the PDB, and read what it says of itself.

        Parameters
        ----------
        entry : Accession

        Returns
        -------
        tuple of Path, PdbEntry

        Raises
        ------
        FetchError
        """
        check = partial(read_pdb_entry, entry=entry)
        name, urls = f"{entry.key}.cif.gz", pdb_urls(self.sites, entry)
        path = self._get(entry, name, urls, "model", _MODEL_LIMIT, check)
        return path, check(path)

    def _get(
        self,
        entry: Accession,
        name: str,
        urls: list[str],
        what: str,
        limit: int,
        check: Callable[[Path], object],
    ) -> Path:
        told = self.progress
        try:
            file = fetch_file(
                self.cache / entry.archive.lower() / entry.name,
                name,
                urls,
                what=what,
                limit=limit,
                check=check,
                verify=self.verify,
                refresh=self.refresh,
                patience=self.patience,
                progress=None if told is None else partial(told, name),
            )
        except NotThereError as exc:
            if what in ("header", "model"):
                raise NotThereError(
                    f"{entry}: no such entry in the {entry.archive}, or not released yet ({exc})"
                ) from None
            raise NotThereError(f"{entry}: {exc}") from None
        except FetchError as exc:
            raise FetchError(f"{entry}: {exc}") from None
        self.files.append(file)
        return file.path


def require_whole_map(path: Path) -> None:
    """Check that a file is a map, and that a packed one can be unpacked to its end.

    Parameters
    ----------
    path : Path

    Raises
    ------
    MapFileError
        If it is not, or unpacks to more than its header promises.
    """
    header = read_header(path)
    if not is_gzip(path):
        return
    promised = header.data_offset + header.data_bytes
    count = 0
    with open_binary(path, "map", MapFileError) as handle:
        while piece := handle.read(4 * _MIB):
            count += len(piece)
            if count > promised + _MIB:
                raise MapFileError(f"{path}: unpacks to more than its header promises")
    if count < promised:
        raise MapFileError(f"{path}: unpacks to {count} bytes, its header promises {promised}")
