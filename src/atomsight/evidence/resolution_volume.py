"""Local resolution over a whole mask, for pictures."""

from collections.abc import Callable

import numpy as np

from atomsight.density.map import Map
from atomsight.density.masks import chosen_voxels
from atomsight.evidence.local_resolution import Crossing, LocalResolution, local_resolution
from atomsight.typing import Int_Nx3, Volume


def local_resolution_volume(
    first: Map,
    second: Map,
    mask: Map,
    *,
    box: int,
    step: int,
    threshold: float = 0.5,
    crossing: Crossing = "last",
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Volume, LocalResolution]:
    """Local resolution between two maps at every k-th voxel of a mask, interpolated between.

    Parameters
    ----------
    first, second : Map
        On the same grid, whole.
    mask : Map
        On that grid; at least 0.5 inside.
    box : int
        Edge of the window in voxels.
    step : int
        k.
    threshold : float
    crossing : {"last", "first"}
    threads : int, optional
    progress : callable, optional
        Called with (points done, points in all).

    Returns
    -------
    volume : ndarray, shape (nz, ny, nx), float32
        Å; NaN outside the mask and where nothing was measured.
    found : LocalResolution
        At the voxels that were evaluated.

    Raises
    ------
    MapFileError
        If the mask is empty, or the maps lie on different grids.
    ParameterError
        If an option means nothing.
    """
    voxels = chosen_voxels(mask, step=step)
    found = local_resolution(
        first, second, voxels, box=box, threshold=threshold, crossing=crossing,
        threads=threads, progress=progress,
    )  # fmt: skip
    volume = fill_volume(voxels, found, first.values.shape, step)
    volume[mask.values < 0.5] = np.nan
    return volume, found


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
