"""The Q-score's hot loop: for each atom, the points that are its own, and the correlation there.

The rules (20 shells, up to 50 tries a shell, 0.9 R) are those of `atomsight.evidence.q_score`;
here stands only how they are computed fast. Two facts save most of the work, and change nothing:

* With p a unit vector and v the way to a neighbour, ``|R p - v| < f R`` is the same as
  ``p·v > ((1 - f²) R² + |v|²) / (2 R)``: each neighbour cuts a cap from the sphere.
* That cap grows with R as long as ``R < |v| / sqrt(1 - f²)``. A point lost at one radius is lost
  at all larger ones: a try that failed need not be repeated, only the survivors are looked at
  again, and a shell without enough points is the last one. Atoms with a neighbour too near for
  this (alternative conformers, clashes) take the long way.
"""

import math

import numpy as np

from atomsight.kernels.compilation import kernel
from atomsight.typing import Float_3, Float_N, Float_Nx3, FloatArray, Int_N, Status_N, Volume

OK, PARTLY_OUTSIDE, OUTSIDE, NO_SHELLS, NOT_FINITE, CONSTANT = 0, 1, 2, 3, 4, 5
"""Status codes that the kernel gives."""

TIE = 1e-10
"""Å: two distances nearer than this are equal, and an equal distance does not exclude."""

NOISE = 1e-12
"""Relative spread below which values are constant up to rounding."""

_MOST_NEIGHBOURS = 1024


@kernel
def find_neighbours(
    centre: Float_3,
    cell_xyz: Float_Nx3,
    cell_start: Int_N,
    cell_shape: Int_N,
    cell_low: Float_3,
    cell_size: float,
    reach: float,
    way: Float_Nx3,
    distance: Float_N,
) -> int:
    """Neighbours within `reach`, nearest first; returns their number.

    Atoms at the same place are left out: they exclude nothing. When there are more than the
    scratch arrays hold, the nearest are kept.
    """
    found = 0
    most = distance.shape[0]
    low = np.empty(3, np.int64)
    high = np.empty(3, np.int64)
    for axis in range(3):
        last = cell_shape[axis] - 1
        # what lies beyond the cells belongs to the outermost ones
        cell = int(min(max((centre[axis] - cell_low[axis]) / cell_size, 0.0), float(last)))
        low[axis] = max(cell - 1, 0)
        high[axis] = min(cell + 1, last)
    for z in range(low[2], high[2] + 1):
        for y in range(low[1], high[1] + 1):
            row = (z * cell_shape[1] + y) * cell_shape[0]
            for a in range(cell_start[row + low[0]], cell_start[row + high[0] + 1]):
                dx = cell_xyz[a, 0] - centre[0]
                dy = cell_xyz[a, 1] - centre[1]
                dz = cell_xyz[a, 2] - centre[2]
                square = dx * dx + dy * dy + dz * dz
                if square > reach * reach or square < TIE * TIE:
                    continue
                d = math.sqrt(square)
                if found == most:
                    if d >= distance[most - 1]:
                        continue
                    found -= 1
                k = found
                while k > 0 and distance[k - 1] > d:
                    distance[k] = distance[k - 1]
                    way[k, 0] = way[k - 1, 0]
                    way[k, 1] = way[k - 1, 1]
                    way[k, 2] = way[k - 1, 2]
                    k -= 1
                distance[k] = d
                way[k, 0] = dx
                way[k, 1] = dy
                way[k, 2] = dz
                found += 1
    return found


@kernel
def map_value(values: Volume, x: float, y: float, z: float) -> float:
    """Trilinear interpolation at fractional indices, which must be inside."""
    i = int(x)
    j = int(y)
    k = int(z)
    fx = x - i
    fy = y - j
    fz = z - k
    gx = 1.0 - fx
    a = values[k, j, i] * gx + values[k, j, i + 1] * fx
    b = values[k, j + 1, i] * gx + values[k, j + 1, i + 1] * fx
    c = values[k + 1, j, i] * gx + values[k + 1, j, i + 1] * fx
    d = values[k + 1, j + 1, i] * gx + values[k + 1, j + 1, i + 1] * fx
    value: float = (a * (1.0 - fy) + b * fy) * (1.0 - fz) + (c * (1.0 - fy) + d * fy) * fz
    return value


@kernel
def is_inside(values: Volume, x: float, y: float, z: float) -> bool:
    """Whether all eight voxels around fractional indices exist."""
    return (
        x >= 0.0
        and y >= 0.0
        and z >= 0.0
        and math.floor(x) < values.shape[2] - 1
        and math.floor(y) < values.shape[1] - 1
        and math.floor(z) < values.shape[0] - 1
    )


@kernel
def still_kept(
    directions: Float_Nx3, kept: Int_N, count: int, way: Float_Nx3, limit: Float_N, near: int
) -> int:
    """Of the points kept at a smaller radius, keep those that no cap covers now."""
    survivors = 0
    for e in range(count):
        p = kept[e]
        px = directions[p, 0]
        py = directions[p, 1]
        pz = directions[p, 2]
        covered = False
        for w in range(near):
            if px * way[w, 0] + py * way[w, 1] + pz * way[w, 2] > limit[w]:
                covered = True
                break
        if not covered:
            kept[survivors] = p
            survivors += 1
    return survivors


