"""Every measure of every model at the compared atoms."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from atomsight.comparison.matching import ComparedAtoms
from atomsight.density.half_maps import check_full_map, require_halves
from atomsight.density.map import Map
from atomsight.density.masks import MODEL_THRESHOLD, mask_above
from atomsight.density.overlay import Overlay
from atomsight.density.simulate import simulate_map
from atomsight.errors import ParameterError
from atomsight.evidence.atom_density import AtomDensity, atom_density
from atomsight.evidence.fsc_q import FscQ, fsc_q
from atomsight.evidence.inclusion import level_including
from atomsight.evidence.local_resolution import check_same_grid, window_size
from atomsight.evidence.q_score import QScoreOptions, QScores, q_score
from atomsight.half_maps import HalfMapOptions, named_progress
from atomsight.io.maps import OriginRule, read_map
from atomsight.model import AtomClass, Model
from atomsight.typing import Bool_N, Float_N, Int_N

INCLUDED = 0.9
"""Share of the polymer's atoms inside the contour level, where none is given."""

_POLYMERS = (AtomClass.PROTEIN, AtomClass.NUCLEIC)

Tell = Callable[[str, int, int], None] | None


@dataclass(frozen=True, slots=True)
class Half:
    """The half maps, the window for FSC-Q, and what is to be said of them."""

    maps: tuple[Map, Map]
    box: int
    options: HalfMapOptions
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ModelScores:
    """All measures of one model, in the order of its own atoms.

    Attributes
    ----------
    model : Model
    overlay : Overlay
    q : QScores
    density : AtomDensity
    fsc_q : FscQ or None
        Of the compared atoms alone.
    q_halves : tuple of QScores or None
        In each half map.
    """

    model: Model
    overlay: Overlay
    q: QScores
    density: AtomDensity
    fsc_q: FscQ | None = None
    q_halves: tuple[QScores, QScores] | None = None


def read_halves(
    full: Map, options: HalfMapOptions, resolution: float | None, origin: OriginRule
) -> Half:
    """Read two half maps and check that they belong to the map.

    Parameters
    ----------
    full : Map
        Whole.
    options : HalfMapOptions
        Masks and volumes are not for comparisons.
    resolution : float or None
        Å, for the window.
    origin : {"auto", "origin", "nstart", "zero"}

    Returns
    -------
    Half

    Raises
    ------
    MapFileError
        If a map cannot be read, lies on another grid, or says nothing about the others.
    ParameterError
        If there is no window, or an option is not for comparisons.
    """
    for name in ("mask", "mask_level", "volume_step"):
        if getattr(options, name) is not None:
            raise ParameterError(f"{name}: not for comparisons, where every model has its own mask")
    if resolution is None and options.box is None:
        raise ParameterError(
            "FSC-Q needs the resolution for its window: give --resolution or --box"
        )
    halves = [read_map(path, origin=origin) for path in (options.half_1, options.half_2)]
    for half in halves:
        check_same_grid(full, half)
    one, two = (replace(half, origin=full.origin) for half in halves)
    require_halves(one, two, full)
    size = min(full.voxel_size)
    box = options.box or window_size(float(resolution or 0.0), size, options.window)
    notes = []
    # without a resolution the check looks at what the voxels can show
    check = check_full_map(full, one, two, resolution or 2.0 * size)
    if not check.is_mean:
        notes.append(
            f"{full.path} is not the mean of the half maps (correlation {check.correlation:.3f}): "
            "FSC-Q compares a processed map with raw halves"
        )
    return Half((one, two), box, options, tuple(notes))


