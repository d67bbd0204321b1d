"""From a deposited model to one that a force field can move: whole residues, with hydrogens.

Names, numbers, insertion codes and chains stay those of the input: what moves the atoms sees
positions in a table, never names of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import gemmi
import numpy as np

from atomsight.ensemble.completion import complete
from atomsight.ensemble.copies import Copies
from atomsight.ensemble.stripping import named, remove_end_phosphates, segments_of, strip
from atomsight.errors import ModelFileError
from atomsight.io.files import write_text
from atomsight.model import AtomClass, Model
from atomsight.typing import Bool_N, Float_Nx3, Int_N, Int_Nx3, Str_N


@dataclass(frozen=True, slots=True)
class Prepared:
    """A model ready for an engine: its columns, and what was done to get there.

    Attributes
    ----------
    xyz : ndarray, shape (n, 3)
        Å.
    atom, element : ndarray of str, shape (n,)
    residue : ndarray of int, shape (n,)
        Row of each atom's residue.
    added : ndarray of bool, shape (n,)
        Atoms that the input does not have: hydrogens, and heavy atoms that were missing.
    bonds : ndarray of int, shape (b, 2)
        Rows of bonded atoms.
    chain, name, icode : ndarray of str, shape (m,)
        Of each residue, as in the input.
    number : ndarray of int, shape (m,)
    segment : ndarray of int, shape (m,)
        Residues of one number are joined; a gap in a chain starts the next.
    b_iso : float
        Å²: mean of the input, the same for all atoms.
    left_out : mapping
        Residue name → number of residues left out, for want of parameters.
    others : ndarray, shape (k, 3)
        Å: atoms of the input that stay where they are and take no part, without waters. Their
        density is not the model's.
    notes : tuple of str
        What was changed, for people.
    symmetry : str
        What made copies of the model `others`: name and hash of the operators; "": nothing.
    copies : Copies or None
        Atoms of copies that move with the model, where they do.
    """

    xyz: Float_Nx3
    atom: Str_N
    element: Str_N
    residue: Int_N
    added: Bool_N
    bonds: Int_Nx3
    chain: Str_N
    name: Str_N
    icode: Str_N
    number: Int_N
    segment: Int_N
    b_iso: float
    left_out: Mapping[str, int]
    others: Float_Nx3
    notes: tuple[str, ...]
    symmetry: str = ""
    copies: Copies | None = None

    def __len__(self) -> int:
        return len(self.xyz)

    @property
    def heavy(self) -> Bool_N:
        """Atoms that are not hydrogen, shape (n,)."""
        return np.asarray(self.element != "H")

    @property
    def trace(self) -> Bool_N:
        """Cα of each amino acid and C1' of each nucleotide, shape (n,)."""
        return np.isin(self.atom, ["CA", "C1'"])

    @property
    def digest(self) -> str:
        """SHA-256 over names, numbers and the positions of all atoms, in hexadecimal."""
        value = sha256(np.round(self.xyz, 3).astype("<f4").tobytes())
        for column in (self.atom, self.residue, self.chain, self.name, self.icode, self.number):
            value.update("\n".join(map(str, column.tolist())).encode())
        return value.hexdigest()


