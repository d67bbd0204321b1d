"""FSC-Q: is the model better, or worse, than the data support? (Ramírez-Aportela et al. 2021).

::

    FSC-Q   = V_model - V_half          (Å, at each atom)
    FSC-Q_R = FSC-Q / V_half

V_half is the local resolution between the half maps, V_model between the full map and the map of
the model. Positive: the model agrees less with the map than the map with itself. Negative: it
agrees better than the data can support.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from typing import Literal

import numpy as np

from atomsight.density.map import Map, to_index
from atomsight.evidence.local_resolution import (
    Crossing,
    LocalResolution,
    check_same_grid,
    local_resolution,
)
from atomsight.evidence.status import Status
from atomsight.model import Model
from atomsight.typing import Bool_N, Float_N, Int_N, Int_Nx3, Status_N

ThresholdRule = Literal["paper", "cref"]
Label = Literal["mean", "xmipp"]

HALF_THRESHOLD = 0.5
BEYOND = 0.5
"""Å; atoms further from 0 than this are counted (Ramírez-Aportela et al. 2021)."""

_RADIUS = 0.8


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where the two curves are read off.

    Attributes
    ----------
    half, model : float
    rule : {"paper", "cref"}
    """

    half: float
    model: float
    rule: ThresholdRule


def thresholds(rule: ThresholdRule) -> Thresholds:
    """Thresholds of the half-map and of the model curve.

    With a half-map correlation h, two full maps agree at 2h/(1 + h), which is 2/3 at h = 1/2: the
    paper's threshold. A full map and a model without noise agree at C_ref = sqrt(2h/(1 + h)),
    0.8165: with it a perfect model scores 0, with the paper's it scores below.

    Parameters
    ----------
    rule : {"paper", "cref"}

    Returns
    -------
    Thresholds

    References
    ----------
    Ramírez-Aportela et al. (2021); Rosenthal & Henderson (2003) for C_ref.
    """
    both = 2.0 * HALF_THRESHOLD / (1.0 + HALF_THRESHOLD)
    return Thresholds(HALF_THRESHOLD, both if rule == "paper" else sqrt(both), rule)


@dataclass(frozen=True, slots=True)
class FscQ:
    """FSC-Q of the atoms of a model, in its order.

    Attributes
    ----------
    fsc_q : ndarray, shape (n,)
        Å; NaN where `status` says why.
    fsc_q_r : ndarray, shape (n,)
        FSC-Q over the local resolution of the half maps.
    half, model : ndarray, shape (n,)
        Local resolution of the half maps and of map against model, Å: over the voxels that gave
        FSC-Q, or, where there are none, over those where this one was measured.
    status, half_status, model_status : ndarray of uint8, shape (n,)
        `Status` of FSC-Q and of the two local resolutions of each atom.
    thresholds : Thresholds
    box : int
        Edge of the window in voxels.
    label : {"mean", "xmipp"}
    """

    fsc_q: Float_N
    fsc_q_r: Float_N
    half: Float_N
    model: Float_N
    status: Status_N
    half_status: Status_N
    model_status: Status_N
    thresholds: Thresholds
    box: int
    label: Label

    @property
    def counted(self) -> Bool_N:
        """Atoms that enter averages, shape (n,)."""
        return np.asarray(self.status == Status.OK)


@dataclass(frozen=True, slots=True)
class AtomVoxels:
    """The voxels that stand for each atom.

    Attributes
    ----------
    voxels : ndarray of int, shape (m, 3)
        Order x, y, z, each once.
    atom, voxel : ndarray of int, shape (k,)
        Pairs of an atom's row and a row of `voxels`.
    """

    voxels: Int_Nx3
    atom: Int_N
    voxel: Int_N


def atom_voxels(map_: Map, model: Model, box: int, label: Label) -> AtomVoxels:
    """Voxels whose windows stand for each atom.

    A window of even size is centred half a voxel before its voxel. "mean" takes the windows whose
    *centres* lie within 0.8 voxels of the atom, and the nearest; "xmipp" takes, as the published
    tool, the voxels within 0.8 voxels and the one at the floor of the position, wherever their
    windows are centred.

    Parameters
    ----------
    map_ : Map
    model : Model
    box : int
        Edge of the window in voxels.
    label : {"mean", "xmipp"}

    Returns
    -------
    AtomVoxels
        Of atoms other than hydrogen; only voxels inside the map.
    """
    rows = np.flatnonzero(model.heavy)
    index = to_index(map_, model.xyz[rows])
    if label == "mean" and box % 2 == 0:
        index = index + 0.5
    corners = np.array(list(np.ndindex(2, 2, 2)))
    candidates = np.floor(index).astype(np.int64)[:, None, :] + corners[None, :, :]
    square = np.square(candidates - index[:, None, :]).sum(axis=-1)
    near = square <= _RADIUS**2
    always = square.argmin(axis=1) if label == "mean" else np.zeros(len(rows), dtype=np.int64)
    near[np.arange(len(rows)), always] = True
    shape = np.array(map_.values.shape[::-1])
    near &= ((candidates >= 0) & (candidates < shape)).all(axis=-1)
    atom, corner = np.nonzero(near)
    unique, voxel = np.unique(candidates[atom, corner], axis=0, return_inverse=True)
    return AtomVoxels(unique, rows[atom], voxel.ravel())


