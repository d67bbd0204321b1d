"""Local resolution of a whole volume, as a map."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from atomsight.density.fourier import fsc, resolution_at
from atomsight.density.half_maps import require_halves
from atomsight.density.map import Map
from atomsight.errors import MapFileError, ParameterError
from atomsight.evidence.local_resolution import Crossing, check_same_grid, window_size
from atomsight.evidence.resolution_volume import local_resolution_volume
from atomsight.io.files import require_parent
from atomsight.io.map_writing import write_map
from atomsight.io.maps import read_map
from atomsight.typing import PathLikeStr


def local_resolution_map(
    half_1: PathLikeStr,
    half_2: PathLikeStr,
    output: PathLikeStr,
    *,
    box: int | None = None,
    window: float | None = None,
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
        Edge of the window in voxels.
    window : float, optional
        The same as a multiple of the resolution; 5 when both are None.
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
    require_halves(first, second)
    if box is not None and window is not None:
        raise ParameterError("--box and --window: give one of them")
    if box is None:
        wanted = resolution or resolution_at(fsc(first, second), 0.143)
        if not np.isfinite(wanted):
            raise MapFileError(
                f"{half_1}: no resolution can be read off; give --resolution or --box"
            )
        box = window_size(wanted, min(first.voxel_size), window)
    inside = _everything(first) if mask is None else read_map(mask)
    check_same_grid(first, inside)
    values, result = local_resolution_volume(
        first, second, inside, box=box, threshold=threshold, step=step, crossing=crossing,
        threads=threads,
        progress=None if progress is None else lambda n, of: progress("local resolution", n, of),
    )  # fmt: skip
    write_map(values, first, target, label=f"atomsight: local resolution, box {box}")
    known = result.value[result.measured]
    share = f"{len(known)} of {len(result.value)} voxels measured"
    spread = f", median {np.median(known):.2f} Å" if len(known) else ""
    return f"{target}: window of {box} voxels, threshold {threshold:g}, {share}{spread}"


def _everything(map_: Map) -> Map:
    return replace(map_, values=np.ones_like(map_.values))