def prepare(model: Model, selection: Bool_N | None = None) -> Prepared:
    """Strip a model to one conformer of known residues, and complete it with hydrogens.

    Kept are amino acids and nucleotides that the force field knows, as one conformer (the one with
    the highest occupancy) with occupancy 1 and one B factor. Everything else is left out by name.
    Missing atoms of a residue are built by PDBFixer; missing residues are not: a chain is cut
    there. Heavy atoms of the input are not moved.

    Parameters
    ----------
    model : Model
    selection : ndarray of bool, shape (n,), optional
        Atoms whose residues are wanted, e.g. from `atomsight.model.select`; all others count as
        `others`.

    Returns
    -------
    Prepared

    Raises
    ------
    ModelFileError
        If no residue is left, or the rest cannot be completed.
    MissingLibraryError
        If OpenMM or PDBFixer is not installed.
    """
    residues, left_out, notes = strip(model, selection)
    if not residues:
        raise ModelFileError(
            f"{model.path}: holds no residue that the force field knows: amino acids and "
            f"nucleotides under their standard names, with a whole backbone"
            f"{'; left out: ' if left_out else ''}{named(left_out)}"
        )
    segments = segments_of(residues)
    cuts = len(set(segments)) - len({chain for chain, _ in residues})
    if cuts:
        notes.append(f"chains are cut at {cuts} gaps; nothing is built there")
    notes += remove_end_phosphates(residues, segments)
    b_iso = float(np.mean([atom.b_iso for _, residue in residues for atom in residue]))
    done = complete([residue for _, residue in residues], segments, model.path)
    before = len(done.added) - np.count_nonzero(done.added)
    hydrogens = np.count_nonzero(done.added & (done.element == "H"))
    heavy = np.count_nonzero(done.added) - hydrogens
    if done.unknown:
        notes.append(f"{done.unknown} atoms removed that their residue does not have")
    notes.append(f"{before} atoms kept; {heavy} missing atoms and {hydrogens} hydrogens added")
    return Prepared(
        xyz=done.xyz,
        atom=done.atom,
        element=done.element,
        residue=done.residue,
        added=done.added,
        bonds=done.bonds,
        chain=np.array([chain for chain, _ in residues]),
        name=np.array([residue.name for _, residue in residues]),
        icode=np.array([residue.seqid.icode.strip() for _, residue in residues]),
        number=np.array([residue.seqid.num for _, residue in residues], dtype=np.int64),
        segment=np.array(segments, dtype=np.int64),
        b_iso=b_iso,
        left_out=left_out,
        others=_others(model, residues),
        notes=tuple(notes),
    )


def _others(model: Model, residues: list[tuple[str, gemmi.Residue]]) -> Float_Nx3:
    """Heavy atoms, other than water, of residues that are not among these."""
    table = model.residues
    kept = {(chain, residue.seqid.num, residue.seqid.icode.strip()) for chain, residue in residues}
    keys = zip(table.chain.tolist(), table.number.tolist(), table.icode.tolist(), strict=True)
    inside = np.array([key in kept for key in keys])
    other = ~inside & (table.atom_class != AtomClass.WATER)
    chosen: Float_Nx3 = model.xyz[other[model.residue] & model.heavy]
    return chosen


def structure_of(prepared: Prepared, xyz: Float_Nx3) -> gemmi.Structure:
    """The prepared model with other positions, as a structure to write.

    Parameters
    ----------
    prepared : Prepared
    xyz : ndarray, shape (n, 3)
        Å.

    Returns
    -------
    gemmi.Structure
    """
    structure = gemmi.Structure()
    structure.name = "model"
    model = gemmi.Model(1)
    starts = np.searchsorted(prepared.residue, np.arange(len(prepared.number) + 1))
    chain: gemmi.Chain | None = None
    for row in range(len(prepared.number)):
        name = str(prepared.chain[row])
        if chain is None or chain.name != name:
            chain = model.add_chain(gemmi.Chain(name))
        residue = gemmi.Residue()
        residue.name = str(prepared.name[row])
        residue.seqid = gemmi.SeqId(int(prepared.number[row]), str(prepared.icode[row] or " "))
        residue.entity_type = gemmi.EntityType.Polymer
        for i in range(starts[row], starts[row + 1]):
            atom = gemmi.Atom()
            atom.name = str(prepared.atom[i])
            atom.element = gemmi.Element(str(prepared.element[i]))
            atom.pos = gemmi.Position(*xyz[i].tolist())
            atom.occ, atom.b_iso = 1.0, prepared.b_iso
            residue.add_atom(atom)
        chain.add_residue(residue)
    structure.add_model(model)
    structure.merge_chain_parts()
    structure.setup_entities()
    structure.assign_serial_numbers()
    return structure


def write_model(prepared: Prepared, xyz: Float_Nx3, path: Path) -> Path:
    """Write the prepared model with other positions as mmCIF.

    Parameters
    ----------
    prepared : Prepared
    xyz : ndarray, shape (n, 3)
        Å.
    path : Path

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    return write_text(path, structure_of(prepared, xyz).make_mmcif_document().as_string())
