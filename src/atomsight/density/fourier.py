"""Fourier shell correlation of whole maps, and what it says about them."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import fft

from atomsight.density.map import Map, array_statistics, index_matrix
from atomsight.typing import Float_N, FloatArray, Volume

Spectrum = npt.NDArray[np.complexfloating[Any, Any]]

_RANDOM_BELOW = 0.8


@dataclass(frozen=True, slots=True)
class FscCurve:
    """Correlation of two maps in shells of spatial frequency.

    Attributes
    ----------
    frequency : ndarray, shape (shells,)
        Centre of each shell, 1/Å; the zeroth is 0.
    fsc : ndarray, shape (shells,)
        NaN for shells without power.
    n : ndarray of int, shape (shells,)
        Independent Fourier coefficients in each shell: of two Friedel mates one.
    """

    frequency: Float_N
    fsc: Float_N
    n: npt.NDArray[np.int64]


def transform(values: Volume) -> Spectrum:
    """Fourier transform of a real map, single precision for a float32 map.

    Parameters
    ----------
    values : ndarray, shape (nz, ny, nx)

    Returns
    -------
    ndarray, shape (nz, ny, nx // 2 + 1), complex
    """
    return np.asarray(fft.rfftn(values, workers=-1))


def inverse_transform(spectrum: Spectrum, shape: tuple[int, ...]) -> Volume:
    """The real map of a Fourier transform.

    Parameters
    ----------
    spectrum : ndarray, shape (nz, ny, nx // 2 + 1), complex
        From `transform`.
    shape : tuple of int
        (nz, ny, nx): an odd and an even nx have transforms of one shape.

    Returns
    -------
    ndarray, shape (nz, ny, nx)
    """
    return np.asarray(fft.irfftn(spectrum, shape, workers=-1))


def shell_numbers(map_: Map) -> tuple[npt.NDArray[np.int32], float]:
    """Shell of each Fourier coefficient, and the width of a shell.

    Parameters
    ----------
    map_ : Map
        Its grid counts, not its values.

    Returns
    -------
    shell : ndarray of int, shape (nz, ny, nx // 2 + 1)
        Shells beyond Nyquist of the coarsest axis are one last shell.
    width : float
        1/Å: one over the longest edge.
    """
    edges = np.array(map_.voxel_size) * map_.values.shape[::-1]
    width = 1.0 / float(edges.max())
    square = square_frequencies(map_)
    shell = np.rint(np.sqrt(square, out=square) / width).astype(np.int32)
    # Nyquist is a whole number of shells for most grids, and rounding must not make it one less
    return np.minimum(shell, int(_nyquist(map_) / width + 1e-6) + 1), width


def square_frequencies(map_: Map) -> npt.NDArray[np.float32]:
    """Square of the spatial frequency of each Fourier coefficient.

    Parameters
    ----------
    map_ : Map
        Its grid counts, not its values.

    Returns
    -------
    ndarray, shape (nz, ny, nx // 2 + 1)
        1/Å², float32.
    """
    nz, ny, nx = map_.values.shape
    inverse = index_matrix(map_)
    x, y, z = fft.rfftfreq(nx), fft.fftfreq(ny), fft.fftfreq(nz)
    square = np.zeros((nz, ny, len(x)), dtype=np.float32)
    for axis in range(3):
        # component of the frequency along one Cartesian axis, 1/Å
        part = (
            z[:, None, None] * inverse[2, axis]
            + y[None, :, None] * inverse[1, axis]
            + x[None, None, :] * inverse[0, axis]
        )
        square += (part * part).astype(np.float32)
    return square


def _nyquist(map_: Map) -> float:
    """Nyquist frequency of the coarsest axis, 1/Å."""
    return 0.5 / max(map_.voxel_size)


def fsc(first: Map, second: Map, mask: Volume | None = None) -> FscCurve:
    """Fourier shell correlation of two maps.

    FSC_s = Re Σ F1 F2* / sqrt(Σ|F1|² Σ|F2|²), sums over shell s (Harauz & van Heel 1986).

    Parameters
    ----------
    first, second : Map
        On the same grid, whole.
    mask : ndarray, shape (nz, ny, nx), optional
        Multiplies both maps, about their means.

    Returns
    -------
    FscCurve
        Up to Nyquist.
    """
    shell, width = shell_numbers(first)
    a, b = (transform(_masked(m, mask)) for m in (first, second))
    return correlate(a, b, shell, width, first.values.shape[2])


def correlate(
    a: Spectrum, b: Spectrum, shell: npt.NDArray[np.int32], width: float, nx: int
) -> FscCurve:
    """Correlation in shells of two transforms.

    Parameters
    ----------
    a, b : ndarray, complex
        From `transform`.
    shell : ndarray of int
    width : float
        Both from `shell_numbers`.
    nx : int
        Voxels along x: which planes stand for two.

    Returns
    -------
    FscCurve
    """
    count = int(shell.max())
    # all planes of x but the zeroth, and Nyquist where there is one, stand for their mates too
    twice = np.full(a.shape[2], 2.0, dtype=np.float32)
    twice[0] = 1.0
    if nx % 2 == 0:
        twice[-1] = 1.0
    sums = np.zeros((3, count + 1))
    # section by section: the products of a large map would take as much memory as the maps
    for one, other, where in zip(a, b, shell, strict=True):
        flat = where.ravel()
        for i, (x, y) in enumerate(((one, other), (one, one), (other, other))):
            product = (x.real * y.real + x.imag * y.imag) * twice
            sums[i] += np.bincount(flat, product.ravel(), count + 1)
    cross, power = sums[0, :count], sums[1, :count] * sums[2, :count]
    root = np.sqrt(np.where(power > 0, power, np.nan))
    curve: FloatArray = np.asarray(cross / root, dtype=np.float64)
    frequency = np.asarray(width * np.arange(count), dtype=np.float64)
    return FscCurve(frequency, curve, _independent(shell, twice, nx)[:count])


def radial_power(spectrum: Spectrum, shell: npt.NDArray[np.int32]) -> FloatArray:
    """Sum of squared amplitudes in each shell up to Nyquist, Friedel mates left out.

    Parameters
    ----------
    spectrum : ndarray, complex
        From `transform`.
    shell : ndarray of int
        From `shell_numbers`.

    Returns
    -------
    ndarray, shape (shells,)
    """
    count = int(shell.max())
    power = np.zeros(count + 1)
    for section, where in zip(spectrum, shell, strict=True):
        power += np.bincount(where.ravel(), np.square(np.abs(section)).ravel(), count + 1)
    return power[:count]


def filter_shells(
    spectrum: Spectrum,
    shell: npt.NDArray[np.int32],
    factor: FloatArray,
    shape: tuple[int, ...],
    *,
    corners: float = 0.0,
) -> Volume:
    """Map whose Fourier coefficients are multiplied by one factor a shell.

    Parameters
    ----------
    spectrum : ndarray, complex
        From `transform`.
    shell : ndarray of int
        From `shell_numbers`.
    factor : ndarray, shape (shells,)
    shape : tuple of int
        Of the map.
    corners : float
        The factor beyond the last shell.

    Returns
    -------
    ndarray, shape (nz, ny, nx)
    """
    table = np.concatenate([factor, [corners]]).astype(spectrum.real.dtype)
    return np.asarray(fft.irfftn(spectrum * table[shell], shape, workers=-1))


def _independent(
    shell: npt.NDArray[np.int32], twice: npt.NDArray[np.float32], nx: int
) -> npt.NDArray[np.int64]:
    """Coefficients in each shell that do not follow from others."""
    everything = np.bincount(shell.ravel(), np.broadcast_to(twice, shell.shape).ravel())
    # 0 and Nyquist are their own mates
    z, y = ([0] if n % 2 else [0, n // 2] for n in shell.shape[:2])
    x = [0] if nx % 2 else [0, nx // 2]
    real = np.bincount(shell[np.ix_(z, y, x)].ravel(), minlength=len(everything))
    return (everything.astype(np.int64) + real) // 2


def resolution_at(curve: FscCurve, threshold: float) -> float:
    """Resolution where a curve first falls below a threshold, linear in frequency.

    Parameters
    ----------
    curve : FscCurve
    threshold : float

    Returns
    -------
    float
        Å; NaN where it never does, or is below from the first shell on.
    """
    values = np.nan_to_num(curve.fsc)
    falls = np.flatnonzero((values[1:-1] >= threshold) & (values[2:] < threshold)) + 1
    if not len(falls) or (values[1 : falls[0] + 1] < threshold).any():
        return float("nan")
    i = int(falls[0])
    share = (values[i] - threshold) / (values[i] - values[i + 1])
    return float(1.0 / (curve.frequency[i] + share * (curve.frequency[1] - curve.frequency[0])))


def corrected_fsc(
    first: Map,
    second: Map,
    mask: Volume,
    *,
    plain: FscCurve | None = None,
    masked: FscCurve | None = None,
    seed: int = 0,
) -> FscCurve:
    """Masked half-map correlation, freed of what the mask itself contributes.

    Beyond the first shell where the unmasked correlation is below 0.8 the phases are replaced by
    random ones; what then remains under the mask, FSC_n, is the mask's:
    FSC_true = (FSC_t - FSC_n) / (1 - FSC_n) (Chen et al. 2013).

    Parameters
    ----------
    first, second : Map
        Half maps on the same grid, whole.
    mask : ndarray, shape (nz, ny, nx)
    plain, masked : FscCurve, optional
        Their `fsc` without and with the mask, where it is known already.
    seed : int
        For the random phases.

    Returns
    -------
    FscCurve
        As masked up to two shells beyond where the phases become random.
    """
    plain = plain or fsc(first, second)
    low = np.flatnonzero(np.nan_to_num(plain.fsc)[1:] < _RANDOM_BELOW) + 1
    masked = masked or fsc(first, second, mask)
    if not len(low):
        return masked
    rng = np.random.default_rng(seed)
    shell, width = shell_numbers(first)
    noisy = [
        transform(_without_phases(half, shell >= low[0], rng) * mask) for half in (first, second)
    ]
    noise = correlate(noisy[0], noisy[1], shell, width, first.values.shape[2]).fsc
    start = int(low[0]) + 2
    true = masked.fsc.copy()
    with np.errstate(invalid="ignore", divide="ignore"):
        true[start:] = (masked.fsc[start:] - noise[start:]) / (1.0 - noise[start:])
    return replace(masked, fsc=true)


def _without_phases(map_: Map, beyond: npt.NDArray[np.bool_], rng: np.random.Generator) -> Volume:
    """Give a map random phases where `beyond` says so."""
    spectrum = transform(_masked(map_, None))
    for section, where in zip(spectrum, beyond, strict=True):
        phase = rng.uniform(0.0, 2.0 * np.pi, np.count_nonzero(where)).astype(np.float32)
        section[where] = np.abs(section[where]) * np.exp(1j * phase)
    return inverse_transform(spectrum, map_.values.shape)


def sharpened(map_: Map, b_factor: float) -> Map:
    """Multiply a map's amplitudes by exp(-B s² / 4); negative B sharpens.

    Beyond Nyquist, in the corners of the transform, the factor stays what it is at Nyquist: there
    is only noise, which would outgrow everything else.

    Parameters
    ----------
    map_ : Map
        Whole. What is not finite stays so, and counts as the mean.
    b_factor : float
        B in Å².

    Returns
    -------
    Map
    """
    finite = np.isfinite(map_.values)
    spectrum = transform(np.where(finite, map_.values, map_.statistics.mean))
    square = np.minimum(square_frequencies(map_), _nyquist(map_) ** 2)
    spectrum *= np.exp(square * (-b_factor / 4.0))
    values = inverse_transform(spectrum, map_.values.shape).astype(map_.values.dtype)
    values[~finite] = np.nan
    return replace(map_, values=values, statistics=array_statistics(values))


def _masked(map_: Map, mask: Volume | None) -> Volume:
    """Values about their mean, under the mask; NaN and Inf count as the mean."""
    about = np.asarray(map_.values - map_.statistics.mean, dtype=np.float32)
    if map_.statistics.n_not_finite:
        about = np.nan_to_num(about, nan=0.0, posinf=0.0, neginf=0.0)
    return about if mask is None else np.asarray(about * mask, dtype=np.float32)
