"""The same map at a lower resolution: one map, or a pair of half maps, as worse data would give it.

Particles that are added up with growing errors of their shifts lose signal, and the noise stays as
it is (Herzik, Fraser & Lander 2019 make their series so). The same is done here to the maps: their
Fourier terms are multiplied by exp(-b s²/4), with b so that the correlation of two half maps falls
to 0.143 at the target, and noise makes up for the noise that this takes away. The map is then
treated as maps are: sharpened back by b, weighted by C_ref = sqrt(2 FSC / (1 + FSC)) (Rosenthal &
Henderson 2003) and cut with a cosine edge beyond the target.
"""

from dataclasses import dataclass, replace

import numpy as np

from atomsight.density.fourier import (
    FscCurve,
    Spectrum,
    correlate,
    filter_shells,
    fsc,
    inverse_transform,
    radial_power,
    resolution_at,
    shell_numbers,
    transform,
)
from atomsight.density.half_maps import masked_share, require_halves
from atomsight.density.map import Map, array_statistics
from atomsight.density.masks import mask_above
from atomsight.errors import MapFileError, ParameterError
from atomsight.typing import FloatArray, Volume

THRESHOLD = 0.143
"""Correlation of half maps at their resolution (Rosenthal & Henderson 2003)."""

SHARPENING = 10.0
"""In units of d²: B of the sharpening that a map of resolution d is taken to have had. Only the
slope of the FSC hangs on it: about 0.97 is left at 10 Å."""

_EDGE = 0.15
_FEWEST_SHELLS = 4


@dataclass(frozen=True, slots=True)
class Degraded:
    """A map at a lower resolution, and how it was made.

    Attributes
    ----------
    map : Map
        Sharpened back, weighted and filtered; on the input's grid, with the input's mean.
    halves : tuple of Map or None
        The half maps, neither sharpened nor filtered; None where one map was the input.
    target : float
        Resolution wanted, Å.
    resolution : float
        Resolution reached, Å: where `curve` falls below 0.143.
    curve : FscCurve
        Of the two degraded half maps; of one map with two draws of noise where it was the input.
    b_factor : float
        b of the envelope, Å².
    noise : float
        Standard deviation of the noise in one half map, in map units, before any sharpening.
    seed : int
        Of the noise.
    """

    map: Map
    halves: tuple[Map, Map] | None
    target: float
    resolution: float
    curve: FscCurve
    b_factor: float
    noise: float
    seed: int


def degrade_map(
    map_: Map,
    target: float,
    *,
    resolution: float,
    b_sharpening: float | None = None,
    seed: int = 0,
) -> Degraded:
    """Lower the resolution of one map.

    The map itself counts as the signal. Its noise before sharpening is white, of power N² a
    Fourier term in each half map, and such that the half maps agree to 0.143 at the map's own
    resolution d: N² = 6 P(1/d) exp(-B / (2 d²)), where P is the map's power. For all
    targets N² is the same, as it is for particles with growing errors. The result is the mean of
    two draws.

    Parameters
    ----------
    map_ : Map
        Whole. Voxels that a mask set to one value stay so, but for an edge of half the target; what
        is not finite stays so.
    target : float
        Å.
    resolution : float
        d in Å.
    b_sharpening : float, optional
        B in Å², by which the map was sharpened; 10 d² when None.
    seed : int
        For the noise: the same seed gives the same map.

    Returns
    -------
    Degraded

    Raises
    ------
    ParameterError
        If the target is not coarser than the map, or the grid cannot hold it.
    MapFileError
        If the map is constant, has no power at its resolution, or shows nothing at the target.
    """
    if not map_.statistics.sd > 0:
        raise MapFileError(f"{_name(map_)}: this map is constant")
    _check_target(map_, target, resolution)
    shell, width = shell_numbers(map_)
    signal = transform(_about_mean(map_))
    power = radial_power(signal, shell) / _terms(shell)
    s: FloatArray = np.asarray(width * np.arange(len(power)), dtype=np.float64)
    b_input = SHARPENING * resolution**2 if b_sharpening is None else b_sharpening
    at_end = float(np.interp(1.0 / resolution, s, power))
    level = at_end * (1.0 / THRESHOLD - 1.0) * float(np.exp(-b_input / (2.0 * resolution**2)))
    if not level > 0:
        raise MapFileError(
            f"{_name(map_)}: this map has no power at {resolution:g} Å; is its resolution right?"
        )
    ratio: FloatArray = np.asarray(power / level, dtype=np.float64)
    b = _envelope(s, ratio, target, map_)
    region = _region(map_, target)
    share = _share(region)
    _scale(signal, shell, np.exp(-b * s**2 / 4.0))
    white = np.full(len(s), np.sqrt(level))
    white[0] = 0.0
    rng = np.random.default_rng(seed)
    one, other = (signal + _white(map_, region, share, rng, shell, white) for _ in range(2))
    curve = correlate(one, other, shell, width, map_.values.shape[2])
    one += other
    weight = 0.5 * _weight(s, _fsc(s, ratio, b), target, b)
    values = filter_shells(one, shell, weight, map_.values.shape)
    return Degraded(
        map=_finished(values, map_, region),
        halves=None,
        target=target,
        resolution=resolution_at(curve, THRESHOLD),
        curve=curve,
        b_factor=b,
        noise=float(np.sqrt(level / (map_.values.size * share))),
        seed=seed,
    )


