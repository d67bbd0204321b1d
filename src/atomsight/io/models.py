"""Reading mmCIF and PDB models into columns, in the order of the file."""

import re
from pathlib import Path

import gemmi
import numpy as np

from atomsight.errors import ModelFileError
from atomsight.io.classes import component_types, residue_class
from atomsight.io.files import read_text_bytes, require_file
from atomsight.model import Model, ResidueTable
from atomsight.typing import Int_N, PathLikeStr, Str_N

_PDB_ATOM = re.compile(r"^(ATOM  |HETATM)", re.MULTILINE)
_CIF_START = re.compile(r"^\s*(?:#[^\n]*\n\s*)*data_", re.IGNORECASE)
_HYBRID36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_RESOLUTION_TAGS = (
    "_em_3d_reconstruction.resolution",
    "_refine.ls_d_res_high",
    "_reflns.d_resolution_high",
)
_NAME_BYTES = 8


def read_model(path: PathLikeStr, *, model: int | None = None) -> Model:
    """Read one MODEL of an mmCIF or PDB file (plain or gzipped; told apart by content).

    Parameters
    ----------
    path : path
    model : int, optional
        Number of the MODEL to take; the first one when not given.

    Returns
    -------
    Model
        Atoms in the order of the file.

    Raises
    ------
    ModelFileError
        If the file cannot be read, has no such MODEL, or holds no atoms with coordinates other
        than hydrogens.
    """
    file = require_file(path, "model", ModelFileError)
    text, notes = _decode(read_text_bytes(file, "model", ModelFileError))
    document: gemmi.cif.Document | None = None
    block: gemmi.cif.Block | None = None
    try:
        if _CIF_START.match(text):
            document = gemmi.cif.read_string(text)
            block = _coordinate_block(document, file)
            structure = _structure_from_block(block)
        else:
            structure = _structure_from_pdb(text, file)
    except (RuntimeError, ValueError, TypeError) as exc:
        raise ModelFileError(f"{file}: cannot be read as a model ({exc})") from None
    numbers = tuple(m.num for m in structure)
    if not numbers:
        raise ModelFileError(f"{file}: holds no atoms")
    structure.setup_entities()
    number = numbers[0] if model is None else model
    if number not in numbers:
        shown = ", ".join(map(str, numbers[:10])) + (" …" if len(numbers) > 10 else "")
        raise ModelFileError(f"{file}: has no MODEL {number}; it has {shown}")
    if model is None and len(numbers) > 1:
        notes += (f"the file holds {len(numbers)} MODELs: MODEL {number} taken (--model)",)
    resolution, source = _resolution(structure, block)
    columns = _columns(structure, number, file, component_types(block))
    result = Model(
        **columns,
        structure=structure,
        number=number,
        model_numbers=numbers,
        path=file,
        document=document,
        resolution=resolution,
        resolution_source=source,
        notes=notes,
    )
    _check_content(result)
    return result


def _decode(data: bytes) -> tuple[str, tuple[str, ...]]:
    try:
        return data.decode("utf-8"), ()
    except UnicodeDecodeError:
        return data.decode("latin-1"), ("the file is not UTF-8: read as Latin-1",)


def _coordinate_block(document: gemmi.cif.Document, file: Path) -> gemmi.cif.Block:
    """The first block with atoms; files from refinement carry dictionaries in further blocks."""
    for block in document:
        if block.find_values("_atom_site.Cartn_x") or block.find_values("_atom_site.id"):
            return block
    raise ModelFileError(f"{file}: holds no atoms (no _atom_site category)")


def _structure_from_block(block: gemmi.cif.Block) -> gemmi.Structure:
    """Structure whose serials are row numbers: gemmi groups atoms, and this leads back to rows."""
    column = block.find_values("_atom_site.id")
    names = list(column)
    if not names:
        raise ValueError("_atom_site has no id column")
    for row in range(len(names)):
        column[row] = str(row + 1)
    try:
        structure = gemmi.make_structure_from_block(block)
    finally:
        for row, name in enumerate(names):
            column[row] = name
    return structure


def _structure_from_pdb(text: str, file: Path) -> gemmi.Structure:
    """As for mmCIF: the serial columns are replaced by row numbers before gemmi reads them."""
    lines = text.splitlines()
    row = 0
    for i, line in enumerate(lines):
        if line.startswith(("ATOM  ", "HETATM")):
            row += 1
            lines[i] = f"{line[:6]}{hybrid36(row):>5}{line[11:]}"
    if row == 0:
        raise ModelFileError(f"{file}: holds no atoms (neither mmCIF nor PDB records found)")
    return gemmi.read_pdb_string("\n".join(lines) + "\n")


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


