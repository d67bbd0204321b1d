"""Pairs of maps that share a signal, as half maps do: synthetic noise, no simulated particles."""

import numpy as np
from scipy import ndimage

from atomsight.density.map import Map, map_from_array

SHAPE = (24, 22, 26)


def half_maps(seed: int, shape=SHAPE, voxel=1.1, noise: float = 3.0) -> tuple[Map, Map]:
    """Smooth signal with a standard deviation of about 3 under white noise, and some offset."""
    rng = np.random.default_rng(seed)
    common = 20.0 * ndimage.gaussian_filter(rng.standard_normal(shape), 1.2)
    first, second = (
        common + noise * rng.standard_normal(shape) + rng.uniform(-3, 3) for _ in range(2)
    )
    return (
        map_from_array(first.astype(np.float32), voxel, path="one.mrc"),
        map_from_array(second.astype(np.float32), voxel, path="two.mrc"),
    )


def every_voxel(map_: Map, step: int = 1) -> np.ndarray:
    """Voxels (x, y, z), every k-th along each axis."""
    index = np.indices(map_.values.shape)[::-1, ::step, ::step, ::step]
    return index.reshape(3, -1).T.copy()


def all_inside(map_: Map, box: int) -> np.ndarray:
    """Voxels (x, y, z) whose windows of `box` voxels lie in the map."""
    voxels, half = every_voxel(map_), box // 2
    shape = np.array(map_.values.shape[::-1])
    return voxels[((voxels >= half) & (voxels + half <= shape)).all(axis=1)]
