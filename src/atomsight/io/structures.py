"""From the text of a model file to a gemmi structure whose atoms know their row in the file."""

import copy
import re
from dataclasses import dataclass
from pathlib import Path

import gemmi

from atomsight.errors import ModelFileError

_CIF_START = re.compile(r"\s*(?:#[^\n]*\n\s*)*data_", re.IGNORECASE)
_CIF_TOKEN = re.compile(
    r"^;.*?^;|'[^\r\n]*?'(?=[ \t\r\n])|\"[^\r\n]*?\"(?=[ \t\r\n])|#[^\r\n]*|[^ \t\r\n]+",
    re.MULTILINE | re.DOTALL,
)
_LINE_END = re.compile(r"\r\n?|\n")
_RECORDS = {"ATOM": "ATOM  ", "HETA": "HETATM"}
_HYBRID36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_NEEDED = ("id", "type_symbol", "Cartn_x", "Cartn_y", "Cartn_z")


@dataclass(frozen=True, slots=True)
class ParsedModel:
    """What stands in a model file.

    Attributes
    ----------
    structure : gemmi.Structure
        Its atoms' serial is the number of their atom record in the file, from 1.
    document : gemmi.cif.Document or None
        The mmCIF file as it was; None for a PDB file.
    block : gemmi.cif.Block or None
        The block of `document` that holds the atoms.
    notes : tuple of str
    """

    structure: gemmi.Structure
    document: gemmi.cif.Document | None
    block: gemmi.cif.Block | None
    notes: tuple[str, ...]


def parse_structure(data: bytes, path: Path) -> ParsedModel:
    """Parse an mmCIF or PDB file, told apart by content.

    Parameters
    ----------
    data : bytes
        The whole file.
    path : Path
        For messages only.

    Returns
    -------
    ParsedModel

    Raises
    ------
    ModelFileError
        If the bytes are neither, or are broken.
    """
    text, notes = _decode(data, path)
    document: gemmi.cif.Document | None = None
    block: gemmi.cif.Block | None = None
    try:
        if _CIF_START.match(text):
            document = _read_cif(text)
            block, more = _coordinate_block(document, path)
            structure = _structure_from_block(block, path)
        else:
            structure, more = _structure_from_pdb(text, path)
        structure.setup_entities()
    except (RuntimeError, ValueError, TypeError, IndexError) as exc:
        raise ModelFileError(f"{path}: cannot be read as a model ({exc})") from None
    for index in reversed(range(len(structure))):
        if len(structure[index]) == 0:
            del structure[index]
    if len(structure) == 0:
        raise ModelFileError(f"{path}: holds no atoms")
    return ParsedModel(structure, document, block, notes + more)


def _decode(data: bytes, path: Path) -> tuple[str, tuple[str, ...]]:
    if b"\0" in data:
        raise ModelFileError(
            f"{path}: not a text file (it holds NUL bytes); "
            "a model is mmCIF or PDB; are model and map in the right order (--help)?"
        )
    try:
        return data.decode("utf-8-sig"), ()
    except UnicodeDecodeError:
        return data.decode("latin-1"), ("the file is not UTF-8: read as Latin-1",)


def _read_cif(text: str) -> gemmi.cif.Document:
    try:
        return gemmi.cif.read_string(text)
    except ValueError:
        if text.isascii():
            raise
        # gemmi takes letters outside ASCII in quotes only; some programs write them bare
        return gemmi.cif.read_string(_CIF_TOKEN.sub(_quoted, text))


def _quoted(token: re.Match[str]) -> str:
    word = token[0]
    return word if word.isascii() or word[0] in "\"'#;_" else f"'{word}'"


def _coordinate_block(
    document: gemmi.cif.Document, path: Path
) -> tuple[gemmi.cif.Block, tuple[str, ...]]:
    """Find the first block with atoms; refinement programs put dictionaries into further blocks."""
    blocks = [b for b in document if b.find_mmcif_category("_atom_site.").width() > 0]
    if not blocks:
        raise ModelFileError(f"{path}: holds no atoms (no _atom_site category)")
    if len(blocks) == 1:
        return blocks[0], ()
    return blocks[0], (f"{len(blocks)} blocks hold atoms: data_{blocks[0].name} taken",)


