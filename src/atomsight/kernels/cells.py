"""A grid of cells over positions, so that neighbours are found without looking at everything."""

from dataclasses import dataclass

import numpy as np

from atomsight.typing import Float_3, Float_Nx3, Int_N

_MOST_CELLS_AXIS = 256
_CELLS_AN_ATOM = 64
_STRAY = 0.001


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
