"""Q-score: how much the map around an atom looks like the atom (Pintilie et al. 2020)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from atomsight.density.map import Map, index_matrix, to_index
from atomsight.errors import ParameterError
from atomsight.evidence.points import random_rotation, trial_points
from atomsight.evidence.status import Status
from atomsight.kernels.cells import CellGrid, cell_grid
from atomsight.kernels.q_score import q_scores
from atomsight.model import Model
from atomsight.processes import processors
from atomsight.typing import Bool_N, Float_3x3, Float_N, Float_Nx3, FloatArray, Int_N, Status_N

SIGMA_ARCHIVE = 0.4
"""Å; what EMDB, the wwPDB and Pintilie et al. (2025) use."""

SIGMA_2020 = 0.6
"""Å; the 2020 paper's, and the default of MapQ's command line."""

EXCLUSION = 0.9
"""A point at radius R belongs to another atom when that atom is nearer than 0.9 R (MapQ)."""

_SIGMAS = (0.001, 1000.0)
_ATOMS_A_CHUNK = 512


@dataclass(frozen=True, slots=True)
class QScoreOptions:
    """Parameters of the Q-score.

    Attributes
    ----------
    sigma : float
        Width of the reference Gaussian, Å.
    points : int
        Points that each shell must keep, N of the paper.
    radius, step : float
        Largest radius and distance between shells, Å.

    Raises
    ------
    ParameterError
        If a value means nothing.
    """

    sigma: float = SIGMA_ARCHIVE
    points: int = 8
    radius: float = 2.0
    step: float = 0.1

    def __post_init__(self) -> None:
        for name in ("sigma", "radius", "step"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value > 0):
                raise ParameterError(f"{name} must be a positive number of Å, not {value}")
        if not _SIGMAS[0] <= self.sigma <= _SIGMAS[1]:
            low, high = _SIGMAS
            raise ParameterError(f"sigma must be between {low} and {high:g} Å, not {self.sigma}")
        if not 2 <= self.points <= 10_000:
            raise ParameterError(f"points must be between 2 and 10000, not {self.points}")
        if self.step > self.radius or self.radius / self.step > 10_000:
            raise ParameterError(
                f"radius {self.radius} Å and step {self.step} Å do not give 1 to 10000 shells"
            )

    @property
    def radii(self) -> Float_N:
        """Radii of the shells in Å, added up in double precision as MapQ does."""
        count = int(np.floor(self.radius / self.step + 1e-6))
        return np.cumsum(np.full(count, self.step))


@dataclass(frozen=True, slots=True)
class QScores:
    """Q-scores of the atoms of a model, in its order.

    Attributes
    ----------
    q : ndarray, shape (n,)
        Dimensionless, -1 to 1; NaN where `status` says why.
    status : ndarray of uint8, shape (n,)
        `Status` of each atom.
    options : QScoreOptions
    orientation_mean, orientation_sd : ndarray, shape (n,), or None
        Mean and standard deviation (n - 1) over rotated point sets; see `q_score`.
    orientations : int
        How many rotated point sets there were.
    orientation_q : ndarray, shape (k, n), or None
        Q with each rotated point set: how much a mean over atoms depends on it, too.
    """

    q: Float_N
    status: Status_N
    options: QScoreOptions
    orientation_mean: Float_N | None = None
    orientation_sd: Float_N | None = None
    orientations: int = 0
    orientation_q: FloatArray | None = None

    @property
    def counted(self) -> Bool_N:
        """Atoms that enter averages: scored themselves, shape (n,)."""
        return np.isin(self.status, [Status.OK, Status.PARTLY_OUTSIDE])


def q_score(
    map_: Map,
    model: Model,
    *,
    sigma: float = SIGMA_ARCHIVE,
    points: int = 8,
    radius: float = 2.0,
    step: float = 0.1,
    selection: Bool_N | None = None,
    neighbours: Float_Nx3 | None = None,
    orientations: int = 0,
    seed: int = 0,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> QScores:
    """Q-score of every atom other than hydrogen.

    Q is the Pearson correlation of the vectors u (map values at points around the atom) and
    v (the reference Gaussian exp(-(R/σ)²/2) there; its height and offset cancel)::

        Q = <u - ū, v - v̄> / (|u - ū| |v - v̄|)

    The points: the centre, counted `points` times; then, for each radius R, the first of 50
    spirals with 8, 10, … 106 points of which at least 8 have no other atom nearer than 0.9 R,
    with all the points of it that have none. A shell without such a spiral is left out. This is
    MapQ 2.9.7 to the letter, one process (Pintilie et al. 2020, equation 6 and Methods).

    Parameters
    ----------
    map_ : Map
    model : Model
    sigma, points, radius, step
        See `QScoreOptions`.
    selection : ndarray of bool, shape (n,), optional
        Atoms to score; all others still count as neighbours.
    neighbours : ndarray, shape (m, 3), optional
        Further neighbours, Å: symmetry or assembly copies, for instance. MapQ has none.
    orientations : int
        Repeat with that many rotations of the point sets; the mean and standard deviation a atom
        tell how much of Q hangs on where the points happen to lie. Q itself stays MapQ's.
    seed : int
        For the rotations.
    threads : int, optional
        As many as there are processors when not given. The result is the same to the last bit.
    progress : callable, optional
        Called with (atoms done, atoms in all).

    Returns
    -------
    QScores

    Raises
    ------
    ParameterError
        If an option means nothing.
    """
    options = QScoreOptions(sigma, points, radius, step)
    if orientations < 0 or orientations == 1:
        raise ParameterError(f"orientations must be 0 or at least 2, not {orientations}")
    if threads is not None and threads < 1:
        raise ParameterError(f"threads must be at least 1, not {threads}")
    heavy = model.heavy
    chosen = heavy if selection is None else heavy & _checked_selection(selection, len(model))
    around = model.xyz[heavy]
    if neighbours is not None:
        around = np.concatenate([around, _checked_neighbours(neighbours)])
    grid = cell_grid(np.ascontiguousarray(around), (1.0 + EXCLUSION) * float(options.radii[-1]))
    todo = _nearby_order(model.xyz, np.flatnonzero(chosen), grid)
    workers = threads or processors()
    total = len(todo) * (1 + orientations)

    def run(rotation: Float_3x3, before: int) -> tuple[Float_N, Status_N]:
        def tell(done: int) -> None:
            if progress is not None:
                progress(before + done, total)

        return _one_pass(map_, model.xyz, todo, grid, options, rotation, workers, tell)

    q, status = run(np.eye(3), 0)
    status[~chosen] = Status.NOT_SELECTED
    status[~model.has_position] = Status.NO_POSITION
    status[model.hydrogen] = Status.HYDROGEN
    if not orientations:
        return QScores(q, status, options)
    mean, sd = np.zeros(len(model)), np.zeros(len(model))
    rng = np.random.default_rng(seed)
    each = np.empty((orientations, len(model)))
    for k in range(orientations):
        rotated, _ = run(random_rotation(rng), (1 + k) * len(todo))
        each[k] = rotated
        delta = rotated - mean
        mean += delta / (k + 1)
        sd += delta * (rotated - mean)
    return QScores(q, status, options, mean, np.sqrt(sd / (orientations - 1)), orientations, each)


def _checked_selection(selection: Bool_N, n: int) -> Bool_N:
    flags = np.asarray(selection)
    if flags.dtype != np.bool_ or flags.shape != (n,):
        raise ParameterError(
            f"selection must be {n} flags (bool), one an atom, not {flags.dtype} of {flags.shape}"
        )
    return flags


def _checked_neighbours(neighbours: Float_Nx3) -> Float_Nx3:
    places = np.asarray(neighbours, dtype=float)
    if places.size == 0:
        return np.empty((0, 3))
    if places.ndim != 2 or places.shape[1] != 3 or not np.isfinite(places).all():
        raise ParameterError("neighbours must be finite positions, shape (m, 3)")
    return places


def _nearby_order(xyz: Float_Nx3, rows: Int_N, grid: CellGrid) -> Int_N:
    """Rows sorted by cell, so that neighbouring atoms find the map in the processor's cache."""
    cell = np.floor((xyz[rows] - grid.low) / grid.size).astype(np.int64)
    return rows[np.lexsort((cell[:, 0], cell[:, 1], cell[:, 2]))]