def _structure_from_block(block: gemmi.cif.Block, path: Path) -> gemmi.Structure:
    """Structure whose serials are row numbers: gemmi groups atoms, and this leads back to rows."""
    absent = [tag for tag in _NEEDED if not block.find_values(f"_atom_site.{tag}")]
    if absent:
        raise ModelFileError(f"{path}: _atom_site has no column {', '.join(absent)}")
    has_asym = bool(block.find_values("_atom_site.label_asym_id"))
    if not (has_asym and block.find_values("_atom_site.label_alt_id")):
        block = _with_label_columns(block)
    column = block.find_values("_atom_site.id")
    names = list(column)
    for row in range(len(names)):
        column[row] = str(row + 1)
    try:
        structure = gemmi.make_structure_from_block(block)
    finally:
        for row, name in enumerate(names):
            column[row] = name
    if not has_asym:
        structure.add_entity_types(overwrite=True)
        structure.assign_subchains(force=True)
    return structure


def _with_label_columns(block: gemmi.cif.Block) -> gemmi.cif.Block:
    """Copy of a block with the columns that gemmi cannot do without."""
    block = copy.deepcopy(block)
    chains = list(block.find_values("_atom_site.auth_asym_id"))
    single = block.find_pair("_atom_site.id") is not None
    for tag, values in (("label_asym_id", chains), ("label_alt_id", [])):
        name = f"_atom_site.{tag}"
        if block.find_values(name):
            continue
        if single:
            block.set_pair(name, ".")
        else:
            block.find_values("_atom_site.id").get_loop().add_columns([name], ".")
        column = block.find_values(name)
        for row, value in enumerate(values):
            column[row] = value
    return block


def _structure_from_pdb(text: str, path: Path) -> tuple[gemmi.Structure, tuple[str, ...]]:
    """As for mmCIF: the serial columns are replaced by row numbers before gemmi reads them."""
    lines = _LINE_END.split(text)
    row = 0
    unplaced: set[int] = set()
    for i, line in enumerate(lines):
        # gemmi tells records by four letters; some programs let the serial run into the others
        record = _RECORDS.get(line[:4].upper())
        if record is None:
            continue
        row += 1
        columns = line if line.isascii() else line.encode("ascii", "replace").decode()
        lines[i] = f"{record}{hybrid36(row):>5}{columns[11:]}"
        if not _has_coordinates(line):
            unplaced.add(row)
    if row == 0:
        raise ModelFileError(f"{path}: holds no atoms (neither mmCIF nor PDB records found)")
    structure = gemmi.read_pdb_string("\n".join(lines) + "\n")
    if unplaced:
        _remove_positions(structure, unplaced)
    unread = row - sum(model.count_atom_sites() for model in structure)
    if unread:
        return structure, (f"{unread} atom records stand after END and are left out",)
    return structure, ()


def _has_coordinates(line: str) -> bool:
    """Whether columns 31-54 hold three numbers; gemmi reads anything else as zero."""
    try:
        float(line[30:38]), float(line[38:46]), float(line[46:54])
    except ValueError:
        return False
    return True


def _remove_positions(structure: gemmi.Structure, serials: set[int]) -> None:
    nowhere = gemmi.Position(float("nan"), float("nan"), float("nan"))
    for model in structure:
        for site in model.all():
            if site.atom.serial in serials:
                site.atom.pos = nowhere


def hybrid36(number: int) -> str:
    """Five-column serial number of a PDB file: decimal to 99999, then hybrid-36.

    Parameters
    ----------
    number : int
        0 to 87,440,031.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If the number does not fit.
    """
    if number < 0 or number >= 100_000 + 2 * 26 * 36**4:
        raise ValueError(f"{number} does not fit five hybrid-36 columns")
    if number < 100_000:
        return str(number)
    number -= 100_000
    lower, number = divmod(number, 26 * 36**4)
    number += 10 * 36**4
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _HYBRID36[digit] + digits
    return digits.lower() if lower else digits
