"""Are two maps half maps, and is a third one what they make together?"""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from atomsight.density.fourier import radial_power, shell_numbers, transform
from atomsight.density.map import Map
from atomsight.errors import MapFileError
from atomsight.typing import Volume

_SAME = 1e-3
_SHARPENING_RANGE = 10.0
_MASKED = 0.01


@dataclass(frozen=True, slots=True)
class FullMapCheck:
    """How the full map relates to the half maps.

    Attributes
    ----------
    is_mean : bool
        It is their mean, up to a scale and rounding.
    correlation : float
        With their mean, over all voxels.
    b_sharpening : float
        B (Å²) of the exponential that leads from their mean to it, from the ratio of amplitudes
        between 10 Å and the resolution; negative: sharpened. NaN where it cannot be told.
    noise_gain : float
        How much more its amplitudes are raised beyond the resolution, where noise is, than between
        10 Å and the resolution: about 1 for the mean itself, 0 where it is filtered, large where it
        was sharpened without a filter. NaN where it cannot be told.
    """

    is_mean: bool
    correlation: float
    b_sharpening: float
    noise_gain: float


def require_halves(first: Map, second: Map, full: Map | None = None) -> None:
    """Refuse half maps that say nothing about each other.

    Parameters
    ----------
    first, second : Map
        On the same grid.
    full : Map, optional
        The map that they should be halves of, on the same grid.

    Raises
    ------
    MapFileError
        If one is constant, both are the same map, or one is the full map; all up to a scale.
    """
    for half in (first, second):
        if not half.statistics.sd > 0:
            raise MapFileError(f"{half.path}: this half map is constant")
    a, b = _about_mean(first), _about_mean(second)
    if _same(a, b):
        raise MapFileError(
            f"{second.path}: identical to {first.path}; half maps come from different particles"
        )
    if full is None or not full.statistics.sd > 0:
        return
    whole = _about_mean(full)
    for half, values in ((first, a), (second, b)):
        if _same(whole, values):
            raise MapFileError(
                f"{half.path}: this is the full map {full.path}, not one of its half maps"
            )


def masked_share(half: Map) -> float:
    """Share of voxels that a mask has set to one value.

    Parameters
    ----------
    half : Map

    Returns
    -------
    float
        0 where so few voxels have the value of the map's corner that it is chance.
    """
    share = float(np.count_nonzero(half.values == half.values[0, 0, 0]) / half.values.size)
    return share if share > _MASKED else 0.0


def check_full_map(full: Map, first: Map, second: Map, resolution: float) -> FullMapCheck:
    """Compare the full map with the mean of its halves.

    Parameters
    ----------
    full, first, second : Map
        On the same grid.
    resolution : float
        Å, where the comparison of amplitudes ends; NaN: at the last shell.

    Returns
    -------
    FullMapCheck
    """
    mean = 0.5 * (_about_mean(first) + _about_mean(second))
    about = _about_mean(full)
    size, power = _dot(about, about), _dot(mean, mean)
    together = _dot(about, mean)
    known = size > 0 and power > 0
    b_sharpening, noise_gain = _amplitudes(full, about, mean, resolution)
    return FullMapCheck(
        is_mean=known and _same(about, mean),
        correlation=together / sqrt(size * power) if known else float("nan"),
        b_sharpening=b_sharpening,
        noise_gain=noise_gain,
    )


def _about_mean(map_: Map) -> Volume:
    """Values about the mean; 0 for NaN and Inf."""
    about = np.asarray(map_.values - np.float32(map_.statistics.mean))
    return np.nan_to_num(about, copy=False, nan=0.0, posinf=0.0, neginf=0.0)


def _dot(a: Volume, b: Volume) -> float:
    """Sum of products; not by BLAS, whose sums depend on the number of threads."""
    return float((a * b).sum(dtype=np.float64))


def _same(a: Volume, b: Volume) -> bool:
    """Whether one is a multiple of the other, up to rounding."""
    scale = _dot(a, b) / _dot(b, b)
    left = a - np.float32(scale) * b
    return _dot(left, left) < _SAME**2 * _dot(a, a)


def _amplitudes(map_: Map, full: Volume, mean: Volume, resolution: float) -> tuple[float, float]:
    """B of exp(-B s²/4) that takes the mean's amplitudes to the full map's, and the noise gain."""
    shell, width = shell_numbers(map_)
    powers = [radial_power(transform(values), shell) for values in (full, mean)]
    s = width * np.arange(len(powers[0]))
    end = 1.0 / max(resolution if np.isfinite(resolution) else 0.0, 1e-3)
    within = (s > 1.0 / _SHARPENING_RANGE) & (s < end)
    used = within & (powers[0] > 0) & (powers[1] > 0)
    if np.count_nonzero(used) < 3:
        return float("nan"), float("nan")
    ratio = 0.5 * np.log(powers[0][used] / powers[1][used])
    b = float(-4.0 * np.polyfit(s[used] ** 2, ratio, 1)[0])
    sums = [[float(power[chosen].sum()) for power in powers] for chosen in (s >= end, within)]
    (full_out, mean_out), (full_in, mean_in) = sums
    gain = sqrt(full_out / mean_out * mean_in / full_in) if mean_out > 0 else float("nan")
    return b, gain
