"""Reading CCP4/MRC maps: all of them, or only the box around a model."""

from dataclasses import replace
from math import prod
from pathlib import Path
from typing import BinaryIO, Literal

import gemmi
import numpy as np

from atomsight.density.map import Map, MapStatistics
from atomsight.errors import MapFileError
from atomsight.io.ccp4 import HEADER_BYTES, Ccp4Header, parse_header
from atomsight.io.crystal import full_cell
from atomsight.io.files import DEFLATE_LIMIT, is_gzip, open_binary, read_up_to, require_file
from atomsight.typing import Float_3, Float_3x3, Float_Nx3, PathLikeStr, Volume

OriginRule = Literal["auto", "origin", "nstart", "zero"]
_RULE_TEXT = {"zero": "zero", "nstart": "taken from NSTART", "origin": "taken from ORIGIN"}

DEFAULT_MARGIN = 6.0
"""Å of map kept around a model: 2 Å for the Q-score, 3 Å for the overlay check, one voxel."""

_CHUNK_BYTES = 4 << 20


def read_header(path: PathLikeStr) -> Ccp4Header:
    """Read and check the header of a map file, without its values.

    Parameters
    ----------
    path : path
        CCP4/MRC map, plain or gzipped.

    Returns
    -------
    Ccp4Header

    Raises
    ------
    MapFileError
        If the file is missing, not a map, or promises more values than it can hold.
    """
    file = require_file(path, "map", MapFileError)
    with open_binary(file, "map", MapFileError) as handle:
        header = parse_header(handle.read(HEADER_BYTES), file)
    _check_size(header, file)
    return header


def read_map(
    path: PathLikeStr,
    *,
    around: Float_Nx3 | None = None,
    margin: float = DEFAULT_MARGIN,
    origin: OriginRule = "auto",
) -> Map:
    """Read a CCP4/MRC map (modes 0, 1, 2, 6, 12, either byte order, any axis order, plain or gzip).

    The file is streamed once, for the statistics over all voxels; only the box asked for is
    kept. (A memory map would count every page that the statistics touch as resident.)

    Parameters
    ----------
    path : path
    around : ndarray, shape (n, 3), optional
        Positions in Å. Only the box that holds them and `margin` is kept; without it, everything.
    margin : float
        Å around those positions.
    origin : {"auto", "origin", "nstart", "zero"}
        Where voxel (0, 0, 0) lies. "auto": the ORIGIN words where one is not zero, else NSTART
        times the voxel size, as in UCSF Chimera.

    Returns
    -------
    Map
        A crystal map (skewed cell, or a space group beyond P1) that covers its whole cell is
        periodic: its box continues beyond the file by wrapping round.

    Raises
    ------
    MapFileError
        If the file cannot be read as what it says it is.
    """
    header = read_header(path)
    file = Path(path)
    step = _step_matrix(header)
    place, notes = _choose_origin(header, step, origin)
    if not np.isfinite(place).all():
        raise MapFileError(f"{file}: the ORIGIN words are not numbers; use NSTART or zero")
    low, high = (0, 0, 0), header.shape
    if around is not None and not header.is_crystal:
        low, high = _box(header.shape, place, step, around, margin)
    values, statistics, trailing = _stream(file, header, low, high)
    if trailing:
        notes += ("there are bytes after the last voxel that the header does not account for",)
    whole = Map(
        values=values,
        origin=place + step @ np.array(low, dtype=float),
        step=step,
        start=low,
        full_shape=header.shape,
        statistics=statistics,
        path=file,
        notes=notes,
    )
    return _crystal_map(whole, header, around, margin) if header.is_crystal else whole


def _check_size(header: Ccp4Header, file: Path) -> None:
    """Refuse a file that cannot hold what its header promises, before anything is allocated."""
    promised = header.data_offset + header.data_bytes
    size = file.stat().st_size
    largest = size * DEFLATE_LIMIT if is_gzip(file) else size
    if promised > largest:
        nx, ny, nz = header.shape
        raise MapFileError(
            f"{file}: truncated, or its header is wrong: {nx} x {ny} x {nz} voxels need "
            f"{promised} bytes, the file has {'at most ' if largest != size else ''}{largest}"
        )


