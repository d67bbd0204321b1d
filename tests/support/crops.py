"""Many small entries out of one real map and model: pieces, moved, with noise; and broken ones."""

import csv
import gzip
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import gemmi
import numpy as np

import atomsight as ats
from atomsight.io.map_writing import write_map

MARGIN = 6.0
"""Å of map around the atoms."""


@dataclass(frozen=True, slots=True)
class Source:
    """What pieces are cut out of."""

    model: ats.Model
    map: ats.Map


def read_source(model: Path, map_: Path) -> Source:
    """Read a model and its map."""
    return Source(ats.read_model(model), ats.read_map(map_))


def write_crop(
    source: Source, folder: Path, name: str, *, seed: int, radius: float = 8.0
) -> tuple[Path, Path]:
    """Write the residues within a radius of a random one, and the box of map around them.

    Both are moved by a random whole number of voxels, and the map gets white noise of up to half
    its own standard deviation.
    """
    rng = np.random.default_rng(seed)
    model, map_ = source.model, source.map
    polymer = np.flatnonzero(model.atom == "CA")
    centre = model.xyz[rng.choice(polymer)]
    near = np.linalg.norm(model.xyz - centre, axis=1) <= radius
    kept = np.isin(model.residue, np.unique(model.residue[near]))
    xyz = model.xyz[kept]
    voxel = np.array(map_.voxel_size)
    low = np.floor((xyz.min(axis=0) - MARGIN - map_.origin) / voxel).astype(int).clip(0)
    high = np.ceil((xyz.max(axis=0) + MARGIN - map_.origin) / voxel).astype(int)
    part = map_.values[low[2] : high[2], low[1] : high[1], low[0] : high[0]]
    noise = rng.normal(scale=rng.uniform(0, 0.5) * part.std(), size=part.shape)
    move = rng.integers(-20, 20, 3) * voxel
    crop = ats.map_from_array(
        (part + noise).astype(np.float32),
        voxel_size=map_.voxel_size,
        origin=map_.origin + low * voxel + move,
    )
    folder.mkdir(parents=True, exist_ok=True)
    map_path = write_map(crop.values, crop, folder / f"{name}.mrc")
    return _write_model(source.model, kept, move, folder / f"{name}.cif"), map_path


def _write_model(model: ats.Model, kept: np.ndarray, move: np.ndarray, path: Path) -> Path:
    wanted = set((model.row[kept] + 1).tolist())
    structure = model.structure.clone()
    for chain in structure[0]:
        for residue in chain:
            for i in reversed(range(len(residue))):
                atom = residue[i]
                if atom.serial in wanted:
                    atom.pos += gemmi.Position(*move.tolist())
                else:
                    del residue[i]
    structure.remove_empty_chains()
    structure.make_mmcif_document().write_file(str(path))
    return path


def write_crops(
    source: Source, folder: Path, count: int, *, radius: float = 8.0, resolution: float = 3.2
) -> Path:
    """Write pieces and their manifest; returns the manifest."""
    rows = []
    for seed in range(count):
        name = f"crop{seed:05d}"
        model, map_ = write_crop(source, folder / "files", name, seed=seed, radius=radius)
        rows.append((name, *(str(path.relative_to(folder)) for path in (model, map_)), resolution))
    return write_manifest(folder / "manifest.csv", ("name", "model", "map", "resolution"), rows)


def write_manifest(path: Path, header: Iterable[str], rows: Iterable[Iterable[object]]) -> Path:
    """Write a manifest as CSV."""
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(header)
        writer.writerows(rows)
    return path


@dataclass(frozen=True, slots=True)
class Files:
    """The files of an entry."""

    model: Path
    map: Path


def _truncated(files: Files) -> None:
    files.map.write_bytes(files.map.read_bytes()[: files.map.stat().st_size // 2])


def _no_map(files: Files) -> None:
    files.map.unlink()


def _no_atoms(files: Files) -> None:
    files.model.write_text("data_nothing\n", encoding="utf-8")


def _elsewhere(files: Files) -> None:
    structure = gemmi.read_structure(str(files.model))
    for site in structure[0].all():
        site.atom.pos += gemmi.Position(500, 0, 0)
    structure.make_mmcif_document().write_file(str(files.model))


def _bad_gzip(files: Files) -> None:
    files.map.write_bytes(gzip.compress(files.map.read_bytes())[:-2000])


def _rubbish(files: Files) -> None:
    files.map.write_bytes(np.random.default_rng(1).bytes(5000))


FAULTS: dict[str, tuple[Callable[[Files], None], str]] = {
    "truncated": (_truncated, "read maps"),
    "no map": (_no_map, "read maps"),
    "no atoms": (_no_atoms, "read model"),
    "elsewhere": (_elsewhere, "model in map"),
    "bad gzip": (_bad_gzip, "read maps"),
    "rubbish": (_rubbish, "read maps"),
}
"""How an entry is broken, and the step at which that shows."""


def spoil(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """Break entries that `write_crops` wrote, each in another way; tells the step of each."""
    steps = {}
    for name, (fault, step) in zip(names, cycle(FAULTS.values())):
        fault(Files(folder / "files" / f"{name}.cif", folder / "files" / f"{name}.mrc"))
        steps[name] = step
    return steps
