"""Refinement of coordinates by the built-in engine: a minimisation in the map, and no more."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from atomsight.density.map import Map
from atomsight.ensemble.engines.density_force import make_density
from atomsight.ensemble.engines.openmm_engine import Run
from atomsight.ensemble.engines.openmm_system import make_system
from atomsight.ensemble.engines.protocol import OpenMMProtocol
from atomsight.ensemble.libraries import require_openmm
from atomsight.ensemble.positions import positions_of
from atomsight.ensemble.preparation import Prepared, write_model
from atomsight.io.models import read_model

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
