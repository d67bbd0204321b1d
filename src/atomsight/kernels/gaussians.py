"""Sums of Gaussians on a grid: the hot loop of maps made from models.

On a grid with axes at right angles a Gaussian is a product of three, one along each axis: three
tables an atom, and one multiplication a voxel. On any other grid the exponent is computed voxel by
voxel. Every voxel adds its atoms in their order, so that any number of threads, each with its own
slab of sections, gives the same bits.
"""

import math

import numpy as np

from atomsight.kernels.compilation import kernel
from atomsight.typing import Float_3, Float_3x3, Float_N, Float_Nx3, Volume

CUTOFF = 5.0
"""Standard deviations at which a Gaussian ends, along each axis of the grid."""


@kernel
def add_gaussians(
    index: Float_Nx3,
    height: Float_N,
    sd: Float_N,
    metric: Float_3x3,
    reach: Float_3,
    values: Volume,
    first: int,
    last: int,
) -> None:
    """Add height · exp(-r²/(2 sd²)) of every Gaussian to the sections `first` to `last` - 1.

    Parameters
    ----------
    index : ndarray, shape (n, 3)
        Centres as fractional indices of `values` (order x, y, z).
    height, sd : ndarray, shape (n,)
        Height, and standard deviation in Å.
    metric : ndarray, shape (3, 3)
        step.T @ step, Å²: the square of the length of a way of (i, j, k) voxels is its quadratic
        form.
    reach : ndarray, shape (3,)
        Voxels along x, y, z that a sphere of 1 Å reaches.
    values : ndarray, shape (nz, ny, nx)
        float32; changed in place.
    first, last : int
        Sections to fill.
    """
    _, ny, nx = values.shape
    skewed = metric[0, 1] != 0.0 or metric[0, 2] != 0.0 or metric[1, 2] != 0.0
    along_x = np.empty(nx, np.float32)
    along_y = np.empty(ny, np.float32)
    for a in range(index.shape[0]):
        x, y, z = index[a, 0], index[a, 1], index[a, 2]
        width = CUTOFF * sd[a]
        wide_z = math.ceil(width * reach[2])
        # compared as floats: what lies far away must not overflow an integer
        low_z, high_z = math.floor(z) - wide_z, math.floor(z) + wide_z + 2.0
        if high_z <= first or low_z >= last:
            continue
        wide_y, wide_x = math.ceil(width * reach[1]), math.ceil(width * reach[0])
        low_y, high_y = math.floor(y) - wide_y, math.floor(y) + wide_y + 2.0
        low_x, high_x = math.floor(x) - wide_x, math.floor(x) + wide_x + 2.0
        if high_y <= 0 or low_y >= ny or high_x <= 0 or low_x >= nx:
            continue
        i0, i1 = int(max(low_x, 0.0)), int(min(high_x, float(nx)))
        j0, j1 = int(max(low_y, 0.0)), int(min(high_y, float(ny)))
        k0, k1 = int(max(low_z, float(first))), int(min(high_z, float(last)))
        factor = -0.5 / (sd[a] * sd[a])
        if skewed:
            for k in range(k0, k1):
                for j in range(j0, j1):
                    for i in range(i0, i1):
                        dx, dy, dz = i - x, j - y, k - z
                        square = (
                            metric[0, 0] * dx * dx
                            + metric[1, 1] * dy * dy
                            + metric[2, 2] * dz * dz
                            + 2.0
                            * (
                                metric[0, 1] * dx * dy
                                + metric[0, 2] * dx * dz
                                + metric[1, 2] * dy * dz
                            )
                        )
                        values[k, j, i] += np.float32(height[a] * math.exp(factor * square))
            continue
        for i in range(i0, i1):
            along_x[i] = math.exp(factor * metric[0, 0] * (i - x) ** 2)
        for j in range(j0, j1):
            along_y[j] = math.exp(factor * metric[1, 1] * (j - y) ** 2)
        for k in range(k0, k1):
            section = height[a] * math.exp(factor * metric[2, 2] * (k - z) ** 2)
            for j in range(j0, j1):
                row = np.float32(section * along_y[j])
                for i in range(np.uintp(i0), np.uintp(i1)):
                    values[k, j, i] += row * along_x[i]
