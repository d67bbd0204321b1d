"""The Q-score's hot loop: for each atom, the points that are its own, and the correlation there.

The rules (20 shells, up to 50 tries a shell, 0.9 R) are those of `atomsight.evidence.q_score`;
here stands only how they are computed fast. Two facts save most of the work, and change nothing:

* With p a unit vector and v the way to a neighbour, ``|R p - v| < f R`` is the same as
  ``p·v > ((1 - f²) R² + |v|²) / (2 R)``: each neighbour cuts a cap from the sphere.
* That cap grows with R as long as ``R < |v| / sqrt(1 - f²)``. A point lost at one radius is lost
  at all larger ones: a try that failed need not be repeated, only the survivors are looked at
  again, and a shell without enough points is the last one. Atoms with a neighbour too near for
  this (alternative conformers, clashes) take the long way.

What is left is arranged so that the compiler makes vector instructions of it (loops of fixed
length without branches) and the processor guesses few branches wrong. Indices are unsigned: a
signed one costs a test for Python's counting from the end.
"""

import math

import numpy as np

from atomsight.kernels.cells import TIE, find_neighbours
from atomsight.kernels.compilation import kernel
from atomsight.typing import Float_3, Float_N, Float_Nx3, FloatArray, Int_N, Status_N, Volume

OK, PARTLY_OUTSIDE, OUTSIDE, NO_SHELLS, NOT_FINITE, CONSTANT = 0, 1, 2, 3, 4, 5
"""Status codes that the kernel gives."""

NOISE = 1e-12
"""Relative spread below which values are constant up to rounding."""

MOST_NEIGHBOURS = 1024
CHUNK = 32
"""Points that are tested against all caps at once: four AVX-512 or eight AVX2 registers."""


@kernel
def map_value(values: Volume, x: float, y: float, z: float) -> float:
    """Trilinear interpolation at fractional indices, which must be inside."""
    i = np.uintp(x)
    j = np.uintp(y)
    k = np.uintp(z)
    i1 = i + np.uintp(1)
    j1 = j + np.uintp(1)
    k1 = k + np.uintp(1)
    fx = x - i
    fy = y - j
    fz = z - k
    gx = 1.0 - fx
    a = values[k, j, i] * gx + values[k, j, i1] * fx
    b = values[k, j1, i] * gx + values[k, j1, i1] * fx
    c = values[k1, j, i] * gx + values[k1, j, i1] * fx
    d = values[k1, j1, i] * gx + values[k1, j1, i1] * fx
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
    survivors = np.uintp(0)
    for e in range(np.uintp(count)):
        p = np.uintp(kept[e])
        px = directions[p, 0]
        py = directions[p, 1]
        pz = directions[p, 2]
        kept[survivors] = p
        survivors += np.uintp(1)
        for w in range(near):
            if px * way[w, 0] + py * way[w, 1] + pz * way[w, 2] > limit[w]:
                survivors -= np.uintp(1)
                break
    return int(survivors)


@kernel
def mark_covered(
    by_axis: FloatArray, first: np.uintp, way: Float_Nx3, limit: Float_N, near: int, covered: Int_N
) -> None:
    """Mark those of a chunk of points, from `first` on, that a cap covers.

    Caps are taken in pairs; ``limit[near]`` must be infinite.
    """
    for i in range(np.uintp(CHUNK)):
        covered[first + i] = 0
    for w in range(0, near, 2):
        x1, y1, z1, limit1 = way[w, 0], way[w, 1], way[w, 2], limit[w]
        x2, y2, z2, limit2 = way[w + 1, 0], way[w + 1, 1], way[w + 1, 2], limit[w + 1]
        for i in range(np.uintp(CHUNK)):
            px = by_axis[0, first + i]
            py = by_axis[1, first + i]
            pz = by_axis[2, first + i]
            in_first = px * x1 + py * y1 + pz * z1 > limit1
            in_second = px * x2 + py * y2 + pz * z2 > limit2
            covered[first + i] |= in_first | in_second


@kernel
def try_points(
    by_axis: FloatArray,
    offsets: Int_N,
    first: int,
    enough: int,
    way: Float_Nx3,
    limit: Float_N,
    near: int,
    covered: Int_N,
    kept: Int_N,
) -> tuple[int, int]:
    """The first set of points, from `first` on, of which at least `enough` are kept.

    Returns its number (or -1) and how many points are kept.
    """
    limit[near] = np.inf
    marked = np.uintp(0)  # chunks run on over the sets: a small set costs no chunk of its own
    for t in range(first, offsets.shape[0] - 1):
        p = np.uintp(offsets[t])
        stop = np.uintp(offsets[t + 1])
        spare = stop - p - np.uintp(enough)
        dropped = np.uintp(0)
        count = np.uintp(0)
        marked = max(marked, p)
        while p < stop and dropped <= spare:
            if p == marked:
                mark_covered(by_axis, p, way, limit, near, covered)
                marked += np.uintp(CHUNK)
            while p < min(stop, marked):
                kept[count] = p
                count += np.uintp(1 - covered[p])
                dropped += np.uintp(covered[p])
                p += np.uintp(1)
        if dropped <= spare:
            return t, int(count)
    return -1, 0


@kernel
def inside_values(
    values: Volume,
    x0: float,
    y0: float,
    z0: float,
    steps: Float_Nx3,
    r: float,
    kept: Int_N,
    count: int,
    base: float,
    found: Float_N,
) -> None:
    """Map values, less `base`, at the points kept of a shell of which no point can lie outside."""
    for e in range(np.uintp(count)):
        p = np.uintp(kept[e])
        x = x0 + r * steps[p, 0]
        y = y0 + r * steps[p, 1]
        z = z0 + r * steps[p, 2]
        found[e] = map_value(values, x, y, z) - base


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
    way = np.zeros((MOST_NEIGHBOURS + 1, 3))
    distance = np.empty(MOST_NEIGHBOURS)
    limit = np.empty(MOST_NEIGHBOURS + 1)
    kept = np.empty(offsets[-1] - offsets[-2], np.int64)
    rows = np.empty(MOST_NEIGHBOURS, np.int64)
    found = np.empty(len(kept))
    points = directions.shape[0]
    by_axis = np.zeros((3, points + CHUNK))
    covered = np.zeros(points + CHUNK, np.int64)
    margin = np.zeros(3)
    for p in range(points):
        for axis in range(3):
            by_axis[axis, p] = directions[p, axis]
            margin[axis] = max(margin[axis], largest * abs(index_directions[p, axis]))
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
            xyz[a, 0],
            xyz[a, 1],
            xyz[a, 2],
            cell_xyz,
            cell_start,
            cell_shape,
            cell_low,
            cell_size,
            reach,
            way,
            distance,
            rows,
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
        active = 0
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
            g = reference[s]
            shell_u = 0.0
            if all_inside:
                inside_values(
                    values, x0, y0, z0, index_directions, r, kept, count, centre_value, found
                )
            else:
                for e in range(count):
                    p = kept[e]
                    x = x0 + r * index_directions[p, 0]
                    y = y0 + r * index_directions[p, 1]
                    z = z0 + r * index_directions[p, 2]
                    u = 0.0
                    if is_inside(values, x, y, z):
                        u = map_value(values, x, y, z)
                    else:
                        outside += 1
                    found[e] = u - centre_value
            for e in range(count):
                u = found[e]
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
