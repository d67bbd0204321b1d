"""What an entry will need, from the sizes of its files: to place it, and to plan."""

from dataclasses import dataclass
from math import prod

from atomsight.batch.entry import Entry
from atomsight.errors import InputError
from atomsight.io.files import is_gzip
from atomsight.io.maps import read_header

LITTLE = 300 * 2**20
"""Bytes that a process has before it has read anything."""

# fitted to benchmarks/batch_sizes.py: 4,600 to 60,000 atoms in 100³ to 600³ voxels
_BYTES_PER_ATOM = 9_000
_BYTES_PER_VOXEL = 15
_BYTES_PER_VOXEL_OF_HALVES = 35
_SECONDS = 0.2
_SECONDS_PER_ATOM = 2e-4
_SECONDS_PER_VOXEL = 1.2e-6
_SECONDS_TO_READ_A_VOXEL = 5e-9
_SECONDS_PER_ATOM_OF_HALVES = 6e-4
_SECONDS_PER_VOXEL_OF_HALVES = 5e-7

_VOXELS_AROUND_AN_ATOM = 450
"""Of the box around a model; the rest of the map is read and let go."""

_BYTES_PER_LINE = 80
"""Of an atom in a model's file."""

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
    atoms = size // _BYTES_PER_LINE
    voxels = prod(read_header(entry.map).shape)
    box = min(voxels, _VOXELS_AROUND_AN_ATOM * atoms)
    seconds = (
        _SECONDS
        + _SECONDS_PER_ATOM * atoms
        + _SECONDS_PER_VOXEL * box
        + _SECONDS_TO_READ_A_VOXEL * voxels
    )
    memory = LITTLE + _BYTES_PER_ATOM * atoms
    if entry.half_1 is None:
        memory += _BYTES_PER_VOXEL * box
    else:
        # half maps are kept whole
        memory += _BYTES_PER_VOXEL_OF_HALVES * voxels
        seconds += _SECONDS_PER_ATOM_OF_HALVES * atoms + _SECONDS_PER_VOXEL_OF_HALVES * voxels
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
