"""Positions of symmetry or assembly copies, for those who want them as neighbours."""

from collections.abc import Iterator
from typing import Literal

import gemmi
import numpy as np

from atomsight.errors import ParameterError
from atomsight.model import Model
from atomsight.typing import Bool_N, Float_Nx3

CopyRule = Literal["none", "assembly", "crystal"]


def copy_positions(
    model: Model, rule: CopyRule, reach: float, *, assembly: str | None = None
) -> Float_Nx3:
    """Atoms of copies of the model that come near it.

    MapQ knows only the atoms in the file, so with copies Q differs from the archive's at
    interfaces.

    Parameters
    ----------
    model : Model
    rule : {"none", "assembly", "crystal"}
        "assembly": the biological assembly that the file describes; "crystal": all copies of the
        space group.
    reach : float
        Å; copies further than this from the model's box are left out.
    assembly : str, optional
        Which assembly; the first one when not given.

    Returns
    -------
    ndarray, shape (m, 3)
        Å; the model itself is not among them.

    Raises
    ------
    ParameterError
        If the file describes no such assembly, or no crystal.
    """
    empty = np.empty((0, 3))
    if rule == "none":
        return empty
    heavy = model.heavy
    low, high = model.xyz[heavy].min(axis=0) - reach, model.xyz[heavy].max(axis=0) + reach
    moves = assembly_operators(model, assembly) if rule == "assembly" else _crystal(model, reach)
    near = [empty]
    for chosen, transform in moves:
        if transform.is_identity():
            continue
        moved = _apply(transform, model.xyz[heavy & chosen])
        near.append(moved[((moved >= low) & (moved <= high)).all(axis=1)])
    return np.concatenate(near)


def _apply(transform: gemmi.Transform, xyz: Float_Nx3) -> Float_Nx3:
    moved: Float_Nx3 = xyz @ np.array(transform.mat.tolist()).T + np.array(transform.vec.tolist())
    return moved


def assembly_operators(model: Model, name: str | None) -> Iterator[tuple[Bool_N, gemmi.Transform]]:
    """Operators of a biological assembly that the file describes.

    Parameters
    ----------
    model : Model
    name : str or None
        Which assembly; None: the first one.

    Yields
    ------
    tuple of ndarray of bool, shape (n,), and gemmi.Transform
        Atoms that an operator copies, and the operator; the identity is among them.

    Raises
    ------
    ParameterError
        If the file describes no such assembly, or its operators cannot be followed.
    """
    assemblies = list(model.structure.assemblies)
    if not assemblies:
        raise ParameterError(f"{model.path}: describes no assembly, so it has no copies to add")
    known = ", ".join(a.name for a in assemblies)
    chosen = next((a for a in assemblies if name in (None, a.name)), None)
    if chosen is None:
        raise ParameterError(f"{model.path}: describes no assembly {name}; it has {known}")
    read = sum(len(generator.operators) for generator in chosen.generators)
    if read == 0 or read != _operators_named(model, chosen.name, read):
        raise ParameterError(
            f"{model.path}: the operators of assembly {chosen.name} cannot be followed (products "
            f"such as (X0)(1-60) are not supported, and all must be described); it has {known}"
        )
    chain = model.residues.chain[model.residue]
    label = model.residues.label_asym[model.residue]
    for generator in chosen.generators:
        # mmCIF lists subchains, PDB lists chains
        members = np.isin(label, list(generator.subchains))
        members |= np.isin(chain, list(generator.chains))
        for operator in generator.operators:
            yield members, operator.transform


def _operators_named(model: Model, name: str, otherwise: int) -> int:
    """How many operators the mmCIF file names for an assembly; gemmi leaves out some silently."""
    if model.document is None:
        return otherwise
    count = 0
    for block in model.document:
        table = block.find("_pdbx_struct_assembly_gen.", ["assembly_id", "oper_expression"])
        for row in table:
            if row.str(0) != name:
                continue
            inner = "".join(row.str(1).split()).removeprefix("(").removesuffix(")")
            if "(" in inner or ")" in inner:
                return -1
            for part in inner.split(","):
                first, _, last = part.partition("-")
                is_range = first.isdigit() and last.isdigit()
                count += int(last) - int(first) + 1 if is_range else 1
    return count


def _crystal(model: Model, reach: float) -> Iterator[tuple[Bool_N, gemmi.Transform]]:
    structure = model.structure
    cell = structure.cell
    group = structure.find_spacegroup()
    if group is None or not cell.is_crystal():
        raise ParameterError(f"{model.path}: describes no crystal, so it has no copies to add")
    everything = np.ones(len(model), dtype=bool)
    fractional = np.array(cell.frac.mat.tolist())
    places = model.xyz[model.heavy] @ fractional.T
    # the model's box along the cell's axes, and the room in it that `reach` takes
    margin = reach * np.linalg.norm(fractional, axis=1)
    low, high = places.min(axis=0) - margin, places.max(axis=0) + margin
    for operation in group.operations():
        rotation = np.array(operation.rot, dtype=float) / gemmi.Op.DEN
        image = places @ rotation.T + np.array(operation.tran, dtype=float) / gemmi.Op.DEN
        first = np.ceil(low - image.max(axis=0)).astype(int)
        last = np.floor(high - image.min(axis=0)).astype(int)
        for shift in np.ndindex(*np.maximum(last - first + 1, 0)):
            yield everything, _cartesian(cell, operation, [*(first + shift)])


def _cartesian(cell: gemmi.UnitCell, operation: gemmi.Op, whole: list[int]) -> gemmi.Transform:
    rotation = np.array(operation.rot, dtype=float) / gemmi.Op.DEN
    translation = np.array(operation.tran, dtype=float) / gemmi.Op.DEN + whole
    orthogonal = np.array(cell.orth.mat.tolist())
    fractional = np.array(cell.frac.mat.tolist())
    transform = gemmi.Transform()
    transform.mat.fromlist((orthogonal @ rotation @ fractional).round(12).tolist())
    transform.vec.fromlist((orthogonal @ translation).round(9).tolist())
    return transform
