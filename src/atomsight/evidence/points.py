"""Points on a sphere: the spiral of Saff and Kuijlaars, as UCSF MapQ uses it."""

from functools import lru_cache

import numpy as np

from atomsight.typing import Float_3x3, Float_Nx3, Int_N

TRIES = 50
"""How many spirals, each with two points more than the one before, are tried a shell."""


def spiral(n: int) -> Float_Nx3:
    """Spread n points evenly over the unit sphere.

    h_k = -1 + 2(k - 1)/(n - 1), θ_k = θ_{k-1} + 3.6 / sqrt(n (1 - h_k²)), θ_1 = θ_n = 0.

    Parameters
    ----------
    n : int
        At least 2.

    Returns
    -------
    ndarray, shape (n, 3)
        Unit vectors x, y, z; always the same for the same n.

    References
    ----------
    Saff & Kuijlaars (1997), Math. Intelligencer 19, 5-11.
    """
    height = -1.0 + 2.0 * np.arange(n) / (n - 1)
    polar = np.arccos(height)
    azimuth = np.zeros(n)
    for k in range(1, n - 1):
        turn = 3.6 / np.sqrt(n * (1.0 - height[k] ** 2))
        azimuth[k] = (azimuth[k - 1] + turn) % (2.0 * np.pi)
    return np.column_stack(
        [np.sin(polar) * np.cos(azimuth), np.sin(polar) * np.sin(azimuth), np.cos(polar)]
    )


@lru_cache(maxsize=8)
def trial_points(points: int, tries: int = TRIES) -> tuple[Float_Nx3, Int_N]:
    """All spirals that a shell may need: with ``points``, ``points + 2``, … points.

    Parameters
    ----------
    points : int
        Number of points of the first one.
    tries : int
        Number of spirals.

    Returns
    -------
    directions : ndarray, shape (m, 3)
        Unit vectors, one spiral after the other.
    offsets : ndarray of int, shape (tries + 1,)
        Where each spiral begins.
    """
    spirals = [spiral(points + 2 * i) for i in range(tries)]
    directions = np.concatenate(spirals)
    offsets = np.zeros(tries + 1, dtype=np.int64)
    np.cumsum([len(s) for s in spirals], out=offsets[1:])
    directions.setflags(write=False)
    offsets.setflags(write=False)
    return directions, offsets


def random_rotation(rng: np.random.Generator) -> Float_3x3:
    """A rotation drawn evenly from all rotations.

    Parameters
    ----------
    rng : numpy Generator

    Returns
    -------
    ndarray, shape (3, 3)

    References
    ----------
    Shoemake (1992), Graphics Gems III, 124-132: a normalised Gaussian quaternion.
    """
    drawn = rng.standard_normal(4)
    w, x, y, z = drawn / np.linalg.norm(drawn)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )
