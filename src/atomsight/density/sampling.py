"""Map values at arbitrary positions."""

import numpy as np
from scipy import ndimage

from atomsight.density.map import Map, to_index
from atomsight.typing import Float_N, Float_Nx3, Volume


def trilinear(map_: Map, xyz: Float_Nx3) -> Float_N:
    """Trilinear interpolation of a map.

    A position counts as inside where all eight voxels around it exist, that is where
    0 ≤ floor(index) < n - 1 on each axis, as in UCSF Chimera.

    Parameters
    ----------
    map_ : Map
    xyz : ndarray, shape (n, 3)
        Positions in Å.

    Returns
    -------
    ndarray, shape (n,)
        Map units; NaN outside the map.
    """
    index = to_index(map_, xyz)
    low = np.floor(index)
    upper = np.array(map_.values.shape[::-1]) - 1
    inside = ((low >= 0) & (low < upper)).all(axis=1)
    result = np.full(len(index), np.nan)
    if not inside.any():
        return result
    fraction = index[inside] - low[inside]
    i, j, k = low[inside].astype(np.int64).T
    fx, fy, fz = fraction.T
    v = map_.values
    bottom = _plane(v, k, j, i, fy, fx)
    top = _plane(v, k + 1, j, i, fy, fx)
    result[inside] = bottom * (1 - fz) + top * fz
    return result


def trilinear_held(values: Volume, grid: Map, xyz: Float_Nx3) -> Float_N:
    """Trilinear interpolation of values on the grid of a map, held at its edges.

    Parameters
    ----------
    values : ndarray, shape (nz, ny, nx)
    grid : Map
        Its grid counts, not its values.
    xyz : ndarray, shape (n, 3)
        Positions in Å.

    Returns
    -------
    ndarray, shape (n,)
        Outside, the value at the nearest place inside.
    """
    index = to_index(grid, xyz)[:, ::-1].T
    return np.asarray(ndimage.map_coordinates(values, index, order=1, mode="nearest"), dtype=float)


def _plane(
    v: np.ndarray, k: np.ndarray, j: np.ndarray, i: np.ndarray, fy: Float_N, fx: Float_N
) -> Float_N:
    """Bilinear interpolation in the section `k`."""
    front = v[k, j, i] * (1 - fx) + v[k, j, i + 1] * fx
    back = v[k, j + 1, i] * (1 - fx) + v[k, j + 1, i + 1] * fx
    plane: Float_N = front * (1 - fy) + back * fy
    return plane
