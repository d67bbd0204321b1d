"""Energy and force of atoms in a map: the trilinear interpolation and its own gradient."""

import numpy as np

from atomsight.kernels.compilation import kernel
from atomsight.typing import Float_3, Float_3x3, Float_N, Float_Nx3, Volume


@kernel
def density_force(
    xyz: Float_Nx3,
    weight: Float_N,
    values: Volume,
    origin: Float_3,
    matrix: Float_3x3,
    force: Float_Nx3,
) -> float:
    """Energy E = -Σ w ρ(x) and the forces -dE/dx.

    The force is the gradient of the interpolated density itself, so that energy is conserved
    within a voxel. Outside the grid there is neither energy nor force.

    Parameters
    ----------
    xyz : ndarray, shape (n, 3)
    weight : ndarray, shape (n,)
        Energy units for one unit of the map.
    values : ndarray, shape (nz, ny, nx)
    origin : ndarray, shape (3,)
        Position of ``values[0, 0, 0]``, in the units of `xyz`.
    matrix : ndarray, shape (3, 3)
        From positions to voxels.
    force : ndarray, shape (n, 3)
        Written.

    Returns
    -------
    float
    """
    nz, ny, nx = values.shape
    energy = 0.0
    for a in range(xyz.shape[0]):
        x, y, z = xyz[a, 0] - origin[0], xyz[a, 1] - origin[1], xyz[a, 2] - origin[2]
        u = matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2] * z
        v = matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2] * z
        w = matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2] * z
        force[a, 0] = force[a, 1] = force[a, 2] = 0.0
        # written so that NaN is outside as well
        if not (0.0 <= u < nx - 1 and 0.0 <= v < ny - 1 and 0.0 <= w < nz - 1):
            continue
        i, j, k = int(np.floor(u)), int(np.floor(v)), int(np.floor(w))
        fx, fy, fz = u - i, v - j, w - k
        c000, c100 = values[k, j, i], values[k, j, i + 1]
        c010, c110 = values[k, j + 1, i], values[k, j + 1, i + 1]
        c001, c101 = values[k + 1, j, i], values[k + 1, j, i + 1]
        c011, c111 = values[k + 1, j + 1, i], values[k + 1, j + 1, i + 1]
        gx, gy, gz = 1.0 - fx, 1.0 - fy, 1.0 - fz
        front, back = c000 * gx + c100 * fx, c010 * gx + c110 * fx
        over_front, over_back = c001 * gx + c101 * fx, c011 * gx + c111 * fx
        low, high = front * gy + back * fy, over_front * gy + over_back * fy
        energy -= weight[a] * (low * gz + high * fz)
        du = ((c100 - c000) * gy + (c110 - c010) * fy) * gz
        du += ((c101 - c001) * gy + (c111 - c011) * fy) * fz
        dv = (back - front) * gz + (over_back - over_front) * fz
        dw = high - low
        for axis in range(3):
            slope = du * matrix[0, axis] + dv * matrix[1, axis] + dw * matrix[2, axis]
            force[a, axis] = weight[a] * slope
    return energy
