"""Local resolution as blocres 2.1.3 of Bsoft has it (Hann taper, pad factor 1): one window at a
time, padded and transformed in double precision, and nothing taken from the package."""

import numpy as np


def window(values: np.ndarray, voxel: np.ndarray, box: int) -> np.ndarray:
    """The tapered cube around a voxel (x, y, z) of a map, about the mean of the whole map.

    The last plane of an odd window may lie outside; the taper is 0 there.
    """
    about = np.pad(values.astype(float) - values.mean(dtype=float), ((0, 1),) * 3)
    z, y, x = (int(c) - box // 2 for c in voxel[::-1])
    hann = 0.5 * (1 - np.cos(2 * np.pi * np.arange(box) / (box - 1)))
    cube = about[z : z + box, y : y + box, x : x + box]
    return cube * hann[:, None, None] * hann[:, None] * hann


def shells(box: int, voxel_size) -> tuple[np.ndarray, np.ndarray, int]:
    """Distance of each mode from 0 in shells, which modes count, and how many shells there are.

    Frequencies are physical, in units of 1 / (N u), with u the smallest voxel size.
    """
    n, unit = 2 * box, min(voxel_size)
    whole = np.rint(np.fft.fftfreq(n) * n)
    x, y, z = (whole * (unit / size) for size in voxel_size)
    radius = np.sqrt(z[:, None, None] ** 2 + y[:, None] ** 2 + x**2)
    count = int(2 + n * unit / (2 * unit) + 1e-6)
    counted = np.floor(radius) + 1 < count
    counted[:, :, n // 2 :] = False  # kx from 0, without Nyquist
    return radius, counted, count


def shell_sums(first, second, voxel, box: int, voxel_size) -> np.ndarray:
    """Sums of |F1|², |F2|² and Re F1 F2*, each mode split between two shells, shape (3, shells)."""
    n = 2 * box
    a, b = (
        np.fft.fftn(window(values, voxel, box), (n, n, n), (0, 1, 2)) for values in (first, second)
    )
    radius, counted, count = shells(box, voxel_size)
    lower = np.floor(radius[counted]).astype(int)
    share = radius[counted] - lower
    return np.array(
        [
            np.bincount(lower, values[counted] * (1 - share), count)
            + np.bincount(lower + 1, values[counted] * share, count)
            for values in (abs(a) ** 2, abs(b) ** 2, (a * b.conj()).real)
        ]
    )


def fsc_curve(first, second, voxel, box: int, voxel_size) -> np.ndarray:
    """Correlation in shells; 1 in the zeroth, never negative."""
    power_1, power_2, cross = shell_sums(first, second, voxel, box, voxel_size)
    curve = np.maximum(cross / np.sqrt(power_1 * power_2), 0.0)
    curve[0] = 1.0
    return curve


def read_last(curve: np.ndarray, length: float, threshold: float) -> float:
    """Å where a curve last falls below a threshold, or the last shell."""
    for i in range(len(curve) - 2, -1, -1):
        if curve[i] >= threshold > curve[i + 1]:
            return length / (i + (curve[i] - threshold) / (curve[i] - curve[i + 1]))
    return length / (len(curve) - 1)


def local_resolution(first, second, voxel, box: int, voxel_size, threshold: float) -> float:
    """Local resolution in Å at a voxel (x, y, z) of two maps (z, y, x)."""
    curve = fsc_curve(first, second, voxel, box, voxel_size)
    return read_last(curve, 2 * box * min(voxel_size), threshold)
