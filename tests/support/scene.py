"""Small maps and models made in memory, for tests that need to know every number."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import gemmi
import numpy as np

from atomsight.density.map import Map, map_from_array
from atomsight.model import AtomClass, Model, ResidueTable

RESIDUE_COLUMNS = ("chain", "number", "icode", "name", "atom_class")


def residue_table(rows: Sequence[tuple]) -> ResidueTable:
    """Residues from rows of chain, number, insertion code, name, class."""
    chain, number, icode, name, kind = zip(*rows, strict=True)
    return ResidueTable(
        chain=np.array(chain),
        label_asym=np.array(chain),
        number=np.array(number, dtype=np.int64),
        icode=np.array(icode),
        name=np.array(name),
        entity=np.array(["1"] * len(rows)),
        atom_class=np.array(kind, dtype=np.int64),
    )


def make_model(
    xyz,
    *,
    atom="C",
    element="C",
    altloc="",
    residue=0,
    residues: Sequence[tuple] = (("A", 1, "", "ALA", AtomClass.PROTEIN),),
) -> Model:
    """A model of atoms at `xyz`; everything else is one value for all, or one an atom."""
    xyz = np.asarray(xyz, dtype=float).reshape(-1, 3)
    n = len(xyz)

    def column(value, kind=None):
        return np.ascontiguousarray(np.broadcast_to(np.array(value, dtype=kind), (n,)))

    elements = column(element)
    return Model(
        xyz=xyz,
        atom=column(atom),
        element=elements,
        altloc=column(altloc),
        occupancy=np.ones(n),
        b_iso=np.zeros(n),
        hydrogen=np.isin(elements, ["H", "D"]),
        residue=column(residue, np.int64),
        row=np.arange(n),
        residues=residue_table(residues),
        structure=gemmi.Structure(),
        number=1,
        model_numbers=(1,),
        path=Path("scene.pdb"),
    )


def skewed_map(values: np.ndarray, step, origin=(0.0, 0.0, 0.0)) -> Map:
    """A map whose axes need not be at right angles; columns of `step` lead to the next voxel."""
    plain = map_from_array(values, 1.0, tuple(origin))
    return replace(plain, step=np.array(step, dtype=float))


def noise_map(seed: int, shape=(24, 24, 24), voxel=0.9, origin=(0.0, 0.0, 0.0)) -> Map:
    """White noise, float32."""
    values = np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)
    return map_from_array(values, voxel, origin)


def positions(map_: Map) -> np.ndarray:
    """Place of every voxel in Å, shape (nz, ny, nx, 3)."""
    nz, ny, nx = map_.values.shape
    k, j, i = np.mgrid[:nz, :ny, :nx]
    return map_.origin + np.stack([i, j, k], axis=-1) @ map_.step.T


def gaussian_map(
    centres, sigma: float, shape=(48, 48, 48), voxel=0.1, origin=(0.0, 0.0, 0.0)
) -> Map:
    """A Gaussian of height 1 at each centre, float64."""
    empty = map_from_array(np.zeros(shape), voxel, origin)
    place = positions(empty)
    values = sum(
        np.exp(-((place - c) ** 2).sum(axis=-1) / (2 * sigma**2)) for c in np.atleast_2d(centres)
    )
    return map_from_array(values, voxel, origin)


def scatter(seed: int, n: int, low: float, high: float, apart: float = 0.0) -> np.ndarray:
    """Random places between low and high along each axis, on 3 decimals, no two too near."""
    rng = np.random.default_rng(seed)
    if not apart:
        return rng.uniform(low, high, (n, 3)).round(3)
    places: list[np.ndarray] = []
    while len(places) < n:
        place = rng.uniform(low, high, 3).round(3)
        if all(np.linalg.norm(place - other) >= apart for other in places):
            places.append(place)
    return np.array(places)
