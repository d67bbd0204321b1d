"""Local resolution: where the Fourier shell correlation in a window falls below a threshold.

Two half maps say how far the data agree with themselves around a point; a map and the map of a
model say how far the model agrees with the data (Cardone, Heymann & Steven 2013; blocres of Bsoft;
Ramírez-Aportela et al. 2021).
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import frexp
from typing import Literal

import numpy as np
from threadpoolctl import threadpool_limits

from atomsight.density.map import Map
from atomsight.errors import MapFileError, ParameterError
from atomsight.evidence.status import Status
from atomsight.kernels.local_fsc import WindowPlan, Workspace, shell_sums, window_plan
from atomsight.processes import processors
from atomsight.typing import Bool_N, Float_N, FloatArray, Int_Nx3, Status_N, Volume

Crossing = Literal["last", "first"]

WINDOW_RESOLUTIONS = 5.0
"""The window's edge in units of the resolution (Ramírez-Aportela et al. 2021)."""

SMALL_WINDOW = 11
"""Voxels; the window where the resolution is better than 2 Å (ibid.)."""

_LEAST_BOX, _LARGEST_BOX = 6, 128


@dataclass(frozen=True, slots=True)
class LocalResolution:
    """Local resolution at points.

    Attributes
    ----------
    value : ndarray, shape (n,)
        Å; NaN where it was not evaluated. Where `status` is NEVER_BELOW it is the finest that
        the window can tell, where it is LOW_FREQUENCY a number beyond the window's size: neither
        is a measurement.
    status : ndarray of uint8, shape (n,)
        `Status` of each point.
    box : int
        Edge of the window in voxels.
    threshold : float
    crossing : {"last", "first"}
    """

    value: Float_N
    status: Status_N
    box: int
    threshold: float
    crossing: Crossing

    @property
    def measured(self) -> Bool_N:
        """Points where the curve crosses the threshold within its range, shape (n,)."""
        return np.asarray(self.status == Status.OK)


def window_size(resolution: float, voxel_size: float, multiple: float | None = None) -> int:
    """Edge of the window in voxels: 5 × the resolution, 11 voxels where that is better than 2 Å.

    Parameters
    ----------
    resolution, voxel_size : float
        Å.
    multiple : float, optional
        Instead of 5, at any resolution.

    Returns
    -------
    int

    Raises
    ------
    ParameterError
        If the multiple is not positive.

    References
    ----------
    Ramírez-Aportela et al. (2021), Methods.
    """
    if multiple is not None:
        if not 0 < multiple < np.inf:
            raise ParameterError(
                f"a window is a positive multiple of the resolution, not {multiple}"
            )
        return round(multiple * resolution / voxel_size)
    if resolution < 2.0:
        return SMALL_WINDOW
    return max(SMALL_WINDOW, round(WINDOW_RESOLUTIONS * resolution / voxel_size))


