"""Windowed Fourier shell correlation at many places: exact, and without FFT or complex numbers.

A window of B voxels, tapered by a separable Hann function and padded with zeros to N = 2B, has the
Fourier transform ``sum_xyz w(x) w(y) w(z) f(x, y, z) exp(-2πi (kx x + ky y + kz z)/N)``. Shell
sums need only ``|F|²`` and ``Re(F1 F2*)`` summed over the signs of k, and with phases taken about
the window's centre these equal sums over the eight real products of cosines and sines. So the
transform is three products with one small real matrix::

    M = [w cos(2π k x / N); w sin(2π k x / N)],    k = 0 … N/2

done by BLAS for a batch of windows at once. Cosines see only the even part of a window about its
centre, sines only the odd part: the window is first folded into its 8 even and odd parts, which
halves each of the three products. The taper is 0 at both ends, so only the B - 2 voxels between
them are read; what lies beyond the outermost shell is never computed.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from atomsight.kernels.compilation import kernel
from atomsight.typing import Float_N, FloatArray, Int_N, Volume

_PARTS = 8
_MOST_WINDOWS = 8
_MOST_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class ShellPlane:
    """What is needed of the plane ky = const.

    Attributes
    ----------
    ky : int
    reach : int
        Number of kx and kz (from 0) that any shell needs.
    shell : ndarray of int, shape (reach * reach,)
        The shell below each (kz, kx).
    low, high : ndarray, shape (reach * reach,)
        Weight of (kz, kx) in that shell and in the next; 0 beyond the last shell.
    """

    ky: int
    reach: int
    shell: Int_N
    low: Float_N
    high: Float_N


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
    along : tuple of ndarray, shape (8, nk, h)
        For x, y and z: the matrix of each of the 8 parts, tapered cosines where it is even along
        that axis, sines where it is odd; h = (B - 1) // 2 voxels from the window's face on.
    planes : tuple of ShellPlane
    batch : int
        Windows that go through BLAS together: fewer of large ones, for the sake of memory.
    """

    box: int
    shells: int
    length: float
    along: tuple[np.ndarray, np.ndarray, np.ndarray]
    planes: tuple[ShellPlane, ...]
    batch: int


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
    half = (box - 1) // 2
    folded = taper[:half].copy()
    if box % 2:
        folded[-1] /= 2.0  # folding counts the voxel at the centre twice
    cosine, sine = np.cos(angle[:, :half]) * folded, np.sin(angle[:, :half]) * folded
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
        near = np.s_[:reach, :reach]
        weight = np.where(used[near], mates[ky] * mates[:reach, None], 0.0)
        share = radius[near] - inner[near]
        shell = np.where(used[near], inner[near], 0)
        low, high = weight * (1.0 - share), weight * share
        planes.append(ShellPlane(ky, reach, shell.ravel(), low.ravel(), high.ravel()))
    matrices = np.array([cosine, sine], dtype=np.float32)
    x, y, z = (matrices[(np.arange(_PARTS) >> axis) & 1] for axis in range(3))
    bytes_each = 2 * _PARTS * len(k) ** 2 * half * matrices.itemsize
    batch = max(1, min(_MOST_WINDOWS, _MOST_BYTES // bytes_each))
    return WindowPlan(box, shells, n * unit, (x, y, z), tuple(planes), batch)


@kernel
def gather_folded(values: Volume, start: Int_N, edge: int, parts: np.ndarray) -> None:
    """Fold the windows that begin at `start` (n, 3; order z, y, x) into even and odd parts.

    Of ``parts[p]``, the bits 1, 2 and 4 of p say whether it is odd along x, y and z. A window of
    one value (masked away, say) becomes 0: it tells nothing, yet two constants would correlate
    perfectly.
    """
    half = parts.shape[2]
    for i in range(start.shape[0]):
        z0, y0, x0 = start[i, 0], start[i, 1], start[i, 2]
        first = values[z0, y0, x0]
        constant = True
        for z in range(half):
            front, back = z0 + z, z0 + edge - 1 - z
            for y in range(half):
                low, high = y0 + y, y0 + edge - 1 - y
                for x in range(half):
                    left, right = x0 + x, x0 + edge - 1 - x
                    a, b = values[front, low, left], values[front, low, right]
                    c, d = values[front, high, left], values[front, high, right]
                    e, f = values[back, low, left], values[back, low, right]
                    g, h = values[back, high, left], values[back, high, right]
                    constant &= (a == first) & (b == first) & (c == first) & (d == first)
                    constant &= (e == first) & (f == first) & (g == first) & (h == first)
                    # even and odd along x, then along y, then along z
                    ee, oe = (a + b) + (c + d), (a - b) + (c - d)
                    eo, oo = (a + b) - (c + d), (a - b) - (c - d)
                    ee_back, oe_back = (e + f) + (g + h), (e - f) + (g - h)
                    eo_back, oo_back = (e + f) - (g + h), (e - f) - (g - h)
                    parts[0, i, z, y, x] = ee + ee_back
                    parts[1, i, z, y, x] = oe + oe_back
                    parts[2, i, z, y, x] = eo + eo_back
                    parts[3, i, z, y, x] = oo + oo_back
                    parts[4, i, z, y, x] = ee - ee_back
                    parts[5, i, z, y, x] = oe - oe_back
                    parts[6, i, z, y, x] = eo - eo_back
                    parts[7, i, z, y, x] = oo - oo_back
        if constant:
            parts[:, i] = 0.0


@kernel
def add_to_shells(
    a: np.ndarray, b: np.ndarray, shell: Int_N, low: Float_N, high: Float_N, sums: FloatArray
) -> None:
    """Add the modes of one plane to the powers and the cross term of their shells.

    `a` and `b` have shape (8, modes * n), `sums` (shells, 3, n): n windows, in double precision.
    """
    a0, a1, a2, a3, a4, a5, a6, a7 = a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]
    b0, b1, b2, b3, b4, b5, b6, b7 = b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]
    n = sums.shape[2]
    for mode in range(shell.shape[0]):
        here, next_, s = low[mode], high[mode], shell[mode]
        if here == 0.0 and next_ == 0.0:
            continue
        for window in range(n):
            i = mode * n + window
            one = (a0[i] * a0[i] + a1[i] * a1[i] + a2[i] * a2[i] + a3[i] * a3[i]) + (
                a4[i] * a4[i] + a5[i] * a5[i] + a6[i] * a6[i] + a7[i] * a7[i]
            )
            two = (b0[i] * b0[i] + b1[i] * b1[i] + b2[i] * b2[i] + b3[i] * b3[i]) + (
                b4[i] * b4[i] + b5[i] * b5[i] + b6[i] * b6[i] + b7[i] * b7[i]
            )
            cross = (a0[i] * b0[i] + a1[i] * b1[i] + a2[i] * b2[i] + a3[i] * b3[i]) + (
                a4[i] * b4[i] + a5[i] * b5[i] + a6[i] * b6[i] + a7[i] * b7[i]
            )
            sums[s, 0, window] += here * one
            sums[s, 1, window] += here * two
            sums[s, 2, window] += here * cross
            sums[s + 1, 0, window] += next_ * one
            sums[s + 1, 1, window] += next_ * two
            sums[s + 1, 2, window] += next_ * cross


