"""Peptides built from their torsions, with all hydrogens, as PDB files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from atomsight.io.models import read_model
from atomsight.model import Model

HELIX = (-60.0, -45.0)
EXTENDED = (-120.0, 130.0)


def place(a, b, c, length, angle, torsion):
    """The atom bonded to c, with an angle b-c-new and a torsion a-b-c-new (degrees)."""
    angle, torsion = np.radians(angle), np.radians(torsion)
    along = (c - b) / np.linalg.norm(c - b)
    normal = np.cross(b - a, along)
    normal /= np.linalg.norm(normal)
    return c + length * (
        -np.cos(angle) * along
        + np.sin(angle) * np.cos(torsion) * np.cross(normal, along)
        + np.sin(angle) * np.sin(torsion) * normal
    )


def away(centre, *others):
    """Unit vector that leads away from the other neighbours of an atom."""
    total = sum((centre - other) / np.linalg.norm(centre - other) for other in others)
    return total / np.linalg.norm(total)


def alanines(torsions: Sequence[tuple[float, float]], omega: float | Sequence[float] = 180.0):
    """Residues of polyalanine, each a dict of atom name → place; (phi, psi) of each residue."""
    omegas = np.broadcast_to(np.asarray(omega, dtype=float), (len(torsions),))
    n = np.array([0.0, 0.0, 0.0])
    ca = np.array([1.459, 0.0, 0.0])
    turn = np.radians(180.0 - 111.0)
    c = ca + 1.525 * np.array([np.cos(turn), np.sin(turn), 0.0])
    residues = []
    for k, (_, psi) in enumerate(torsions):
        following = place(n, ca, c, 1.336, 117.2, psi)
        oxygen = place(n, ca, c, 1.229, 120.1, psi + 180.0)
        cb = place(c, n, ca, 1.526, 109.7, -122.6)
        atoms = {"N": n, "CA": ca, "C": c, "O": oxygen, "CB": cb}
        if k:
            atoms["H"] = n + 1.01 * away(n, residues[-1]["C"], ca)
        atoms["HA"] = ca + 1.09 * away(ca, n, c, cb)
        for j in range(3):
            atoms[f"HB{j + 1}"] = place(n, ca, cb, 1.09, 109.5, 60.0 + 120.0 * j)
        residues.append(atoms)
        if k + 1 < len(torsions):
            next_ca = place(ca, c, following, 1.459, 121.7, omegas[k + 1])
            next_c = place(c, following, next_ca, 1.525, 111.0, torsions[k + 1][0])
            n, ca, c = following, next_ca, next_c
    return residues


def write_peptide(
    path: Path, residues, *, names: Sequence[str] | None = None, hydrogens: bool = True
) -> Path:
    """Write residues from `alanines` (perhaps changed) as chain A, numbered from 1."""
    lines, serial = [], 0
    for k, atoms in enumerate(residues):
        name = "ALA" if names is None else names[k]
        for atom, xyz in atoms.items():
            if atom.startswith("H") and not hydrogens:
                continue
            serial += 1
            x, y, z = xyz
            lines.append(
                f"ATOM  {serial:5d}  {atom:<3} {name} A{k + 1:4d}    "
                f"{x:8.3f}{y:8.3f}{z:8.3f}  1.00 20.00          {atom[0]:>2}"
            )
    path.write_text("\n".join([*lines, "END", ""]))
    return path


def peptide(path: Path, torsions, **options) -> Model:
    """A polyalanine as a model."""
    omega = options.pop("omega", 180.0)
    return read_model(write_peptide(path, alanines(torsions, omega), **options))
