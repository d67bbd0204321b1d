"""Rotations of point groups, in the settings that reconstruction programs use."""

import re

import numpy as np
import numpy.typing as npt

from atomsight.errors import ParameterError
from atomsight.typing import FloatArray

_X, _Y, _Z, _XYZ = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (1.0, 1.0, 1.0)
_GOLDEN = (1.0 + 5.0**0.5) / 2.0
_LARGEST = 99
_TELLS_APART = 1e-6

_Generator = tuple[int, tuple[float, float, float]]
"""A fold and its axis."""

_FIXED: dict[str, tuple[tuple[_Generator, ...], ...]] = {
    # two-folds along x, y, z, or a three-fold along z and a two-fold in yz
    "T": (((2, _Z), (3, _XYZ)), ((3, _Z), (2, (0.0, 2.0**0.5, 1.0)))),
    "O": (((4, _Z), (3, _XYZ)),),
    # two-folds along x, y, z; five-folds in yz, zx, xy, on one side of the diagonals or the other
    "I": (
        ((2, _Z), (3, _XYZ), (5, (0.0, 1.0, _GOLDEN))),
        ((2, _Z), (3, _XYZ), (5, (1.0, 0.0, _GOLDEN))),
    ),
}


def point_group(name: str) -> list[FloatArray]:
    """Rotations of a point group, once for each usual setting.

    Cn: axis along z. Dn: also two-folds, one along x (where n is odd, or along y). T: two-folds
    along x, y, z, or a three-fold along z. O: four-folds along x, y, z. I: two-folds along x, y,
    z, in both ways to do so.

    Parameters
    ----------
    name : str
        C2 to C99, D2 to D99, T, O or I.

    Returns
    -------
    list of ndarray, shape (k, 3, 3)
        One array a setting; the identity is the first rotation.

    Raises
    ------
    ParameterError
        If there is no such group.
    """
    if name in _FIXED:
        return [_closure(generators) for generators in _FIXED[name]]
    known = re.fullmatch(r"([CD])(\d+)", name)
    fold = int(known[2]) if known else 0
    if known is None or not 2 <= fold <= _LARGEST:
        raise ParameterError(
            f"--symmetry: {name} is no point group: one of C2 to C{_LARGEST}, D2 to D{_LARGEST}, "
            "T, O, I, or assembly"
        )
    if known[1] == "C":
        return [_closure(((fold, _Z),))]
    two_folds = (_X, _Y) if fold % 2 else (_X,)
    return [_closure(((fold, _Z), (2, axis))) for axis in two_folds]


def rotation(fold: int, axis: tuple[float, float, float]) -> FloatArray:
    """Rotation by 360°/fold about an axis (Rodrigues' formula).

    Parameters
    ----------
    fold : int
    axis : tuple of float
        Of any length.

    Returns
    -------
    ndarray, shape (3, 3)
    """
    x, y, z = np.array(axis) / np.linalg.norm(axis)
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    angle = 2.0 * np.pi / fold
    turned: FloatArray = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    return turned


def _closure(generators: tuple[_Generator, ...]) -> npt.NDArray[np.float64]:
    """All products of the generators."""
    turns = [rotation(fold, axis) for fold, axis in generators]
    found = [np.eye(3)]
    for known in found:
        for turn in turns:
            product = turn @ known
            if np.abs(np.array(found) - product).max(axis=(1, 2)).min() > _TELLS_APART:
                found.append(product)
    return np.array(found)
