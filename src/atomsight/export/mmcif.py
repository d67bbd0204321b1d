"""The model as mmCIF with measures beside the atoms, and everything else as it was."""

import re
from collections.abc import Mapping
from math import isfinite
from pathlib import Path

import gemmi
import numpy as np

from atomsight.io.files import write_text
from atomsight.model import Model
from atomsight.typing import Float_N

DECIMALS = 4


def write_mmcif(model: Model, measures: Mapping[str, Float_N], path: Path) -> Path:
    """Write the model as mmCIF with one more ``_atom_site`` column a measure.

    All categories and the order of the rows of an mmCIF input are kept; a PDB input is converted.
    A column that is there already is replaced. Atoms of other MODELs and NaN show ``?``.

    Parameters
    ----------
    model : Model
    measures : mapping
        Name of the column, without ``_atom_site.``, e.g. ``Q-score`` (the name that EMDB's
        validation analysis and 3DBionotes read) → one value an atom.
    path : Path

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    document, rows = _document(model)
    block = next(b for b in document if b.find_values("_atom_site.Cartn_x"))
    table = block.find_mmcif_category("_atom_site.")
    table.ensure_loop()
    loop = block.find_mmcif_category("_atom_site.").loop
    for name, values in measures.items():
        tag = f"_atom_site.{name}"
        if tag not in loop.tags:
            # the case of a tag has no meaning, but readers look for these very letters
            for other in [t for t in loop.tags if t.lower() == tag.lower()]:
                loop.remove_column(other)
            loop.add_columns([tag], "?")
        texts = ["?"] * loop.length()
        for row, value in zip(rows, np.asarray(values).tolist(), strict=True):
            if isfinite(value):
                texts[row] = f"{value:.{DECIMALS}f}"
        column = block.find_values(tag)
        for row, text in enumerate(texts):
            column[row] = text
    # gemmi's own write_file does not notice a full disk
    return write_text(path, document.as_string(_layout()))


def write_b_factors(model: Model, b_iso: Float_N, path: Path) -> Path:
    """Write the model as mmCIF with other B factors.

    Anisotropic displacements are left out: they would contradict them.

    Parameters
    ----------
    model : Model
    b_iso : ndarray, shape (n,)
        Å². Atoms of other MODELs, and those with NaN, keep theirs.
    path : Path

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    document, rows = _document(model)
    block = next(b for b in document if b.find_values("_atom_site.Cartn_x"))
    block.find_mmcif_category("_atom_site_anisotrop.").erase()
    block.find_mmcif_category("_atom_site.").ensure_loop()
    if not block.find_values("_atom_site.B_iso_or_equiv"):
        block.find_mmcif_category("_atom_site.").loop.add_columns(
            ["_atom_site.B_iso_or_equiv"], "?"
        )
    column = block.find_values("_atom_site.B_iso_or_equiv")
    for row, value in zip(rows, b_iso.tolist(), strict=True):
        if isfinite(value):
            column[row] = f"{value:.2f}"
    return write_text(path, document.as_string(_layout()))


def quote_labels(block: gemmi.cif.Block) -> None:
    """Quote the labels of chains where mmCIF asks for it, as for a chain ``'``: gemmi does not.

    Parameters
    ----------
    block : gemmi.cif.Block
        Made by gemmi of a structure; changed in place.
    """
    column = block.find_values("_struct_asym.id")
    for row, label in enumerate(column):
        column[row] = gemmi.cif.quote(label)


def _layout() -> gemmi.cif.WriteOptions:
    options = gemmi.cif.WriteOptions()
    options.align_loops = 30
    return options


def _document(model: Model) -> tuple[gemmi.cif.Document, list[int]]:
    """A copy of the model's document, and the row of each atom in its ``_atom_site``."""
    if model.document is not None:
        document = gemmi.cif.read_string(model.document.as_string())
        return document, model.row.tolist()
    # gemmi writes the atoms in its own order, which may differ from the PDB file's
    order = [atom.serial - 1 for m in model.structure for c in m for r in c for atom in r]
    place = {row: i for i, row in enumerate(order)}
    return _converted(model), [place[row] for row in model.row.tolist()]


def _converted(model: Model) -> gemmi.cif.Document:
    """A PDB file's content as mmCIF."""
    structure = model.structure.clone()
    info = dict(structure.info.items())
    # this becomes the name of the block, in which blanks may not stand
    structure.name = re.sub(r"[^!-~]+", "_", info.get("_entry.id") or model.path.stem)
    document = structure.make_mmcif_document()
    block = document.sole_block()
    quote_labels(block)
    if model.resolution is not None and not block.find_values("_refine.ls_d_res_high"):
        # gemmi leaves out what it knows from REMARK 2
        resolution = {"entry_id": structure.name, "id": "1", "resolution": f"{model.resolution:g}"}
        block.set_pairs("_em_3d_reconstruction.", resolution)
    for axis in "xyz":
        column = block.find_values(f"_atom_site.Cartn_{axis}")
        for row, text in enumerate(column):
            if text == "NaN":
                column[row] = "?"
    return document
