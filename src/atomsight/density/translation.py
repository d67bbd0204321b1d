"""The shift that brings a model onto the density, by correlation in Fourier space."""

from itertools import product
from math import ceil

import numpy as np
from scipy import fft

from atomsight.density.map import Map, to_index
from atomsight.density.sampling import trilinear
from atomsight.typing import Float_3, Float_Nx3

_COARSE_STEP = 2.0
_MOST_VOXELS = 1 << 24
_FURTHEST = 2000.0
_NOWHERE = 1e9


def best_shift(map_: Map, xyz: Float_Nx3) -> Float_3:
    """Find the translation with the highest mean density at the atoms.

    All translations are compared at once on a grid of about 2 Å (the convolution theorem), then
    the best one is refined to a quarter of a voxel.

    Parameters
    ----------
    map_ : Map
        The whole map.
    xyz : ndarray, shape (n, 3)
        Å; n ≥ 1.

    Returns
    -------
    ndarray, shape (3,)
        Å, to be added to the positions.
    """
    shape = np.array(map_.values.shape)
    factor = max(1, int(_COARSE_STEP / min(map_.voxel_size)))
    index = to_index(map_, xyz)[:, ::-1]
    with np.errstate(invalid="ignore", over="ignore"):
        astray = np.abs(index - np.median(index, axis=0)).max(axis=1)
    # atoms put far away ("unknown") say nothing of the shift
    index = index[astray < _FURTHEST]
    if not len(index) or not (np.abs(index) < _NOWHERE).all():
        return np.zeros(3)
    spread = np.ptp(index, axis=0)
    while np.prod(np.ceil((shape + spread) / factor) + 2) > _MOST_VOXELS:
        factor += 1
    values = _binned(map_, factor)
    atoms = np.floor(index / factor).astype(np.int64)
    low = atoms.min(axis=0)
    size = [
        fft.next_fast_len(int(n), real=True)
        for n in np.array(values.shape) + atoms.max(axis=0) - low + 1
    ]
    cloud = np.zeros(size, dtype=np.float32)
    np.add.at(cloud, tuple((atoms - low).T), 1.0)
    overlap = fft.irfftn(fft.rfftn(values, size) * np.conj(fft.rfftn(cloud)), size)
    peak = np.array(np.unravel_index(int(overlap.argmax()), overlap.shape))
    peak = np.where(peak >= values.shape, peak - size, peak)
    coarse = map_.step @ ((peak - low)[::-1] * float(factor))
    return _refined(map_, xyz, coarse, factor)


def _binned(map_: Map, factor: int) -> np.ndarray:
    """Means over blocks of voxels, about the mean of the map; NaN and Inf count as the mean."""
    nz, ny, nx = (ceil(n / factor) * factor for n in map_.values.shape)
    padded = np.zeros((nz, ny, nx), dtype=np.float32)
    z, y, x = map_.values.shape
    padded[:z, :y, :x] = np.where(
        np.isfinite(map_.values), map_.values - np.float32(map_.statistics.mean), 0.0
    )
    blocks = padded.reshape(nz // factor, factor, ny // factor, factor, nx // factor, factor)
    return np.asarray(blocks.mean(axis=(1, 3, 5)))


def _refined(map_: Map, xyz: Float_Nx3, shift: Float_3, factor: int) -> Float_3:
    """Climb to the nearest maximum of the mean density, in smaller and smaller steps."""
    best, here = _mean_density(map_, xyz + shift), shift
    stride = factor / 2.0
    while stride >= 0.25:
        moved = False
        for way in product((-1, 0, 1), repeat=3):
            trial = here + map_.step @ (stride * np.array(way, dtype=float))
            density = _mean_density(map_, xyz + trial)
            if density > best:
                best, here, moved = density, trial, True
        if not moved:
            stride /= 2.0
    return here


def _mean_density(map_: Map, xyz: Float_Nx3) -> float:
    values = trilinear(map_, xyz)
    return float(np.where(np.isfinite(values), values, map_.statistics.mean).mean())
