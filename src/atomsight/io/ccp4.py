"""The header of a CCP4/MRC map file, checked before anything is believed.

Format: Cheng et al. (2015), J. Struct. Biol. 192, 146-150 (MRC2014), and its CCP4 ancestor.
"""

from dataclasses import dataclass
from math import cos, isfinite, prod, radians
from pathlib import Path

import numpy as np

from atomsight.errors import MapFileError

HEADER_BYTES = 1024
MODES: dict[int, str] = {0: "i1", 1: "i2", 2: "f4", 6: "u2", 12: "f2"}
_LARGEST_AXIS = 1 << 20
_VOXEL_SIZES = (1e-3, 1e5)
_IMOD_STAMP = 1146047817
_VOLUME_STACK = 401


@dataclass(frozen=True, slots=True)
class Ccp4Header:
    """What a map file says of itself. Triples are in the order x, y, z unless said otherwise.

    Attributes
    ----------
    dtype : numpy dtype
        Of the values in the file, with byte order.
    file_shape : tuple of int
        Sections, rows, columns, as they lie in the file.
    file_axes : tuple of int
        Which of x (0), y (1), z (2) the sections, rows, columns run along.
    shape : tuple of int
        Number of voxels.
    start : tuple of int
        NXSTART, NYSTART, NZSTART brought to the order x, y, z.
    sampling : tuple of int
        MX, MY, MZ: intervals along the cell's edges.
    cell : tuple of float
        a, b, c in Å and α, β, γ in degrees.
    origin : tuple of float
        The ORIGIN words, Å.
    space_group : int
        ISPG.
    data_offset : int
        Where the values begin, in bytes.
    """

    dtype: np.dtype[np.generic]
    file_shape: tuple[int, int, int]
    file_axes: tuple[int, int, int]
    shape: tuple[int, int, int]
    start: tuple[int, int, int]
    sampling: tuple[int, int, int]
    cell: tuple[float, float, float, float, float, float]
    origin: tuple[float, float, float]
    space_group: int
    data_offset: int

    @property
    def data_bytes(self) -> int:
        """Bytes of values that the file must hold."""
        return prod(self.file_shape) * self.dtype.itemsize

    @property
    def orthogonal(self) -> bool:
        """Whether all three cell angles are 90°."""
        return all(abs(angle - 90.0) < 1e-3 for angle in self.cell[3:])

    @property
    def is_crystal(self) -> bool:
        """Whether the file describes a crystal: a space group beyond P1, or a skewed cell."""
        return 1 < self.space_group < _VOLUME_STACK or not self.orthogonal


def parse_header(raw: bytes, path: Path) -> Ccp4Header:
    """Read and check the first 1024 bytes of a map file.

    Parameters
    ----------
    raw : bytes
        At least 1024 bytes for a valid file.
    path : Path
        For messages only.

    Returns
    -------
    Ccp4Header

    Raises
    ------
    MapFileError
        If the bytes are not the header of a map that can be read without guessing.
    """
    if len(raw) < HEADER_BYTES:
        raise MapFileError(
            f"{path}: only {len(raw)} bytes, shorter than the {HEADER_BYTES}-byte header of a map"
        )
    if raw[208:211] != b"MAP":
        raise MapFileError(
            f"{path}: not a CCP4/MRC map (no 'MAP ' at byte 208); give the map file as EMDB has it"
        )
    words, order = _in_byte_order(raw, path)
    with np.errstate(invalid="ignore"):  # a signalling NaN is seen below, by its name
        floats = words.view(order + "f4").astype(float)
    mode = int(words[3])
    if mode not in MODES:
        raise MapFileError(
            f"{path}: map mode {mode} is not readable; modes {', '.join(map(str, MODES))} are"
        )
    columns, rows, sections = (int(v) for v in words[0:3])
    axes = tuple(int(v) - 1 for v in words[16:19])
    if sorted(axes) != [0, 1, 2]:
        shown = ", ".join(str(v + 1) for v in axes)
        raise MapFileError(f"{path}: axis order {shown} is not an arrangement of 1, 2, 3")
    counts = (columns, rows, sections)
    if any(n < 2 or n > _LARGEST_AXIS for n in counts):
        raise MapFileError(f"{path}: impossible size {columns} x {rows} x {sections}")
    skipped = int(words[23])
    if skipped < 0:
        raise MapFileError(f"{path}: negative size of the extended header ({skipped})")
    sampling = _triple(words[7:10])
    cell = tuple(float(v) for v in floats[10:16])
    _check_cell(path, cell, sampling)
    space_group = int(words[22])
    if space_group >= _VOLUME_STACK and sampling[2] < sections:
        raise MapFileError(
            f"{path}: a stack of {sections // max(sampling[2], 1)} volumes; give one volume a file"
        )
    return Ccp4Header(
        dtype=_value_type(words, mode, order),
        file_shape=(sections, rows, columns),
        file_axes=(axes[2], axes[1], axes[0]),
        shape=_to_xyz(counts, axes),
        start=_to_xyz(_triple(words[4:7]), axes),
        sampling=sampling,
        cell=(cell[0], cell[1], cell[2], cell[3], cell[4], cell[5]),
        origin=(float(floats[49]), float(floats[50]), float(floats[51])),
        space_group=space_group,
        data_offset=HEADER_BYTES + skipped,
    )


