"""A model: columns of atoms, in the order of the file, and the gemmi structure they came from."""

from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path

import gemmi
import numpy as np

from atomsight.errors import ParameterError
from atomsight.typing import Bool_N, Float_N, Float_Nx3, Int_N, Str_N


class AtomClass(IntEnum):
    """What kind of molecule an atom belongs to."""

    PROTEIN = 0
    NUCLEIC = 1
    SACCHARIDE = 2
    LIGAND = 3
    ION = 4
    WATER = 5

    @property
    def label(self) -> str:
        """The name as it stands in tables."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class ResidueTable:
    """One row a residue, in order of first appearance.

    Attributes
    ----------
    chain, label_asym, icode, name, entity : ndarray of str, shape (m,)
        Author's chain, mmCIF's label_asym_id (gemmi's subchain), insertion code, residue name
        and entity id; empty where there is none.
    number : ndarray of int, shape (m,)
        Author's residue number.
    atom_class : ndarray of int, shape (m,)
        `AtomClass` of the residue.
    """

    chain: Str_N
    label_asym: Str_N
    number: Int_N
    icode: Str_N
    name: Str_N
    entity: Str_N
    atom_class: Int_N

    def __len__(self) -> int:
        return len(self.number)

    def label(self, row: int) -> str:
        """Name of one residue for people: chain, residue name, number and insertion code.

        Parameters
        ----------
        row : int

        Returns
        -------
        str
            As in ``A/GLY 51``.
        """
        number = f"{self.number[row]}{self.icode[row]}"
        return f"{self.chain[row]}/{self.name[row]} {number}"


@dataclass(frozen=True, slots=True)
class Model:
    """The atoms of one MODEL of a file.

    Attributes
    ----------
    xyz : ndarray, shape (n, 3)
        Å, float64; NaN where the file gives no coordinates.
    atom, element, altloc : ndarray of str, shape (n,)
        Atom name, element symbol, alternative conformer (empty: none).
    occupancy, b_iso : ndarray, shape (n,)
        Occupancy and isotropic B factor in Å².
    hydrogen : ndarray of bool, shape (n,)
        Hydrogen or deuterium.
    residue : ndarray of int, shape (n,)
        Row of each atom's residue in `residues`.
    row : ndarray of int, shape (n,)
        Which atom record of the file this is, counted over all its MODELs from 0.
    residues : ResidueTable
    structure : gemmi.Structure
        The whole file; its atoms' serial is their `row` + 1.
    number : int
        Which MODEL this is.
    model_numbers : tuple of int
        All MODELs in the file.
    path : Path
        The file it came from.
    document : gemmi.cif.Document or None
        The mmCIF file, every category as it was; None for a PDB file.
    resolution : float or None
        Å, from the file's own metadata.
    resolution_source : str
        The record that gave it.
    notes : tuple of str
        Decisions taken while reading that a user should know about.
    """

    xyz: Float_Nx3
    atom: Str_N
    element: Str_N
    altloc: Str_N
    occupancy: Float_N
    b_iso: Float_N
    hydrogen: Bool_N
    residue: Int_N
    row: Int_N
    residues: ResidueTable
    structure: gemmi.Structure
    number: int
    model_numbers: tuple[int, ...]
    path: Path
    document: gemmi.cif.Document | None = None
    resolution: float | None = None
    resolution_source: str = ""
    notes: tuple[str, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.xyz)

    @property
    def atom_class(self) -> Int_N:
        """`AtomClass` of each atom, shape (n,)."""
        return self.residues.atom_class[self.residue]

    @property
    def has_position(self) -> Bool_N:
        """Whether the file gives coordinates, shape (n,)."""
        return np.asarray(np.isfinite(self.xyz).all(axis=1))

    @property
    def heavy(self) -> Bool_N:
        """Atoms that are not hydrogen and have coordinates, shape (n,)."""
        return ~self.hydrogen & self.has_position


def select(model: Model, selection: str) -> Bool_N:
    """Atoms that a selection names.

    Parameters
    ----------
    model : Model
    selection : str
        gemmi's syntax, e.g. ``/1/A,B/10-40/CA[C]`` or ``//A`` or ``(HEM)``.

    Returns
    -------
    ndarray of bool, shape (n,)

    Raises
    ------
    ParameterError
        If the selection cannot be understood, or names no atom.
    """
    try:
        chosen = gemmi.Selection(selection)
        rows = [
            atom.serial - 1
            for part in chosen.models(model.structure)
            if part.num == model.number
            for chain in chosen.chains(part)
            for residue in chosen.residues(chain)
            for atom in chosen.atoms(residue)
        ]
    except (RuntimeError, ValueError) as exc:
        raise ParameterError(f"selection {selection!r} cannot be understood ({exc})") from None
    result: Bool_N = np.isin(model.row, rows)
    if not result.any():
        raise ParameterError(f"selection {selection!r} names no atom of {model.path}")
    return result
