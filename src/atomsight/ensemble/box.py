"""The part of a map that a model can feel."""

from dataclasses import replace

import numpy as np

from atomsight.density.map import Map, to_index
from atomsight.typing import Float_Nx3, Volume

MARGIN = 12.0
"""Å around the model: how far an atom can go and still feel the map."""


def box_around(map_: Map, xyz: Float_Nx3) -> Map:
    """Part of a map within `MARGIN` of a model.

    Parameters
    ----------
    map_ : Map
    xyz : ndarray, shape (n, 3)
        Å.

    Returns
    -------
    Map
    """
    corners = np.array([xyz.min(axis=0) - MARGIN, xyz.max(axis=0) + MARGIN])
    mixed = corners[np.indices((2, 2, 2)).reshape(3, -1).T, np.arange(3)]
    index = to_index(map_, mixed)
    shape = np.array(map_.values.shape[::-1])
    low = np.clip(np.floor(index.min(axis=0)).astype(int), 0, shape - 2)
    high = np.clip(np.ceil(index.max(axis=0)).astype(int) + 1, low + 2, shape)
    (i, j, k), (i2, j2, k2) = low.tolist(), high.tolist()
    return _placed(map_, np.ascontiguousarray(map_.values[k:k2, j:j2, i:i2]), low)


def _placed(map_: Map, values: Volume, low: np.ndarray) -> Map:
    x, y, z = (int(a + b) for a, b in zip(map_.start, low, strict=True))
    origin = map_.origin + map_.step @ low
    return replace(map_, values=values, origin=origin, start=(x, y, z))
