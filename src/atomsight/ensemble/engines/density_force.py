"""The map as a force on atoms."""

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from atomsight.density.map import Map, index_matrix
from atomsight.density.sampling import trilinear
from atomsight.ensemble.box import MARGIN, box_around
from atomsight.ensemble.preparation import Prepared
from atomsight.errors import OverlayError
from atomsight.kernels.density_force import density_force
from atomsight.typing import Float_3, Float_3x3, Float_N, Float_Nx3, Volume

REACH = 4.0
"""Å around atoms that take no part: where density may be theirs."""

_BACKBONE = ("N", "CA", "C", "O", "P", "O5'", "C5'", "C4'", "C3'", "O3'")
_NM = 10.0

MapName = Literal["fine", "coarse"]


@dataclass(frozen=True, slots=True)
class Density:
    """The box of a map around a model, sharp and blurred, in units of the backbone's density.

    Attributes
    ----------
    fine, coarse : ndarray, shape (nz, ny, nx)
        float32; 1 is the median at the backbone of the prepared model.
    origin : ndarray, shape (3,)
        Å.
    matrix : ndarray, shape (3, 3)
        From Å to voxels.
    map : Map
        The same box in the map's own units.
    """

    fine: Volume
    coarse: Volume
    origin: Float_3
    matrix: Float_3x3
    map: Map


def make_density(
    map_: Map, prepared: Prepared, *, blur: float, lowest: float, highest: float
) -> Density:
    """Bring a map to the scale of the model's backbone.

    ρ = map / median(map at N, CA, C, O), clipped to [lowest, highest]. The blurred map is scaled
    by its own median. Density of atoms that take no part (ligands, other chains) is taken out
    before: voxels nearer to one of them than to the model are 0.

    Parameters
    ----------
    map_ : Map
    prepared : Prepared
    blur : float
        Standard deviation of the Gaussian, Å.
    lowest, highest : float
        In units of the backbone's density.

    Returns
    -------
    Density

    Raises
    ------
    OverlayError
        If the model's backbone does not lie in density.
    """
    box = own_density(map_, prepared)
    values = box.values
    blurred = ndimage.gaussian_filter(values, [blur / s for s in box.voxel_size[::-1]])
    backbone = prepared.xyz[np.isin(prepared.atom, _BACKBONE) & ~prepared.added]
    scaled = []
    for volume in (values, blurred):
        level = float(np.nanmedian(trilinear(_on(box, volume), backbone)))
        if not level > 0:
            raise OverlayError(
                f"{'the map' if map_.path is None else map_.path}: the median density at the "
                f"model's backbone is {level:.3g}, not positive: does the model lie in this map?"
            )
        scaled.append(np.clip(volume / np.float32(level), lowest, highest).astype(np.float32))
    return Density(scaled[0], scaled[1], box.origin, index_matrix(box), box)


def own_density(map_: Map, prepared: Prepared) -> Map:
    """The box of a map around a model, without the density of atoms that take no part.

    Parameters
    ----------
    map_ : Map
    prepared : Prepared

    Returns
    -------
    Map
        float32; 0 at voxels within `REACH` of another atom and nearer to it than to the model.
    """
    box = box_around(map_, prepared.xyz)
    # a voxel without a value says nothing: no density
    values = np.nan_to_num(box.values.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    values[_owned_by_others(box, prepared)] = 0.0
    return _on(box, values)


def _owned_by_others(box: Map, prepared: Prepared) -> npt.NDArray[np.bool_]:
    """Voxels within `REACH` of an atom that takes no part, and nearer to it than to the model."""
    from scipy.spatial import KDTree  # noqa: PLC0415  (slow to import)

    owned = np.zeros(box.values.shape, dtype=bool)
    low, high = prepared.xyz.min(axis=0) - MARGIN, prepared.xyz.max(axis=0) + MARGIN
    others = prepared.others[((prepared.others > low) & (prepared.others < high)).all(axis=1)]
    if len(others) == 0:
        return owned
    index = np.indices(owned.shape).reshape(3, -1)[::-1]
    points = (box.step @ index).T + box.origin
    theirs = np.asarray(KDTree(others).query(points, distance_upper_bound=REACH)[0])
    near = np.flatnonzero(np.isfinite(theirs))
    ours = np.asarray(KDTree(prepared.xyz[prepared.heavy]).query(points[near])[0])
    owned.reshape(-1)[near[theirs[near] < ours]] = True
    return owned


class DensityForce:
    """Computes energy and forces for OpenMM's PythonForce; the map can be exchanged.

    Parameters
    ----------
    density : Density
    weight : ndarray, shape (n,)
        kJ/mol for one unit of density, of each atom that feels the map.
    """

    def __init__(self, density: Density, weight: Float_N) -> None:
        self._maps: dict[MapName, Volume] = {"fine": density.fine, "coarse": density.coarse}
        self._values = density.fine
        self._origin = density.origin / _NM
        self._matrix = np.ascontiguousarray(density.matrix * _NM)
        self._weight = weight
        self._force = np.zeros((len(weight), 3))

    def use(self, name: MapName) -> None:
        """Choose the map that acts from now on.

        Parameters
        ----------
        name : {"fine", "coarse"}
        """
        self._values = self._maps[name]

    def __call__(self, state: Any) -> tuple[float, Float_Nx3]:
        """Energy in kJ/mol and forces in kJ/mol/nm."""
        xyz = state.getPositions(asNumpy=True)._value  # noqa: SLF001  (units cost as much as the map)
        energy = density_force(
            xyz, self._weight, self._values, self._origin, self._matrix, self._force
        )
        return energy, self._force


def _on(box: Map, values: Volume) -> Map:
    return replace(box, values=values)