def _one_pass(
    map_: Map,
    xyz: Float_Nx3,
    todo: Int_N,
    grid: CellGrid,
    options: QScoreOptions,
    rotation: Float_3x3,
    workers: int,
    tell: Callable[[int], None],
) -> tuple[Float_N, Status_N]:
    """Score the atoms `todo` with one orientation of the points, chunk by chunk on threads."""
    spirals, offsets = trial_points(options.points)
    directions = np.ascontiguousarray(spirals @ rotation.T)
    index_directions = np.ascontiguousarray(directions @ index_matrix(map_).T)
    index = np.ascontiguousarray(to_index(map_, xyz))
    radii = options.radii
    # less 1 throughout: Q does not change, and a wide Gaussian keeps its digits
    reference = np.expm1(-0.5 * (radii / options.sigma) ** 2)
    q = np.full(len(xyz), np.nan)
    status = np.zeros(len(xyz), dtype=np.uint8)

    def work(part: Int_N) -> int:
        q_scores(
            part, np.ascontiguousarray(xyz), index, map_.values,
            grid.xyz, grid.start, grid.shape, grid.low, grid.size,
            directions, index_directions, offsets, radii, reference, 0.0,
            options.points, EXCLUSION, q, status,
        )  # fmt: skip
        return len(part)

    chunks = [todo[i : i + _ATOMS_A_CHUNK] for i in range(0, len(todo), _ATOMS_A_CHUNK)]
    done = 0
    with ThreadPoolExecutor(max_workers=workers) as pool:
        for count in pool.map(work, chunks):
            done += count
            tell(done)
    return q, status
