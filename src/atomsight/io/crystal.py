"""A crystal map brought to one whole cell."""

from contextlib import suppress
from math import prod

import gemmi
import numpy as np

from atomsight.io.ccp4 import Ccp4Header
from atomsight.typing import Volume


def full_cell(values: Volume, header: Ccp4Header) -> Volume | None:
    """Values over one whole crystal cell, completed by symmetry, if the file has enough of them.

    Parameters
    ----------
    values : ndarray, shape (nz, ny, nx)
        All values of the file.
    header : Ccp4Header

    Returns
    -------
    ndarray, shape (MZ, MY, MX), or None
        Indexed from the cell's corner. None where the values and their symmetry mates leave gaps,
        or where the space group does not suit the grid.
    """
    group = gemmi.find_spacegroup_by_number(header.space_group) or gemmi.SpaceGroup("P 1")
    if values.size * len(group.operations()) < prod(header.sampling):
        return None
    cell = _in_cell(values, header, group)
    gaps = np.isnan(cell)
    if gaps.any() and np.isnan(values).any():
        # voxels that are NaN in the file are no gaps
        gaps = np.isnan(_in_cell(np.zeros_like(values), header, group))
    return None if gaps.any() else cell


def _in_cell(values: Volume, header: Ccp4Header, group: gemmi.SpaceGroup) -> Volume:
    """Put values (z, y, x) and their symmetry mates into a cell; NaN where none falls."""
    grid = gemmi.FloatGrid(*header.sampling)
    grid.fill(float("nan"))
    known = np.asfortranarray(values.transpose(2, 1, 0), dtype=np.float32)
    grid.set_subarray(known, list(header.start))
    if np.isnan(grid.array).any():
        grid.spacegroup = group
        with suppress(RuntimeError, ValueError):  # the grid does not suit the group: gaps stay
            grid.symmetrize_max()
        grid.set_subarray(known, list(header.start))
    return np.ascontiguousarray(grid.array.transpose(2, 1, 0))
