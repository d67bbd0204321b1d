"""Array aliases that carry the expected shape in their name."""

from os import PathLike
from typing import Any

import numpy as np
import numpy.typing as npt

PathLikeStr = str | PathLike[str]

FloatArray = npt.NDArray[np.float64]
"""Any float64 array."""

Float_N = npt.NDArray[np.float64]
"""One float64 an atom (or a point), shape (n,)."""

Float_Nx3 = npt.NDArray[np.float64]
"""Coordinates, shape (n, 3), order x, y, z."""

Float_3 = npt.NDArray[np.float64]
"""One vector, shape (3,), order x, y, z."""

Float_3x3 = npt.NDArray[np.float64]
"""One matrix, shape (3, 3)."""

Int_N = npt.NDArray[np.int64]
"""One int64 an atom, shape (n,)."""

Int_Nx3 = npt.NDArray[np.int64]
"""Voxel indices, shape (n, 3), order x, y, z."""

Bool_N = npt.NDArray[np.bool_]
"""One flag an atom, shape (n,)."""

Str_N = npt.NDArray[np.str_]
"""One string an atom, shape (n,)."""

Status_N = npt.NDArray[np.uint8]
"""One status code an atom, shape (n,)."""

Volume = npt.NDArray[np.floating[Any]]
"""Map values, shape (nz, ny, nx), float32 or float64."""