def _step_matrix(header: Ccp4Header) -> Float_3x3:
    """Vectors between neighbouring voxels, as columns: voxel size = cell / M (M need not be N)."""
    sampling = np.array(header.sampling, dtype=float)
    if header.orthogonal:
        return np.diag(np.array(header.cell[:3]) / sampling)
    cell = gemmi.UnitCell(*header.cell)
    step: Float_3x3 = np.array(cell.orth.mat.tolist()) / sampling
    return step


def _choose_origin(
    header: Ccp4Header, step: Float_3x3, rule: OriginRule
) -> tuple[Float_3, tuple[str, ...]]:
    """Position of voxel (0, 0, 0), and what a user should know about how it was found."""
    words = np.array(header.origin)
    start = step @ np.array(header.start, dtype=float)
    if rule != "auto":
        places = {"zero": np.zeros(3), "nstart": start, "origin": words}
        return places[rule], (f"origin on request: {_RULE_TEXT[rule]}",)
    if not np.isfinite(words).all():
        return start, ("the ORIGIN words are not numbers: NSTART used",)
    if not words.any():
        return start, ()
    if any(header.start) and not np.allclose(words, start, atol=1e-3):
        shown = ", ".join(f"{v:g}" for v in words)
        other = ", ".join(f"{v:g}" for v in start)
        return words, (f"ORIGIN ({shown} Å) and NSTART ({other} Å) differ: ORIGIN used",)
    return words, ()


def _box(
    shape: tuple[int, int, int], place: Float_3, step: Float_3x3, around: Float_Nx3, margin: float
) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Range of voxels (low, high) around positions, at least 2 wide and inside the file."""
    low, high = _wanted(place, step, around, margin)
    limit = np.array(shape)
    low = np.clip(low, 0, limit - 2)
    high = np.clip(high, low + 2, limit)
    return _ints(low), _ints(high)


def _wanted(
    place: Float_3, step: Float_3x3, around: Float_Nx3, margin: float
) -> tuple[np.ndarray, np.ndarray]:
    """Range of voxels around positions, wherever the file ends."""
    known = around[np.isfinite(around).all(axis=1)]
    inverse = np.linalg.inv(step)
    index = (known - place) @ inverse.T if len(known) else np.zeros((1, 3))
    reach = margin * np.linalg.norm(inverse, axis=1)
    # coordinates far beyond any map must not overflow the integers
    low = np.clip(np.floor(index.min(axis=0) - reach), -(2**31), 2**31)
    high = np.clip(np.ceil(index.max(axis=0) + reach) + 1, -(2**31), 2**31)
    return low.astype(np.int64), high.astype(np.int64)


def _ints(values: np.ndarray) -> tuple[int, int, int]:
    x, y, z = (int(v) for v in values)
    return x, y, z


def _stream(
    file: Path, header: Ccp4Header, low: tuple[int, int, int], high: tuple[int, int, int]
) -> tuple[Volume, MapStatistics, bool]:
    """Read all sections once; keep the box, and add up statistics over everything."""
    sections, rows, columns = header.file_shape
    s_axis, r_axis, c_axis = header.file_axes
    box = tuple(slice(low[a], high[a]) for a in header.file_axes)
    kept: list[Volume] = []
    per_chunk = max(1, _CHUNK_BYTES // (rows * columns * header.dtype.itemsize))
    tally = _Tally()
    with open_binary(file, "map", MapFileError) as handle:
        _skip(handle, header.data_offset)
        for first in range(0, sections, per_chunk):
            count = min(per_chunk, sections - first)
            chunk = _read_sections(handle, header, count, file)
            tally.add(chunk)
            begin, end = max(box[0].start - first, 0), min(box[0].stop - first, count)
            if begin < end:
                kept.append(chunk[begin:end, box[1], box[2]].astype(np.float32))
        # a gzip's check sum is only compared at its end; one that never ends is left alone
        trailing = bool(handle.read(_CHUNK_BYTES))
    in_file_order = kept[0] if len(kept) == 1 else np.concatenate(kept)
    order = {s_axis: 0, r_axis: 1, c_axis: 2}
    values = np.ascontiguousarray(in_file_order.transpose(order[2], order[1], order[0]))
    return values, tally.result(), trailing


def _skip(handle: BinaryIO, count: int) -> None:
    """Move forward without believing that the header's offset fits in memory."""
    while count > 0:
        got = len(handle.read(min(count, _CHUNK_BYTES)))
        if got == 0:
            break
        count -= got


