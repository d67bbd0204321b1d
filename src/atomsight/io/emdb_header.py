"""The header of an EMDB entry (XML, schema 3.0): what belongs to it, and its figures."""

import math
import re
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from atomsight.errors import FetchError
from atomsight.io.accessions import Accession, find_accession
from atomsight.io.files import require_file

_FILE = re.compile(r"emd_(\d{4,8})(_[A-Za-z0-9_]+)?\.map(\.gz)?", re.ASCII)
_TRUE = ("true", "1")
_WORST_RESOLUTION = 1000.0


@dataclass(frozen=True, slots=True)
class HeaderFile:
    """A file that a header names.

    Attributes
    ----------
    name : str
        Plain, and of this entry.
    size : int or None
        Bytes, unpacked, as the header says.
    """

    name: str
    size: int | None


@dataclass(frozen=True, slots=True)
class EmdbHeader:
    """What the header of an entry says.

    Attributes
    ----------
    name : str
        ``EMD-3488``.
    title, status : str
        `status` is the archive's code: ``REL``, ``OBS``, ``HPUB``, …
    released : str
        Date of the map's release; empty where there is none.
    superseded_by : tuple of str
        Entries that replace this one.
    models : tuple of str
        Names in the PDB of models fitted into the map.
    map : HeaderFile or None
    half_maps, masks : tuple of HeaderFile
    resolution : float or None
        Å.
    resolution_method : str
    contour : float or None
        Level that the entry recommends, map units.
    contour_source : str
        Who chose it: ``AUTHOR``, ``EMDB``, …
    notes : tuple of str
    """

    name: str
    title: str
    status: str
    released: str
    superseded_by: tuple[str, ...]
    models: tuple[str, ...]
    map: HeaderFile | None
    half_maps: tuple[HeaderFile, ...]
    masks: tuple[HeaderFile, ...]
    resolution: float | None
    resolution_method: str
    contour: float | None
    contour_source: str
    notes: tuple[str, ...]


def read_emdb_header(path: Path, entry: Accession) -> EmdbHeader:
    """Read the header of an entry.

    Parameters
    ----------
    path : Path
    entry : Accession
        The entry that it must be of.

    Returns
    -------
    EmdbHeader

    Raises
    ------
    FetchError
        If the file is no header of that entry, or names files that may not be asked for.
    """
    root = _parse(require_file(path, "header", FetchError).read_bytes(), path)
    if root.tag != "emd" or root.get("emdb_id", "") != entry.name:
        raise FetchError(f"{path}: this is not the header of {entry} (schema 3.0)")
    notes: list[str] = []
    if root.find("admin[@composite_map='true']") is not None:
        notes.append(f"{entry} is a composite map: its half maps may not cover all of it")
    resolution, method = _resolution(root, notes)
    contour, source = _contour(root)
    main = _files(root.findall("map"), entry, path)
    masks, odd = _masks(root, entry)
    if odd:
        notes.append(f"{odd} masks of {entry} have names that are not asked for")
    return EmdbHeader(
        name=entry.name,
        title=_text(root, "admin/title"),
        status=_text(root, "admin/current_status/code"),
        released=_text(root, "admin/key_dates/map_release"),
        superseded_by=tuple(
            e.name
            for text in _texts(root, "admin/superseded_by_list/entry/entry")
            if (e := find_accession(text))
        ),
        models=_models(root),
        map=main[0] if main else None,
        half_maps=_files(root.findall("interpretation/half_map_list/half_map"), entry, path),
        masks=masks,
        resolution=resolution,
        resolution_method=method,
        contour=contour,
        contour_source=source,
        notes=tuple(notes),
    )


def _parse(data: bytes, path: Path) -> Element:
    """Parse XML that may declare nothing: no document type, so no entities and no other files."""
    builder = TreeBuilder()
    parser = expat.ParserCreate()

    def refuse(*_: object) -> None:
        raise FetchError(f"{path}: declares a document type, which no header of EMDB does")

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(data, True)
        return builder.close()
    except (expat.ExpatError, AssertionError, ValueError, LookupError) as exc:
        raise FetchError(f"{path}: cannot be read as XML ({exc})") from None


def _texts(root: Element, where: str) -> list[str]:
    return [text for e in root.findall(where) if (text := " ".join((e.text or "").split()))]


def _text(root: Element, where: str) -> str:
    return next(iter(_texts(root, where)), "")


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _kilobytes(text: str) -> int | None:
    return int(text) * 1024 if text.isascii() and text.isdigit() else None


def _resolution(root: Element, notes: list[str]) -> tuple[float | None, str]:
    where = "structure_determination_list/structure_determination/*/final_reconstruction"
    found = [
        (value, _text(e, "resolution_method"))
        for e in root.findall(where)
        if (value := _number(_text(e, "resolution"))) and 0 < value < _WORST_RESOLUTION
    ]
    if len({value for value, _ in found}) > 1:
        all_of_them = ", ".join(f"{value:g}" for value, _ in found)
        notes.append(f"the header gives several resolutions ({all_of_them} Å): the first is taken")
    return found[0] if found else (None, "")


def _contour(root: Element) -> tuple[float | None, str]:
    """The primary level, or the only one."""
    every = root.findall("map/contour_list/contour")
    primary = [c for c in every if c.get("primary", "").strip() in _TRUE]
    chosen = primary or (every if len(every) == 1 else [])
    for contour in chosen:
        level = _number(_text(contour, "level"))
        if level is not None:
            return level, _text(contour, "source")
    return None, ""


def _models(root: Element) -> tuple[str, ...]:
    """Models in the frame of the map; other references are not models of it."""
    names = []
    for reference in root.findall("crossreferences/pdb_list/pdb_reference"):
        relation = _text(reference, "relationship/in_frame")
        other = reference.find("relationship/other") is not None
        found = find_accession(_text(reference, "pdb_id"))
        if found and found.archive == "PDB" and not other and relation != "NOOVERLAP":
            names.append((relation == "PARTIALOVERLAP", found.name))
    # those that cover the map come first, else in the header's order
    return tuple(dict.fromkeys(name for _, name in sorted(names, key=lambda n: n[0])))


def _files(elements: list[Element], entry: Accession, path: Path) -> tuple[HeaderFile, ...]:
    found = _named(elements)
    for file in found:
        if not _is_plain(file.name, entry):
            raise FetchError(
                f"{path}: names a file {file.name!a}, which is no file of {entry}; "
                "nothing is fetched"
            )
    return found


def _masks(root: Element, entry: Accession) -> tuple[tuple[HeaderFile, ...], int]:
    """Masks, and how many have names of another form; the schema allows any."""
    found = _named(root.findall("interpretation/segmentation_list/segmentation"))
    plain = tuple(file for file in found if _is_plain(file.name, entry))
    return plain, len(found) - len(plain)


def _named(elements: list[Element]) -> tuple[HeaderFile, ...]:
    found = []
    for element in elements:
        details = element.find("mask_details")
        sized = element if details is None else details
        if name := _text(element, "file"):
            found.append(HeaderFile(name, _kilobytes(sized.get("size_kbytes", ""))))
    return tuple(found)


def _is_plain(name: str, entry: Accession) -> bool:
    """Whether a name is that of a map of this entry, and nothing that could lead elsewhere."""
    match = _FILE.fullmatch(name)
    return match is not None and match[1] == entry.key
