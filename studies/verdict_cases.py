"""Constructed cases for the study of verdicts: residues whose right reading is known.

They start from two half maps and the model that they were made from. Spheres of the maps are
spoiled, by independent noise in each half or by taking the order out of the molecule; then
residues are left alone, turned, shifted, or fitted into the noise.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

import atomsight as ats
from atomsight.density.fourier import filter_shells, radial_power, shell_numbers, transform
from atomsight.density.map import array_statistics, to_index
from atomsight.verdict.readings import Reading

RADIUS = 13.0
"""Å; of a spoiled sphere."""

CORE = 10.0
"""Å; residues with all atoms within it are cases of the sphere."""

CLEAR = 19.0
"""Å; residues with all atoms beyond it are cases of the untouched map."""

DISORDER = 250.0
"""Å²; added to the B factors of atoms whose order is taken away."""

JIGGLE = 0.35
"""Å; how far an atom that is fitted into noise may leave its residue's geometry."""

BOND = 1.95
"""Å; heavy atoms nearer than this are bound."""

LONG = ("ARG", "ASN", "ASP", "GLN", "GLU", "HIS", "LEU", "LYS", "MET", "PHE", "TRP", "TYR")
"""Residues whose turned side chain cannot fall onto itself."""

KINDS = {
    "right": Reading.AS_EXPECTED,
    "side chain turned": Reading.WORSE,
    "shifted": Reading.WORSE,
    "side chain shifted": Reading.WORSE,
    "noise": Reading.NOT_RESOLVED,
    "disorder": Reading.NOT_RESOLVED,
    "side chain disordered": Reading.NOT_RESOLVED,
    "fitted in noise": Reading.TOO_GOOD,
    "side chain fitted in noise": Reading.TOO_GOOD,
    "fitted in disorder": Reading.TOO_GOOD,
    "side chain fitted in disorder": Reading.TOO_GOOD,
}
"""What is done to residues, and how it should be read."""

_BACKBONE = ("N", "CA", "C", "O", "OXT")


@dataclass(frozen=True, slots=True)
class Cases:
    """Half maps, a model, and what happened to its residues.

    Attributes
    ----------
    half_1, half_2, full : Map
    model : Model
    kind : ndarray of str, shape (m,)
        What was done to each residue; empty: not a case.
    """

    half_1: ats.Map
    half_2: ats.Map
    full: ats.Map
    model: ats.Model
    kind: np.ndarray


def with_values(map_: ats.Map, values: np.ndarray) -> ats.Map:
    """A map with other values on the same grid."""
    values = np.asarray(values, dtype=np.float32)
    return replace(map_, values=values, statistics=array_statistics(values), path=None)


def noise_like(amplitude: np.ndarray, map_: ats.Map, rng: np.random.Generator) -> np.ndarray:
    """Gaussian noise whose power in shells is that of a spectrum, its standard deviation 1."""
    shell, _ = shell_numbers(map_)
    white = transform(rng.standard_normal(map_.values.shape, dtype=np.float32))
    factor = np.sqrt(amplitude / np.maximum(radial_power(white, shell), 1e-30))
    field = filter_shells(white, shell, factor, map_.values.shape)
    return np.asarray(field / field.std())


def distances(model: ats.Model, centre: np.ndarray) -> np.ndarray:
    """Distance of each residue's farthest and nearest atom from a point, shape (2, m)."""
    away = np.linalg.norm(model.xyz - centre, axis=1)
    count = len(model.residues)
    far, near = np.zeros(count), np.full(count, np.inf)
    np.maximum.at(far, model.residue, away)
    np.minimum.at(near, model.residue, away)
    return np.stack([far, near])


def choose_centres(model: ats.Model, n: int, inner: float, rng: np.random.Generator) -> np.ndarray:
    """Atoms of the model, near its middle and far from each other."""
    middle = model.xyz.mean(axis=0)
    inside = model.xyz[np.linalg.norm(model.xyz - middle, axis=1) < inner]
    for _ in range(10_000):
        chosen = inside[rng.choice(len(inside), n, replace=False)]
        apart = np.linalg.norm(chosen[:, None] - chosen[None], axis=-1)
        if apart[np.triu_indices(n, 1)].min() > 2 * RADIUS - 2:
            return np.asarray(chosen)
    raise ValueError(f"no room for {n} spheres")


