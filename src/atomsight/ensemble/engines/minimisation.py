"""Refinement of coordinates by the built-in engine: a minimisation in the map, and no more."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from atomsight.density.map import Map
from atomsight.ensemble.engines.density_force import make_density
from atomsight.ensemble.engines.openmm_engine import Run
from atomsight.ensemble.engines.openmm_system import make_system
from atomsight.ensemble.engines.protocol import OpenMMProtocol
from atomsight.ensemble.libraries import require_openmm
from atomsight.ensemble.preparation import Prepared, write_model
from atomsight.errors import ModelFileError
from atomsight.io.models import read_model
from atomsight.model import Model
from atomsight.typing import Float_Nx3

ITERATIONS = 500


def minimiser(
    prepared: Prepared,
    protocol: OpenMMProtocol | None = None,
    *,
    weight: float | None = None,
    iterations: int = ITERATIONS,
) -> Callable[[Path, Map, Path], None]:
    """A function that minimises a model made from this prepared one in a map.

    Parameters
    ----------
    prepared : Prepared
    protocol : OpenMMProtocol, optional
        Force field and map as for making models.
    weight : float, optional
        kJ/mol: another weight of the map.
    iterations : int

    Returns
    -------
    callable
        ``refine(model, map, output)``: reads one file and writes the other; it raises
        ModelFileError where atoms of the prepared model are missing.

    Raises
    ------
    MissingLibraryError
        If OpenMM is not installed.
    """
    require_openmm()
    used = protocol or OpenMMProtocol()
    if weight is not None:
        used = replace(used, map_weight=weight)

    def refine(path: Path, map_: Map, output: Path) -> None:
        xyz = positions_of(prepared, read_model(path))
        density = make_density(
            map_, prepared, blur=used.blur, lowest=used.map_lowest, highest=used.map_highest
        )
        run = Run(make_system(prepared, density, used), used, seed=0)
        run.minimise(xyz, iterations)
        write_model(prepared, run.xyz(), output)

    return refine


def positions_of(prepared: Prepared, model: Model) -> Float_Nx3:
    """Positions of a model's atoms in the order of the prepared one: by names, never by place.

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
    table = model.residues
    columns = (table.chain, table.number, table.icode)
    names = list(zip(*(c[model.residue].tolist() for c in columns), model.atom, strict=True))
    place = {key: i for i, key in enumerate(names)}
    columns = (prepared.chain, prepared.number, prepared.icode)
    rows = (c[prepared.residue].tolist() for c in columns)
    wanted = list(zip(*rows, prepared.atom, strict=True))
    absent = [key for key in wanted if key not in place]
    if absent:
        chain, number, icode, atom = absent[0]
        raise ModelFileError(
            f"{model.path}: {len(absent)} atoms of the prepared model are missing, the first is "
            f"{chain}/{number}{icode} {atom}"
        )
    return np.asarray(model.xyz[[place[key] for key in wanted]], dtype=np.float64)
