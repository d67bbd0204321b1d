"""Masks: which voxels belong to the molecule."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from atomsight.density.map import Map, array_statistics
from atomsight.errors import MapFileError

MODEL_THRESHOLD = 0.02
"""In units of the electron density map of the model (Ramírez-Aportela et al. 2021)."""

DILATION = 3
"""Voxels (ibid.)."""

EDGE = 1.5
"""Voxels; standard deviation of the soft edge, which is 0.5 where the hard one was."""


def mask_above(map_: Map, threshold: float, *, dilation: int = DILATION, edge: float = EDGE) -> Map:
    """Mask of what lies above a threshold, grown and with a soft edge.

    Parameters
    ----------
    map_ : Map
        The map of a model (threshold 0.02), or any map with its contour level.
    threshold : float
        In the map's units.
    dilation : int
        Voxels by which the mask grows on all sides.
    edge : float
        Standard deviation of the soft edge in voxels; 0 for a hard edge.

    Returns
    -------
    Map
        Values from 0 to 1; at least 0.5 means inside.

    Raises
    ------
    MapFileError
        If nothing lies above the threshold.
    """
    above = map_.values > threshold
    if not above.any():
        name = "the map" if map_.path is None else str(map_.path)
        raise MapFileError(f"{name}: the mask is empty: nothing lies above {threshold:g}")
    if dilation > 0:
        above = _dilated(above, dilation)
    values = above.astype(np.float32)
    if edge > 0:
        values = ndimage.gaussian_filter(values, edge, mode="nearest")
    return replace(map_, values=values, statistics=array_statistics(values), path=None)


def chosen_voxels(mask: Map, *, step: int = 1) -> np.ndarray:
    """Voxels inside a mask, or every k-th of them along each axis.

    Parameters
    ----------
    mask : Map
    step : int
        k.

    Returns
    -------
    ndarray of int, shape (n, 3)
        Order x, y, z.

    Raises
    ------
    MapFileError
        If the mask is empty.
    """
    inside = mask.values[::step, ::step, ::step] >= 0.5
    voxels = np.argwhere(inside)[:, ::-1] * step
    if not len(voxels):
        name = "the mask" if mask.path is None else str(mask.path)
        raise MapFileError(f"{name}: no voxel reaches 0.5: the mask is empty")
    return np.ascontiguousarray(voxels)


def _dilated(inside: npt.NDArray[np.bool_], radius: int) -> npt.NDArray[np.bool_]:
    """Grow by a ball, only in the box where there is something."""
    where = ndimage.find_objects(inside.astype(np.uint8))[0]
    box = tuple(
        slice(max(s.start - radius, 0), min(s.stop + radius, n))
        for s, n in zip(where, inside.shape, strict=True)
    )
    grown = np.zeros_like(inside)
    grown[box] = ndimage.distance_transform_edt(~inside[box]) <= radius
    return grown
