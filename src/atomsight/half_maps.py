"""What two half maps add: FSC-Q of every atom, curves of the whole maps, and a check of the map."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import sqrt
from pathlib import Path

import numpy as np

from atomsight.density.fourier import (
    FscCurve,
    corrected_fsc,
    fsc,
    radial_power,
    resolution_at,
    shell_numbers,
    transform,
)
from atomsight.density.map import Map
from atomsight.density.masks import MODEL_THRESHOLD, mask_above
from atomsight.density.simulate import simulate_map
from atomsight.errors import MapFileError
from atomsight.evidence.fsc_q import FscQ, Label, ThresholdRule, fsc_q, thresholds
from atomsight.evidence.local_resolution import Crossing, check_same_grid, window_size
from atomsight.evidence.status import Status
from atomsight.io.maps import OriginRule, read_map
from atomsight.model import Model

FSC_HALF = 0.143
"""Half-map threshold (Rosenthal & Henderson 2003)."""

_SAME = 1e-3
_SHARPENING_RANGE = 10.0


@dataclass(frozen=True, slots=True)
class HalfMapOptions:
    """Everything that can be chosen about FSC-Q.

    Attributes
    ----------
    half_1, half_2 : Path
    mask : Path or None
        Mask file; the map of the model above 0.02, grown by 3 voxels, when None.
    contour : float or None
        Use a mask of the full map above this level instead.
    box : int or None
        Edge of the window in voxels; 5 × the resolution when None.
    rule : {"paper", "cref"}
        Thresholds; see `atomsight.evidence.fsc_q.thresholds`.
    label : {"mean", "xmipp"}
    crossing : {"last", "first"}
    b_iso : float or None
        One B factor (Å²) for all atoms of the model's map; the model's own when None.
    """

    half_1: Path
    half_2: Path
    mask: Path | None = None
    contour: float | None = None
    box: int | None = None
    rule: ThresholdRule = "paper"
    label: Label = "mean"
    crossing: Crossing = "last"
    b_iso: float | None = None


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
    """

    is_mean: bool
    correlation: float
    b_sharpening: float


@dataclass(frozen=True, slots=True)
class HalfMapResult:
    """Everything that the half maps add.

    Attributes
    ----------
    scores : FscQ
    curves : mapping
        Name → `FscCurve`: ``half`` (no mask), ``half_masked``, ``half_corrected``, ``model``.
    resolutions : mapping
        Name → Å, read off those curves.
    full_map : FullMapCheck
    model_map, mask : Map
    box : int
        Edge of the window in voxels.
    notes : tuple of str
    """

    scores: FscQ
    curves: Mapping[str, FscCurve]
    resolutions: Mapping[str, float]
    full_map: FullMapCheck
    model_map: Map
    mask: Map
    box: int
    notes: tuple[str, ...]