def degrade_half_maps(
    first: Map, second: Map, target: float, *, mask: Volume | None = None, seed: int = 0
) -> Degraded:
    """Lower the resolution of two half maps, each with noise of its own.

    Their noise is what they differ by, shell by shell; what the envelope takes of it is put back as
    new noise, so that its level stays.

    Parameters
    ----------
    first, second : Map
        On the same grid, whole, neither sharpened nor filtered.
    target : float
        Å.
    mask : ndarray, shape (nz, ny, nx), optional
        Where the resolution is measured; everywhere when None. The results are not masked.
    seed : int
        For the noise: the same seed gives the same maps.

    Returns
    -------
    Degraded

    Raises
    ------
    ParameterError
        If the target is not coarser than the half maps, or the grid cannot hold it.
    MapFileError
        If a half map is constant, both are the same, or no resolution can be read off them.
    """
    require_halves(first, second)
    before = fsc(first, second, mask)
    resolution = resolution_at(before, THRESHOLD)
    if not np.isfinite(resolution):
        raise MapFileError(
            f"{_name(first)}: no resolution can be read off the half maps at FSC {THRESHOLD}; "
            "are they filtered or masked?"
        )
    _check_target(first, target, resolution)
    shell = shell_numbers(first)[0]
    correlation = np.clip(np.nan_to_num(before.fsc), 0.0, 1.0 - 1e-6)
    correlation[0] = 1.0 - 1e-6
    ratio = correlation / (1.0 - correlation)
    s = before.frequency
    b = _envelope(s, ratio, target, first)
    region = _region(first, target)
    share = _share(region)
    spectra = [transform(_about_mean(half)) for half in (first, second)]
    noise = float(np.nanstd(first.values - second.values) / np.sqrt(2.0 * share))
    noise_power = radial_power(spectra[0] - spectra[1], shell) / _terms(shell) / 2.0
    lost = np.sqrt(noise_power * -np.expm1(-b * s**2 / 2.0))
    envelope = np.exp(-b * s**2 / 4.0)
    rng = np.random.default_rng(seed)
    one, other = (
        _with_noise(spectrum, shell, envelope, _white(first, region, share, rng, shell, lost))
        for spectrum in spectra
    )
    halves = tuple(
        _finished(inverse_transform(spectrum, half.values.shape), half, region)
        for half, spectrum in ((first, one), (second, other))
    )
    curve = fsc(halves[0], halves[1], mask)
    weight = 0.5 * _weight(s, _fsc(s, ratio, b), target, b)
    one += other
    values = filter_shells(one, shell, weight, first.values.shape)
    level = 0.5 * (first.statistics.mean + second.statistics.mean)
    like = replace(first, statistics=replace(first.statistics, mean=level))
    return Degraded(
        map=_finished(values, like, region),
        halves=(halves[0], halves[1]),
        target=target,
        resolution=resolution_at(curve, THRESHOLD),
        curve=curve,
        b_factor=b,
        noise=noise,
        seed=seed,
    )


def _name(map_: Map) -> str:
    return "the map" if map_.path is None else str(map_.path)


def _check_target(map_: Map, target: float, resolution: float) -> None:
    """Refuse a target that the map or its grid cannot reach."""
    name = _name(map_)
    if not (np.isfinite(target) and target > 0):
        raise ParameterError(f"a resolution is a positive number of Å, not {target:g}")
    if not (np.isfinite(resolution) and resolution > 0):
        raise ParameterError(f"{name}: its resolution is a positive number of Å, not {resolution}")
    finest = 2.0 * max(map_.voxel_size)
    if target < finest:
        raise ParameterError(
            f"{name}: its voxels hold nothing finer than {finest:.2f} Å: {target:g} Å is below that"
        )
    if target <= resolution:
        raise ParameterError(
            f"{name}: a map of {resolution:.2f} Å cannot be degraded to {target:g} Å; "
            "give a larger number"
        )
    longest = max(
        n * size for n, size in zip(map_.values.shape[::-1], map_.voxel_size, strict=True)
    )
    if target > longest / _FEWEST_SHELLS:
        raise ParameterError(
            f"{name}: too small a box ({longest:.0f} Å) for a resolution of {target:g} Å"
        )


