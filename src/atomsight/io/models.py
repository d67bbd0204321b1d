"""Reading mmCIF and PDB models into columns, in the order of the file."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import gemmi
import numpy as np

from atomsight.errors import ModelFileError
from atomsight.io.classes import component_types, residue_class
from atomsight.io.files import read_text_bytes, require_file
from atomsight.io.structures import ParsedModel, parse_structure
from atomsight.model import Model, ResidueTable
from atomsight.typing import Float_N, Int_N, PathLikeStr

_RESOLUTION_TAGS = (
    "_em_3d_reconstruction.resolution",
    "_refine.ls_d_res_high",
    "_reflns.d_resolution_high",
)


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
    parsed = parse_structure(read_text_bytes(file, "model", ModelFileError), file)
    numbers = tuple(m.num for m in parsed.structure)
    number = numbers[0] if model is None else model
    if number not in numbers:
        shown = ", ".join(map(str, numbers[:10])) + (" …" if len(numbers) > 10 else "")
        raise ModelFileError(f"{file}: has no MODEL {number}; it has {shown}")
    result = _model(parsed, file, number)
    if model is None and len(numbers) > 1:
        note = f"the file holds {len(numbers)} MODELs: MODEL {number} taken (--model)"
        result = replace(result, notes=(*parsed.notes, note, *result.notes[len(parsed.notes) :]))
    return result


def read_models(path: PathLikeStr) -> tuple[Model, ...]:
    """Read every MODEL of an mmCIF or PDB file.

    Parameters
    ----------
    path : path

    Returns
    -------
    tuple of Model
        In the order of the file.

    Raises
    ------
    ModelFileError
        If the file cannot be read, or a MODEL holds no atoms with coordinates other than
        hydrogens.
    """
    file = require_file(path, "model", ModelFileError)
    parsed = parse_structure(read_text_bytes(file, "model", ModelFileError), file)
    return tuple(_model(parsed, file, one.num) for one in parsed.structure)


def _model(parsed: ParsedModel, file: Path, number: int) -> Model:
    """One MODEL of what was parsed."""
    structure, block, notes = parsed.structure, parsed.block, parsed.notes
    resolution, source = _resolution(structure, block)
    result = Model(
        **_columns(structure, number, component_types(block)),
        structure=structure,
        number=number,
        model_numbers=tuple(m.num for m in structure),
        path=file,
        document=parsed.document,
        resolution=resolution,
        resolution_source=source,
        notes=notes,
    )
    _check_content(result)
    absent = len(result) - np.count_nonzero(result.has_position)
    if absent:
        result = replace(result, notes=(*notes, f"{absent} atoms have no coordinates"))
    return result


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


def _flat(structure: gemmi.Structure) -> gemmi.FlatStructure:
    """Columns of numbers; gemmi refuses to make them beside names of eight letters and more."""
    try:
        return gemmi.FlatStructure(structure)
    except RuntimeError:
        nameless = structure.clone()
        for model in nameless:
            for chain in model:
                chain.name = ""
                for residue in chain:
                    residue.name = residue.subchain = residue.entity_id = ""
                    for atom in residue:
                        atom.name = ""
        return gemmi.FlatStructure(nameless)


def _columns(structure: gemmi.Structure, number: int, types: dict[str, str]) -> dict[str, Any]:
    """All columns of one MODEL, brought to the order of the file."""
    chosen = next(m for m in structure if m.num == number)
    residues, residue = _residues(structure, chosen, types)
    alone = gemmi.Structure()
    alone.add_model(chosen)
    flat = _flat(alone)
    row = np.asarray(flat.serials).astype(np.int64) - 1
    order = np.argsort(row, kind="stable")
    atom = np.array([a.name for c in chosen for r in c for a in r])
    altloc = np.asarray(flat.altlocs).astype(np.uint8)
    element = np.asarray(flat.element_names).astype("U2")
    return {
        "xyz": np.asarray(flat.pos)[order],
        "atom": atom[order],
        "element": element[order],
        "altloc": np.char.strip(np.array([chr(c) if c else "" for c in range(256)]))[altloc[order]],
        "occupancy": _rounded(np.asarray(flat.occ)[order]),
        "b_iso": _rounded(np.asarray(flat.b_iso)[order]),
        "hydrogen": np.isin(element[order], ["H", "D"]),
        "residue": residue[order],
        "row": row[order],
        "residues": residues,
    }


def _rounded(values: np.ndarray) -> Float_N:
    """Bring gemmi's float32 back to the decimal numbers that stood in the file."""
    unique, inverse = np.unique(values.astype(np.float32), return_inverse=True)
    decimal: Float_N = unique.astype("U32").astype(np.float64)[inverse]
    return decimal


def _residues(
    structure: gemmi.Structure, chosen: gemmi.Model, types: dict[str, str]
) -> tuple[ResidueTable, Int_N]:
    """Build the table of residues, and the residue of each atom in gemmi's order."""
    entities = {entity.name: entity for entity in structure.entities}
    rows: list[tuple[str | int, ...]] = []
    place: list[int] = []
    # a residue that is continued further down in the file comes as a second one from gemmi
    row_of: dict[tuple[str | int, ...], int] = {}
    for chain in chosen:
        for residue in chain:
            key = (
                chain.name,
                residue.subchain,
                residue.seqid.num if residue.seqid.num is not None else 0,
                residue.seqid.icode.strip(),
                residue.name,
                residue.entity_id,
            )
            if key not in row_of:
                row_of[key] = len(rows)
                kind = residue_class(residue, entities.get(residue.entity_id), types)
                rows.append((*key, int(kind)))
            place += [row_of[key]] * len(residue)
    keys = ("chain", "label_asym", "number", "icode", "name", "entity", "atom_class")
    table = {
        key: np.array(
            [row[i] for row in rows], dtype=np.int64 if isinstance(rows[0][i], int) else None
        )
        for i, key in enumerate(keys)
    }
    return ResidueTable(**table), np.array(place, dtype=np.int64)


def _check_content(model: Model) -> None:
    if not model.has_position.any():
        raise ModelFileError(f"{model.path}: none of its atoms has coordinates")
    if not model.heavy.any():
        raise ModelFileError(f"{model.path}: holds only hydrogens; there is nothing to score")
