"""Density at the atoms: Rossmann's scores, the oldest and plainest of all.

::

    density(atom) = (map value at the atom - mean of the map) / sd of the map        (σ)

A model is scored by the mean over its atoms, and by the share of atoms in negative density.
"""

from dataclasses import dataclass

import numpy as np

from atomsight.density.map import Map, to_index
from atomsight.density.sampling import trilinear
from atomsight.evidence.status import Status
from atomsight.model import Model
from atomsight.typing import Bool_N, Float_N, Status_N


@dataclass(frozen=True, slots=True)
class AtomDensity:
    """Density at the atoms of a model, in its order.

    Attributes
    ----------
    value : ndarray, shape (n,)
        Map value at the atom, by trilinear interpolation: the mean of the eight grid points
        around it, weighted by nearness. Map units; NaN where `status` says why.
    trilinear : ndarray, shape (n,)
        The same in σ above the mean of the whole map.
    nearest : ndarray, shape (n,)
        Value of the grid point nearest to the atom, in σ above the mean of the whole map.
    status : ndarray of uint8, shape (n,)
        `Status` of each atom.
    mean, sd : float
        Of all voxels of the map file, map units.
    """

    value: Float_N
    trilinear: Float_N
    nearest: Float_N
    status: Status_N
    mean: float
    sd: float

    @property
    def counted(self) -> Bool_N:
        """Atoms that enter averages, shape (n,)."""
        return np.asarray(self.status == Status.OK)


@dataclass(frozen=True, slots=True)
class NegativeDensity:
    """How many atoms lie in negative density.

    Attributes
    ----------
    n : int
        Atoms looked at.
    below_zero : int
        Those whose map value is below 0: Rossmann's "atoms in negative density".
    below_mean : int
        Those whose map value is below the mean of the map: the same in a map whose mean is 0.
    """

    n: int
    below_zero: int
    below_mean: int

    @property
    def fraction_below_zero(self) -> float:
        """Share of the atoms, 0 to 1; NaN without atoms."""
        return self.below_zero / self.n if self.n else float("nan")

    @property
    def fraction_below_mean(self) -> float:
        """Share of the atoms, 0 to 1; NaN without atoms."""
        return self.below_mean / self.n if self.n else float("nan")


def atom_density(map_: Map, model: Model) -> AtomDensity:
    """Density at every atom other than hydrogen.

    Parameters
    ----------
    map_ : Map
        Its statistics are those of the whole file, whichever part is in memory.
    model : Model

    Returns
    -------
    AtomDensity
        OUTSIDE where one of the eight grid points around the atom is not in the map, NOT_FINITE
        where one of them is NaN or Inf, CONSTANT where the whole map has one value.

    References
    ----------
    Rossmann (2000), Acta Cryst. D56, 1341-1349.
    """
    mean, sd = map_.statistics.mean, map_.statistics.sd
    # of one value throughout, the sd may still be a rounding error
    varies = sd > 0 and map_.statistics.maximum > map_.statistics.minimum
    with np.errstate(invalid="ignore"):  # NaN and Inf get a status
        value = trilinear(map_, model.xyz)
        index = to_index(map_, model.xyz)
    low = np.floor(index)
    inside = ((low >= 0) & (low < np.array(map_.values.shape[::-1]) - 1)).all(axis=1)
    i, j, k = np.floor(index[inside] + 0.5).astype(np.int64).T
    nearest = np.full(len(model), np.nan)
    nearest[inside] = map_.values[k, j, i]

    status = np.full(len(model), Status.OK, dtype=np.uint8)
    if not varies:
        status[:] = Status.CONSTANT
    status[~np.isfinite(value)] = Status.NOT_FINITE
    status[~inside] = Status.OUTSIDE
    status[~model.has_position] = Status.NO_POSITION
    status[model.hydrogen] = Status.HYDROGEN
    known = status == Status.OK
    value[~known] = nearest[~known] = np.nan
    scale = sd if varies else np.nan
    return AtomDensity(value, (value - mean) / scale, (nearest - mean) / scale, status, mean, sd)


def negative_density(density: AtomDensity) -> NegativeDensity:
    """Count the atoms in negative density.

    Parameters
    ----------
    density : AtomDensity

    Returns
    -------
    NegativeDensity

    References
    ----------
    Rossmann (2000), Acta Cryst. D56, 1341-1349.
    """
    value = density.value[density.counted]
    return NegativeDensity(len(value), int((value < 0).sum()), int((value < density.mean).sum()))
