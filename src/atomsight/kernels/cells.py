"""A grid of cells over positions, so that neighbours are found without looking at everything."""

import math
from dataclasses import dataclass

import numpy as np

from atomsight.kernels.compilation import kernel
from atomsight.typing import Float_3, Float_N, Float_Nx3, Int_N

_MOST_CELLS_AXIS = 256
_CELLS_AN_ATOM = 64
_STRAY = 0.001

TIE = 1e-10
"""Å: two distances nearer than this are equal, and an equal distance does not exclude."""


@dataclass(frozen=True, slots=True)
class CellGrid:
    """Positions sorted by cell.

    Attributes
    ----------
    xyz : ndarray, shape (n, 3)
        The positions, cell by cell (x fastest).
    order : ndarray of int, shape (n,)
        Row of each of them in the input.
    start : ndarray of int, shape (cells + 1,)
        Where each cell's positions begin in `xyz`.
    shape : ndarray of int, shape (3,)
        Number of cells along x, y, z.
    low : ndarray, shape (3,)
        Corner of the first cell, Å.
    size : float
        Edge of a cell, Å.
    """

    xyz: Float_Nx3
    order: Int_N
    start: Int_N
    shape: Int_N
    low: Float_3
    size: float


def cell_grid(xyz: Float_Nx3, reach: float) -> CellGrid:
    """Sort positions into cells whose edge is at least `reach`.

    Everything within `reach` of a point lies in the point's cell or one of the 26 around it. The
    few positions furthest out along an axis may lie beyond the cells: they belong to the outermost
    ones, so that stray atoms far away (9999.000 for "unknown") cost neither memory nor wider cells
    for all others.

    Parameters
    ----------
    xyz : ndarray, shape (n, 3)
        Finite positions, Å; n ≥ 1.
    reach : float
        Å.

    Returns
    -------
    CellGrid
    """
    n = len(xyz)
    aside = int(_STRAY * n)
    ordered = np.partition(xyz, (aside, n - 1 - aside), axis=0)
    low, extent = ordered[aside], ordered[n - 1 - aside] - ordered[aside]
    most = min(_MOST_CELLS_AXIS, np.ceil(np.cbrt(_CELLS_AN_ATOM * n)))
    size = max(reach, float(extent.max()) / most)
    shape = np.floor(extent / size).astype(np.int64) + 1
    cell = np.clip(np.floor((xyz - low) / size), 0, shape - 1).astype(np.int64)
    number = (cell[:, 2] * shape[1] + cell[:, 1]) * shape[0] + cell[:, 0]
    order = np.argsort(number, kind="stable")
    start = np.zeros(int(shape.prod()) + 1, dtype=np.int64)
    np.cumsum(np.bincount(number, minlength=int(shape.prod())), out=start[1:])
    return CellGrid(np.ascontiguousarray(xyz[order]), order, start, shape, low, size)


@kernel
def cells_around(position: float, low: float, size: float, count: int) -> tuple[int, int]:
    """Range (first, last + 1) of the cells, along one axis, that may hold neighbours."""
    # what lies beyond the cells belongs to the outermost ones
    cell = int(min(max((position - low) / size, 0.0), float(count - 1)))
    return max(cell - 1, 0), min(cell + 2, count)


@kernel
def find_neighbours(
    x0: float,
    y0: float,
    z0: float,
    cell_xyz: Float_Nx3,
    cell_start: Int_N,
    cell_shape: Int_N,
    cell_low: Float_3,
    cell_size: float,
    reach: float,
    way: Float_Nx3,
    distance: Float_N,
    rows: Int_N,
) -> int:
    """Neighbours within `reach`, nearest first; returns their number.

    Atoms at the same place are left out: they exclude nothing. When there are more than the
    scratch arrays hold, the nearest are kept.
    """
    found = 0
    most = distance.shape[0]
    low_x, high_x = cells_around(x0, cell_low[0], cell_size, cell_shape[0])
    low_y, high_y = cells_around(y0, cell_low[1], cell_size, cell_shape[1])
    low_z, high_z = cells_around(z0, cell_low[2], cell_size, cell_shape[2])
    for z in range(low_z, high_z):
        for y in range(low_y, high_y):
            row = (z * cell_shape[1] + y) * cell_shape[0]
            first = np.uintp(cell_start[row + low_x])
            for a in range(first, np.uintp(cell_start[row + high_x])):
                dx = cell_xyz[a, 0] - x0
                dy = cell_xyz[a, 1] - y0
                dz = cell_xyz[a, 2] - z0
                square = dx * dx + dy * dy + dz * dz
                if square > reach * reach or square < TIE * TIE:
                    continue
                if found == most:
                    if square >= distance[most - 1]:
                        continue
                    found -= 1
                k = found
                while k > 0 and distance[k - 1] > square:
                    distance[k] = distance[k - 1]
                    rows[k] = rows[k - 1]
                    k -= 1
                distance[k] = square
                rows[k] = a
                found += 1
    for k in range(found):
        row = rows[k]
        distance[k] = math.sqrt(distance[k])
        way[k, 0] = cell_xyz[row, 0] - x0
        way[k, 1] = cell_xyz[row, 1] - y0
        way[k, 2] = cell_xyz[row, 2] - z0
    return found