@kernel
def try_points(
    directions: Float_Nx3,
    offsets: Int_N,
    first: int,
    enough: int,
    way: Float_Nx3,
    limit: Float_N,
    near: int,
    kept: Int_N,
) -> tuple[int, int]:
    """The first set of points, from `first` on, of which at least `enough` are kept.

    Returns its number (or -1) and how many points are kept.
    """
    last = 0  # the cap that covered the point before usually covers this one
    for t in range(first, offsets.shape[0] - 1):
        spare = offsets[t + 1] - offsets[t] - enough
        count = 0
        for p in range(offsets[t], offsets[t + 1]):
            px = directions[p, 0]
            py = directions[p, 1]
            pz = directions[p, 2]
            covered = False
            if near > 0:
                if px * way[last, 0] + py * way[last, 1] + pz * way[last, 2] > limit[last]:
                    covered = True
                else:
                    for w in range(near):
                        if px * way[w, 0] + py * way[w, 1] + pz * way[w, 2] > limit[w]:
                            covered = True
                            last = w
                            break
            if covered:
                spare -= 1
                if spare < 0:
                    break
            else:
                kept[count] = p
                count += 1
        if spare >= 0:
            return t, count
    return -1, 0


@kernel
def q_scores(
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
    reference: Float_N,
    reference_centre: float,
    enough: int,
    exclusion: float,
    q: FloatArray,
    status: Status_N,
) -> None:
    """Q-scores of the atoms `todo`, written to `q` and `status`.

    Parameters
    ----------
    todo : ndarray of int
        Rows of `xyz`, `index`, `q` and `status` to do.
    xyz, index : ndarray, shape (n, 3)
        Positions in Å, and as fractional indices of `values` (order x, y, z).
    values : ndarray, shape (nz, ny, nx)
    cell_xyz, cell_start, cell_shape, cell_low, cell_size
        The neighbours, from `atomsight.kernels.cells.cell_grid`.
    directions, index_directions : ndarray, shape (m, 3)
        Points on the unit sphere, in Å and in voxels; all tries one after the other.
    offsets : ndarray of int, shape (tries + 1,)
        Where each try's points begin.
    radii, reference : ndarray, shape (shells,)
        Å, and the reference Gaussian there.
    reference_centre : float
        The reference Gaussian at 0.
    enough : int
        Points that a shell must keep; also the weight of the centre.
    exclusion : float
        A point is another atom's when that atom is nearer than ``exclusion * R``.
    """
    largest = radii[-1]
    shape_factor = 1.0 - exclusion * exclusion
    reach = (1.0 + exclusion) * largest
    way = np.empty((_MOST_NEIGHBOURS, 3))
    distance = np.empty(_MOST_NEIGHBOURS)
    limit = np.empty(_MOST_NEIGHBOURS)
    kept = np.empty(offsets[-1] - offsets[-2], np.int64)
    margin = np.empty(3)
    for axis in range(3):
        margin[axis] = largest * np.abs(index_directions[:, axis]).max()
    for a in todo:
        x0 = index[a, 0]
        y0 = index[a, 1]
        z0 = index[a, 2]
        all_inside = is_inside(
            values, x0 - margin[0], y0 - margin[1], z0 - margin[2]
        ) and is_inside(values, x0 + margin[0], y0 + margin[1], z0 + margin[2])
        outside = 0
        # values are taken relative to the centre's, so that an offset of the map costs no digits
        centre_value = 0.0
        if is_inside(values, x0, y0, z0):
            centre_value = map_value(values, x0, y0, z0)
        else:
            outside += enough
        near = find_neighbours(
            xyz[a], cell_xyz, cell_start, cell_shape, cell_low, cell_size, reach, way, distance
        )
        grows = near == 0 or distance[0] * distance[0] > shape_factor * largest * largest
        n = enough
        sum_u = 0.0
        sum_uu = 0.0
        sum_uv = 0.0
        sum_v = enough * reference_centre
        sum_vv = enough * reference_centre * reference_centre
        spread = 0.0
        current = -1
        count = 0
        for s in range(radii.shape[0]):
            r = radii[s]
            active = 0
            while active < near and distance[active] < (1.0 + exclusion) * r:
                d = distance[active]
                limit[active] = (shape_factor * r * r + d * d) / (2.0 * r) + TIE
                active += 1
            if current >= 0:
                count = still_kept(directions, kept, count, way, limit, active)
            if current < 0 or count < enough:
                current, count = try_points(
                    directions, offsets, current + 1, enough, way, limit, active, kept
                )
                if current < 0:
                    if grows:
                        break
                    continue
            g = reference[s]
            shell_u = 0.0
            for e in range(count):
                p = kept[e]
                x = x0 + r * index_directions[p, 0]
                y = y0 + r * index_directions[p, 1]
                z = z0 + r * index_directions[p, 2]
                u = 0.0
                if all_inside or is_inside(values, x, y, z):
                    u = map_value(values, x, y, z)
                else:
                    outside += 1
                u -= centre_value
                shell_u += u
                sum_uu += u * u
                spread = max(spread, abs(u))
            n += count
            sum_u += shell_u
            sum_uv += shell_u * g
            sum_v += count * g
            sum_vv += count * g * g
            if not grows:
                current = -1
        variance_u = sum_uu - sum_u * sum_u / n
        variance_v = sum_vv - sum_v * sum_v / n
        q[a] = np.nan
        if n == enough:
            status[a] = NO_SHELLS
        elif outside == n:
            status[a] = OUTSIDE
        elif not np.isfinite(variance_u):
            status[a] = NOT_FINITE
        elif variance_u <= n * (NOISE * (abs(centre_value) + spread)) ** 2:
            status[a] = CONSTANT
        else:
            status[a] = OK if outside == 0 else PARTLY_OUTSIDE
            q[a] = (sum_uv - sum_u * sum_v / n) / math.sqrt(variance_u * variance_v)
