"""Bonds, angles and chiral centres that lie far from their ideal values."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from atomsight.ensemble.geometry.conformers import main_conformer
from atomsight.ensemble.geometry.ideal import (
    ANGLE_SIGMA,
    BOND_SIGMA,
    backbone_target,
    force_field_angle,
    force_field_bond,
)
from atomsight.ensemble.geometry.library import library_restraints
from atomsight.ensemble.geometry.restraints import (
    CHIRAL_SIGMA,
    Restraints,
    angles,
    chiral_volumes,
    ideal_volume,
    lengths,
)
from atomsight.ensemble.geometry.topology import bonds
from atomsight.model import AtomClass, Model
from atomsight.typing import Float_N, Int_N

OUTLIER_Z = 4.0
"""Sigmas."""

FORCE_FIELD = (
    "Engh & Huber (2001) for the protein backbone; elsewhere equilibrium values of amber14 "
    f"(ff14SB, RNA.OL3, DNA.OL15) with sigma {BOND_SIGMA} Å and {ANGLE_SIGMA:g}°"
)

# seen from above, so that the volume of the natural hand is positive
_CENTRES = {"CA": ("N", "C", "CB")}
_MORE_CENTRES = {"THR": {"CB": ("CA", "OG1", "CG2")}, "ILE": {"CB": ("CA", "CG1", "CG2")}}
_SUGAR_CENTRES = {
    "C1'": ("O4'", "C2'", "N"),
    "C3'": ("C4'", "C2'", "O3'"),
    "C4'": ("C5'", "C3'", "O4'"),
}


@dataclass(frozen=True, slots=True)
class Covalent:
    """Covalent geometry of one model; hydrogens are left out.

    Attributes
    ----------
    bonds, angles, chirals : Restraints
        Å, degrees, Å³ (signed).
    outliers : ndarray of int, shape (m,)
        Bonds and angles of each residue that are more than 4 sigma off; one that spans two
        residues belongs to that of its first atom.
    bad_chirals : ndarray of int, shape (m,)
        Chiral centres of each residue with the wrong hand.
    worst : ndarray, shape (m,)
        Largest `|z|` of a bond or angle of each residue; NaN where none could be judged.
    source : str
        Where the ideal values come from.
    """

    bonds: Restraints
    angles: Restraints
    chirals: Restraints
    outliers: Int_N
    bad_chirals: Int_N
    worst: Float_N
    source: str

    @property
    def n_bond_outliers(self) -> int:
        """Bonds more than 4 sigma off."""
        return int(np.count_nonzero(np.abs(self.bonds.z) > OUTLIER_Z))

    @property
    def n_angle_outliers(self) -> int:
        """Angles more than 4 sigma off."""
        return int(np.count_nonzero(np.abs(self.angles.z) > OUTLIER_Z))

    @property
    def n_outliers(self) -> int:
        """Bonds and angles more than 4 sigma off."""
        return self.n_bond_outliers + self.n_angle_outliers

    @property
    def n_bad_chirals(self) -> int:
        """Chiral centres with the wrong hand."""
        return int(self.bad_chirals.sum())

    @property
    def n_chiral_outliers(self) -> int:
        """Chiral volumes more than 4 sigma off, wrong hands among them."""
        return int(np.count_nonzero(np.abs(self.chirals.z) > OUTLIER_Z))


def covalent_geometry(model: Model, *, monomers: Path | None = None) -> Covalent:
    """Judge the bonds, angles and chiral centres of a model.

    With a monomer library (the CCP4 library's layout; `monomers`, or the environment's
    CLIBD_MON), all values and sigmas are the library's. Without one, they are those of Engh &
    Huber for the protein backbone, and of OpenMM's amber14 force field elsewhere with sigma
    0.02 Å and 3°; ligands, and what neither knows, are not judged then.

    Parameters
    ----------
    model : Model
        Of alternative conformers the most occupied one is judged.
    monomers : Path, optional
        Folder of a monomer library.

    Returns
    -------
    Covalent

    Raises
    ------
    MissingLibraryError
        If there is neither a monomer library nor OpenMM.
    ParameterError
        If `monomers` is no monomer library.
    """
    folder = monomers or (Path(os.environ["CLIBD_MON"]) if os.environ.get("CLIBD_MON") else None)
    if folder is not None:
        found = library_restraints(model, folder)
        return _covalent(model, *found, source=f"monomer library {folder}")
    return _covalent(model, *_force_field_restraints(model), source=FORCE_FIELD)


def _covalent(
    model: Model, bond: Restraints, angle: Restraints, chiral: Restraints, *, source: str
) -> Covalent:
    count = len(model.residues)
    outliers = np.zeros(count, dtype=np.int64)
    worst = np.full(count, -1.0)
    for kind in (bond, angle):
        residue, z = model.residue[kind.atoms[:, 0]], np.abs(kind.z)
        outliers += np.bincount(residue[z > OUTLIER_Z], minlength=count)
        np.maximum.at(worst, residue, z)
    wrong = np.sign(chiral.value) != np.sign(chiral.ideal)
    centre = model.residue[chiral.atoms[wrong, 0]]
    return Covalent(
        bonds=bond,
        angles=angle,
        chirals=chiral,
        outliers=outliers,
        bad_chirals=np.bincount(centre, minlength=count).astype(np.int64),
        worst=np.where(worst < 0, np.nan, worst),
        source=source,
    )


def _force_field_restraints(model: Model) -> tuple[Restraints, Restraints, Restraints]:
    pairs = bonds(model)
    polymer = np.isin(model.atom_class, [AtomClass.PROTEIN, AtomClass.NUCLEIC])
    usable = main_conformer(model) & model.heavy & polymer
    pairs = pairs[usable[pairs].all(axis=1)]
    # along the chain: Engh and Huber's names are read in that direction
    backward = model.residue[pairs[:, 0]] > model.residue[pairs[:, 1]]
    pairs = np.where(backward[:, None], pairs[:, ::-1], pairs)
    kinds = _Kinds(model, pairs)
    bond = kinds.restraints(pairs, lengths(model.xyz, pairs), _bond_target)
    triples = _triples(pairs, len(model))
    angle = kinds.restraints(triples, angles(model.xyz, triples), _angle_target)
    return bond, angle, _chirals(model, usable)


class _Kinds:
    """Kinds of atoms (residue name and atom name), so that each kind of bond is looked up once."""

    def __init__(self, model: Model, pairs: Int_N) -> None:
        residue = model.residues.name[model.residue].astype("U8")
        sulphur = pairs[(model.atom[pairs] == "SG").all(axis=1)].reshape(-1)
        bridged = np.isin(model.residue, model.residue[sulphur]) & (residue == "CYS")
        residue[bridged] = "CYX"
        names = np.char.add(np.char.add(residue, " "), model.atom)
        unique, code = np.unique(names, return_inverse=True)
        self.code: Int_N = code.reshape(-1)
        self.names = [tuple(name.split(" ", 1)) for name in unique.tolist()]

    def restraints(
        self,
        atoms: Int_N,
        values: Float_N,
        target: Callable[[list[tuple[str, str]]], tuple[float, float]],
    ) -> Restraints:
        kinds, which = np.unique(self.code[atoms], axis=0, return_inverse=True)
        found = [target([self.names[k] for k in row]) for row in kinds.tolist()]
        ideal, sigma = np.array(found, dtype=float).reshape(-1, 2)[which.reshape(-1)].T
        known = np.isfinite(ideal) & np.isfinite(values)
        return Restraints(atoms[known], values[known], ideal[known], sigma[known])


def _bond_target(atoms: list[tuple[str, str]]) -> tuple[float, float]:
    first, second = atoms
    for one, two in ((first, second), (second, first)):
        value, sigma = backbone_target((one[1], two[1]), one[0], two[0])
        if np.isfinite(value):
            return value, sigma
    return force_field_bond(first, second), BOND_SIGMA


def _angle_target(atoms: list[tuple[str, str]]) -> tuple[float, float]:
    for order in (atoms, atoms[::-1]):
        value, sigma = backbone_target(tuple(a[1] for a in order), order[0][0], order[-1][0])
        if np.isfinite(value):
            return value, sigma
    return force_field_angle(*atoms), ANGLE_SIGMA


def _triples(pairs: Int_N, n: int) -> Int_N:
    """Angles: each pair of bonds that share an atom, which stands in the middle."""
    both = np.concatenate([pairs, pairs[:, ::-1]])
    both = both[np.argsort(both[:, 1], kind="stable")]
    most = int(np.bincount(both[:, 1], minlength=n).max(initial=0))
    parts = [np.zeros((0, 3), dtype=np.int64)]
    for step in range(1, most):
        same = both[:-step, 1] == both[step:, 1]
        one, two = both[:-step][same], both[step:][same]
        parts.append(np.stack([one[:, 0], one[:, 1], two[:, 0]], axis=1))
    return np.concatenate(parts)


def _chirals(model: Model, usable: np.ndarray) -> Restraints:
    """Chiral centres of amino acids and sugars, with ideal volumes from bonds and angles."""
    rows = np.flatnonzero(usable)
    bounds = np.flatnonzero(np.diff(model.residue[rows], prepend=-1, append=-1))
    names = model.residues.name.tolist()
    atoms: list[list[int]] = []
    ideal: list[float] = []
    for first, last in pairwise(bounds.tolist()):
        block = rows[first:last].tolist()
        name = names[model.residue[block[0]]]
        at = dict(zip(model.atom[block].tolist(), block, strict=True))
        for centre, around in _centres(name, at):
            wanted = [centre, *around]
            if all(atom in at for atom in wanted):
                volume = ideal_volume(name, centre, around)
                if np.isfinite(volume):
                    atoms.append([at[atom] for atom in wanted])
                    ideal.append(volume)
    found = np.array(atoms, dtype=np.int64).reshape(-1, 4)
    target = np.array(ideal, dtype=float)
    return Restraints(
        found, chiral_volumes(model.xyz, found), target, np.full(len(found), CHIRAL_SIGMA)
    )


def _centres(name: str, at: dict[str, int]) -> list[tuple[str, tuple[str, str, str]]]:
    """Chiral centres of a residue, with their neighbours in order."""
    if "C1'" in at:
        base = "N9" if "N9" in at else "N1"
        centres: dict[str, tuple[str, ...]] = dict(_SUGAR_CENTRES)
        centres["C1'"] = ("O4'", "C2'", base)
        if "O2'" in at:
            centres["C2'"] = ("C3'", "C1'", "O2'")
    else:
        centres = {**_CENTRES, **_MORE_CENTRES.get(name, {})}
    return [(centre, (a, b, c)) for centre, (a, b, c) in centres.items()]
