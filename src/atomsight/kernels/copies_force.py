"""Lennard-Jones and Coulomb between a model and its copies: energy, and force on the model."""

import numpy as np

from atomsight.kernels.compilation import kernel
from atomsight.typing import Float_N, Float_Nx3, FloatArray, Int_N


@kernel
def move(
    xyz: Float_Nx3,
    rotation: FloatArray,
    shift: Float_Nx3,
    operator: Int_N,
    atom: Int_N,
    moved: Float_Nx3,
) -> None:
    """Where the atoms of copies are: x' = R x + t.

    Parameters
    ----------
    xyz : ndarray, shape (n, 3)
    rotation : ndarray, shape (k, 3, 3)
    shift : ndarray, shape (k, 3)
    operator, atom : ndarray of int, shape (s,)
        Of each atom of a copy.
    moved : ndarray, shape (s, 3)
        Written.
    """
    for s in range(len(atom)):
        k, a = operator[s], atom[s]
        for axis in range(3):
            value = shift[k, axis]
            for other in range(3):
                value += rotation[k, axis, other] * xyz[a, other]
            moved[s, axis] = value


@kernel
def near_pairs(xyz: Float_Nx3, rows: Int_N, moved: Float_Nx3, reach: float, pairs: Int_N) -> int:
    """Pairs of an atom of the model and one of a copy that are nearer than `reach`.

    In the order of rows, then of copies, whatever the reach: sums over those that are within a
    smaller distance have one order.

    Parameters
    ----------
    xyz : ndarray, shape (n, 3)
    rows : ndarray of int, shape (f,)
        Atoms of the model that are looked at.
    moved : ndarray, shape (s, 3)
    reach : float
    pairs : ndarray of int, shape (p, 2)
        Written, as far as it has room: rows of the model, and of the copies.

    Returns
    -------
    int
        How many there are.
    """
    count = 0
    for i in rows:
        for s in range(len(moved)):
            x, y, z = (
                xyz[i, 0] - moved[s, 0],
                xyz[i, 1] - moved[s, 1],
                xyz[i, 2] - moved[s, 2],
            )
            if x * x + y * y + z * z < reach * reach:
                if count < len(pairs):
                    pairs[count, 0], pairs[count, 1] = i, s
                count += 1
    return count


@kernel
def pair_force(
    xyz: Float_Nx3,
    moved: Float_Nx3,
    pairs: Int_N,
    charge: Float_N,
    sigma: Float_N,
    epsilon: Float_N,
    share: Float_N,
    rotation: FloatArray,
    operator: Int_N,
    atom: Int_N,
    cutoff: float,
    rise: float,
    fall: float,
    force: Float_Nx3,
    pull: Float_Nx3,
) -> float:
    """Energy between model and copies, and its forces on the model by both places.

    E = Σ share [4 √(ε ε') (q¹² - q⁶) + c c' (1/r + rise r² - fall)], q = (σ + σ') / 2r, over pairs
    nearer than the cutoff. The force on an atom of a copy is turned back, Rᵀ F, to the atom that
    it copies.

    Parameters
    ----------
    xyz : ndarray, shape (n, 3)
    moved : ndarray, shape (s, 3)
        From `move`.
    pairs : ndarray of int, shape (p, 2)
        From `near_pairs`.
    charge, sigma, epsilon : ndarray, shape (n,)
        Charges with the root of Coulomb's constant in them.
    share : ndarray, shape (k,)
        Of each operator.
    rotation : ndarray, shape (k, 3, 3)
    operator, atom : ndarray of int, shape (s,)
    cutoff, rise, fall : float
        Of the reaction field.
    force : ndarray, shape (n, 3)
        Written.
    pull : ndarray, shape (s, 3)
        Written: the forces on the copies.

    Returns
    -------
    float
    """
    force[:] = 0.0
    pull[:] = 0.0
    energy = 0.0
    for p in range(len(pairs)):
        i, s = pairs[p, 0], pairs[p, 1]
        x, y, z = xyz[i, 0] - moved[s, 0], xyz[i, 1] - moved[s, 1], xyz[i, 2] - moved[s, 2]
        square = x * x + y * y + z * z
        # written so that NaN is outside as well
        if not square < cutoff * cutoff:
            continue
        j = atom[s]
        r = np.sqrt(square)
        q = 0.5 * (sigma[i] + sigma[j]) / r
        six = q * q * q * q * q * q
        well = 4.0 * np.sqrt(epsilon[i] * epsilon[j]) * share[operator[s]]
        product = charge[i] * charge[j] * share[operator[s]]
        energy += well * six * (six - 1.0) + product * (1.0 / r + rise * square - fall)
        # -dE/dr over r
        slope = well * six * (12.0 * six - 6.0) / square
        slope += product * (1.0 / (r * square) - 2.0 * rise)
        for axis, along in enumerate((x, y, z)):
            force[i, axis] += slope * along
            pull[s, axis] -= slope * along
    for s in range(len(atom)):
        turn = rotation[operator[s]]
        for axis in range(3):
            for other in range(3):
                force[atom[s], axis] += turn[other, axis] * pull[s, other]
    return energy
