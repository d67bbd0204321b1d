"""Residues of polymers with the atom that stands for each: Cα, or C1' of nucleic acid."""

from dataclasses import dataclass

import gemmi
import numpy as np

from atomsight.model import AtomClass, Model
from atomsight.typing import Float_Nx3, Int_N, Str_N

ATOM_OF = {AtomClass.PROTEIN: "CA", AtomClass.NUCLEIC: "C1'"}
"""The atom that stands for a residue."""

_SHOWN = {AtomClass.PROTEIN: "Cα", AtomClass.NUCLEIC: "C1'"}

_FORCE_FIELD_NAMES = {
    **dict.fromkeys(("HID", "HIE", "HIP", "HSD", "HSE", "HSP"), "H"),
    **dict.fromkeys(("CYX", "CYM"), "C"),
    "ASH": "D",
    "GLH": "E",
    "LYN": "K",
}


@dataclass(frozen=True, slots=True)
class Residues:
    """Residues of polymers, one row each.

    Attributes
    ----------
    chain, icode, name : ndarray of str, shape (m,)
        Author's chain, insertion code and residue name.
    number : ndarray of int, shape (m,)
        Author's residue number.
    xyz : ndarray, shape (m, 3)
        Å; of the atom that stands for the residue.
    row : ndarray of int, shape (m,)
        Row of the residue in its model's table; -1 where it is from no model.
    notes : tuple of str
        What was left out or chosen.
    """

    chain: Str_N
    number: Int_N
    icode: Str_N
    name: Str_N
    xyz: Float_Nx3
    row: Int_N
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.number)

    @property
    def codes(self) -> list[str]:
        """One letter for each residue that has one, in capitals; else its name."""
        known = {name: _code(name) for name in np.unique(self.name).tolist()}
        return [known[name] for name in self.name.tolist()]

    def label(self, i: int) -> str:
        """What a residue is called in messages.

        Parameters
        ----------
        i : int

        Returns
        -------
        str
            As in ``A/GLY 51``.
        """
        return f"{self.chain[i]}/{self.name[i]} {self.number[i]}{self.icode[i]}"

    def take(self, rows: Int_N) -> "Residues":
        """Some of the residues.

        Parameters
        ----------
        rows : ndarray of int

        Returns
        -------
        Residues
        """
        return Residues(
            self.chain[rows], self.number[rows], self.icode[rows], self.name[rows],
            self.xyz[rows], self.row[rows], self.notes,
        )  # fmt: skip

    def chains(self) -> dict[str, Int_N]:
        """Rows of each chain, chains in order of first appearance.

        Returns
        -------
        dict
        """
        names, first, group = np.unique(self.chain, return_index=True, return_inverse=True)
        return {
            str(names[at]): np.flatnonzero(group == at).astype(np.int64)
            for at in np.argsort(first).tolist()
        }


def _code(name: str) -> str:
    if name in _FORCE_FIELD_NAMES:
        return _FORCE_FIELD_NAMES[name]
    found = gemmi.find_tabulated_residue(name)
    letter = found.one_letter_code.strip().upper() if found.found() else ""
    return letter if letter not in ("", "X") else name


def atoms_shown(atom_class: Int_N) -> str:
    """What the atoms that stand for residues are called, for people.

    Parameters
    ----------
    atom_class : ndarray of int, shape (m,)
        `AtomClass` of each residue.

    Returns
    -------
    str
        ``Cα``, ``C1'``, or ``Cα/C1'`` where there are residues of both; ``Cα`` without residues.
    """
    there = [name for kind, name in _SHOWN.items() if (atom_class == kind).any()]
    return "/".join(there) or _SHOWN[AtomClass.PROTEIN]


def polymer_residues(model: Model) -> Residues:
    """Residues of proteins and nucleic acids that have a Cα or C1', in the order of the file.

    Of several conformers the one with the highest occupancy is taken, the first of equal ones; so
    too of several residues at one number.

    Parameters
    ----------
    model : Model

    Returns
    -------
    Residues
    """
    residues, kind = model.residues, model.atom_class
    stands = np.zeros(len(model), dtype=bool)
    for atom_class, name in ATOM_OF.items():
        stands |= (kind == atom_class) & (model.atom == name) & model.has_position
    # a calcium ion is called CA, too, but belongs to no polymer
    atoms = np.flatnonzero(stands)
    atoms = atoms[np.argsort(-model.occupancy[atoms], kind="stable")]
    best: dict[tuple[str, int, str], int] = {}
    for atom in atoms.tolist():
        at = int(model.residue[atom])
        key = (str(residues.chain[at]), int(residues.number[at]), str(residues.icode[at]))
        best.setdefault(key, atom)
    chosen = np.array(
        sorted(best.values(), key=lambda atom: int(model.residue[atom])), dtype=np.int64
    )
    row = model.residue[chosen]
    polymer = np.isin(residues.atom_class, [*ATOM_OF])
    without = int(polymer.sum()) - len(np.unique(model.residue[atoms]))
    notes = []
    if len(atoms) > len(chosen):
        notes.append(
            f"{len(atoms) - len(chosen)} further conformers left out: the one with the highest "
            "occupancy counts"
        )
    if without:
        notes.append(f"{without} residues without Cα or C1' left out")
    return Residues(
        residues.chain[row], residues.number[row], residues.icode[row], residues.name[row],
        model.xyz[chosen], row, tuple(notes),
    )  # fmt: skip
