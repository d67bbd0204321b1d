"""A small crystal of one residue, its half maps, and readings written down as plainly as can be."""

from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation

import atomsight as ats
from atomsight.density.map import Map, map_from_array
from atomsight.density.masks import mask_above
from atomsight.evidence.status import Status
from atomsight.model import AtomClass, Model
from atomsight.verdict.readings import Reading
from tests.support.scene import make_model

ATOMS = ("N", "CA", "C", "O", "CB", "CG", "OD1", "ND2")
PLACES = np.array([
    [-0.97, 0.49, 1.50], [0.26, 0.42, 0.69], [-0.09, 0.02, -0.72], [-1.06, -0.68, -0.92],
    [1.20, -0.62, 1.30], [2.55, -0.60, 0.60], [2.70, 0.10, -0.45], [3.55, -1.32, 1.12],
])  # fmt: skip
VOXEL = 1.0
SIZE = 44


def asparagines(seed: int = 0, edge: int = 3) -> Model:
    """Rigid copies of one asparagine, turned at random, 9 Å apart."""
    rng = np.random.default_rng(seed)
    start = SIZE * VOXEL / 2 - 4.5 * (edge - 1)
    centres = start + 9.0 * np.array(list(np.ndindex(edge, edge, edge)))
    centred = PLACES - PLACES.mean(axis=0)
    xyz = [turn.apply(centred) + c for turn, c in
           zip(Rotation.random(len(centres), random_state=rng), centres, strict=True)]  # fmt: skip
    n = len(centres)
    return make_model(
        np.concatenate(xyz),
        atom=ATOMS * n,
        element=[name[0] for name in ATOMS] * n,
        residue=np.repeat(np.arange(n), len(ATOMS)),
        residues=[("A", i + 1, "", "ASN", AtomClass.PROTEIN) for i in range(n)],
    )


def data(model: Model, noise, seed: int = 1, b: float = 60.0) -> tuple[Map, Map, Map, Map]:
    """Full map, half maps and mask: the model's map under white noise of a given strength."""
    empty = map_from_array(np.zeros((SIZE, SIZE, SIZE), dtype=np.float32), VOXEL)
    signal = ats.simulate_map(model, empty, b_iso=b)
    rng = np.random.default_rng(seed)
    halves = [
        map_from_array(
            (signal.values + noise * rng.standard_normal(signal.values.shape)).astype(np.float32),
            VOXEL,
        )
        for _ in range(2)
    ]
    full = map_from_array((halves[0].values + halves[1].values) / 2, VOXEL)
    return full, *halves, mask_above(signal, 0.02)


def everywhere(model: Model, resolution: float) -> tuple[np.ndarray, np.ndarray]:
    """One local resolution for all atoms, with its status."""
    n = len(model)
    return np.full(n, resolution), np.full(n, Status.OK, dtype=np.uint8)


def turned_side_chain(model: Model, residue: int, degrees: float) -> Model:
    """The model with one side chain turned about CA-CB."""
    xyz = model.xyz.copy()
    rows = np.flatnonzero(model.residue == residue)
    ca, cb = (xyz[rows[ATOMS.index(name)]] for name in ("CA", "CB"))
    axis = (cb - ca) / np.linalg.norm(cb - ca)
    moved = rows[ATOMS.index("CB") + 1 :]
    xyz[moved] = Rotation.from_rotvec(np.radians(degrees) * axis).apply(xyz[moved] - cb) + cb
    return replace(model, xyz=xyz)


def plain_reading(
    q, fields, residue_fields, typical, lost, stands_out, pull=None, climb=0.0
) -> Reading:
    """The rules of a verdict for one part: Q of its atoms, attainable Q (fields, atoms)."""
    n = len(q)
    means = [sum(field) / n for field in fields]
    expected = sum(means) / len(means)
    noise = sum((m - expected) ** 2 for m in means) / (len(means) - 1)
    own = 0.05**2 + 0.13**2 / n
    up, down = 1.5 * (own + noise) ** 0.5, 1.5 * (own + noise) ** 0.5
    share = 1.0 if pull is None else min(max(3.5 - pull, 0.0), 1.75)
    if stands_out:
        share = min(share, 0.5)
    down *= share
    least = 0.8 * typical
    mean_q = sum(q) / n
    residue = sum(sum(f) / len(f) for f in residue_fields) / len(residue_fields)
    if residue < least or lost:
        good = mean_q > max(least, expected + 1.5 * own**0.5) and climb <= 1.0
        return Reading.TOO_GOOD if good else Reading.NOT_RESOLVED
    if mean_q > expected + up:
        return Reading.TOO_GOOD
    return Reading.WORSE if mean_q < expected - down else Reading.AS_EXPECTED
