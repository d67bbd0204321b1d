"""Lengths, angles and chiral volumes against their ideal values."""

from dataclasses import dataclass

import numpy as np

from atomsight.ensemble.geometry.ideal import force_field_angle, force_field_bond
from atomsight.typing import Float_N, Float_Nx3, Int_N

CHIRAL_SIGMA = 0.2
"""Å³; as refinement programs have it."""


@dataclass(frozen=True, slots=True)
class Restraints:
    """Values of one kind beside their ideal ones.

    Attributes
    ----------
    atoms : ndarray of int, shape (k, 2), (k, 3) or (k, 4)
        Rows of the atoms; of a chiral centre, the centre first.
    value, ideal, sigma : ndarray, shape (k,)
        Å, degrees or Å³.
    """

    atoms: Int_N
    value: Float_N
    ideal: Float_N
    sigma: Float_N

    def __len__(self) -> int:
        return len(self.atoms)

    @property
    def z(self) -> Float_N:
        """Deviations in sigmas, shape (k,)."""
        return (self.value - self.ideal) / self.sigma

    @property
    def rmsz(self) -> float:
        """Root mean square of the deviations in sigmas, NaN where there are none."""
        return float(np.sqrt(np.mean(self.z**2))) if len(self) else float("nan")


def lengths(xyz: Float_Nx3, pairs: Int_N) -> Float_N:
    """Distances between pairs of atoms.

    Parameters
    ----------
    xyz : ndarray, shape (n, 3)
    pairs : ndarray of int, shape (k, 2)

    Returns
    -------
    ndarray, shape (k,)
        Å.
    """
    return np.asarray(np.linalg.norm(xyz[pairs[:, 0]] - xyz[pairs[:, 1]], axis=1))


def angles(xyz: Float_Nx3, triples: Int_N) -> Float_N:
    """Angles at the middle atoms.

    Parameters
    ----------
    xyz : ndarray, shape (n, 3)
    triples : ndarray of int, shape (k, 3)

    Returns
    -------
    ndarray, shape (k,)
        Degrees; NaN where two atoms of a triple are at one place.
    """
    one = xyz[triples[:, 0]] - xyz[triples[:, 1]]
    two = xyz[triples[:, 2]] - xyz[triples[:, 1]]
    size = np.linalg.norm(one, axis=1) * np.linalg.norm(two, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        cosine = (one * two).sum(axis=1) / size
    return np.asarray(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))


def chiral_volumes(xyz: Float_Nx3, atoms: Int_N) -> Float_N:
    """Signed volumes spanned by three neighbours of a centre: a · (b × c).

    Parameters
    ----------
    xyz : ndarray, shape (n, 3)
    atoms : ndarray of int, shape (k, 4)
        The centre, then its neighbours in order.

    Returns
    -------
    ndarray, shape (k,)
        Å³.
    """
    a, b, c = (xyz[atoms[:, k]] - xyz[atoms[:, 0]] for k in (1, 2, 3))
    return np.asarray((a * np.cross(b, c)).sum(axis=1))


def ideal_volume(residue: str, centre: str, around: tuple[str, str, str]) -> float:
    """Chiral volume that the force field's bonds and angles give, with the natural hand's sign.

    a b c · sqrt(1 - cos²α - cos²β - cos²γ + 2 cos α cos β cos γ)

    Parameters
    ----------
    residue : str
        Name of the residue.
    centre : str
        Name of the atom in the middle.
    around : tuple of str
        Names of three neighbours, in the order that makes the natural hand's volume positive.

    Returns
    -------
    float
        Å³; NaN where the force field does not know the atoms.

    Raises
    ------
    MissingLibraryError
        If OpenMM, which carries the parameters, is not installed.
    """
    atoms = [(residue, name) for name in around]
    middle = (residue, centre)
    edges = [force_field_bond(middle, atom) for atom in atoms]
    x, y, z = (
        np.cos(np.radians(force_field_angle(atoms[i], middle, atoms[j])))
        for i, j in ((0, 1), (1, 2), (0, 2))
    )
    square = 1.0 - x * x - y * y - z * z + 2.0 * x * y * z
    return float(np.prod(edges) * np.sqrt(square))
