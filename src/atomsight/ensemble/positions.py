"""Positions of a model's atoms in the order of the prepared one: by names, never by place."""

import numpy as np

from atomsight.ensemble.preparation import Prepared
from atomsight.errors import ModelFileError
from atomsight.model import Model
from atomsight.typing import Float_Nx3, Int_N

_Key = tuple[str, int, str, str]
"""Chain, residue number, insertion code, atom."""


def positions_of(prepared: Prepared, model: Model) -> Float_Nx3:
    """Positions of all atoms of the prepared model in a model that was made from it.

    Parameters
    ----------
    prepared : Prepared
    model : Model

    Returns
    -------
    ndarray, shape (n, 3)
        Å.

    Raises
    ------
    ModelFileError
        If an atom is missing.
    """
    return np.asarray(model.xyz[rows_of(prepared, model)], dtype=np.float64)


def rows_of(prepared: Prepared, model: Model) -> Int_N:
    """Rows of a model's atoms in the order of the prepared one.

    Parameters
    ----------
    prepared : Prepared
    model : Model
        Of alternative conformers the most occupied one counts.

    Returns
    -------
    ndarray of int, shape (n,)

    Raises
    ------
    ModelFileError
        If an atom is missing.
    """
    wanted = _keys_of_prepared(prepared)
    place = _places(model)
    absent = [key for key in wanted if key not in place]
    if absent:
        chain, number, icode, atom = absent[0]
        raise ModelFileError(
            f"{model.path}: {len(absent)} atoms of the prepared model are missing, the first is "
            f"{chain}/{number}{icode} {atom}"
        )
    return np.array([place[key] for key in wanted], dtype=np.int64)


def common_positions(prepared: Prepared, model: Model) -> tuple[Float_Nx3, int]:
    """Positions of the atoms of the prepared model that a model has.

    Parameters
    ----------
    prepared : Prepared
    model : Model
        Of alternative conformers the most occupied one counts.

    Returns
    -------
    xyz : ndarray, shape (n, 3)
        Å; NaN where the model lacks the atom.
    other : int
        Heavy atoms of the model that the prepared one does not have.
    """
    wanted = _keys_of_prepared(prepared)
    place = _places(model)
    xyz = np.full((len(wanted), 3), np.nan)
    for i, key in enumerate(wanted):
        if key in place:
            xyz[i] = model.xyz[place[key]]
    names = _keys_of_model(model)
    heavy = {names[row] for row in np.flatnonzero(model.heavy).tolist()}
    return xyz, len(heavy - {*wanted})


def _places(model: Model) -> dict[_Key, int]:
    """Row of each atom by name; of conformers the most occupied one."""
    names = _keys_of_model(model)
    place: dict[_Key, int] = {}
    for row in np.argsort(-model.occupancy, kind="stable").tolist():
        place.setdefault(names[row], row)
    return place


def _keys_of_model(model: Model) -> list[_Key]:
    table = model.residues
    columns = (table.chain, table.number, table.icode)
    return list(
        zip(*(c[model.residue].tolist() for c in columns), model.atom.tolist(), strict=True)
    )


def _keys_of_prepared(prepared: Prepared) -> list[_Key]:
    columns = (prepared.chain, prepared.number, prepared.icode)
    rows = (c[prepared.residue].tolist() for c in columns)
    return list(zip(*rows, prepared.atom.tolist(), strict=True))