def _read_sections(handle: BinaryIO, header: Ccp4Header, count: int, file: Path) -> np.ndarray:
    _, rows, columns = header.file_shape
    wanted = count * rows * columns * header.dtype.itemsize
    data = read_up_to(handle, wanted)
    if len(data) < wanted:
        raise MapFileError(f"{file}: truncated: the values end before the header says they do")
    return np.frombuffer(data, dtype=header.dtype).reshape(count, rows, columns)


class _Tally:
    """Mean and variance over chunks (Chan, Golub & LeVeque 1983), finite values only."""

    def __init__(self) -> None:
        self.n = self.n_finite = 0
        self.mean = self.squares = 0.0
        self.minimum, self.maximum = np.inf, -np.inf

    def add(self, chunk: np.ndarray) -> None:
        self.n += chunk.size
        values = chunk.astype(np.float32, copy=False).ravel()
        low, high = float(values.min()), float(values.max())
        if not (np.isfinite(low) and np.isfinite(high)):
            values = values[np.isfinite(values)]
            if not values.size:
                return
            low, high = float(values.min()), float(values.max())
        mean = float(values.mean(dtype=np.float64))
        difference = values - np.float64(mean)
        # not by BLAS, whose sums depend on the number of threads
        squares = float(np.square(difference, out=difference).sum())
        total = self.n_finite + values.size
        delta = mean - self.mean
        self.squares += squares + delta * delta * self.n_finite * values.size / total
        self.mean += delta * values.size / total
        self.n_finite = total
        self.minimum, self.maximum = min(self.minimum, low), max(self.maximum, high)

    def result(self) -> MapStatistics:
        if not self.n_finite:
            nan = float("nan")
            return MapStatistics(self.n, self.n, nan, nan, nan, nan)
        sd = float(np.sqrt(self.squares / self.n_finite))
        absent = self.n - self.n_finite
        return MapStatistics(self.n, absent, self.minimum, self.maximum, self.mean, sd)


def _crystal_map(part: Map, header: Ccp4Header, around: Float_Nx3 | None, margin: float) -> Map:
    """Continue a crystal's map beyond the file by symmetry and repetition where it can be."""
    file = part.path
    cell = full_cell(part.values, header)
    if cell is None:
        notes = (*part.notes, "the map makes up no whole crystal cell: nothing beyond it is known")
        low, high = (0, 0, 0), header.shape
        if around is not None:
            low, high = _box(header.shape, part.origin, part.step, around, margin)
        box = tuple(slice(low[a], high[a]) for a in (2, 1, 0))
        values = np.ascontiguousarray(part.values[box])
        origin = part.origin + part.step @ np.array(low, dtype=float)
        return replace(part, values=values, origin=origin, start=low, notes=notes)
    shape = header.sampling
    corner = part.origin - part.step @ np.array(header.start, dtype=float)
    first, last = np.zeros(3, dtype=np.int64), np.array(shape)
    if around is not None:
        first, last = _wanted(corner, part.step, around, margin)
        if not 0 < prod(int(n) for n in last - first) <= 2**31:
            raise MapFileError(
                f"{file}: the model lies too far from this crystal map's cell, or spans too many"
            )
    x, y, z = (np.arange(first[a], last[a]) % shape[a] for a in range(3))
    return replace(
        part,
        values=np.ascontiguousarray(cell[np.ix_(z, y, x)]),
        origin=corner + part.step @ first.astype(float),
        start=_ints(first),
        full_shape=shape,
        periodic=True,
        notes=(*part.notes, "crystal map: continued periodically beyond its cell"),
    )


def origin_choices(path: PathLikeStr) -> dict[str, Float_3]:
    """Every place where a map's header lets voxel (0, 0, 0) lie.

    Parameters
    ----------
    path : path

    Returns
    -------
    dict
        Rule for `read_map` → position in Å; rules that agree appear once.

    Raises
    ------
    MapFileError
        If the header cannot be read.
    """
    header = read_header(path)
    step = _step_matrix(header)
    choices: dict[str, Float_3] = {}
    rules: tuple[OriginRule, ...] = ("origin", "nstart", "zero")
    for rule in rules:
        place, _ = _choose_origin(header, step, rule)
        if np.isfinite(place).all() and not any(np.allclose(place, p) for p in choices.values()):
            choices[rule] = place
    return choices