def compare_half_maps(
    full: Map,
    model: Model,
    options: HalfMapOptions,
    *,
    resolution: float | None,
    origin: OriginRule = "auto",
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> HalfMapResult:
    """FSC-Q of a model against a map and its half maps, and the curves of the whole maps.

    Parameters
    ----------
    full : Map
        Whole.
    model : Model
    options : HalfMapOptions
    resolution : float or None
        Å, for the size of the window; from the half maps when None.
    origin : {"auto", "origin", "nstart", "zero"}
        As for the full map.
    threads : int, optional
    progress : callable, optional
        Called with (points done, points in all).

    Returns
    -------
    HalfMapResult

    Raises
    ------
    MapFileError
        If a map cannot be read, lies on another grid, or says nothing about the others.
    ParameterError
        If an option means nothing.
    """
    halves = [read_map(path, origin=origin) for path in (options.half_1, options.half_2)]
    for half in halves:
        check_same_grid(full, half)
    half_1, half_2 = (replace(h, origin=full.origin) for h in halves)
    _check_halves(half_1, half_2)
    model_map = simulate_map(model, full, b_iso=options.b_iso)
    mask = _mask(full, model_map, options)
    plain, masked = fsc(half_1, half_2), fsc(half_1, half_2, mask.values)
    curves = {
        "half": plain,
        "half_masked": masked,
        "half_corrected": corrected_fsc(half_1, half_2, mask.values, plain=plain, masked=masked),
        "model": fsc(full, model_map, mask.values),
    }
    resolutions = _resolutions(curves)
    measured = resolutions["half_corrected_0.143"]
    wanted = resolution if resolution is not None else measured
    if options.box is None and not np.isfinite(wanted):
        raise MapFileError(
            f"{options.half_1}: no resolution can be read off the half maps; give --resolution "
            "or --box"
        )
    box = options.box or window_size(float(wanted), min(full.voxel_size))
    check = _full_map_check(full, half_1, half_2, wanted)
    scores = fsc_q(
        full, half_1, half_2, model_map, model,
        box=box, rule=options.rule, label=options.label, crossing=options.crossing,
        mask=mask, threads=threads, progress=progress,
    )  # fmt: skip
    notes = _notes(full, check, resolution, measured, scores)
    return HalfMapResult(scores, curves, resolutions, check, model_map, mask, box, notes)


def _check_halves(first: Map, second: Map) -> None:
    for half in (first, second):
        if not half.statistics.sd > 0:
            raise MapFileError(f"{half.path}: this half map is constant")
    if np.array_equal(first.values, second.values):
        raise MapFileError(
            f"{second.path}: identical to {first.path}; half maps come from different particles"
        )


def _mask(full: Map, model_map: Map, options: HalfMapOptions) -> Map:
    if options.mask is not None:
        mask = read_map(options.mask)
        check_same_grid(full, mask)
        if not (mask.values >= 0.5).any():
            raise MapFileError(f"{options.mask}: no voxel reaches 0.5: the mask is empty")
        return mask
    if options.contour is not None:
        return mask_above(full, options.contour)
    return mask_above(model_map, MODEL_THRESHOLD)


def _resolutions(curves: Mapping[str, FscCurve]) -> dict[str, float]:
    """Resolutions that are usually quoted, in Å."""
    found = {
        f"{name}_{threshold:g}": resolution_at(curves[name], threshold)
        for name in ("half", "half_masked", "half_corrected")
        for threshold in (FSC_HALF, 0.5)
    }
    found["model_0.5"] = resolution_at(curves["model"], 0.5)
    # where the half maps agree to 1/2, a perfect model agrees with the full map to this
    found["model_0.816"] = resolution_at(curves["model"], thresholds("cref").model)
    return found


def _full_map_check(full: Map, half_1: Map, half_2: Map, resolution: float) -> FullMapCheck:
    mean = 0.5 * (half_1.values + half_2.values)
    about = full.values - full.statistics.mean
    mean = mean - mean.mean(dtype=np.float64).astype(np.float32)
    scale = float(np.vdot(about, mean)) / float(np.vdot(mean, mean))
    size = float(np.vdot(about, about))
    correlation = scale * sqrt(float(np.vdot(mean, mean)) / size)
    return FullMapCheck(
        is_mean=_rest(about, mean, scale) < _SAME**2 * size,
        correlation=correlation,
        b_sharpening=_sharpening(full, about, mean, resolution),
    )


def _rest(about: np.ndarray, mean: np.ndarray, scale: float) -> float:
    """Sum of squares of what is not the scaled mean."""
    left = about - np.float32(scale) * mean
    return float(np.vdot(left, left))


def _sharpening(map_: Map, full: np.ndarray, mean: np.ndarray, resolution: float) -> float:
    """B of exp(-B s²/4) that takes the amplitudes of the mean to those of the full map."""
    shell, width = shell_numbers(map_)
    powers = [radial_power(transform(values), shell) for values in (full, mean)]
    s = width * np.arange(len(powers[0]))
    finest = resolution if np.isfinite(resolution) else 0.0
    used = (s > 1.0 / _SHARPENING_RANGE) & (s < 1.0 / max(finest, 1e-3))
    used &= (powers[0] > 0) & (powers[1] > 0)
    if np.count_nonzero(used) < 3:
        return float("nan")
    ratio = 0.5 * np.log(powers[0][used] / powers[1][used])
    return float(-4.0 * np.polyfit(s[used] ** 2, ratio, 1)[0])


def _notes(
    full: Map, check: FullMapCheck, resolution: float | None, measured: float, scores: FscQ
) -> tuple[str, ...]:
    notes = []
    for status in (Status.NEVER_BELOW, Status.LOW_FREQUENCY, Status.CONSTANT, Status.OUTSIDE_MASK):
        count = np.count_nonzero(scores.status == status)
        if count:
            notes.append(f"{count} of {len(scores.status)} atoms: no FSC-Q, {status.label}")
    if not np.isfinite(measured):
        notes.append("no resolution can be read off the half maps at FSC 0.143; are they masked?")
    if not check.is_mean:
        notes.append(
            f"{full.path} is not the mean of the half maps (correlation {check.correlation:.3f}, "
            f"B about {check.b_sharpening:.0f} Å²): FSC-Q compares a processed map with raw halves"
        )
    if resolution is not None and np.isfinite(measured) and not 0.8 < measured / resolution < 1.25:
        notes.append(
            f"the half maps give {measured:.2f} Å (masked, corrected, FSC 0.143), "
            f"not {resolution:g} Å"
        )
    return tuple(notes)
