"""Writing maps as CCP4/MRC files that lie where the input lay."""

from pathlib import Path

import numpy as np

from atomsight.density.map import Map, array_statistics, box_cell
from atomsight.io.ccp4 import HEADER_BYTES
from atomsight.io.files import whole_file
from atomsight.typing import Float_3x3, Volume

_LABEL_BYTES = 80


def header_words(shape: tuple[int, ...], step: Float_3x3, mode: int) -> np.ndarray:
    """Header of a map whose x runs fastest, without statistics, origin and labels.

    Parameters
    ----------
    shape : tuple of int
        (nz, ny, nx).
    step : ndarray, shape (3, 3)
        Vectors between neighbouring voxels, as columns, Å.
    mode : int
        How a value is stored: 0 as one byte, 2 as four.

    Returns
    -------
    ndarray of int32, shape (256,)
        Little-endian words; those that are floats are filled through a view.
    """
    nz, ny, nx = shape
    words = np.zeros(HEADER_BYTES // 4, dtype="<i4")
    words[0:4] = nx, ny, nz, mode
    words[7:10] = nx, ny, nz
    words.view("<f4")[10:16] = box_cell(step, (nx, ny, nz))
    words[16:19] = 1, 2, 3
    words[22] = 1
    words[27] = 20140
    words.view("u1")[208:216] = np.frombuffer(b"MAP \x44\x44\x00\x00", dtype="u1")
    return words


def write_map(values: Volume, like: Map, path: Path, *, label: str = "atomsight") -> Path:
    """Write values on the grid of a map: mode 2, little-endian, x fastest, MRC2014.

    The cell, its sampling and the origin say the same as those of the input; the origin stands
    in the ORIGIN words, and NSTART is 0.

    Parameters
    ----------
    values : ndarray, shape (nz, ny, nx)
        NaN is kept: not evaluated.
    like : Map
        Gives step and origin.
    path : Path
    label : str
        The file's first label; ASCII, cut at 80 characters.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    statistics = array_statistics(values)
    words = header_words(values.shape, like.step, mode=2)
    floats = words.view("<f4")
    known = (statistics.minimum, statistics.maximum, statistics.mean)
    # the format's way to say that statistics are not known: maximum below minimum, sd negative
    floats[19:22] = known if np.isfinite(known).all() else (0.0, -1.0, -2.0)
    floats[49:52] = like.origin
    floats[54] = statistics.sd if np.isfinite(statistics.sd) else -1.0
    words[55] = 1
    header = bytearray(words.tobytes())
    text = label.encode("ascii", "replace")[:_LABEL_BYTES]
    header[224 : 224 + _LABEL_BYTES] = text.ljust(_LABEL_BYTES)
    with whole_file(path) as temporary, temporary.open("wb") as handle:
        handle.write(header)
        for section in values:
            handle.write(np.ascontiguousarray(section, dtype="<f4").tobytes())
    return path
