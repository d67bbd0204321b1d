"""What an entry will need, from the sizes of its files: to place it, and to plan."""

from dataclasses import dataclass
from math import prod

from atomsight.batch.entry import Entry
from atomsight.errors import InputError
from atomsight.io.files import is_gzip
from atomsight.io.maps import read_header

LITTLE = 300 * 2**20
"""Bytes that a process has before it has read anything."""

_BASE_SECONDS = 0.3
_BYTES_PER_ATOM_LINE = 90
_PACKED = 5


@dataclass(frozen=True, slots=True)
class Estimate:
    """What an entry will need, within a factor of two or so.

    Attributes
    ----------
    memory : int
        Bytes.
    seconds : float
        On one processor.
    atoms, voxels : int
        What they were taken from; atoms by the size of the model's file.
    """

    memory: int
    seconds: float
    atoms: int
    voxels: int


def estimate(entry: Entry) -> Estimate:
    """Expected memory and time of an entry whose files are there.

    Parameters
    ----------
    entry : Entry

    Returns
    -------
    Estimate

    Raises
    ------
    MapFileError
        If the header of the map cannot be read.
    OSError
        If the model cannot be looked at.
    """
    if entry.model is None or entry.map is None:
        raise ValueError("this entry has no files yet")
    size = entry.model.stat().st_size * (_PACKED if is_gzip(entry.model) else 1)
    atoms = size // _BYTES_PER_ATOM_LINE
    voxels = prod(read_header(entry.map).shape)
    halves = entry.half_1 is not None
    memory = LITTLE + 2000 * atoms + (60 if halves else 8) * voxels
    seconds = _BASE_SECONDS + 3e-4 * atoms + (2e-3 * atoms + 1e-6 * voxels if halves else 0)
    return Estimate(memory, seconds, atoms, voxels)


def need_of(entry: Entry) -> int:
    """Bytes that an entry will need, for its place.

    Parameters
    ----------
    entry : Entry

    Returns
    -------
    int
        Few where files are still to be fetched, or missing, or unreadable: that is reported when it
        is their turn.
    """
    if not entry.fetched:
        return LITTLE
    try:
        return estimate(entry).memory
    except (InputError, OSError):
        return LITTLE
