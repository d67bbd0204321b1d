"""Atomic profiles: sums of map values in the shells that the Q-score takes its points from."""

import numpy as np

from atomsight.kernels.cells import TIE, find_neighbours
from atomsight.kernels.compilation import kernel
from atomsight.kernels.q_score import (
    CHUNK,
    MOST_NEIGHBOURS,
    is_inside,
    map_value,
    still_kept,
    try_points,
)
from atomsight.typing import Float_3, Float_N, Float_Nx3, FloatArray, Int_N, Volume


@kernel
def shell_sums(
    todo: Int_N,
    xyz: Float_Nx3,
    index: Float_Nx3,
    values: Volume,
    cell_xyz: Float_Nx3,
    cell_start: Int_N,
    cell_shape: Int_N,
    cell_low: Float_3,
    cell_size: float,
    directions: Float_Nx3,
    index_directions: Float_Nx3,
    offsets: Int_N,
    radii: Float_N,
    enough: int,
    exclusion: float,
    n: Int_N,
    outside: Int_N,
    base: Float_N,
    total: FloatArray,
    square: FloatArray,
) -> None:
    """Number of points, sum and sum of squares of the values there, for each atom and shell.

    The points are those of `atomsight.kernels.q_score.q_scores`; a point outside the map counts
    as 0. Sums are taken relative to the value at the atom, as there.

    Parameters
    ----------
    todo : ndarray of int, shape (m,)
        Rows of `xyz` and `index` to do.
    xyz, index : ndarray, shape (n, 3)
        Positions in Å, and as fractional indices of `values` (order x, y, z).
    values : ndarray, shape (nz, ny, nx)
    cell_xyz, cell_start, cell_shape, cell_low, cell_size
        The neighbours, from `atomsight.kernels.cells.cell_grid`.
    directions, index_directions : ndarray, shape (k, 3)
        Points on the unit sphere, in Å and in voxels; all tries one after the other.
    offsets : ndarray of int, shape (tries + 1,)
        Where each try's points begin.
    radii : ndarray, shape (shells,)
        Å, without the centre.
    enough : int
        Points that a shell must keep; also the weight of the centre.
    exclusion : float
        A point is another atom's when that atom is nearer than ``exclusion * R``.
    n, outside : ndarray of int, shape (m, shells + 1)
        Written: points, and how many of them lie outside the map. Column 0 is the centre.
    base : ndarray, shape (m,)
        Written: the map's value at the atom.
    total, square : ndarray, shape (m, shells + 1)
        Written: sums of the values less `base`, and of their squares.
    """
    shape_factor = 1.0 - exclusion * exclusion
    reach = (1.0 + exclusion) * radii[-1]
    way = np.zeros((MOST_NEIGHBOURS + 1, 3))
    distance = np.empty(MOST_NEIGHBOURS)
    limit = np.empty(MOST_NEIGHBOURS + 1)
    rows = np.empty(MOST_NEIGHBOURS, np.int64)
    kept = np.empty(offsets[-1] - offsets[-2], np.int64)
    points = directions.shape[0]
    by_axis = np.zeros((3, points + CHUNK))
    for axis in range(3):
        by_axis[axis, :points] = directions[:, axis]
    covered = np.zeros(points + CHUNK, np.int64)
    for t in range(todo.shape[0]):
        a = todo[t]
        x0, y0, z0 = index[a, 0], index[a, 1], index[a, 2]
        n[t, :] = 0
        outside[t, :] = 0
        total[t, :] = 0.0
        square[t, :] = 0.0
        base[t] = 0.0
        n[t, 0] = enough
        if is_inside(values, x0, y0, z0):
            base[t] = map_value(values, x0, y0, z0)
        else:
            outside[t, 0] = enough
        near = find_neighbours(
            xyz[a, 0], xyz[a, 1], xyz[a, 2], cell_xyz, cell_start, cell_shape, cell_low, cell_size,
            reach, way, distance, rows,
        )  # fmt: skip
        # caps grow up to this radius: points lost are lost for good (see the Q-score's kernel)
        grows = near == 0 or distance[0] * distance[0] > shape_factor * radii[-1] * radii[-1]
        current, count, active = -1, 0, 0
        for s in range(radii.shape[0]):
            r = radii[s]
            while active < near and distance[active] < (1.0 + exclusion) * r:
                active += 1
            for w in range(active):
                d = distance[w]
                limit[w] = (shape_factor * r * r + d * d) / (2.0 * r) + TIE
            if current >= 0:
                count = still_kept(directions, kept, count, way, limit, active)
            if current < 0 or count < enough:
                current, count = try_points(
                    by_axis, offsets, current + 1, enough, way, limit, active, covered, kept
                )
                if current < 0:
                    if grows:
                        break
                    continue
            n[t, s + 1] = count
            for e in range(count):
                p = kept[e]
                x = x0 + r * index_directions[p, 0]
                y = y0 + r * index_directions[p, 1]
                z = z0 + r * index_directions[p, 2]
                u = 0.0
                if is_inside(values, x, y, z):
                    u = map_value(values, x, y, z)
                else:
                    outside[t, s + 1] += 1
                u -= base[t]
                total[t, s + 1] += u
                square[t, s + 1] += u * u
            if not grows:
                current = -1
