"""Atom inclusion: how many atoms lie inside the surface that the map has at a contour level."""

from dataclasses import dataclass

import numpy as np

from atomsight.density.map import Map
from atomsight.errors import ParameterError
from atomsight.evidence.atom_density import AtomDensity, atom_density
from atomsight.evidence.status import Status
from atomsight.model import AtomClass, Model
from atomsight.typing import Bool_N, Float_N

DEFINITION = (
    "fraction of the atoms other than hydrogen and water whose map value (trilinear) is above the "
    "contour level; atoms outside the map are not inside"
)
BACKBONE_DEFINITION = (
    "the same of the backbone: N, CA, C, O, OXT of proteins; P, O3', O5', C3', C4', C5' of "
    "nucleic acids"
)
LEVELS = 129
"""Levels of a curve, from the lowest to the highest value of the map; as EMDB has it."""

_BACKBONE = {
    AtomClass.PROTEIN: ("N", "CA", "C", "O", "OXT"),
    AtomClass.NUCLEIC: ("P", "O3'", "O5'", "C3'", "C4'", "C5'"),
}


@dataclass(frozen=True, slots=True)
class AtomInclusion:
    """Atom inclusion of a model at one contour level.

    Attributes
    ----------
    inside : ndarray, shape (n,)
        1 inside, 0 not; NaN for atoms that do not count: hydrogen, water, without position, or
        where the map holds no number. Its mean over any group of atoms is their inclusion.
    backbone_atoms : ndarray of bool, shape (n,)
        Atoms of the backbone that count.
    level : float
        Contour level, map units.
    all_atoms, backbone : float
        Inclusion of all atoms and of the backbone, 0 to 1; NaN where there are none.
    n, n_backbone : int
        Number of atoms in each.
    n_outside : int
        Atoms outside the map. They count, as not inside.
    """

    inside: Float_N
    backbone_atoms: Bool_N
    level: float
    all_atoms: float
    backbone: float
    n: int
    n_backbone: int
    n_outside: int


@dataclass(frozen=True, slots=True)
class InclusionCurve:
    """Atom inclusion of a model against the contour level.

    Attributes
    ----------
    level : ndarray, shape (k,)
        Contour levels, map units.
    all_atoms, backbone : ndarray, shape (k,)
        Inclusion of all atoms and of the backbone, 0 to 1; NaN where there are none.
    """

    level: Float_N
    all_atoms: Float_N
    backbone: Float_N


def atom_inclusion(map_: Map, model: Model, level: float) -> AtomInclusion:
    """Atom inclusion at a contour level.

    ::

        inclusion = #{atoms with map value > level} / #{atoms}

    Parameters
    ----------
    map_ : Map
    model : Model
    level : float
        Contour level, map units.

    Returns
    -------
    AtomInclusion

    Raises
    ------
    ParameterError
        If the level is not a number.

    References
    ----------
    Lagerstedt et al. (2013), J. Struct. Biol. 184, 173-181; as in EMDB's validation analysis.
    """
    if not np.isfinite(level):
        raise ParameterError(f"a contour level must be a number, not {level}")
    density = atom_density(map_, model)
    value, counted = _values(density, model)
    backbone = counted & _backbone(model)
    inside = np.where(counted, (value > level).astype(float), np.nan)
    return AtomInclusion(
        inside=inside,
        backbone_atoms=backbone,
        level=float(level),
        all_atoms=_mean(inside[counted]),
        backbone=_mean(inside[backbone]),
        n=int(counted.sum()),
        n_backbone=int(backbone.sum()),
        n_outside=int((counted & (density.status == Status.OUTSIDE)).sum()),
    )


def inclusion_curve(map_: Map, model: Model, levels: Float_N | None = None) -> InclusionCurve:
    """Atom inclusion at many contour levels.

    Parameters
    ----------
    map_ : Map
    model : Model
    levels : ndarray, shape (k,), optional
        Contour levels, map units; when not given, 129 from the lowest to the highest value of the
        whole map.

    Returns
    -------
    InclusionCurve

    Raises
    ------
    ParameterError
        If a level is not a number.
    """
    if levels is None:
        lowest, highest = map_.statistics.minimum, map_.statistics.maximum
        chosen: Float_N = np.linspace(lowest, highest, LEVELS)
    else:
        chosen = np.asarray(levels, dtype=float)
        if chosen.ndim != 1 or not np.isfinite(chosen).all():
            raise ParameterError("contour levels must be numbers, in one row")
    value, counted = _values(atom_density(map_, model), model)
    return InclusionCurve(
        level=chosen,
        all_atoms=_above(value[counted], chosen),
        backbone=_above(value[counted & _backbone(model)], chosen),
    )


def level_including(map_: Map, model: Model, fraction: float = 0.9) -> float:
    """The highest contour level at which a fraction of the atoms is inside.

    Parameters
    ----------
    map_ : Map
    model : Model
    fraction : float
        Above 0, at most 1.

    Returns
    -------
    float
        Map units; NaN where no level includes that many, because atoms lie outside the map.

    Raises
    ------
    ParameterError
        If the fraction means nothing.
    """
    if not 0.0 < fraction <= 1.0:
        raise ParameterError(f"a fraction of atoms lies between 0 and 1, not {fraction}")
    value, counted = _values(atom_density(map_, model), model)
    falling = np.sort(value[counted])[::-1]
    needed = int(np.ceil(fraction * len(falling) - 1e-9))
    if needed < 1 or falling[needed - 1] == -np.inf:
        return float("nan")
    # inside means above the level, so the level lies just below the last atom needed
    return float(np.nextafter(falling[needed - 1], -np.inf))


def _values(density: AtomDensity, model: Model) -> tuple[Float_N, Bool_N]:
    """Map value of each atom, -Inf outside the map, and which atoms count."""
    outside = density.status == Status.OUTSIDE
    counted = (density.counted | outside) & (model.atom_class != AtomClass.WATER)
    return np.where(outside, -np.inf, density.value), counted


def _backbone(model: Model) -> Bool_N:
    names = np.char.replace(model.atom, "*", "'")
    kind = model.atom_class
    chosen: Bool_N = np.zeros(len(model), dtype=bool)
    for atom_class, atoms in _BACKBONE.items():
        chosen |= (kind == atom_class) & np.isin(names, atoms)
    return chosen


def _above(values: Float_N, levels: Float_N) -> Float_N:
    """Share of the values above each level."""
    if not len(values):
        return np.full(len(levels), np.nan)
    below = np.searchsorted(np.sort(values), levels, side="right")
    share: Float_N = 1.0 - below / len(values)
    return share


def _mean(values: Float_N) -> float:
    return float(values.mean()) if len(values) else float("nan")
