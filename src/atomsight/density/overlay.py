"""Does the model lie in the map at all? And if not, what would make it?

A wrong frame (origin convention, cell shift, hand) gives scores that look like those of a bad
model. So before anything is scored, the density at the atoms is compared with the density at the
same atoms displaced by 3 Å, in units of the spread of both::

    contrast = (mean density at atoms - mean density at displaced atoms) / sd

On seven real pairs of map and model between 1.75 and 3.9 Å, as they are, low-passed to 6.6 Å, cut
out tightly and masked, the contrast was 0.48 to 1.5; for the same models turned, shifted by 6 Å or
more, mirrored or in another frame it stayed below 0.15.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from atomsight.density.map import Map
from atomsight.density.sampling import trilinear
from atomsight.density.translation import best_shift
from atomsight.typing import Float_3, Float_Nx3, FloatArray

LEAST_CONTRAST = 0.2
"""Below this the model counts as not lying in the map."""

DISPLACEMENT = 3.0
"""Å; half the resolution where that is more."""

_MOST_ATOMS = 4000
_NEARLY = 0.95
_ORDER = ("origin", "shift", "hand", "search")


@dataclass(frozen=True, slots=True)
class Overlay:
    """How a model lies in a map.

    Attributes
    ----------
    inside : float
        Fraction of the atoms looked at that lie inside the map.
    density, displaced : float
        Mean density at the atoms and at the displaced atoms, in σ above the map's mean; NaN where
        no atom is inside.
    contrast : float
        Their difference in units of the spread of these values; NaN likewise.
    displacement : float
        Å.
    """

    inside: float
    density: float
    displaced: float
    contrast: float
    displacement: float

    @property
    def ok(self) -> bool:
        """Whether the model lies in the map."""
        return bool(self.contrast >= LEAST_CONTRAST)


@dataclass(frozen=True, slots=True)
class Remedy:
    """A change that would make the model lie in the map.

    Attributes
    ----------
    kind : {"origin", "shift", "hand", "search"}
        "shift" is by whole or half boxes, "search" by whatever fits best.
    advice : str
        What to do, as a clause for a message.
    overlay : Overlay
        What it would give.
    """

    kind: str
    advice: str
    overlay: Overlay


def overlay(map_: Map, xyz: Float_Nx3, *, resolution: float | None = None) -> Overlay:
    """Compare the density at atoms with the density around them.

    Parameters
    ----------
    map_ : Map
    xyz : ndarray, shape (n, 3)
        Positions of the atoms other than hydrogen, Å; n ≥ 1.
    resolution : float, optional
        Å; beyond 6 Å the displacement grows with it.

    Returns
    -------
    Overlay
    """
    return _compare(map_, _sample(xyz), max(DISPLACEMENT, (resolution or 0.0) / 2.0))


def find_remedies(
    map_: Map, xyz: Float_Nx3, origins: Mapping[str, Float_3], *, resolution: float | None = None
) -> list[Remedy]:
    """Look for the usual reasons why a model does not lie in its map.

    Parameters
    ----------
    map_ : Map
        The whole map.
    xyz : ndarray, shape (n, 3)
        Positions of the atoms, Å.
    origins : mapping
        Other origins that the file's header allows: name → Å.
    resolution : float, optional
        Å.

    Returns
    -------
    list of Remedy
        Those after which the model lies in the map, best first.
    """
    atoms = _sample(xyz)
    distance = max(DISPLACEMENT, (resolution or 0.0) / 2.0)
    found = [
        Remedy("origin", f"read the map with --origin {name}", result)
        for name, place in origins.items()
        for result in [_compare(map_, atoms - (place - map_.full_origin), distance)]
    ]
    for shift in _cell_shifts(map_):
        shown = ", ".join(f"{v:g}" for v in np.round(shift, 3) + 0.0)
        result = _compare(map_, atoms + shift, distance)
        found.append(Remedy("shift", f"shift the model by ({shown}) Å", result))
    free = best_shift(map_, atoms)
    shown = ", ".join(f"{v:.2f}" for v in free + 0.0)
    result = _compare(map_, atoms + free, distance)
    found.append(Remedy("search", f"shift the model by about ({shown}) Å", result))
    for axis, name in enumerate("xyz"):
        flipped = replace(map_, values=np.flip(map_.values, axis=2 - axis))
        result = _compare(flipped, atoms, distance)
        found.append(Remedy("hand", f"mirror the map along {name} (its hand is wrong)", result))
    good = {remedy.advice: remedy for remedy in found if _convinces(remedy)}
    best = max((remedy.overlay.contrast for remedy in good.values()), default=0.0)

    def rank(remedy: Remedy) -> tuple[bool, int, float]:
        # of those that are as good as the best, the simplest first: a shift found by search may
        # be a hair better than the exact one
        contrast = remedy.overlay.contrast
        nearly_best = contrast >= _NEARLY * best
        return not nearly_best, _ORDER.index(remedy.kind) if nearly_best else 0, -contrast

    return sorted(good.values(), key=rank)


def _convinces(remedy: Remedy) -> bool:
    """Whether a remedy is no accident: the best of all shifts has to do better than a given one."""
    least = LEAST_CONTRAST * (2.0 if remedy.kind == "search" else 1.0)
    return remedy.overlay.contrast >= least


def _sample(xyz: Float_Nx3) -> Float_Nx3:
    """At most a few thousand atoms, spread evenly over the model."""
    return xyz[:: -(-len(xyz) // _MOST_ATOMS)]


def _directions() -> FloatArray:
    """The 26 directions to the neighbours in a cube, as unit vectors."""
    steps = np.array([v for v in product((-1, 0, 1), repeat=3) if any(v)], dtype=float)
    unit: FloatArray = steps / np.linalg.norm(steps, axis=1, keepdims=True)
    return unit


def _compare(map_: Map, atoms: Float_Nx3, distance: float) -> Overlay:
    here = trilinear(map_, atoms)
    inside = float(np.isfinite(here).mean())
    around = np.array([trilinear(map_, atoms + distance * v) for v in _directions()])
    paired = np.isfinite(here) & np.isfinite(around)
    nothing = Overlay(inside, np.nan, np.nan, np.nan, distance)
    if not paired.any():
        return nothing
    at_atoms = np.broadcast_to(here, around.shape)[paired]
    displaced = around[paired]
    spread = float(np.concatenate([at_atoms, displaced]).std())
    mean, sd = map_.statistics.mean, map_.statistics.sd
    if not (spread > 0 and sd > 0):
        return nothing
    return Overlay(
        inside=inside,
        density=(float(at_atoms.mean()) - mean) / sd,
        displaced=(float(displaced.mean()) - mean) / sd,
        contrast=float(at_atoms.mean() - displaced.mean()) / spread,
        displacement=distance,
    )


def _cell_shifts(map_: Map) -> list[Float_3]:
    """Shifts by whole boxes, and by half a box (model or map centred on zero)."""
    edges = map_.step * np.array(map_.full_shape, dtype=float)
    whole = [edges @ np.array(v, dtype=float) for v in product((-1, 0, 1), repeat=3) if any(v)]
    centre = map_.full_origin + edges.sum(axis=1) / 2.0
    half = edges.sum(axis=1) / 2.0
    return [*whole, half, -half, centre, -centre]
