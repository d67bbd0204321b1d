"""Local resolution of a whole volume, as a map."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from atomsight.density.fourier import fsc, resolution_at
from atomsight.density.map import Map
from atomsight.density.masks import chosen_voxels
from atomsight.errors import MapFileError
from atomsight.evidence.local_resolution import (
    Crossing,
    LocalResolution,
    check_same_grid,
    local_resolution,
    window_size,
)
from atomsight.io.files import require_parent
from atomsight.io.map_writing import write_map
from atomsight.io.maps import read_map
from atomsight.typing import Int_Nx3, PathLikeStr, Volume


def local_resolution_map(
    half_1: PathLikeStr,
    half_2: PathLikeStr,
    output: PathLikeStr,
    *,
    box: int | None = None,
    resolution: float | None = None,
    threshold: float = 0.5,
    step: int = 1,
    mask: PathLikeStr | None = None,
    crossing: Crossing = "last",
    threads: int | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> str:
    """Evaluate the local resolution over a volume and write it as a map.

    Parameters
    ----------
    half_1, half_2 : path
    output : path
        CCP4/MRC, Å; NaN where nothing was measured.
    box : int, optional
        Edge of the window in voxels; from the resolution when None.
    resolution : float, optional
        Å; from the half maps themselves (FSC 0.143, no mask) when None.
    threshold : float
    step : int
        Evaluate every k-th voxel along each axis; those between are interpolated.
    mask : path, optional
        Only where it is at least 0.5.
    crossing : {"last", "first"}
    threads : int, optional
    progress : callable, optional
        Called with (what, done, of).

    Returns
    -------
    str
        One sentence about the result.

    Raises
    ------
    InputError
        If a file or an option is at fault.
    OutputError
        If the map cannot be written.
    """
    target = require_parent(output)
    first, second = read_map(half_1), read_map(half_2)
    check_same_grid(first, second)
    if np.array_equal(first.values, second.values):
        raise MapFileError(f"{half_2}: identical to {half_1}: there is nothing to compare")
    if box is None:
        wanted = resolution or resolution_at(fsc(first, second), 0.143)
        if not np.isfinite(wanted):
            raise MapFileError(
                f"{half_1}: no resolution can be read off; give --resolution or --box"
            )
        box = window_size(wanted, min(first.voxel_size))
    inside = _everything(first) if mask is None else read_map(mask)
    check_same_grid(first, inside)
    voxels = chosen_voxels(inside, step=step)
    result = local_resolution(
        first, second, voxels, box=box, threshold=threshold, crossing=crossing, threads=threads,
        progress=None if progress is None else lambda n, of: progress("local resolution", n, of),
    )  # fmt: skip
    values = fill_volume(voxels, result, first.values.shape, step)
    values[inside.values < 0.5] = np.nan
    write_map(values, first, target, label=f"atomsight: local resolution, box {box}")
    known = result.value[result.measured]
    share = f"{len(known)} of {len(voxels)} voxels measured"
    spread = f", median {np.median(known):.2f} Å" if len(known) else ""
    return f"{target}: window of {box} voxels, threshold {threshold:g}, {share}{spread}"


def fill_volume(
    voxels: Int_Nx3, result: LocalResolution, shape: tuple[int, ...], step: int
) -> Volume:
    """Values at voxels as a volume; between every k-th voxel, interpolated linearly.

    Parameters
    ----------
    voxels : ndarray of int, shape (n, 3)
        Order x, y, z; multiples of `step`.
    result : LocalResolution
    shape : tuple of int
        z, y, x.
    step : int

    Returns
    -------
    ndarray, float32
        NaN where nothing was measured, or where a voxel needed for the interpolation was not.
    """
    coarse_shape = tuple(-(-n // step) for n in shape)
    coarse = np.full(coarse_shape, np.nan, dtype=np.float32)
    x, y, z = (voxels // step).T
    coarse[z, y, x] = np.where(result.measured, result.value, np.nan)
    for axis in range(3):
        coarse = _stretched(coarse, axis, step, shape[axis])
    return coarse


def _stretched(values: Volume, axis: int, step: int, n: int) -> Volume:
    """Linear interpolation along one axis, exact at multiples of `step`."""
    if step == 1:
        return values
    place = np.arange(n) / step
    low = np.minimum(place.astype(int), values.shape[axis] - 1)
    high = np.minimum(low + 1, values.shape[axis] - 1)
    share = (place - low).astype(np.float32)
    share[low == high] = 0.0
    sizes = [1, 1, 1]
    sizes[axis] = n
    weight = share.reshape(sizes)
    a, b = np.take(values, low, axis=axis), np.take(values, high, axis=axis)
    return np.asarray(np.where(weight == 0, a, a * (1 - weight) + b * weight), dtype=np.float32)


def _everything(map_: Map) -> Map:
    return replace(map_, values=np.ones_like(map_.values))
