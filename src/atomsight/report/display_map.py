"""A map made small for the eye: cropped, thinned out, and in 256 steps."""

from dataclasses import dataclass

import numpy as np

from atomsight.density.map import Map, to_index
from atomsight.evidence.inclusion import level_including
from atomsight.io.map_writing import header_words
from atomsight.model import Model
from atomsight.typing import Float_N, Int_N

MOST_VOXELS = 3_000_000
"""More than this is thinned out: a surface of more is slow to draw."""

MARGIN = 6.0
"""Å around the model."""

SHOWN = 0.8
"""Share of the atoms inside the surface that is drawn first, where no contour level is given."""

_STEPS = 254
_LOWEST_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class DisplayMap:
    """What the page draws a surface from.

    Attributes
    ----------
    ccp4 : bytes
        A CCP4 file of mode 0 (-127 to 127).
    scale, offset : float
        Map value = offset + scale × byte.
    low, high, first : float
        Lowest, highest and first contour level, map units.
    mean, sd : float
        Of the whole map.
    factor : int
        Voxels along an axis whose mean is one voxel here.
    """

    ccp4: bytes
    scale: float
    offset: float
    low: float
    high: float
    first: float
    mean: float
    sd: float
    factor: int

    @property
    def note(self) -> str:
        """What was done to the map, for people."""
        thinned = f", means of {self.factor}³ voxels" if self.factor > 1 else ""
        return f"For display only: cropped to the model{thinned}, in 255 steps."


def display_map(map_: Map, model: Model, contour: float | None) -> DisplayMap | None:
    """Crop, thin out and quantise a map.

    Parameters
    ----------
    map_ : Map
    model : Model
    contour : float or None
        Contour level, map units.

    Returns
    -------
    DisplayMap or None
        None where the map is constant around the model, and has no surface.
    """
    low, high = _box(map_, model)
    part = map_.values[low[2] : high[2], low[1] : high[1], low[0] : high[0]]
    if not part.size:
        return None
    factor = max(1, int(np.ceil((part.size / MOST_VOXELS) ** (1 / 3))))
    part = _thinned(np.nan_to_num(part.astype(np.float32), posinf=0.0, neginf=0.0), factor)
    statistics, lowest, highest = map_.statistics, float(part.min()), float(part.max())
    if not lowest < highest:
        return None
    top = float(np.percentile(part[:: max(1, part.shape[0] // 64)], 99.99))
    first = contour if contour is not None else float(level_including(map_, model, SHOWN))
    if top <= lowest or top <= first < highest:
        top = highest
    middle = float(np.clip(statistics.mean, lowest, top))
    if not lowest < first < top:
        first = ((middle if middle < top else lowest) + top) / 2
    bottom = first - (top - first) / 2
    if middle < first:
        bottom = middle + _LOWEST_SHARE * (first - middle)
    scale = (top - bottom) / _STEPS
    offset = bottom + scale * (_STEPS // 2)
    steps = np.clip(np.rint((part - offset) / scale), -127, 127).astype(np.int8)
    corner = map_.origin + map_.step @ (low + (factor - 1) / 2)
    return DisplayMap(
        ccp4=_header(steps.shape, map_.step * factor, corner) + steps.tobytes(),
        scale=scale,
        offset=offset,
        low=bottom,
        high=top,
        first=first,
        mean=statistics.mean,
        sd=statistics.sd,
        factor=factor,
    )


def _box(map_: Map, model: Model) -> tuple[Int_N, Int_N]:
    """First and one beyond the last voxel (x, y, z) of the box around the model."""
    xyz = model.xyz[model.heavy]
    index = to_index(map_, xyz)
    margin = MARGIN / np.asarray(map_.voxel_size)
    shape = np.array(map_.values.shape[::-1])
    low = np.clip(np.floor(index.min(axis=0) - margin), 0, shape - 1).astype(np.int64)
    high = np.clip(np.ceil(index.max(axis=0) + margin) + 1, 1, shape).astype(np.int64)
    return low, high


def _thinned(values: np.ndarray, factor: int) -> np.ndarray:
    """Means of blocks; what does not fill a block at the far ends is left out."""
    if factor == 1:
        return values
    z, y, x = (size // factor for size in values.shape)
    blocks = values[: z * factor, : y * factor, : x * factor]
    blocks = blocks.reshape(z, factor, y, factor, x, factor)
    return np.asarray(blocks.mean(axis=(1, 3, 5), dtype=np.float32))


def _header(shape: tuple[int, ...], step: np.ndarray, corner: Float_N) -> bytes:
    words = header_words(shape, step, mode=0)
    floats = words.view("<f4")
    floats[19:22] = -127.0, 127.0, 0.0
    # the viewer takes the origin along the axes of the cell, in Å
    floats[49:52] = np.linalg.inv(step) @ corner * np.linalg.norm(step, axis=0)
    floats[54] = 1.0
    return words.tobytes()
