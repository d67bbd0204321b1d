"""Windowed Fourier shell correlation at many places: exact, and without FFT or complex numbers.

A window of B voxels, tapered by a separable Hann function and padded with zeros to N = 2B, has the
Fourier transform ``sum_xyz w(x) w(y) w(z) f(x, y, z) exp(-2πi (kx x + ky y + kz z)/N)``. Shell
sums need only ``|F|²`` and ``Re(F1 F2*)`` summed over the signs of k, and with phases taken about
the window's centre these equal sums over the eight real products of cosines and sines. So the
transform is three products with one small real matrix::

    M = [w cos(2π k x / N); w sin(2π k x / N)],    k = 0 … N/2

done by BLAS for a batch of windows at once. The taper is 0 at both ends, so only the B - 2 voxels
between them are read; what lies beyond the outermost shell is never computed.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from atomsight.kernels.compilation import kernel
from atomsight.typing import FloatArray, Int_N, Volume

BATCH = 16
"""Windows that go through BLAS together."""


@dataclass(frozen=True, slots=True)
class ShellPlane:
    """What is needed of the plane ky = const.

    Attributes
    ----------
    ky : int
    reach : int
        Number of kx and kz (from 0) that any shell needs.
    weights : ndarray, shape (shells, reach * reach)
        Share of each (kz, kx) in each shell.
    matrix : ndarray, shape (2 * reach, B - 2)
        Cosines and sines for kz.
    """

    ky: int
    reach: int
    weights: np.ndarray
    matrix: np.ndarray


@dataclass(frozen=True, slots=True)
class WindowPlan:
    """Everything about a window that does not depend on the map.

    Attributes
    ----------
    box : int
        Edge of the window in voxels, B.
    shells : int
        Number of shells, the zeroth being the mean.
    length : float
        N times the voxel size: shell s is at ``length / s`` Å.
    matrix : ndarray, shape (2 * nk, B - 2)
        Cosines and sines, tapered.
    planes : tuple of ShellPlane
    """

    box: int
    shells: int
    length: float
    matrix: np.ndarray
    planes: tuple[ShellPlane, ...]


@lru_cache(maxsize=8)
def window_plan(box: int, voxel_size: tuple[float, float, float]) -> WindowPlan:
    """Prepare the matrices and shell weights of a window.

    Shells follow Bsoft's blocres 2.1.3: N = 2B, shells 1/(N u) apart up to Nyquist and one
    beyond, each mode split linearly between the two shells next to it; of the modes, kx runs over
    0 … N/2 - 1 only, so that the plane kx = 0 weighs double.

    Parameters
    ----------
    box : int
        Edge in voxels, B.
    voxel_size : tuple of float
        x, y, z in Å; u is the smallest of them.

    Returns
    -------
    WindowPlan
    """
    n = 2 * box
    unit = min(voxel_size)
    shells = 2 + n // 2
    last = shells - 1
    position = np.arange(1, box - 1)
    taper = 0.5 * (1.0 - np.cos(2.0 * np.pi * position / (box - 1)))
    k = np.arange(n // 2 + 1)
    angle = 2.0 * np.pi * np.outer(k, position - (box - 1) / 2.0) / n
    cosine = (np.cos(angle) * taper).astype(np.float32)
    sine = (np.sin(angle) * taper).astype(np.float32)
    # rounded: a header's float32 must not move a mode that lies on a shell to the one below
    sx, sy, sz = (k * round(unit / v, 6) for v in voxel_size)
    mates = np.where((k == 0) | (k == n // 2), 1.0, 2.0)
    planes = []
    for ky in k.tolist():
        radius = np.sqrt(sz[:, None] ** 2 + sy[ky] ** 2 + sx[None, :] ** 2)
        inner = np.floor(radius).astype(np.int64)
        used = (inner + 1 <= last) & (k < n // 2)[None, :]
        if not used.any():
            continue
        reach = int(np.nonzero(used.any(axis=0) | used.any(axis=1))[0].max()) + 1
        z, x = np.nonzero(used[:reach, :reach])
        share = (radius - inner)[z, x]
        weight = mates[ky] * mates[z]
        weights = np.zeros((shells, reach, reach))
        np.add.at(weights, (inner[z, x], z, x), weight * (1.0 - share))
        np.add.at(weights, (inner[z, x] + 1, z, x), weight * share)
        planes.append(
            ShellPlane(
                ky,
                reach,
                weights.reshape(shells, -1).astype(np.float32),
                np.concatenate([cosine[:reach], sine[:reach]]),
            )
        )
    return WindowPlan(box, shells, n * unit, np.concatenate([cosine, sine]), tuple(planes))


@kernel
def gather(values: Volume, start: Int_N, windows: np.ndarray) -> None:
    """Copy the windows that begin at `start` (n, 3; order z, y, x) into `windows`.

    A window of one value (masked away, say) becomes 0: it tells nothing, yet two constants would
    correlate perfectly.
    """
    edge = windows.shape[1]
    for i in range(start.shape[0]):
        first = values[start[i, 0], start[i, 1], start[i, 2]]
        constant = True
        for z in range(edge):
            for y in range(edge):
                for x in range(edge):
                    value = values[start[i, 0] + z, start[i, 1] + y, start[i, 2] + x]
                    windows[i, z, y, x] = value
                    constant &= value == first
        if constant:
            windows[i] = 0.0


@kernel
def _add_squares(a: np.ndarray, total: np.ndarray) -> None:
    for i in range(total.shape[0]):
        total[i] += a[i] * a[i]


@kernel
def _add_products(a: np.ndarray, b: np.ndarray, total: np.ndarray) -> None:
    for i in range(total.shape[0]):
        total[i] += a[i] * b[i]


@kernel
def add_powers(a: np.ndarray, b: np.ndarray, powers: np.ndarray) -> None:
    """Sum a², b² and ab over the cosines and sines of kz (two halves of the rows of a and b)."""
    reach = powers.shape[1]
    for row in range(2 * reach):
        kz = row % reach
        _add_squares(a[row], powers[0, kz])
        _add_squares(b[row], powers[1, kz])
        _add_products(a[row], b[row], powers[2, kz])


class Workspace:
    """Arrays for one batch of windows, used again and again: fresh memory would cost as much time.

    Parameters
    ----------
    plan : WindowPlan
    n : int
        Windows in a batch.
    """

    def __init__(self, plan: WindowPlan, n: int) -> None:
        edge, rows = plan.box - 2, len(plan.matrix)
        reach = rows // 2
        self.windows = np.empty((n, edge, edge, edge), dtype=np.float32)
        self.along_x = np.empty((rows, n * edge * edge), dtype=np.float32)
        self.along_y = np.empty((2, rows, rows * n * edge), dtype=np.float32)
        self.along_z = np.empty((2, rows * reach * n), dtype=np.float32)
        self.powers = np.empty(3 * reach * reach * n, dtype=np.float32)


def shell_sums(
    plan: WindowPlan, first: Volume, second: Volume, start: Int_N, work: Workspace
) -> FloatArray:
    """Power of two maps and their cross term in each shell of each window.

    Parameters
    ----------
    plan : WindowPlan
    first, second : ndarray, shape (nz, ny, nx), float32
        About their means; of the order of 1, or squares leave the range of single precision.
    start : ndarray of int, shape (n, 3)
        First voxel (z, y, x) that is read, one after the window's own.
    work : Workspace
        For n windows; not shared between threads.

    Returns
    -------
    ndarray, shape (3, shells, n)
        P1, P2, C; FSC = C / sqrt(P1 P2).
    """
    n, edge, rows = len(start), plan.box - 2, len(plan.matrix)
    for values, along_y in zip((first, second), work.along_y, strict=True):
        gather(values, start, work.windows)
        np.matmul(plan.matrix, work.windows.reshape(-1, edge).T, out=work.along_x)
        np.matmul(plan.matrix, work.along_x.reshape(-1, edge).T, out=along_y.reshape(rows, -1))
    transformed = work.along_y.reshape(2, rows, rows * n, edge)
    sums = np.zeros((3, plan.shells, n))
    for plane in plan.planes:
        reach = plane.reach
        a, b = work.along_z[:, : 2 * reach * reach * n].reshape(2, 2 * reach, reach * n)
        powers = work.powers[: 3 * reach * reach * n].reshape(3, reach, reach * n)
        powers[:] = 0.0
        for row in (plane.ky, plane.ky + rows // 2):
            for column in (0, rows // 2 * n):
                part = slice(column, column + reach * n)
                np.matmul(plane.matrix, transformed[0, row, part].T, out=a)
                np.matmul(plane.matrix, transformed[1, row, part].T, out=b)
                add_powers(a, b, powers)
        for i in range(3):
            sums[i] += plane.weights @ powers[i].reshape(reach * reach, n)
    return sums
