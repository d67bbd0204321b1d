"""Independent models of one small molecule, as text, as files and as residues."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from atomsight.ensemble.residues import Residues
from tests.support.models import Atom, pdb_text, peptide, write_model

SEQUENCE = "MET LYS TRP VAL THR PHE ILE SER LEU HIS GLU ASP GLN ARG TYR CYS"
OTHER = "GLY PRO ALA ASN GLY PRO ALA ASN GLY PRO ALA ASN GLY PRO ALA ASN"


def residues(
    names: str = SEQUENCE, *, first: int = 1, chain: str = "A", at: Sequence[float] = (0, 0, 0)
) -> Residues:
    """A chain with a Cα every 3.8 Å."""
    words = names.split()
    n = len(words)
    return Residues(
        chain=np.full(n, chain),
        number=np.arange(first, first + n),
        icode=np.full(n, "", dtype="U1"),
        name=np.array(words),
        xyz=np.array([[3.8 * i, 0.0, 0.0] for i in range(n)]) + np.array(at),
        row=np.arange(n),
    )


def together(*parts: Residues) -> Residues:
    """Several chains as one model."""
    columns = ("chain", "number", "icode", "name", "xyz")
    joined = {key: np.concatenate([getattr(one, key) for one in parts]) for key in columns}
    return Residues(**joined, row=np.arange(len(joined["number"])))


def jittered(seed: int, scale: float = 0.3, names: str = SEQUENCE, first: int = 1) -> list[Atom]:
    """A peptide whose atoms are off their places by chance; in one place under any numbers."""
    rng = np.random.default_rng(seed)
    atoms = []
    for atom in peptide(names):
        xyz = (np.array(atom.xyz) + rng.normal(0, scale, 3)).round(3).tolist()
        atoms.append(replace(atom, number=atom.number + first - 1, xyz=tuple(xyz)))
    return atoms


def write_ensemble(folder: Path, n: int = 4, scale: float = 0.3) -> list[Path]:
    """n models of the peptide, model_1.pdb, model_2.pdb, …"""
    folder.mkdir(exist_ok=True)
    return [
        write_model(folder / f"model_{i}.pdb", pdb_text(jittered(i, scale)))
        for i in range(1, n + 1)
    ]