def sphere(map_: ats.Map, centre: np.ndarray) -> np.ndarray:
    """1 inside a sphere, falling to 0 over 3 Å."""
    axes = [np.arange(n) * v for n, v in zip(map_.values.shape[::-1], map_.voxel_size, strict=True)]
    x, y, z = (a + o - c for a, o, c in zip(axes, map_.origin, centre, strict=True))
    away = np.sqrt(z[:, None, None] ** 2 + y[None, :, None] ** 2 + x[None, None, :] ** 2)
    return np.asarray(np.clip((RADIUS + 1.5 - away) / 3.0, 0.0, 1.0), dtype=np.float32)


def spoil(
    half_1: ats.Map,
    half_2: ats.Map,
    truth: ats.Model,
    noisy: np.ndarray,
    extra: np.ndarray,
    rng: np.random.Generator,
    *,
    strength: float,
    shape: str,
) -> tuple[ats.Map, ats.Map]:
    """Half maps with extra noise in spheres, and `extra` added to the B factors of atoms.

    `strength` is the standard deviation of the extra noise in each half over that of the signal
    beyond 10 Å in the molecule; its power spectrum is that of the map's noise or of its signal
    beyond 10 Å (`shape` "noise", "signal").
    """
    shell, width = shell_numbers(half_1)
    size = half_1.values.shape
    a, b = transform(half_1.values), transform(half_2.values)
    density = ats.simulate_map(truth, half_1)
    m = transform(density.values)
    power = radial_power(m, shell)
    both = radial_power(a + b + 2 * m, shell) - radial_power(a + b, shell) - 4 * power
    transfer = np.maximum(both / (8.0 * power), 0.0)
    noise_power = radial_power(a - b, shell)
    # the shape of the molecule would otherwise be most of it
    detail = np.arange(len(power)) * width > 0.1
    spectrum = noise_power if shape == "noise" else power * transfer**2 * detail
    unit = filter_shells(m, shell, transfer * detail, size)[density.values > 0.1].std()
    soft = ats.simulate_map(truth, half_1, b_iso=truth.b_iso + extra)
    change = filter_shells(transform(soft.values) - m, shell, transfer, size)
    result = []
    for half in (half_1, half_2):
        values = half.values + change
        for centre in noisy:
            field = noise_like(spectrum, half_1, rng)
            values = values + strength * unit * field * sphere(half_1, centre)
        result.append(with_values(half, values))
    return result[0], result[1]


def b_extra(truth: ats.Model, empty: np.ndarray) -> np.ndarray:
    """What is added to the B factors of atoms, Å²."""
    extra = np.zeros(len(truth))
    for centre in empty:
        away = np.linalg.norm(truth.xyz - centre, axis=1)
        extra = np.maximum(extra, DISORDER * np.clip((RADIUS + 1.5 - away) / 3.0, 0.0, 1.0))
    return extra


def bonds(xyz: np.ndarray) -> list[list[int]]:
    """Neighbours of each atom."""
    near = np.linalg.norm(xyz[:, None] - xyz[None], axis=-1) < BOND
    np.fill_diagonal(near, val=False)
    return [np.flatnonzero(row).tolist() for row in near]


def beyond(graph: list[list[int]], start: int, end: int) -> list[int]:
    """Atoms that turn about the bond start-end; empty for a bond in a ring."""
    seen, todo = {end}, [end]
    while todo:
        for other in graph[todo.pop()]:
            if other not in seen and other != start:
                seen.add(other)
                todo.append(other)
    closes = any(start in graph[i] for i in seen if i != end)
    return [] if closes else sorted(seen - {end})


def torsions(names: list[str], xyz: np.ndarray) -> list[tuple[int, int, list[int]]]:
    """Bonds of a side chain that turn something, from the backbone on: (from, to, atoms)."""
    graph = bonds(xyz)
    if "CA" not in names or "CB" not in names:
        return []
    found, seen, todo = [], {names.index("CA")}, [(names.index("CA"), names.index("CB"))]
    while todo:
        a, b = todo.pop(0)
        if b in seen:
            continue
        seen.add(b)
        moved = beyond(graph, a, b)
        if moved:
            found.append((a, b, moved))
        todo += [(b, c) for c in graph[b] if c != a and names[c] not in _BACKBONE]
    return found


