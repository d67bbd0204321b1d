"""The Q-score straight from the published rules: slow, and nothing taken from the package."""

import math
from dataclasses import dataclass

import numpy as np

EQUAL = 1e-10
"""Å: distances nearer than this are the same."""


@dataclass(frozen=True)
class NaiveScore:
    """Q of one atom, and how many of its points there were, outside the map and in all."""

    q: float
    outside: int
    total: int
    shells: int


def spiral(n: int) -> np.ndarray:
    """Saff & Kuijlaars, written down term by term."""
    points, theta = [], 0.0
    for k in range(1, n + 1):
        h = -1 + 2 * (k - 1) / (n - 1)
        turn = 0.0 if k in (1, n) else 3.6 / math.sqrt(n * (1 - h * h))
        theta = (theta + turn) % (2 * math.pi) if turn else 0.0
        phi = math.acos(h)
        points.append(
            (math.sin(phi) * math.cos(theta), math.sin(phi) * math.sin(theta), math.cos(phi))
        )
    return np.array(points)


def map_value(values: np.ndarray, index: np.ndarray) -> tuple[float, bool]:
    """Trilinear value at a fractional index (x, y, z), or 0 outside; and whether it is inside."""
    low = [math.floor(v) for v in index]
    if any(not 0 <= i < n - 1 for i, n in zip(low, values.shape[::-1], strict=True)):
        return 0.0, False
    total = 0.0
    for dz in (0, 1):
        for dy in (0, 1):
            for dx in (0, 1):
                weight = 1.0
                for v, i, d in zip(index, low, (dx, dy, dz), strict=True):
                    weight *= v - i if d else 1 - (v - i)
                total += weight * float(values[low[2] + dz, low[1] + dy, low[0] + dx])
    return total, True


def own_points(centre, others, radius, points, tries=50, exclusion=0.9) -> np.ndarray | None:
    """Points of the first spiral of which enough belong to the atom; None where there is none."""
    for i in range(tries):
        candidates = centre + radius * spiral(points + 2 * i)
        way = candidates[:, None, :] - others[None, :, :]
        distance = np.sqrt((way**2).sum(axis=2))
        kept = candidates[(distance >= exclusion * radius - EQUAL).all(axis=1)]
        if len(kept) >= points:
            return kept
    return None


def naive_q(
    map_, atoms, row, *, sigma=0.4, points=8, radius=2.0, step=0.1, further=()
) -> NaiveScore:
    """Q of one of the atoms; `further` are neighbours that are not scored."""
    centre = atoms[row]
    others = np.array([*np.delete(atoms, row, axis=0), *further]).reshape(-1, 3)
    positions, weights = [centre] * points, [1.0] * points
    shells, r = 0, 0.0
    for _ in range(math.floor(radius / step + 1e-6)):
        r += step
        kept = own_points(centre, others, r, points)
        if kept is not None:
            shells += 1
            positions += list(kept)
            weights += [math.exp(-0.5 * (r / sigma) ** 2)] * len(kept)
    index = np.linalg.solve(map_.step, (np.array(positions) - map_.origin).T).T
    found = [map_value(map_.values, at) for at in index]
    u, v = np.array([value for value, _ in found]), np.array(weights)
    u, v = u - u.mean(), v - v.mean()
    length = math.sqrt((u @ u) * (v @ v))
    outside = sum(not inside for _, inside in found)
    return NaiveScore(u @ v / length if length else math.nan, outside, len(u), shells)