def _resolution(
    structure: gemmi.Structure, block: gemmi.cif.Block | None
) -> tuple[float | None, str]:
    """Resolution from the file's own metadata, and the record that gave it."""
    if block is not None:
        for tag in _RESOLUTION_TAGS:
            for text in block.find_values(tag):
                value = gemmi.cif.as_number(text)
                if np.isfinite(value) and value > 0:
                    return value, tag
        return None, ""
    if structure.resolution > 0:
        return structure.resolution, "REMARK 2"
    return None, ""


def _strings(raw: np.ndarray) -> Str_N:
    """gemmi's rows of zero-padded bytes as strings."""
    wide = np.ascontiguousarray(raw).view(np.uint8)
    fixed = wide.view(f"S{wide.shape[1]}").ravel()
    return np.char.decode(fixed, "utf-8", "replace")


def _columns(
    structure: gemmi.Structure, number: int, file: Path, types: dict[str, str]
) -> dict[str, object]:
    """All columns of one MODEL, brought to the order of the file."""
    chosen = next(m for m in structure if m.num == number)
    names, atom_residue = _residues(structure, chosen, types)
    flat = gemmi.FlatStructure(structure)
    here = np.asarray(flat.model_num) == number
    row = np.asarray(flat.serials)[here].astype(np.int64) - 1
    order = np.argsort(row, kind="stable")
    if len(row) == 0:
        raise ModelFileError(f"{file}: MODEL {number} holds no atoms")
    atom = _strings(np.asarray(flat.atom_names)[here])
    if any(len(a.name.encode()) > _NAME_BYTES for c in chosen for r in c for a in r):
        atom = np.array([a.name for c in chosen for r in c for a in r])
    altloc = np.asarray(flat.altlocs)[here].astype(np.uint8)
    element = np.asarray(flat.element_names)[here].astype("U2")
    first, residue = _first_appearance(atom_residue[order])
    return {
        "xyz": np.asarray(flat.pos)[here][order],
        "atom": atom[order],
        "element": element[order],
        "altloc": np.char.strip(np.array([chr(c) if c else "" for c in range(256)]))[altloc[order]],
        "occupancy": _rounded(np.asarray(flat.occ)[here][order]),
        "b_iso": _rounded(np.asarray(flat.b_iso)[here][order]),
        "hydrogen": np.isin(element[order], ["H", "D"]),
        "residue": residue,
        "row": row[order],
        "residues": ResidueTable(**{key: column[first] for key, column in names.items()}),
    }


def _rounded(values: np.ndarray) -> np.ndarray:
    """float32 from gemmi as the decimal number that stood in the file."""
    return np.round(values.astype(np.float64), 5)


def _residues(
    structure: gemmi.Structure, chosen: gemmi.Model, types: dict[str, str]
) -> tuple[dict[str, np.ndarray], Int_N]:
    """Columns a residue in gemmi's order, and the residue of each atom in gemmi's order."""
    entities = {entity.name: entity for entity in structure.entities}
    rows = [
        (
            chain.name,
            residue.subchain,
            residue.seqid.num if residue.seqid.num is not None else 0,
            residue.seqid.icode.strip(),
            residue.name,
            residue.entity_id,
            int(residue_class(residue, entities.get(residue.entity_id), types)),
            len(residue),
        )
        for chain in chosen
        for residue in chain
    ]
    keys = ("chain", "label_asym", "number", "icode", "name", "entity", "atom_class", "size")
    table = {
        key: np.array(
            [row[i] for row in rows], dtype=np.int64 if isinstance(rows[0][i], int) else None
        )
        for i, key in enumerate(keys)
    }
    size = table.pop("size")
    return table, np.repeat(np.arange(len(rows)), size)


def _first_appearance(residue: Int_N) -> tuple[Int_N, Int_N]:
    """Residues in order of first appearance, and each atom's place among them."""
    unique, first, inverse = np.unique(residue, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return unique[order], rank[inverse]


def _check_content(model: Model) -> None:
    if not model.has_position.any():
        raise ModelFileError(f"{model.path}: none of its atoms has coordinates")
    if not model.heavy.any():
        raise ModelFileError(f"{model.path}: holds only hydrogens; there is nothing to score")
