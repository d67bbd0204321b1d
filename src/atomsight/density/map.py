"""A map: values on a grid, and where that grid lies in space."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import sqrt
from pathlib import Path

import numpy as np

from atomsight.typing import Float_3, Float_3x3, Float_Nx3, PathLikeStr, Volume

_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class MapStatistics:
    """Statistics over every finite voxel of a map file (not only of the part in memory).

    Attributes
    ----------
    n : int
        Number of voxels, finite or not.
    n_not_finite : int
        Number of NaN and Inf voxels, left out of everything below.
    minimum, maximum, mean, sd : float
        In map units; `sd` is the population standard deviation.
    """

    n: int
    n_not_finite: int
    minimum: float
    maximum: float
    mean: float
    sd: float


@dataclass(frozen=True, slots=True)
class Map:
    """Map values and their place in space.

    Voxel (i, j, k) along x, y, z holds ``values[k, j, i]`` and lies at
    ``origin + step @ (i, j, k)``.

    Attributes
    ----------
    values : ndarray, shape (nz, ny, nx)
        float32 or float64, C-contiguous. May be only a part of the file (see `start`).
    origin : ndarray, shape (3,)
        Position of ``values[0, 0, 0]`` in Å.
    step : ndarray, shape (3, 3)
        Columns are the vectors from one voxel to the next along x, y, z, in Å.
    start : tuple of int
        Index (x, y, z) of ``values[0, 0, 0]`` in the whole file's grid.
    full_shape : tuple of int
        Number of voxels (x, y, z) of the whole file's grid.
    statistics : MapStatistics
        Over the whole file.
    periodic : bool
        The file covers a full crystal cell, and `values` may continue beyond it.
    path : Path or None
        The file it came from.
    notes : tuple of str
        Decisions taken while reading that a user should know about.
    """

    values: Volume
    origin: Float_3
    step: Float_3x3
    start: tuple[int, int, int]
    full_shape: tuple[int, int, int]
    statistics: MapStatistics
    periodic: bool = False
    path: Path | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def voxel_size(self) -> tuple[float, float, float]:
        """Length in Å of one step along x, y, z."""
        x, y, z = np.linalg.norm(self.step, axis=0)
        return float(x), float(y), float(z)

    @property
    def full_origin(self) -> Float_3:
        """Position in Å of the whole file's voxel (0, 0, 0)."""
        corner: Float_3 = self.origin - self.step @ np.asarray(self.start, dtype=float)
        return corner


def map_from_array(
    values: Volume,
    voxel_size: float | tuple[float, float, float],
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0),
    *,
    path: PathLikeStr | None = None,
) -> Map:
    """Make a map from an array.

    Parameters
    ----------
    values : ndarray, shape (nz, ny, nx)
        Map values; kept as float32 or float64, everything else becomes float32.
    voxel_size : float or tuple of float
        Å, one for all axes or one each for x, y, z.
    origin : tuple of float
        Position (x, y, z) of the first voxel in Å.
    path : path, optional
        A file name to show in messages.

    Returns
    -------
    Map

    Raises
    ------
    ValueError
        If `values` is not three-dimensional or `voxel_size` is not positive.
    """
    array = np.asarray(values)
    if array.ndim != 3:
        raise ValueError(f"a map has three dimensions, this array has {array.ndim}")
    if array.dtype != np.float64:
        array = array.astype(np.float32, copy=False)
    size = np.broadcast_to(np.asarray(voxel_size, dtype=float), (3,))
    if not (np.isfinite(size).all() and (size > 0).all()):
        raise ValueError(f"voxel size must be positive, not {voxel_size}")
    nz, ny, nx = array.shape
    return Map(
        values=np.ascontiguousarray(array),
        origin=np.asarray(origin, dtype=float),
        step=np.diag(size),
        start=(0, 0, 0),
        full_shape=(nx, ny, nz),
        statistics=array_statistics(array),
        path=None if path is None else Path(path),
    )


def array_statistics(values: Volume) -> MapStatistics:
    """Statistics of the finite values of an array, in float64.

    Parameters
    ----------
    values : ndarray
        Any shape.

    Returns
    -------
    MapStatistics
        NaN throughout when no value is finite.
    """
    n, total, lowest, highest = 0, 0.0, np.inf, -np.inf
    for piece in _finite_pieces(values):
        n += piece.size
        total += float(piece.sum(dtype=np.float64))
        lowest, highest = min(lowest, float(piece.min())), max(highest, float(piece.max()))
    if n == 0:
        nan = float("nan")
        return MapStatistics(values.size, values.size, nan, nan, nan, nan)
    mean = total / n
    square = sum(
        float(np.square(piece - np.float64(mean)).sum()) for piece in _finite_pieces(values)
    )
    return MapStatistics(values.size, values.size - n, lowest, highest, mean, sqrt(square / n))


def _finite_pieces(values: Volume) -> Iterator[np.ndarray]:
    """Finite values, some at a time: of a large map, copies in double precision are a burden."""
    flat = values.reshape(-1)
    for start in range(0, flat.size, _PIECE):
        piece = flat[start : start + _PIECE]
        finite = piece[np.isfinite(piece)]
        if finite.size:
            yield finite


def index_matrix(map_: Map) -> Float_3x3:
    """Matrix from Å to voxels: the inverse of the step matrix.

    Parameters
    ----------
    map_ : Map

    Returns
    -------
    ndarray, shape (3, 3)
    """
    matrix: Float_3x3 = np.linalg.inv(map_.step).astype(np.float64, copy=False)
    return matrix


def to_index(map_: Map, xyz: Float_Nx3) -> Float_Nx3:
    """Fractional voxel indices of positions, in the array at hand.

    Parameters
    ----------
    map_ : Map
    xyz : ndarray, shape (n, 3)
        Positions in Å.

    Returns
    -------
    ndarray, shape (n, 3)
        Order x, y, z; ``values[0, 0, 0]`` has index (0, 0, 0).
    """
    relative = np.asarray(xyz, dtype=float) - map_.origin
    off_diagonal = map_.step - np.diag(np.diag(map_.step))
    if not off_diagonal.any():
        # division by the voxel size, not a product with its inverse: one rounding less
        index: Float_Nx3 = relative / np.diag(map_.step)
        return index
    with np.errstate(invalid="ignore"):  # infinitely far away is nowhere: NaN
        skewed: Float_Nx3 = relative @ index_matrix(map_).T
    return skewed


def box_cell(
    step: Float_3x3, shape: tuple[int, ...] | np.ndarray
) -> tuple[float, float, float, float, float, float]:
    """Edges and angles of the box that a grid fills.

    Parameters
    ----------
    step : ndarray, shape (3, 3)
        Vectors between neighbouring voxels, as columns, Å.
    shape : sequence of int
        Number of voxels along x, y, z.

    Returns
    -------
    tuple of float
        a, b, c in Å and α, β, γ in degrees.
    """
    edges = step * np.asarray(shape)
    lengths = np.linalg.norm(edges, axis=0)
    a, b, c = (edges / lengths).T
    angles = np.degrees(np.arccos(np.clip([b @ c, a @ c, a @ b], -1.0, 1.0)))
    x, y, z, alpha, beta, gamma = (float(v) for v in (*lengths, *angles))
    return x, y, z, alpha, beta, gamma