def score(
    model: Model,
    map_: Map,
    overlay: Overlay,
    compared: Bool_N,
    half: Half | None,
    *,
    q: QScoreOptions,
    orientations: int,
    seed: int,
    threads: int | None,
    progress: Tell,
) -> ModelScores:
    """Score one model: Q and density at all atoms, FSC-Q at the compared ones.

    Parameters
    ----------
    model : Model
    map_ : Map
    overlay : Overlay
    compared : ndarray of bool, shape (n,)
        Atoms that are compared.
    half : Half or None
    q : QScoreOptions
    orientations, seed : int
        Rotated point sets.
    threads : int or None
    progress : callable or None

    Returns
    -------
    ModelScores
    """
    scores = q_score(
        map_, model, sigma=q.sigma, points=q.points, radius=q.radius, step=q.step,
        orientations=orientations, seed=seed, threads=threads,
        progress=named_progress(progress, f"Q-score of {model.path.name}"),
    )  # fmt: skip
    found = ModelScores(model, overlay, scores, atom_density(map_, model))
    if half is None:
        return found
    one, two = (
        q_score(
            part, model, sigma=q.sigma, points=q.points, radius=q.radius, step=q.step,
            selection=compared, threads=threads,
        )
        for part in half.maps
    )  # fmt: skip
    # the map is that of the whole model, the windows are those of the compared atoms
    model_map = simulate_map(model, map_, b_iso=half.options.b_iso)
    values = fsc_q(
        map_, *half.maps, model_map, only(model, compared),
        box=half.box, rule=half.options.rule, label=half.options.label,
        crossing=half.options.crossing, mask=mask_above(model_map, MODEL_THRESHOLD),
        threads=threads, progress=named_progress(progress, f"FSC-Q of {model.path.name}"),
    )  # fmt: skip
    return replace(found, fsc_q=values, q_halves=(one, two))


def only(model: Model, chosen: Bool_N) -> Model:
    """A model in which all other atoms have no coordinates, so that nothing looks at them.

    Parameters
    ----------
    model : Model
    chosen : ndarray of bool, shape (n,)

    Returns
    -------
    Model
    """
    return replace(model, xyz=np.where(chosen[:, None], model.xyz, np.nan))


def common_level(map_: Map, models: Sequence[Model]) -> tuple[float, str]:
    """The highest contour level that includes 90 % of the polymer atoms of every model.

    Parameters
    ----------
    map_ : Map
    models : sequence of Model

    Returns
    -------
    level : float
        Map units; NaN where there is none.
    source : str
        What it is, or why there is none.
    """
    polymers = [np.isin(model.atom_class, _POLYMERS) for model in models]
    levels = [
        level_including(map_, only(model, polymer), INCLUDED)
        for model, polymer in zip(models, polymers, strict=True)
        if polymer.any()
    ]
    if len(levels) < len(models) or not np.isfinite(levels).all():
        return float("nan"), "none: no level includes 90 % of a polymer in every model (--contour)"
    return min(levels), "includes 90 % of the polymer atoms of every model"


def at(rows: Int_N, values: np.ndarray, missing: float = float("nan")) -> Float_N:
    """Values of one model's atoms, in the order of the compared atoms.

    Parameters
    ----------
    rows : ndarray of int, shape (m,)
        Of the compared atoms in this model; -1 where it lacks one.
    values : ndarray, shape (n,)
    missing : float
        For what it lacks.

    Returns
    -------
    ndarray, shape (m,)
    """
    taken: Float_N = np.where(rows >= 0, np.asarray(values, dtype=float)[rows], missing)
    return taken


def orientation_means(found: ModelScores, rows: Int_N) -> Float_N:
    """Mean Q over some atoms with each rotated point set.

    Parameters
    ----------
    found : ModelScores
    rows : ndarray of int
        Of these atoms in the model.

    Returns
    -------
    ndarray, shape (k,)
        The point sets are the same for every model, so that differences are paired.
    """
    each = found.q.orientation_q
    if each is None:
        raise ParameterError("a comparison needs rotated point sets: orientations is 0")
    chosen = each[:, rows]
    # a rotation may leave an atom without shells
    known = np.isfinite(chosen)
    means: Float_N = np.where(known, chosen, 0.0).sum(axis=1) / known.sum(axis=1)
    return means


def ranked_atoms(atoms: ComparedAtoms, scores: Sequence[ModelScores]) -> Bool_N:
    """Compared atoms that have a Q in every model: the ranking is theirs.

    Parameters
    ----------
    atoms : ComparedAtoms
    scores : sequence of ModelScores

    Returns
    -------
    ndarray of bool, shape (m,)

    Raises
    ------
    ParameterError
        If there are none.
    """
    known = np.array(
        [np.isfinite(at(rows, s.q.q)) for rows, s in zip(atoms.rows, scores, strict=True)]
    )
    ranked = known.all(axis=0)
    if not ranked.any():
        worst = int(known.sum(axis=1).argmin())
        path: Path = scores[worst].model.path
        raise ParameterError(
            f"no compared atom has a Q in all models; of {path} {int(known[worst].sum())} of "
            f"{len(atoms)} have one (outside the map, or without contrast)"
        )
    return np.asarray(ranked)
