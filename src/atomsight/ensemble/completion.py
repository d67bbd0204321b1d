"""Missing atoms and hydrogens by PDBFixer, on residues numbered in our own table."""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import gemmi
import numpy as np

from atomsight.ensemble.libraries import require_openmm
from atomsight.errors import ModelFileError
from atomsight.typing import Bool_N, Float_Nx3, Int_N, Int_Nx3, Str_N

_SEED = 1
_PH = 7.0
_STUB = f"{'ATOM      1  CA  GLY A   1       0.000   0.000   0.000  1.00  0.00':<76} C\nEND\n"
"""PDBFixer takes nothing but files; what it reads here is replaced at once."""


@dataclass(frozen=True, slots=True)
class Completed:
    """Atoms of whole residues; the fields are those of `atomsight.ensemble.preparation.Prepared`.

    `unknown` is the number of atoms removed because their residue has none of that name.
    """

    xyz: Float_Nx3
    atom: Str_N
    element: Str_N
    residue: Int_N
    added: Bool_N
    bonds: Int_Nx3
    unknown: int


def complete(residues: Sequence[gemmi.Residue], segments: Sequence[int], path: Path) -> Completed:
    """Add missing heavy atoms and hydrogens (pH 7); the same input gives the same positions.

    Parameters
    ----------
    residues : sequence of gemmi.Residue
        Standard residues without hydrogens.
    segments : sequence of int
        Residues of one number are joined.
    path : Path
        For messages.

    Returns
    -------
    Completed

    Raises
    ------
    ModelFileError
        If PDBFixer cannot complete them.
    MissingLibraryError
        If OpenMM or PDBFixer is not installed.
    """
    require_openmm()
    from openmm import Platform, unit  # noqa: PLC0415  (optional library)
    from pdbfixer import PDBFixer  # noqa: PLC0415

    platform = Platform.getPlatformByName("CPU")
    with _repeatable(platform):
        fixer = PDBFixer(pdbfile=StringIO(_STUB), platform=platform)
        kept, unknown = _known_atoms(residues, segments, fixer)
        fixer.topology, positions = _topology(residues, segments, kept)
        fixer.positions = positions * unit.angstrom
        fixer.sequences, fixer.missingResidues = [], {}
        names = {(r.index, a.name) for r in fixer.topology.residues() for a in r.atoms()}
        try:
            fixer.findMissingAtoms()
            fixer.addMissingAtoms(seed=_SEED)
            fixer.addMissingHydrogens(_PH)
        except Exception as exc:
            raise ModelFileError(
                f"{path}: PDBFixer cannot add missing atoms and hydrogens ({exc})"
            ) from exc
    atoms = list(fixer.topology.atoms())
    bonds = sorted(sorted((one.index, other.index)) for one, other in fixer.topology.bonds())
    return Completed(
        xyz=np.array(fixer.positions.value_in_unit(unit.angstrom), dtype=float),
        atom=np.array([atom.name for atom in atoms]),
        element=np.array([atom.element.symbol for atom in atoms]),
        residue=np.array([atom.residue.index for atom in atoms], dtype=np.int64),
        added=np.array([(atom.residue.index, atom.name) not in names for atom in atoms]),
        bonds=np.array(bonds, dtype=np.int64).reshape(-1, 2),
        unknown=unknown,
    )


def _known_atoms(
    residues: Sequence[gemmi.Residue], segments: Sequence[int], fixer: Any
) -> tuple[list[list[gemmi.Atom]], int]:
    """Atoms of each residue that its template has, and the number of the others."""
    last = {i for i, (one, other) in enumerate(pairwise((*segments, -1))) if one != other}
    kept, unknown = [], 0
    for i, residue in enumerate(residues):
        allowed = {atom.name for atom in fixer.templates[residue.name].topology.atoms()}
        allowed = allowed | {"OXT"} if i in last else allowed - {"OXT"}
        kept.append([atom for atom in residue if atom.name in allowed])
        unknown += len(residue) - len(kept[-1])
    return kept, unknown


def _topology(
    residues: Sequence[gemmi.Residue],
    segments: Sequence[int],
    kept: Sequence[Sequence[gemmi.Atom]],
) -> tuple[Any, Float_Nx3]:
    """OpenMM's topology, one chain a segment, and positions in Å."""
    from openmm import unit  # noqa: PLC0415  (optional library)
    from openmm.app import Element, Topology  # noqa: PLC0415

    topology = Topology()
    positions: list[list[float]] = []
    chain: Any = None
    for i, residue in enumerate(residues):
        if i == 0 or segments[i] != segments[i - 1]:
            chain = topology.addChain(str(segments[i]))
        place = topology.addResidue(residue.name, chain)
        for atom in kept[i]:
            topology.addAtom(atom.name, Element.getBySymbol(atom.element.name), place)
            positions.append(atom.pos.tolist())
    topology.createStandardBonds()
    xyz = np.array(positions)
    topology.createDisulfideBonds(xyz * unit.angstrom)
    return topology, xyz


@contextmanager
def _repeatable(platform: Any) -> Iterator[None]:
    """One thread, and the same random numbers: OpenMM places hydrogens at random first."""
    state, threads = random.getstate(), platform.getPropertyDefaultValue("Threads")
    random.seed(_SEED)
    platform.setPropertyDefaultValue("Threads", "1")
    try:
        yield
    finally:
        random.setstate(state)
        platform.setPropertyDefaultValue("Threads", threads)
