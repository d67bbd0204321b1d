"""What two half maps add: FSC-Q of every atom, curves of the whole maps, and a check of the map."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from atomsight.density.fourier import (
    FscCurve,
    corrected_fsc,
    fsc,
    resolution_at,
)
from atomsight.density.half_maps import (
    FullMapCheck,
    check_full_map,
    masked_share,
    require_halves,
)
from atomsight.density.map import Map
from atomsight.density.masks import MODEL_THRESHOLD, mask_above
from atomsight.density.simulate import simulate_map
from atomsight.errors import MapFileError, ParameterError
from atomsight.evidence.b_factor import b_factors_from_q
from atomsight.evidence.fsc_q import (
    FscQ,
    Label,
    ThresholdRule,
    fsc_q,
    thresholds,
)
from atomsight.evidence.local_resolution import Crossing, check_same_grid, window_size
from atomsight.evidence.resolution_volume import local_resolution_volume
from atomsight.evidence.status import Status
from atomsight.io.maps import OriginRule, read_map
from atomsight.model import Model
from atomsight.typing import Float_N, Volume

FSC_HALF = 0.143
"""Half-map threshold (Rosenthal & Henderson 2003)."""


@dataclass(frozen=True, slots=True)
class HalfMapOptions:
    """Everything that can be chosen about FSC-Q.

    Attributes
    ----------
    half_1, half_2 : Path
    mask : Path or None
        Mask file; the map of the model above 0.02, grown by 3 voxels, when None.
    mask_level : float or None
        Use a mask of the full map above this level instead.
    box : int or None
        Edge of the window in voxels.
    window : float or None
        The same as a multiple of the resolution; 5 when both are None.
    rule : {"paper", "cref"}
        Thresholds; see `atomsight.evidence.fsc_q.thresholds`.
    label : {"mean", "xmipp"}
    crossing : {"last", "first"}
    b_iso : float or None
        One B factor (Å²) for all atoms of the model's map; the model's own when None.
    b_from_q : float or None
        f in Å²: B = f (1 - Q) for the model's map instead.
    volume_step : int or None
        Also evaluate every k-th voxel of the mask along each axis, for volumes to look at.
    """

    half_1: Path
    half_2: Path
    mask: Path | None = None
    mask_level: float | None = None
    box: int | None = None
    window: float | None = None
    rule: ThresholdRule = "paper"
    label: Label = "mean"
    crossing: Crossing = "last"
    b_iso: float | None = None
    b_from_q: float | None = None
    volume_step: int | None = None

    def __post_init__(self) -> None:
        if self.box is not None and self.window is not None:
            raise ParameterError(
                "the window is given in voxels and as a multiple of the resolution"
            )
        if self.b_iso is not None and self.b_from_q is not None:
            raise ParameterError("one B factor for all atoms, or B from Q: give one of them")
        if self.volume_step is not None and self.volume_step < 1:
            raise ParameterError(f"every k-th voxel needs a k of 1 or more, not {self.volume_step}")


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
    halves : tuple of Map
        The two half maps.
    volumes : mapping
        Name → volume in Å, on the grid of `mask`; where they were asked for.
    """

    scores: FscQ
    curves: Mapping[str, FscCurve]
    resolutions: Mapping[str, float]
    full_map: FullMapCheck
    model_map: Map
    mask: Map
    box: int
    notes: tuple[str, ...]
    halves: tuple[Map, Map]
    volumes: Mapping[str, Volume] = field(default_factory=dict)


def compare_half_maps(
    full: Map,
    model: Model,
    options: HalfMapOptions,
    *,
    resolution: float | None,
    q: Float_N | None = None,
    origin: OriginRule = "auto",
    threads: int | None = None,
    progress: Callable[[str, int, int], None] | None = None,
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
    q : ndarray, shape (n,), optional
        Q-scores in the full map; needed for B from Q.
    origin : {"auto", "origin", "nstart", "zero"}
        As for the full map.
    threads : int, optional
    progress : callable, optional
        Called with (what is being done, points done, points in all).

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
    require_halves(half_1, half_2, full)
    model_map = simulate_map(model, full, b_iso=_b_iso(model, options, q))
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
    size = min(full.voxel_size)
    box = options.box or window_size(float(wanted), size, options.window)
    check = check_full_map(full, half_1, half_2, wanted)
    scores = fsc_q(
        full, half_1, half_2, model_map, model,
        box=box, rule=options.rule, label=options.label, crossing=options.crossing,
        mask=mask, threads=threads, progress=named_progress(progress, "FSC-Q"),
    )  # fmt: skip
    notes = _notes(full, (half_1, half_2), check, resolution, measured, scores)
    pairs = {"half": (half_1, half_2), "model": (full, model_map)}
    volumes = _volumes(pairs, mask, box, options, threads, progress)
    return HalfMapResult(
        scores=scores,
        curves=curves,
        resolutions=resolutions,
        full_map=check,
        model_map=model_map,
        mask=mask,
        box=box,
        notes=notes,
        halves=(half_1, half_2),
        volumes=volumes,
    )


def _b_iso(model: Model, options: HalfMapOptions, q: Float_N | None) -> Float_N | float | None:
    """B factors of the model's map; its own when None."""
    if options.b_from_q is None:
        return options.b_iso
    if q is None:
        raise ParameterError("B factors from Q need the Q-scores")
    return b_factors_from_q(model, q, options.b_from_q).b_iso


def _mask(full: Map, model_map: Map, options: HalfMapOptions) -> Map:
    if options.mask is not None:
        mask = read_map(options.mask)
        check_same_grid(full, mask)
        if not (mask.values >= 0.5).any():
            raise MapFileError(f"{options.mask}: no voxel reaches 0.5: the mask is empty")
        return mask
    if options.mask_level is not None:
        return mask_above(full, options.mask_level)
    return mask_above(model_map, MODEL_THRESHOLD)


def named_progress(
    progress: Callable[[str, int, int], None] | None, what: str
) -> Callable[[int, int], None] | None:
    """Tell the progress of one step under its name.

    Parameters
    ----------
    progress : callable or None
        Called with (what is being done, done, of how many).
    what : str

    Returns
    -------
    callable or None
        Called with (done, of how many); None where nobody listens.
    """
    return None if progress is None else lambda done, of: progress(what, done, of)


def _volumes(
    pairs: Mapping[str, tuple[Map, Map]],
    mask: Map,
    box: int,
    options: HalfMapOptions,
    threads: int | None,
    progress: Callable[[str, int, int], None] | None,
) -> dict[str, Volume]:
    """Both local resolutions and their difference throughout the mask, if they are wanted."""
    if options.volume_step is None:
        return {}
    limits = thresholds(options.rule)
    half, against = (
        local_resolution_volume(
            *pairs[name], mask, box=box, step=options.volume_step, threshold=threshold,
            crossing=options.crossing, threads=threads,
            progress=named_progress(progress, f"volume ({name})"),
        )[0]
        for name, threshold in (("half", limits.half), ("model", limits.model))
    )  # fmt: skip
    return {
        "local_resolution_half": half,
        "local_resolution_model": against,
        "fsc_q": against - half,
    }


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


def _notes(
    full: Map,
    halves: tuple[Map, Map],
    check: FullMapCheck,
    resolution: float | None,
    measured: float,
    scores: FscQ,
) -> tuple[str, ...]:
    notes = []
    for half in halves:
        share = masked_share(half)
        if share:
            notes.append(
                f"{half.path}: {100 * share:.0f} % of its voxels hold one value; masked half maps "
                "agree too well at the edge of the mask"
            )
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
