"""A peptide from ideal bond lengths and angles, and its map."""

from pathlib import Path

import gemmi
import numpy as np

from atomsight.density.map import Map, map_from_array

N_CA, CA_C, C_N, C_O = 1.458, 1.525, 1.329, 1.231
"""Å: Engh & Huber 1991."""


def next_atom(
    a: np.ndarray, b: np.ndarray, c: np.ndarray, length: float, angle: float, torsion: float
) -> np.ndarray:
    """The atom bound to c, by its internal coordinates (Å, degrees)."""
    along = (c - b) / np.linalg.norm(c - b)
    normal = np.cross(b - a, along)
    normal /= np.linalg.norm(normal)
    across = np.cross(normal, along)
    theta, phi = np.radians([angle, torsion])
    local = np.array([-np.cos(theta), np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi)])
    return c + length * (local[0] * along + local[1] * across + local[2] * normal)


def peptide(
    names: list[str], phi: float = -60.0, psi: float = -45.0, start: int = 1, chain: str = "A"
) -> gemmi.Structure:
    """Backbone and Cβ of a helix (or whatever phi and psi make)."""
    n = np.array([0.0, 0.0, 0.0])
    ca = np.array([N_CA, 0.0, 0.0])
    c = next_atom(np.array([-1.0, 1.0, 0.0]), n, ca, CA_C, 111.0, -60.0)
    out = gemmi.Chain(chain)
    for i, name in enumerate(names):
        following = next_atom(n, ca, c, C_N, 116.6, psi)
        atoms = {
            "N": n,
            "CA": ca,
            "C": c,
            "O": next_atom(n, ca, c, C_O, 120.5, psi + 180.0),
        }
        if name != "GLY":
            atoms["CB"] = next_atom(c, n, ca, 1.53, 110.1, -122.6)
        residue = gemmi.Residue()
        residue.name, residue.seqid = name, gemmi.SeqId(start + i, " ")
        for atom_name, place in atoms.items():
            atom = gemmi.Atom()
            atom.name, atom.element = atom_name, gemmi.Element(atom_name[0])
            atom.pos, atom.b_iso = gemmi.Position(*place.tolist()), 20.0 + i
            residue.add_atom(atom)
        out.add_residue(residue)
        next_ca = next_atom(ca, c, following, N_CA, 121.9, 180.0)
        n, ca, c = following, next_ca, next_atom(c, following, next_ca, CA_C, 111.0, phi)
    structure = gemmi.Structure()
    structure.add_model(gemmi.Model(1))
    structure[0].add_chain(out)
    structure.setup_entities()
    return structure


def write(structure: gemmi.Structure, path: Path) -> Path:
    structure.setup_entities()
    structure.assign_serial_numbers()
    structure.make_mmcif_document().write_file(str(path))
    return path


def map_around(xyz: np.ndarray, spacing: float = 1.0, sd: float = 1.0) -> Map:
    """One Gaussian an atom, in a box with 8 Å to spare."""
    from atomsight.density.simulate import sum_of_gaussians  # loads numba

    low = xyz.min(axis=0) - 8.0
    size = np.ceil((xyz.max(axis=0) + 8.0 - low) / spacing).astype(int)
    empty = map_from_array(np.zeros(size[::-1].tolist()), spacing, tuple(low.tolist()))
    n = len(xyz)
    values = sum_of_gaussians(empty, xyz, np.ones(n), np.full(n, sd))
    return map_from_array(values, spacing, tuple(low.tolist()))
