"""How well positions of a prepared model fit the map: one figure, the same for every model."""

from dataclasses import dataclass
from pathlib import Path

import gemmi
import numpy as np

from atomsight.density.map import Map
from atomsight.ensemble.positions import common_positions
from atomsight.ensemble.preparation import Prepared
from atomsight.evidence.correlation import correlate
from atomsight.evidence.model_map import compared_points, comparison_grid, model_map
from atomsight.model import AtomClass, Model, ResidueTable
from atomsight.typing import Bool_N, Float_Nx3

LEAST_COMMON = 0.95
"""Share of the prepared model's heavy atoms that another program's model must have for a fit."""


@dataclass(frozen=True, slots=True)
class CommonFit:
    """How a model that another program made fits the map, beside the prepared one.

    Attributes
    ----------
    start, end : float
        `fit_to_map` of the prepared model and of this one, both over the heavy atoms that the two
        have in common; NaN where these are less than `LEAST_COMMON` of the prepared model's.
    missing : int
        Heavy atoms of the prepared model that this one lacks.
    other : int
        Heavy atoms of this one that the prepared model does not have.
    """

    start: float
    end: float
    missing: int
    other: int


def fit_of_model(prepared: Prepared, model: Model, map_: Map, resolution: float) -> CommonFit:
    """Fit of a model that another program made from the prepared one; atoms count by name.

    Parameters
    ----------
    prepared : Prepared
    model : Model
    map_ : Map
        The whole, or the box around the model.
    resolution : float
        Å.

    Returns
    -------
    CommonFit
    """
    xyz, other = common_positions(prepared, model)
    common = prepared.heavy & np.isfinite(xyz).all(axis=1)
    wanted, there = int(prepared.heavy.sum()), int(common.sum())
    start = end = float("nan")
    if there >= LEAST_COMMON * wanted:
        start = fit_to_map(prepared, prepared.xyz, map_, resolution, common)
        end = fit_to_map(prepared, xyz, map_, resolution, common)
    return CommonFit(start, end, wanted - there, other)


def fit_to_map(
    prepared: Prepared,
    xyz: Float_Nx3,
    map_: Map,
    resolution: float,
    atoms: Bool_N | None = None,
) -> float:
    """Correlation about the means of the map with the map of the model, heavy atoms only.

    The model's map is one Gaussian an atom, as in `atomsight.evidence.correlation.correlation`,
    whose `cc_mean` this is.

    Parameters
    ----------
    prepared : Prepared
    xyz : ndarray, shape (n, 3)
        Å.
    map_ : Map
        The whole, or the box around the model.
    resolution : float
        Å.
    atoms : ndarray of bool, shape (n,), optional
        Heavy atoms that count; all of them by default.

    Returns
    -------
    float
        NaN where no point of the model's map lies in the map.
    """
    model = _model(prepared, xyz, prepared.heavy if atoms is None else atoms)
    where = comparison_grid(map_, model, resolution, "gaussian")
    values = model_map(where, model, 0.0)
    seen = compared_points(where, values)
    m, c = values[seen].astype(float), where.grid.values[seen].astype(float)
    return float(correlate(m, c).cc_mean)


def _model(prepared: Prepared, xyz: Float_Nx3, heavy: Bool_N) -> Model:
    """Heavy atoms as columns; there is no file behind them."""
    n, m = int(heavy.sum()), len(prepared.number)
    nothing = np.full(m, "")
    residues = ResidueTable(
        chain=prepared.chain,
        label_asym=nothing,
        icode=prepared.icode,
        name=prepared.name,
        entity=nothing,
        number=prepared.number,
        atom_class=np.full(m, int(AtomClass.PROTEIN)),
    )
    return Model(
        xyz=xyz[heavy],
        atom=prepared.atom[heavy],
        element=prepared.element[heavy],
        altloc=np.full(n, ""),
        occupancy=np.ones(n),
        b_iso=np.full(n, prepared.b_iso),
        hydrogen=np.zeros(n, dtype=bool),
        residue=prepared.residue[heavy],
        row=np.arange(n),
        residues=residues,
        structure=gemmi.Structure(),
        number=1,
        model_numbers=(1,),
        path=Path("the model"),
    )
