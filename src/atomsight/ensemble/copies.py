"""Copies of a model by symmetry that move with it: which atoms of which copies come near."""

from dataclasses import dataclass

import numpy as np

from atomsight.errors import ParameterError
from atomsight.typing import Float_N, Float_Nx3, FloatArray, Int_N

COPY_REACH = 10.0
"""Å: residues of copies that start no further from the model than this are simulated. Cα move
some 2 Å in the phase without map, and forces end at 7.5 Å."""

_SAME = 1e-2
"""Å, and of a rotation's elements: operators of files are rounded."""


@dataclass(frozen=True, slots=True)
class Copies:
    """Atoms of copies, each a function of the atom that it copies.

    One of each two operators that are inverse to each other is enough: a pair of atoms (i, g j) is
    the pair (j, g⁻¹ i) seen from the other side, and the force on the copy g j counts for j. A
    two-fold is its own inverse and meets each pair twice, as (i, g j) and as (j, g i): its share
    is one half. See `atomsight.ensemble.engines.moving_copies`.

    Attributes
    ----------
    rotation : ndarray, shape (k, 3, 3)
    shift : ndarray, shape (k, 3)
        Å: x' = R x + t.
    share : ndarray, shape (k,)
        Of the energy between model and copy: 1, or 1/2 where the operator is its own inverse.
    operator : ndarray of int, shape (s,)
        Of each atom of a copy.
    atom : ndarray of int, shape (s,)
        Row of the model's atom that it copies.
    facing : ndarray of int, shape (f,)
        Rows of the model's atoms, in whole residues, that have an atom of a copy near.
    """

    rotation: FloatArray
    shift: FloatArray
    share: Float_N
    operator: Int_N
    atom: Int_N
    facing: Int_N

    def __len__(self) -> int:
        return len(self.atom)

    def positions(self, xyz: Float_Nx3) -> Float_Nx3:
        """Where the atoms of the copies are.

        Parameters
        ----------
        xyz : ndarray, shape (n, 3)
            Å: the model.

        Returns
        -------
        ndarray, shape (s, 3)
            Å.
        """
        turned = np.einsum("sij,sj->si", self.rotation[self.operator], xyz[self.atom])
        found: Float_Nx3 = turned + self.shift[self.operator]
        return found


def near_copies(
    xyz: Float_Nx3,
    residue: Int_N,
    rotation: FloatArray,
    shift: FloatArray,
    *,
    reach: float = COPY_REACH,
) -> Copies:
    """Whole residues of copies that have an atom near an atom of the model.

    Parameters
    ----------
    xyz : ndarray, shape (n, 3)
        Å: all atoms, hydrogens too.
    residue : ndarray of int, shape (n,)
        Row of each atom's residue.
    rotation : ndarray, shape (k, 3, 3)
        Without the identity.
    shift : ndarray, shape (k, 3)
        Å.
    reach : float
        Å.

    Returns
    -------
    Copies

    Raises
    ------
    ParameterError
        If an operator is no rotation.
    """
    from scipy.spatial import KDTree  # noqa: PLC0415  (slow to import)

    off = np.abs(rotation @ rotation.transpose(0, 2, 1) - np.eye(3)).max(initial=0.0)
    if off > _SAME or (np.linalg.det(rotation) < 0).any():
        raise ParameterError("--copies moving: an operator is no rotation: use --copies masked")
    kept, share = independent(rotation, shift)
    tree = KDTree(xyz)
    operator, atom, facing = [], [], np.zeros(len(xyz), dtype=bool)
    for number, k in enumerate(kept):
        moved = xyz @ rotation[k].T + shift[k]
        near = np.isfinite(tree.query(moved, distance_upper_bound=reach)[0])
        rows = np.flatnonzero(np.isin(residue, residue[near]))
        if not len(rows):
            continue
        operator.append(np.full(len(rows), number))
        atom.append(rows)
        facing |= np.isfinite(KDTree(moved[rows]).query(xyz, distance_upper_bound=reach)[0])
    nothing = [np.zeros(0, dtype=np.int64)]
    return Copies(
        # files round operators, and OpenMM takes exact ones alone
        rotation=_orthogonal(rotation[kept]),
        shift=shift[kept],
        share=share,
        operator=np.concatenate(operator or nothing),
        atom=np.concatenate(atom or nothing),
        facing=np.flatnonzero(np.isin(residue, residue[facing])),
    )


def independent(rotation: FloatArray, shift: FloatArray) -> tuple[list[int], Float_N]:
    """One of each two operators that are inverse to each other.

    One without its inverse among them stands for both: where a neighbour stands by g, the model
    is that neighbour's by g⁻¹.

    Parameters
    ----------
    rotation : ndarray, shape (k, 3, 3)
    shift : ndarray, shape (k, 3)
        Å.

    Returns
    -------
    kept : list of int
        Rows.
    share : ndarray, shape (len(kept),)
        1; 1/2 for one that is its own inverse.
    """
    kept: list[int] = []
    share: list[float] = []
    done = np.zeros(len(rotation), dtype=bool)
    for k in range(len(rotation)):
        if done[k]:
            continue
        back = rotation[k].T
        there = np.abs(rotation - back).max(axis=(1, 2)) < _SAME
        # positions, not elements: the shift of an inverse carries the errors of the rotation
        there &= np.abs(shift + back @ shift[k]).max(axis=1) < 10.0 * _SAME
        done |= there
        done[k] = True
        kept.append(k)
        share.append(0.5 if there[k] else 1.0)
    return kept, np.array(share)


def _orthogonal(rotation: FloatArray) -> FloatArray:
    """The nearest rotations."""
    left, _, right = np.linalg.svd(rotation)
    found: FloatArray = left @ right
    return found
