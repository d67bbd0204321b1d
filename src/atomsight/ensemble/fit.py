"""How well positions of a prepared model fit the map: one figure, the same for every model."""

from pathlib import Path

import gemmi
import numpy as np

from atomsight.density.map import Map
from atomsight.ensemble.preparation import Prepared
from atomsight.evidence.correlation import correlate
from atomsight.evidence.model_map import compared_points, comparison_grid, model_map
from atomsight.model import AtomClass, Model, ResidueTable
from atomsight.typing import Float_Nx3


def fit_to_map(prepared: Prepared, xyz: Float_Nx3, map_: Map, resolution: float) -> float:
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

    Returns
    -------
    float
        NaN where no point of the model's map lies in the map.
    """
    model = _model(prepared, xyz)
    where = comparison_grid(map_, model, resolution, "gaussian")
    values = model_map(where, model, 0.0)
    seen = compared_points(where, values)
    m, c = values[seen].astype(float), where.grid.values[seen].astype(float)
    return float(correlate(m, c).cc_mean)


def _model(prepared: Prepared, xyz: Float_Nx3) -> Model:
    """The heavy atoms as columns; there is no file behind them."""
    heavy = prepared.heavy
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