def _about_mean(map_: Map) -> Volume:
    """Values about the mean, float32; what is not finite counts as the mean."""
    about = np.asarray(map_.values - np.float32(map_.statistics.mean), dtype=np.float32)
    return np.nan_to_num(about, copy=False, nan=0.0, posinf=0.0, neginf=0.0)


def _terms(shell: np.ndarray) -> FloatArray:
    """Number of Fourier terms in each shell up to Nyquist, as `radial_power` adds them."""
    count = int(shell.max())
    counted: FloatArray = np.bincount(shell.ravel(), minlength=count + 1)[:count].astype(float)
    return np.maximum(counted, 1.0)


def _fsc(s: FloatArray, ratio: FloatArray, b: float) -> FloatArray:
    """Correlation of half maps from their signal-to-noise ratio, under an envelope."""
    after = np.minimum(ratio, 1e9) * np.exp(-b * s**2 / 2.0)
    return np.asarray(after / (1.0 + after))


def _envelope(s: FloatArray, ratio: FloatArray, target: float, map_: Map) -> float:
    """Largest b for which the correlation first falls below 0.143 at the target."""
    within = s < 1.0 / target

    def holds(b: float) -> bool:
        curve = _fsc(s, ratio, b)
        at_target = float(np.interp(1.0 / target, s, curve))
        return at_target >= THRESHOLD and bool((curve[within][1:] >= THRESHOLD).all())

    if not holds(0.0):
        raise MapFileError(
            f"{_name(map_)}: this map already shows nothing at {target:g} Å; "
            "is its resolution right?"
        )
    low, high = 0.0, 1.0
    while holds(high):
        low, high = high, 2.0 * high
    while high - low > 1e-6 * high:
        middle = 0.5 * (low + high)
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


def _weight(s: FloatArray, curve: FloatArray, target: float, b: float) -> FloatArray:
    """Sharpening by b, C_ref = sqrt(2 FSC / (1 + FSC)), and a cosine edge beyond the target."""
    beyond = np.minimum(np.maximum(s * target - 1.0, 0.0) / _EDGE, 1.0)
    edge = 0.5 * (1.0 + np.cos(np.pi * beyond))
    sharp = np.exp(np.where(edge > 0, b * s**2 / 4.0, 0.0))
    weight: FloatArray = np.sqrt(2.0 * curve / (1.0 + curve)) * edge * sharp
    weight[0] = 1.0
    return weight


def _share(region: Volume | None) -> float:
    """How much of white noise a mask leaves, in power."""
    return 1.0 if region is None else float(np.mean(np.square(region, dtype=np.float64)))


def _region(map_: Map, target: float) -> Volume | None:
    """Soft mask of what a mask left of the input, grown by half the target; None: everything."""
    if not masked_share(map_):
        return None
    inside = np.asarray(map_.values != map_.values[0, 0, 0], dtype=np.float32)
    grown = round(0.5 * target / min(map_.voxel_size))
    return mask_above(replace(map_, values=inside), 0.5, dilation=grown).values


def _white(
    map_: Map,
    region: Volume | None,
    share: float,
    rng: np.random.Generator,
    shell: np.ndarray,
    factor: FloatArray,
) -> Spectrum:
    """Transform of white noise, multiplied so that its amplitude is `factor` in each shell."""
    noise = rng.standard_normal(map_.values.shape, dtype=np.float32)
    if region is not None:
        noise *= region
    spectrum = transform(noise)
    _scale(spectrum, shell, factor / np.sqrt(map_.values.size * share), corners=0.0)
    return spectrum


def _with_noise(
    spectrum: Spectrum, shell: np.ndarray, envelope: FloatArray, noise: Spectrum
) -> Spectrum:
    _scale(spectrum, shell, envelope)
    spectrum += noise
    return spectrum


def _scale(
    spectrum: Spectrum, shell: np.ndarray, factor: FloatArray, *, corners: float = 1.0
) -> None:
    """Multiply a transform by one factor a shell, and beyond Nyquist by `corners`, in place."""
    table = np.concatenate([factor, [corners]]).astype(np.float32)
    for z, where in enumerate(shell):
        spectrum[z] *= table[where]


def _finished(values: Volume, like: Map, region: Volume | None) -> Map:
    """Values about zero as a map on the grid of the input, with its mean and its gaps."""
    values = np.asarray(values, dtype=np.float32)
    outside = np.float32(like.statistics.mean)
    if region is not None:
        # about the value outside, which the mask keeps
        outside = np.float32(like.values[0, 0, 0])
        values += np.float32(like.statistics.mean) - outside
        values *= region
    finite = np.isfinite(like.values)
    wanted = like.statistics.mean - float(outside)
    missing = wanted - float(values[finite].mean(dtype=np.float64))
    if region is None:
        values += np.float32(missing)
    else:
        values += region * np.float32(missing / float(region[finite].mean(dtype=np.float64)))
    values += outside
    values[~finite] = like.values[~finite]
    return replace(like, values=values, statistics=array_statistics(values), path=None, notes=())