def local_resolution(
    first: Map,
    second: Map,
    voxels: Int_Nx3,
    *,
    box: int,
    threshold: float = 0.5,
    crossing: Crossing = "last",
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> LocalResolution:
    """Local resolution between two maps at voxels.

    At each voxel c a cube of B voxels from ``c - B // 2`` on is tapered with a Hann window, padded
    with zeros to 2B and transformed; the correlation in shells is read off where it falls below
    the threshold, linear in frequency. Equal to blocres 2.1.3 of Bsoft (Hann taper, pad factor 1)
    within 1e-4 Å.

    Parameters
    ----------
    first, second : Map
        On the same grid, whole.
    voxels : ndarray of int, shape (n, 3)
        Order x, y, z.
    box : int
        B, 6 to 128.
    threshold : float
        Between 0 and 1.
    crossing : {"last", "first"}
        Which of several crossings counts; the published tool takes the last.
    threads : int, optional
        As many as there are processors when not given.
    progress : callable, optional
        Called with (points done, points in all).

    Returns
    -------
    LocalResolution
        OUTSIDE where the window leaves the map, CONSTANT where a map has one value throughout it
        (masked away, for instance), NOT_FINITE where it holds NaN, NEVER_BELOW and LOW_FREQUENCY
        as said at `LocalResolution.value`.

    Raises
    ------
    MapFileError
        If the two maps lie on different grids, or on one whose axes are not at right angles.
    ParameterError
        If an option means nothing.
    """
    _check_options(first, box, threshold)
    check_same_grid(first, second)
    _check_right_angles(first)
    plan = window_plan(box, first.voxel_size)
    start = voxels[:, ::-1] - box // 2
    inside = ((start >= 0) & (start + 2 * (box // 2) <= np.array(first.values.shape))).all(axis=1)
    rows = np.flatnonzero(inside)
    a, b = _scaled(first), _scaled(second)
    value = np.full(len(voxels), np.nan)
    status = np.full(len(voxels), Status.OUTSIDE, dtype=np.uint8)
    done = 0
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(threads or processors()) as pool:
        parts = np.array_split(rows, max(1, -(-len(rows) // (plan.batch * 8))))
        work = [(plan, a, b, start[part] + 1, threshold, crossing) for part in parts]
        for part, (v, s) in zip(parts, pool.map(lambda w: _evaluate(*w), work), strict=True):
            value[part], status[part] = v, s
            done += len(part)
            if progress is not None:
                progress(done, len(rows))
    return LocalResolution(value, status, box, threshold, crossing)


def check_same_grid(first: Map, second: Map) -> None:
    """Refuse two maps whose voxels do not coincide.

    Parameters
    ----------
    first, second : Map

    Raises
    ------
    MapFileError
    """
    names = [str(m.path) if m.path is not None else "a map" for m in (first, second)]
    if first.values.shape != second.values.shape:
        sizes = [" x ".join(str(n) for n in m.values.shape[::-1]) for m in (first, second)]
        raise MapFileError(f"{names[1]}: {sizes[1]} voxels, but {names[0]} has {sizes[0]}")
    if not np.allclose(first.step, second.step, rtol=1e-4, atol=1e-4):
        sizes = [", ".join(f"{v:g}" for v in m.voxel_size) for m in (first, second)]
        raise MapFileError(f"{names[1]}: voxels of {sizes[1]} Å, but {names[0]} has {sizes[0]} Å")


def _check_options(map_: Map, box: int, threshold: float) -> None:
    if not _LEAST_BOX <= box <= _LARGEST_BOX:
        raise ParameterError(f"a window has {_LEAST_BOX} to {_LARGEST_BOX} voxels, not {box}")
    if box > min(map_.values.shape):
        raise ParameterError(
            f"a window of {box} voxels is larger than the map ({min(map_.values.shape)} voxels)"
        )
    if not 0.0 < threshold < 1.0:
        raise ParameterError(f"threshold must lie between 0 and 1, not {threshold}")


def _check_right_angles(map_: Map) -> None:
    """Shells of a window are spheres only where the axes are at right angles."""
    unit = map_.step / np.linalg.norm(map_.step, axis=0)
    if not np.allclose(unit.T @ unit, np.eye(3), atol=1e-4):
        name = "a map" if map_.path is None else str(map_.path)
        raise MapFileError(f"{name}: local resolution needs axes at right angles")


def _scaled(map_: Map) -> Volume:
    """Values about the mean of the whole map, as blocres has them, and of the order of 1.

    The scale, a power of two, changes no correlation, and keeps squares within the range of
    single precision.
    """
    about = np.asarray(map_.values - map_.statistics.mean, dtype=np.float32)
    return np.ldexp(about, -frexp(map_.statistics.sd)[1])


def _evaluate(
    plan: WindowPlan,
    first: Volume,
    second: Volume,
    start: np.ndarray,
    threshold: float,
    crossing: Crossing,
) -> tuple[Float_N, Status_N]:
    """Local resolution of a few batches, one after the other, in one thread."""
    if not len(start):
        return np.empty(0), np.empty(0, dtype=np.uint8)
    work = Workspace(plan, plan.batch)
    with np.errstate(invalid="ignore"):  # NaN and Inf get a status
        sums = [
            shell_sums(plan, first, second, batch, work) for batch in _batches(start, plan.batch)
        ]
        curves = fsc_curves(np.concatenate(sums, axis=2)[:, :, : len(start)])
        return read_off(curves, plan.length, threshold, crossing)


def _batches(start: np.ndarray, size: int) -> Iterator[np.ndarray]:
    """Batches of one size, the last filled up: BLAS then gives the same numbers everywhere."""
    for i in range(0, len(start), size):
        batch = start[i : i + size]
        missing = size - len(batch)
        yield np.concatenate([batch, np.repeat(batch[-1:], missing, axis=0)])


def fsc_curves(sums: FloatArray) -> FloatArray:
    """Correlation in each shell from its sums.

    The zeroth shell, which holds only the mean, is 1 and what is negative is 0, as in blocres.

    Parameters
    ----------
    sums : ndarray, shape (3, shells, n)
        P1, P2, C.

    Returns
    -------
    ndarray, shape (shells, n)
        NaN throughout for a window without power, Inf for one that holds NaN or Inf.
    """
    power = sums[0] * sums[1]
    fsc = np.divide(
        sums[2], np.sqrt(power, where=power > 0, out=np.ones_like(power)),
        out=np.zeros_like(power), where=power > 0,
    )  # fmt: skip
    curves: FloatArray = np.maximum(fsc, 0.0)
    curves[0] = 1.0
    empty = (sums[0].sum(axis=0) <= 0) | (sums[1].sum(axis=0) <= 0)
    curves[:, empty] = np.nan
    curves[:, ~np.isfinite(sums).all(axis=(0, 1))] = np.inf
    return curves


def read_off(
    fsc: FloatArray, length: float, threshold: float, crossing: Crossing
) -> tuple[Float_N, Status_N]:
    """Resolution at which curves fall below a threshold.

    Parameters
    ----------
    fsc : ndarray, shape (shells, n)
        From `fsc_curves`.
    length : float
        Shell s is at ``length / s`` Å.
    threshold : float
    crossing : {"last", "first"}

    Returns
    -------
    value : ndarray, shape (n,)
        Å.
    status : ndarray of uint8, shape (n,)
    """
    shells, n = fsc.shape
    falls = (fsc[:-1] >= threshold) & (fsc[1:] < threshold)
    crossed = falls.any(axis=0)
    at = falls.argmax(axis=0) if crossing == "first" else shells - 2 - falls[::-1].argmax(axis=0)
    column = np.arange(n)
    above = np.where(crossed, fsc[at, column], 1.0)
    below = np.where(crossed, fsc[at + 1, column], 0.0)
    shell = np.where(crossed, at + (above - threshold) / (above - below), shells - 1)
    value: Float_N = length / np.maximum(shell, 1e-9)
    status = np.full(n, Status.OK, dtype=np.uint8)
    status[crossed & (at == 0)] = Status.LOW_FREQUENCY
    status[~crossed] = Status.NEVER_BELOW
    for bad, why in ((np.isnan(fsc[0]), Status.CONSTANT), (np.isinf(fsc[0]), Status.NOT_FINITE)):
        value[bad] = np.nan
        status[bad] = why
    return value, status