def fsc_q(
    full: Map,
    half_1: Map,
    half_2: Map,
    model_map: Map,
    model: Model,
    *,
    box: int,
    rule: ThresholdRule = "paper",
    label: Label = "mean",
    crossing: Crossing = "last",
    mask: Map | None = None,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> FscQ:
    """FSC-Q of every atom other than hydrogen, evaluated only at the voxels that atoms need.

    Parameters
    ----------
    full, half_1, half_2 : Map
        On one grid, whole.
    model_map : Map
        From `atomsight.simulate_map`, on the same grid.
    model : Model
    box : int
        Edge of the window in voxels; see `atomsight.evidence.local_resolution.window_size`.
    rule : {"paper", "cref"}
        See `thresholds`.
    label : {"mean", "xmipp"}
        "mean": the mean of the voxels where both resolutions were measured. "xmipp": as the
        published tool does it, sign(Σv) · mean|v| over the atom's voxels in the mask, with
        blocres's number where a curve never crosses, and 0 where a window leaves the map. An atom
        none of whose voxels was measured has no value with either.
    crossing : {"last", "first"}
    mask : Map, optional
        Voxels below 0.5 are left out.
    threads : int, optional
    progress : callable, optional
        Called with (points done, points in all).

    Returns
    -------
    FscQ

    Raises
    ------
    MapFileError
        If the maps lie on different grids.
    ParameterError
        If an option means nothing.
    """
    check_same_grid(full, half_1)
    if mask is not None:
        check_same_grid(full, mask)
    where = atom_voxels(full, model, box, label)
    limits = thresholds(rule)
    used = np.ones(len(where.voxels), dtype=bool)
    if mask is not None:
        x, y, z = where.voxels.T
        used = mask.values[z, y, x] >= 0.5
    points = where.voxels[used]

    def pair(a: Map, b: Map, threshold: float, before: int) -> LocalResolution:
        def tell(done: int, _: int) -> None:
            if progress is not None:
                progress(before + done, 2 * len(points))

        return local_resolution(
            a, b, points, box=box, threshold=threshold, crossing=crossing,
            threads=threads, progress=tell,
        )  # fmt: skip

    halves = pair(half_1, half_2, limits.half, 0)
    against = pair(full, model_map, limits.model, len(points))
    half_value, half_status = _at_all(halves, used)
    model_value, model_status = _at_all(against, used)
    status = np.where(half_status == Status.OK, model_status, half_status)
    measured = status == Status.OK
    difference = model_value - half_value
    n = len(model)

    def combine(values: Float_N) -> Float_N:
        if label == "mean":
            return _mean(values, where, measured, n)
        return _as_xmipp(values, where, used, measured, n)

    return FscQ(
        fsc_q=combine(difference),
        fsc_q_r=combine(difference / half_value),
        half=_mean_or_rest(half_value, where, measured, half_status == Status.OK, n),
        model=_mean_or_rest(model_value, where, measured, model_status == Status.OK, n),
        status=_atom_status(status, where, model),
        half_status=_atom_status(half_status, where, model),
        model_status=_atom_status(model_status, where, model),
        thresholds=limits,
        box=box,
        label=label,
    )


def _at_all(found: LocalResolution, used: Bool_N) -> tuple[Float_N, Status_N]:
    """Values and statuses of all voxels, from those in the mask."""
    value = np.full(len(used), np.nan)
    status = np.full(len(used), Status.OUTSIDE_MASK, dtype=np.uint8)
    value[used], status[used] = found.value, found.status
    return value, status


def _mean_or_rest(
    values: Float_N, where: AtomVoxels, measured: Bool_N, there: Bool_N, n: int
) -> Float_N:
    """Mean over the measured voxels of each atom; of atoms without one, over all that is there."""
    chosen = _mean(values, where, measured, n)
    return np.where(np.isnan(chosen), _mean(values, where, there, n), chosen)


def _mean(values: Float_N, where: AtomVoxels, measured: Bool_N, n: int) -> Float_N:
    """Mean over the measured voxels of each atom; NaN for atoms without one."""
    good = measured[where.voxel]
    atom = where.atom[good]
    total = np.bincount(atom, weights=values[where.voxel[good]], minlength=n)
    count = np.bincount(atom, minlength=n)
    mean: Float_N = np.divide(total, count, out=np.full(n, np.nan), where=count > 0)
    return mean


def _as_xmipp(
    values: Float_N, where: AtomVoxels, used: Bool_N, measured: Bool_N, n: int
) -> Float_N:
    """sign(Σv) · mean|v| over the voxels of each atom that are in the mask; 0 for NaN."""
    counted = used[where.voxel]
    atom = where.atom[counted]
    filled = np.nan_to_num(values, nan=0.0)[where.voxel[counted]]
    count = np.bincount(atom, minlength=n)
    signed = np.bincount(atom, weights=filled, minlength=n)
    size = np.bincount(atom, weights=np.abs(filled), minlength=n)
    known = np.bincount(where.atom[measured[where.voxel]], minlength=n) > 0
    mean = np.divide(size, count, out=np.full(n, np.nan), where=known)
    labelled: Float_N = np.where(signed >= 0, mean, -mean)
    return labelled


def _atom_status(status: Status_N, where: AtomVoxels, model: Model) -> Status_N:
    """OK where any voxel was measured; otherwise what became of the atom's first voxel."""
    result = np.full(len(model), Status.OUTSIDE, dtype=np.uint8)
    order = np.argsort(where.atom, kind="stable")[::-1]
    result[where.atom[order]] = status[where.voxel[order]]
    result[where.atom[status[where.voxel] == Status.OK]] = Status.OK
    result[~model.has_position] = Status.NO_POSITION
    result[model.hydrogen] = Status.HYDROGEN
    return result