def turned(xyz: np.ndarray, axis: tuple[int, int, list[int]], angle: np.ndarray) -> np.ndarray:
    """Coordinates (k, n, 3) with atoms turned about a bond by k angles (radians)."""
    a, b, moved = axis
    origin = xyz[:, a, :]
    direction = xyz[:, b, :] - origin
    direction = direction / np.linalg.norm(direction, axis=1)[:, None]
    result = xyz.copy()
    turn = Rotation.from_rotvec(direction * angle[:, None])
    for i in moved:
        result[:, i, :] = turn.apply(xyz[:, i, :] - origin) + origin
    return result


def peaks(map_: ats.Map) -> ats.Map:
    """A map that is high where an atom would find a peak of its own size, whatever its height."""
    width = 1.0 / np.array(map_.voxel_size[::-1])
    coarse = ndimage.gaussian_filter(map_.values, 1.2 * width)
    rest = map_.values - coarse
    size = np.sqrt(ndimage.gaussian_filter(rest * rest, 1.5 * width))
    return with_values(map_, ndimage.gaussian_filter(rest, 0.4 * width) / np.maximum(size, 1e-9))


def fit_into(
    hills: ats.Map,
    xyz: np.ndarray,
    axes: list[tuple[int, int, list[int]]],
    moved: np.ndarray,
    others: cKDTree,
    reach: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Turn and move atoms until they sit on peaks of the map, without hitting others."""
    best, best_value = xyz, -np.inf
    for scale, count in ((1.0, 1500), (0.4, 500), (0.2, 500), (0.1, 300), (0.05, 300)):
        trial = np.repeat(best[None], count, axis=0)
        for axis in axes:
            trial = turned(trial, axis, scale * rng.uniform(-np.pi, np.pi, count))
        centre = trial[:, moved].mean(axis=1, keepdims=True)
        tilt = Rotation.from_rotvec(rng.normal(0.0, scale * 0.3 * reach, (count, 3)))
        step = rng.normal(0.0, scale * 0.6 * reach, (count, 1, 3))
        for i in moved:
            trial[:, i] = tilt.apply(trial[:, i] - centre[:, 0]) + centre[:, 0] + step[:, 0]
        flat = trial[:, moved].reshape(-1, 3)
        value = sample(hills, flat).reshape(count, -1)
        near = np.asarray(others.query(flat, distance_upper_bound=2.2)[0]).reshape(count, -1)
        value = value - 5.0 * hills.statistics.sd * (near < 2.2)
        score = value.mean(axis=1)
        if score.max() > best_value:
            best, best_value = trial[score.argmax()], score.max()
    return jiggled(hills, best, moved, JIGGLE, rng)


def jiggled(
    hills: ats.Map, xyz: np.ndarray, moved: np.ndarray, reach: float, rng: np.random.Generator
) -> np.ndarray:
    """Each atom moved on its own, at most `reach`, to the highest place: weak restraints."""
    result = xyz.copy()
    for i in moved:
        step = rng.normal(size=(200, 3))
        step *= reach * np.cbrt(rng.random(200))[:, None] / np.linalg.norm(step, axis=1)[:, None]
        trial = xyz[i] + step
        value = sample(hills, trial)
        if value.max() > sample(hills, xyz[i][None])[0]:
            result[i] = trial[value.argmax()]
    return result


def sample(map_: ats.Map, xyz: np.ndarray) -> np.ndarray:
    """Values of a map at positions."""
    index = to_index(map_, xyz)[:, ::-1].T
    return np.asarray(ndimage.map_coordinates(map_.values, index, order=1, mode="nearest"))


def rows_of(model: ats.Model) -> Iterator[np.ndarray]:
    """Rows of the atoms of each residue."""
    order = np.argsort(model.residue, kind="stable")
    cuts = np.searchsorted(model.residue[order], np.arange(len(model.residues) + 1))
    for low, high in pairwise(cuts):
        yield order[low:high]


def build(
    half_1: ats.Map,
    half_2: ats.Map,
    truth: ats.Model,
    seed: int,
    *,
    strength: float,
    shape: str,
    spheres: int = 2,
    fit: bool = True,
) -> Cases:
    """Spoil two half maps and the model that they were made from, and remember what was done.

    `strength` and `shape` are those of `spoil`, `spheres` counts the spheres of each kind, and
    `fit` says whether two thirds of the residues in them are fitted into what is there.
    """
    rng = np.random.default_rng(seed)
    inner = float(np.percentile(np.linalg.norm(truth.xyz - truth.xyz.mean(axis=0), axis=1), 75))
    centres = choose_centres(truth, 2 * spheres, inner, rng)
    noisy, empty = centres[:spheres], centres[spheres:]
    loose = (rng.random(len(truth.residues)) < 0.06) & np.isin(truth.residues.name, LONG)
    extra = b_extra(truth, empty)
    extra[loose[truth.residue] & ~np.isin(truth.atom, (*_BACKBONE, "CB"))] = DISORDER
    half_1, half_2 = spoil(
        half_1, half_2, truth, noisy, extra, rng, strength=strength, shape=shape
    )  # fmt: skip
    full = with_values(half_1, (half_1.values + half_2.values) / 2)
    near = np.min([distances(truth, c)[1] for c in centres], axis=0)
    place = np.full(len(truth.residues), "", dtype="U8")
    place[near > CLEAR] = "clear"
    for name, spots in (("noise", noisy), ("disorder", empty)):
        place[np.min([distances(truth, c)[0] for c in spots], axis=0) < CORE] = name
    mover = _Mover(truth, peaks(full), truth.xyz.copy(), rng, fit)
    kind = np.full(len(truth.residues), "", dtype="U32")
    for i, rows in enumerate(rows_of(truth)):
        if place[i] == "clear":
            kind[i] = "side chain disordered" if loose[i] else mover.spoil(i, rows)
        elif place[i]:
            kind[i] = mover.fit(i, rows, str(place[i]))
    return Cases(half_1, half_2, full, replace(truth, xyz=mover.xyz), kind)


@dataclass(slots=True)
class _Mover:
    """Moves residues, one after the other."""

    truth: ats.Model
    hills: ats.Map
    xyz: np.ndarray
    rng: np.random.Generator
    fits: bool

    def spoil(self, i: int, rows: np.ndarray) -> str:
        """Turn a side chain, shift a residue or a side chain, or leave all as it is."""
        place, axes, side = self.look(rows)
        long = self.truth.residues.name[i] in LONG
        dice = self.rng.random()
        push = self.rng.normal(size=3)
        push *= self.rng.uniform(1.0, 1.5) / np.linalg.norm(push)
        if dice < 0.12 and axes and long:
            angle = np.array([self.rng.choice([-1, 1]) * 2 * np.pi / 3])
            self.xyz[rows] = turned(place[None], axes[0], angle)[0]
            return "side chain turned"
        if 0.12 <= dice < 0.17 and self.polymer(i):
            self.xyz[rows] += push
            return "shifted"
        if 0.17 <= dice < 0.22 and len(side) and axes:
            self.xyz[rows[side]] += push
            return "side chain shifted"
        return "right"

    def fit(self, i: int, rows: np.ndarray, where: str) -> str:
        """Fit a residue or a side chain into what a spoiled sphere shows, or leave it."""
        place, axes, side = self.look(rows)
        dice = self.rng.random()
        whole = dice < 0.3 or not axes
        moved = np.arange(len(rows)) if whole else side
        if not (self.fits and dice < 0.67 and self.polymer(i) and len(moved)):
            return where
        others = cKDTree(np.delete(self.xyz, rows[moved], axis=0))
        reach = 1.0 if whole else 0.7
        self.xyz[rows] = fit_into(self.hills, place, axes, moved, others, reach, self.rng)
        return ("fitted in " if whole else "side chain fitted in ") + where

    def look(
        self, rows: np.ndarray
    ) -> tuple[np.ndarray, list[tuple[int, int, list[int]]], np.ndarray]:
        """True positions, bonds that turn, and atoms of the side chain beyond CB."""
        names = self.truth.atom[rows].tolist()
        place = self.truth.xyz[rows]
        side = [k for k, n in enumerate(names) if n not in (*_BACKBONE, "CB")]
        return place, torsions(names, place), np.array(side, dtype=int)

    def polymer(self, i: int) -> bool:
        """Whether a residue belongs to a polymer."""
        kinds = (ats.AtomClass.PROTEIN, ats.AtomClass.NUCLEIC)
        return bool(self.truth.residues.atom_class[i] in kinds)
