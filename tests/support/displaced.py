"""Atoms and ligands where nothing is: random places in the first shell around a model."""

from dataclasses import replace

import numpy as np
from scipy.spatial import KDTree
from scipy.spatial.transform import Rotation

from atomsight.model import AtomClass, Model
from tests.support.scene import make_model

NEAREST, FURTHEST = 2.4, 3.5
"""Å from the nearest atom, as waters lie."""

APART = 4.0
"""Å; at this distance one place does not change the Q-score of another."""


def shell_places(model: Model, seed: int, tries: int = 100_000) -> np.ndarray:
    """Random places in the shell, none near another, shape (n, 3)."""
    rng = np.random.default_rng(seed)
    atoms = model.xyz[model.heavy]
    tree = KDTree(atoms)
    step = rng.standard_normal((tries, 3))
    step *= rng.uniform(NEAREST, FURTHEST, (tries, 1)) / np.linalg.norm(step, axis=1)[:, None]
    places = atoms[rng.integers(len(atoms), size=tries)] + step
    distance, _ = tree.query(places)
    places = places[(distance >= NEAREST) & (distance <= FURTHEST)]
    near = KDTree(places)
    free = np.ones(len(places), dtype=bool)
    kept = []
    for i, place in enumerate(places):
        if free[i]:
            kept.append(i)
            free[near.query_ball_point(place, APART)] = False
    return places[kept]


def with_waters(model: Model, places: np.ndarray) -> Model:
    """The model, and then a water at every place."""
    n, m = len(model), len(model.residues)
    rows = [("w", i, "", "HOH", AtomClass.WATER) for i in range(len(places))]
    waters = make_model(
        places, atom="O", element="O", residue=np.arange(len(places)), residues=rows
    )
    return joined(model, replace(waters, residue=waters.residue + m, row=waters.row + n))


def joined(first: Model, second: Model) -> Model:
    """Two models as one; `second` already counts its residues on from the first's."""

    def both(a, b, names):
        return {name: np.concatenate([getattr(a, name), getattr(b, name)]) for name in names}

    columns = ("xyz", "atom", "element", "altloc", "occupancy", "b_iso", "hydrogen")
    table = ("chain", "label_asym", "number", "icode", "name", "entity", "atom_class")
    residues = replace(first.residues, **both(first.residues, second.residues, table))
    return replace(first, residues=residues, **both(first, second, (*columns, "residue", "row")))


def displaced_ligand(ligand: np.ndarray, others: np.ndarray, seed: int, n: int) -> list[np.ndarray]:
    """A ligand turned and put next to the other atoms at random, n times, without clashes."""
    rng = np.random.default_rng(seed)
    tree = KDTree(others)
    centred = ligand - ligand.mean(axis=0)
    reach = float(np.linalg.norm(centred, axis=1).max())
    found: list[np.ndarray] = []
    while len(found) < n:
        turned = Rotation.random(random_state=rng).apply(centred)
        direction = rng.standard_normal(3)
        direction /= np.linalg.norm(direction)
        start = others[rng.integers(len(others))]
        for away in np.arange(NEAREST, reach + FURTHEST, 0.5):
            placed = turned + start + away * direction
            distance = tree.query(placed)[0]
            if distance.min() >= NEAREST:
                if distance.min() <= FURTHEST:
                    found.append(placed)
                break
    return found
