"""The names under which atoms and residues are known in every table."""

import numpy as np

from atomsight.model import AtomClass, Model
from atomsight.typing import Int_N, Str_N

CLASS_LABELS = np.array([kind.label for kind in AtomClass])


def atom_keys(model: Model) -> dict[str, np.ndarray]:
    """Columns that name an atom; together they are unique in a well-formed file.

    Parameters
    ----------
    model : Model

    Returns
    -------
    dict
        Name of the column → one value an atom.
    """
    residues, residue = model.residues, model.residue
    return {
        "model": np.full(len(model), model.number),
        "chain": residues.chain[residue],
        "label_asym": residues.label_asym[residue],
        "number": residues.number[residue],
        "icode": residues.icode[residue],
        "residue": residues.name[residue],
        "atom": model.atom,
        "altloc": model.altloc,
        "element": model.element,
        "class": CLASS_LABELS[model.atom_class],
        "x": model.xyz[:, 0],
        "y": model.xyz[:, 1],
        "z": model.xyz[:, 2],
        "occupancy": model.occupancy,
        "b_iso": model.b_iso,
    }


def residue_keys(model: Model) -> dict[str, np.ndarray]:
    """Columns that name a residue.

    Parameters
    ----------
    model : Model

    Returns
    -------
    dict
        Name of the column → one value a residue.
    """
    residues = model.residues
    return {
        "model": np.full(len(residues), model.number),
        "chain": residues.chain,
        "label_asym": residues.label_asym,
        "number": residues.number,
        "icode": residues.icode,
        "residue": residues.name,
        "class": CLASS_LABELS[residues.atom_class],
        "entity": residues.entity,
    }


def grouped(*names: Str_N) -> tuple[list[tuple[str, ...]], Int_N]:
    """Rows that agree in all of their names.

    Parameters
    ----------
    *names : ndarray of str, shape (m,)

    Returns
    -------
    keys : list of tuple of str
        The names of each group, in order of first appearance.
    group : ndarray of int, shape (m,)
        Which group each row belongs to.
    """
    place: dict[tuple[str, ...], int] = {}
    rows = zip(*(column.tolist() for column in names), strict=True)
    group = [place.setdefault(row, len(place)) for row in rows]
    return list(place), np.array(group, dtype=np.int64)