def _in_byte_order(raw: bytes, path: Path) -> tuple[np.ndarray, str]:
    """Read the 256 header words in the byte order in which mode and axes make sense.

    The machine stamp is wrong or empty in some files, so it only decides what the words leave open.
    """
    stamped_big = raw[212:213] == b"\x11"
    orders = (">", "<") if stamped_big else ("<", ">")
    for order in orders:
        words = np.frombuffer(raw, dtype=order + "i4", count=256)
        if 0 <= words[3] < 256 and all(1 <= v <= 3 for v in words[16:19]):
            return words, order
    words = np.frombuffer(raw, dtype=orders[0] + "i4", count=256)
    axes = ", ".join(str(v) for v in words[16:19])
    raise MapFileError(
        f"{path}: mode {words[3]} and axis order {axes} make no sense in either byte order"
    )


def _value_type(words: np.ndarray, mode: int, order: str) -> np.dtype[np.generic]:
    code = MODES[mode]
    if mode == 0 and words[38] == _IMOD_STAMP and not words[39] & 1:
        # IMOD wrote unsigned bytes under mode 0 and says so in its own two words
        code = "u1"
    return np.dtype(order + code)


def _check_cell(path: Path, cell: tuple[float, ...], sampling: tuple[int, int, int]) -> None:
    if not all(isfinite(v) for v in cell):
        raise MapFileError(f"{path}: the cell holds values that are not numbers: {cell}")
    if any(v <= 0 for v in cell[:3]) or any(m <= 0 for m in sampling):
        edges = " x ".join(f"{v:g}" for v in cell[:3])
        intervals = " x ".join(str(m) for m in sampling)
        raise MapFileError(
            f"{path}: zero or negative voxel size (cell {edges} Å over {intervals} intervals); "
            "set the voxel size in the map's header"
        )
    smallest, largest = _VOXEL_SIZES
    voxel = [edge / m for edge, m in zip(cell[:3], sampling, strict=True)]
    if min(voxel) < smallest or max(voxel) > largest:
        shown = " x ".join(f"{v:g}" for v in voxel)
        raise MapFileError(
            f"{path}: impossible voxel size {shown} Å; set the voxel size in the map's header"
        )
    alpha, beta, gamma = cell[3:]
    a, b, c = (cos(radians(v)) for v in cell[3:])
    # the square of the cell's volume over that of a box with the same edges
    flatness = 1 - a * a - b * b - c * c + 2 * a * b * c
    if not all(0 < v < 180 for v in cell[3:]) or flatness < 1e-6:
        raise MapFileError(f"{path}: impossible cell angles {alpha:g}, {beta:g}, {gamma:g} degrees")


def _triple(words: np.ndarray) -> tuple[int, int, int]:
    a, b, c = (int(v) for v in words)
    return a, b, c


def _to_xyz(by_column_row_section: tuple[int, ...], axes: tuple[int, ...]) -> tuple[int, int, int]:
    """Bring a triple in the file's order (columns, rows, sections) to the order x, y, z."""
    x, y, z = (by_column_row_section[axes.index(axis)] for axis in range(3))
    return x, y, z
