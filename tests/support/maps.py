"""CCP4/MRC bytes made from the format's description (MRC2014), not from the code under test."""

import gzip
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

CODES = {0: "i1", 1: "i2", 2: "f4", 6: "u2", 12: "f2"}
STAMPS = {"<": b"\x44\x44\x00\x00", ">": b"\x11\x11\x00\x00"}
RIGHT_ANGLES = (90.0, 90.0, 90.0)


def ccp4_bytes(
    values: np.ndarray,
    *,
    mode: int = 2,
    byte_order: str = "<",
    axes: Sequence[int] = (1, 2, 3),
    cell: Sequence[float] | None = None,
    sampling: Sequence[int] | None = None,
    start: Sequence[int] = (0, 0, 0),
    origin: Sequence[float] = (0.0, 0.0, 0.0),
    space_group: int = 1,
    extended: bytes = b"",
    stamp: bytes | None = None,
    words: Mapping[int, float] | None = None,
) -> bytes:
    """A map file of `values` (z, y, x).

    `axes` are MAPC, MAPR, MAPS; `start`, `sampling` and `origin` are in the order x, y, z.
    `words` overrides header words by their number in the format (1-256), as the type given.
    """
    size = values.shape[::-1]
    sampling = size if sampling is None else sampling
    cell = (*(float(m) for m in sampling), *RIGHT_ANGLES) if cell is None else cell
    fields: dict[int, float] = {4: mode, 23: space_group, 24: len(extended)}
    for position, axis in enumerate(axes):
        fields[1 + position] = size[axis - 1]
        fields[5 + position] = start[axis - 1]
        fields[17 + position] = axis
    fields |= {8 + i: int(m) for i, m in enumerate(sampling)}
    fields |= {11 + i: float(v) for i, v in enumerate(cell)}
    fields |= {50 + i: float(v) for i, v in enumerate(origin)}
    fields |= words or {}
    header = np.zeros(256, dtype=byte_order + "i4")
    for number, value in fields.items():
        kind = "f4" if isinstance(value, float) else "i4"
        header[number - 1 : number].view(byte_order + kind)[0] = value
    raw = bytearray(header.tobytes())
    raw[208:212] = b"MAP "
    raw[212:216] = STAMPS[byte_order] if stamp is None else stamp
    columns, rows, sections = (3 - axis for axis in axes)
    in_file = values.transpose(sections, rows, columns)
    return bytes(raw) + extended + in_file.astype(byte_order + CODES.get(mode, "f4")).tobytes()


def write_ccp4(path: Path, values: np.ndarray, *, compress: bool = False, **options) -> Path:
    """Write `ccp4_bytes`, gzipped on request whatever the file is called."""
    data = ccp4_bytes(values, **options)
    path.write_bytes(gzip.compress(data, 1, mtime=0) if compress else data)
    return path


def ramp(shape: tuple[int, int, int]) -> np.ndarray:
    """Small whole numbers, all different along each axis, that every mode can hold."""
    nz, ny, nx = shape
    z, y, x = np.ogrid[:nz, :ny, :nx]
    return (x + 10 * y + 25 * z).astype(np.float32)