class Workspace:
    """Arrays for one batch of windows, used again and again: fresh memory would cost as much time.

    Parameters
    ----------
    plan : WindowPlan
    n : int
        Windows in a batch.
    """

    def __init__(self, plan: WindowPlan, n: int) -> None:
        _, nk, half = plan.along[0].shape
        self.parts = np.empty((_PARTS, n, half, half, half), dtype=np.float32)
        self.along_x = np.empty((_PARTS, nk, n * half * half), dtype=np.float32)
        self.along_y = np.empty((2, _PARTS, nk, nk * n * half), dtype=np.float32)
        self.along_z = np.empty((2, _PARTS * nk * nk * n), dtype=np.float32)


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
    n = len(start)
    _, nk, half = plan.along[0].shape
    x, y, z = plan.along
    for values, along_y in zip((first, second), work.along_y, strict=True):
        gather_folded(values, start, plan.box - 2, work.parts)
        np.matmul(x, _turned(work.parts, half), out=work.along_x)
        np.matmul(y, _turned(work.along_x, half), out=along_y)
    transformed = work.along_y.reshape(2, _PARTS, nk, nk * n, half)
    sums = np.zeros((plan.shells, 3, n))
    for plane in plan.planes:
        reach = plane.reach
        size = reach * reach * n
        a, b = work.along_z[:, : _PARTS * size].reshape(2, _PARTS, reach, reach * n)
        for source, result in zip(transformed, (a, b), strict=True):
            section = source[:, plane.ky, : reach * n]
            np.matmul(z[:, :reach], section.transpose(0, 2, 1), out=result)
        a, b = a.reshape(_PARTS, size), b.reshape(_PARTS, size)
        add_to_shells(a, b, plane.shell, plane.low, plane.high, sums)
    return sums.transpose(1, 0, 2)


def _turned(parts: np.ndarray, half: int) -> np.ndarray:
    """View each part as a matrix whose rows run along the last axis."""
    return parts.reshape(_PARTS, -1, half).transpose(0, 2, 1)
