"""A small model and a map that shows it, as files: the least that can be validated."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from tests.support.maps import RIGHT_ANGLES, write_ccp4
from tests.support.models import Atom, cif_text, pdb_text, peptide, residue, write_model

VOXEL = 0.8
MARGIN = 7.0


def placed(atoms: Iterable[Atom], seed: int = 5) -> list[Atom]:
    """The same atoms on a jittered grid 2.4 Å wide, none on top of another."""
    atoms = list(atoms)
    rng = np.random.default_rng(seed)
    side = int(np.ceil(len(atoms) ** (1 / 3)))
    places = 2.4 * np.array(list(np.ndindex(side, side, side)))[: len(atoms)] + 10.0
    jittered = (places + rng.uniform(-0.3, 0.3, places.shape)).round(3)
    return [
        atom if atom.xyz is None else replace(atom, xyz=tuple(place.tolist()))
        for atom, place in zip(atoms, jittered, strict=True)
    ]


def moved(atoms: Iterable[Atom], shift: Sequence[float]) -> list[Atom]:
    """The same atoms elsewhere; what has no coordinates stays without."""
    return [
        atom if atom.xyz is None else replace(atom, xyz=tuple(np.add(atom.xyz, shift).tolist()))
        for atom in atoms
    ]


def shifted(atoms, name, step):
    """The same atoms, those of one residue name elsewhere."""
    return [moved([a], step)[0] if a.residue == name else a for a in atoms]


def numbered(atoms: Iterable[Atom]) -> list[Atom]:
    """The same atoms with serials 1, 2, 3, …"""
    return [replace(atom, serial=serial) for serial, atom in enumerate(atoms, 1)]


def small_model() -> list[Atom]:
    """Peptide, ligand, ion and water, 20 atoms."""
    return numbered(
        placed(
            [
                *peptide("ALA GLY SER", entity="1"),
                *residue("HEM", "FE NA NB CHA", number=201, record="HETATM", chain="A", entity="2"),
                *residue("MG", "MG", number=202, record="HETATM", element="MG", entity="3"),
                *residue("HOH", "O", number=301, record="HETATM", entity="4"),
                *residue("HOH", "O", number=302, record="HETATM", entity="4"),
                *residue("HOH", "O", number=303, record="HETATM", entity="4"),
            ]
        )
    )


def density(atoms: Sequence[Atom], low: np.ndarray, high: np.ndarray, width: float) -> np.ndarray:
    """A Gaussian at every atom other than hydrogen, with a little noise, shape (z, y, x)."""
    shape = np.ceil((high - low) / VOXEL).astype(int) + 1
    axes = [low[a] + VOXEL * np.arange(shape[a]) for a in range(3)]
    values = np.random.default_rng(1).normal(0.0, 0.02, shape[::-1])
    for atom in atoms:
        if atom.xyz is not None and atom.element not in ("H", "D"):
            x, y, z = (np.exp(-((axes[a] - atom.xyz[a]) ** 2) / (2.0 * width**2)) for a in range(3))
            values += z[:, None, None] * y[None, :, None] * x[None, None, :]
    return values.astype(np.float32)


def write_map_of(path: Path, atoms: Sequence[Atom], *, width: float = 0.7, **options) -> Path:
    """A CCP4 map around the atoms, in which each shows as a blob."""
    xyz = np.array([atom.xyz for atom in atoms if atom.xyz is not None])
    low = np.floor(xyz.min(axis=0) - MARGIN)
    values = density(atoms, low, xyz.max(axis=0) + MARGIN, width)
    cell = (*(VOXEL * n for n in values.shape[::-1]), *RIGHT_ANGLES)
    return write_ccp4(path, values, **{"cell": cell, "origin": tuple(low.tolist())} | options)


def write_case(
    folder: Path,
    atoms: Sequence[Atom] | None = None,
    *,
    model: str = "model.cif",
    map_: str = "map.mrc",
    before: str = "",
) -> tuple[Path, Path]:
    """Model and map as files; endings say the format, ``.gz`` packs."""
    atoms = small_model() if atoms is None else atoms
    text = pdb_text(atoms, before) if ".pdb" in model else cif_text(atoms, before)
    return (
        write_model(folder / model, text, compress=model.endswith(".gz")),
        write_map_of(folder / map_, atoms, compress=map_.endswith(".gz")),
    )


def files_below(folder: Path) -> list[str]:
    """Every file and folder below a folder, hidden ones too, by its relative path."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
